"""What the functions work with belongs to the event loop that asked for it."""

import asyncio

from shared import services


def test_new_loop_gets_no_object_of_an_earlier_one():
    async def ask() -> object:
        return services.once("object", object)

    with services.using():
        objects = [asyncio.run(ask()) for _ in range(5)]

    assert len(set(map(id, objects))) == 5
