"""Do much work beside the event loop, a few things at a time, so that other requests go on."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import ParamSpec, TypeVar

LARGE = 128 * 1024
"""Bytes from which on work is done in a thread: below, that would take longer than the work."""

Arguments = ParamSpec("Arguments")
Item = TypeVar("Item")
Result = TypeVar("Result")


async def run_aside(
    size: int,
    work: Callable[Arguments, Result],
    *args: Arguments.args,
    **options: Arguments.kwargs,
) -> Result:
    """Do pure work on so many bytes: here, or in a thread if they are many.

    The thread lets others run every few milliseconds, except inside one call of C (reading
    30 MB of JSON: 0.4 s).
    """
    if size < LARGE:
        return work(*args, **options)
    return await asyncio.to_thread(work, *args, **options)


async def run_some_at_a_time(
    most: int, work: Callable[[Item], Awaitable[None]], items: Sequence[Item]
) -> None:
    """Do the work for all items, so many at a time; then raise the first failure, if there is one.

    Others have their turn between any two items, also if the work never waits.
    """
    if len(items) == 1:  # as almost always; a task would cost more than many a work
        await work(items[0])
        return
    waiting, failures = iter(items), list[Exception]()

    async def take() -> None:
        for item in waiting:
            try:
                await work(item)
            except Exception as failure:  # noqa: BLE001 - it is raised once all items are through
                failures.append(failure)
            await asyncio.sleep(0)

    await asyncio.gather(*(take() for _ in range(min(most, len(items)))))
    for failure in failures:
        raise failure
