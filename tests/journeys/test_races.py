"""What happens between a read and its write is not lost."""

import time
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

from shared.store import base
from tests.journeys.test_odd_intake import inbox, post, said
from tests.journeys.test_who_changed_it import an_order, order, thread
from tests.perene import Perene

NOW = int(time.time())


def after_read(at: int, happens: Callable[[], Awaitable[Any]]) -> Any:
    """Just after the store's nth read something happens."""
    really, turn = base.Database.read, [0]

    async def read(self: Any, *references: Any) -> Any:
        snapshots = await really(self, *references)
        turn[0] += 1
        if turn[0] == at:
            await happens()
        return snapshots

    return mock.patch.object(base.Database, "read", read)


async def test_history_turned_news_is_unread_once(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.set", [said("S1")])

    async def news() -> None:
        assert (await post(on_2, name, "messages.upsert", said("S1"))).status_code == 204

    with after_read(1, news):
        await news()

    assert (await inbox(on_2))[0]["unread"] == 1


async def test_edit_during_compaction_is_kept(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("E"))
    for turn in range(31):
        await order(on_2, name, f"E{turn}", an_order("E", f"{turn}", NOW + turn))

    async def again() -> None:
        await order(on_2, name, "LAST", an_order("E", "agora", NOW + 99))

    with after_read(1, again):
        await order(on_2, name, "E31", an_order("E", "31", NOW + 31))

    assert (await thread(on_2))["messages"][0]["text"] == "agora"


async def test_message_during_edit_is_preview(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("A", at=NOW - 9))

    async def next_one() -> None:
        await post(on_2, name, "messages.upsert", said("B", "nova"))

    with after_read(2, next_one):
        await order(on_2, name, "ED", an_order("A", "editada"))

    assert on_2.documents("tenants/acme/conversations").popitem()[1]["preview"]["text"] == "nova"
