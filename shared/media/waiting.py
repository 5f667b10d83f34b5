"""Wait until the files of a line are in the bucket, before what can give them is removed."""

import asyncio
from typing import TYPE_CHECKING, Final

from shared import config, services
from shared.domain.instances import epoch_ms
from shared.domain.names import LineKey

if TYPE_CHECKING:
    from shared.store.media_copies import MediaTask

PAUSES: Final = (0.2, 0.5, 1.0, 2.0, 3.0, 4.0, 4.0)
"""Seconds between the looks, 15 in all: a lease outlives two such waits and a call upstream."""

MOST_FILES: Final = 200
"""Files that one look sees. A line may have more: then the next look sees others."""


async def await_copies(key: LineKey) -> int:
    """Have the files copied that a line has now; return how many aren't after 15 s.

    What comes meanwhile isn't waited for. 0 without a bucket. Firestore: 1 read if there is
    nothing to wait for, else 1 for each such file and look.
    """
    if config.settings().media_bucket is None:
        return 0
    store, waiting, was_cut = services.store().media_copies, set[str](), True
    for pause in (*PAUSES, 0.0):
        tasks = await store.list_due_of_line(key.tenant, key.line, MOST_FILES)
        due = {task.message.id for task in tasks}
        if was_cut:  # what was behind the last look isn't known
            await _poke(key, tasks, waiting)
            waiting = due
        waiting, was_cut = waiting & due, len(tasks) == MOST_FILES
        if not waiting:
            return 0
        await services.pause(pause)
    return len(waiting)


async def _poke(key: LineKey, tasks: "list[MediaTask]", poked: set[str]) -> None:
    """Have files copied that may be tried now, but for those that were seen before."""
    now = epoch_ms(services.now())
    ready = [task.message for task in tasks if task.message.may_try_media(now)]
    fresh = (message for message in ready if message.id not in poked)
    await asyncio.gather(
        *(services.poke_media(key.tenant, key.line, message.id) for message in fresh)
    )
