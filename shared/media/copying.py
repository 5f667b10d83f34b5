"""Copy the files of messages into the bucket, so that they stay when their instance is gone.

A file is streamed to a name of its message's own and hashed on the way; then the message holds it,
by the name that its bytes give it, under which the bucket copies it. An attempt that was killed
anywhere is ended by the next one, as the message is due until all is done.
"""

import asyncio
import hashlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from shared import config, log, problems, services
from shared.domain import media_state, names
from shared.domain.instances import epoch_ms
from shared.domain.media_state import CopyFailure, GiveUp, MediaCopy, MediaLoss, RetryAt
from shared.domain.names import LineId, LineKey, TenantId
from shared.domain.upstream import ReceivedMedia
from shared.media.object_names import name_draft, name_file
from shared.media.thumbnails import make_missing_thumbnail
from shared.store.media_copies import MediaTask

if TYPE_CHECKING:
    from shared.bucket import Bucket

AT_ONCE: Final = 8
"""Files that one process copies at the same time: each holds about 2 MiB."""

DELETE_ATTEMPTS: Final = 5
"""How often a file is looked at anew that is written while it is to be deleted."""

PAGE: Final = 50
ATTEMPT_SECONDS: Final = 300.0
"""Seconds for one file, far below the lease on it."""

TICK_SECONDS: Final = 45.0
"""How long one tick begins to copy files: the next one comes after a minute."""

PLAIN_BYTES: Final = "application/octet-stream"
"""The type of every object: how a file is served is decided where it is served."""


class _Failed(Exception):
    """The file can't be copied now; `why` says what follows."""

    def __init__(self, why: CopyFailure) -> None:
        super().__init__(why)
        self.why = why


async def copy_pushed(tenant: TenantId, line: LineId, message: str) -> None:
    """Copy the file of a message, unless that is done, under way or not due any more.

    Raises BucketUnavailable, BucketRefused if a file can't be deleted now. Firestore: 5 reads, 5
    writes; 3 writes for a file that the tenant has already.
    """
    if (bucket := services.bucket()) is not None:
        await _copy_in_turn(bucket, tenant, line, message)


async def copy_due() -> int:
    """Copy the files that are due; return how many were. Firestore: 1 read each, 1 at least."""
    if config.settings().media_bucket is None:
        return 0
    until, count = time.monotonic() + TICK_SECONDS, 0
    now, end = epoch_ms(services.now()), None
    while time.monotonic() < until:
        tasks, end = await services.store().media_copies.list_due(now, PAGE, end)
        count += len(tasks)
        bucket = services.bucket() if tasks else None  # it is opened when there is work
        if bucket:
            await copy_all(bucket, tasks, until)
        if end is None:
            break
    return count


async def copy_all(bucket: "Bucket", tasks: list[MediaTask], start_by: float) -> None:
    """Copy files, some at a time; those that can't begin by then (monotonic) stay due.

    One that fails in an unknown way holds up no other.
    """

    async def copy_one(task: MediaTask) -> None:
        message = task.message
        try:
            await _copy_in_turn(bucket, task.tenant, message.line, message.id, start_by)
        except problems.Problem as problem:
            log.notice("media.not_copied", problem=problem.slug())
        except Exception as error:  # noqa: BLE001 - one file must not stop the others
            log.error("media.broke", error)

    await asyncio.gather(*map(copy_one, tasks))


async def _copy_in_turn(
    bucket: "Bucket",
    tenant: TenantId,
    line: LineId,
    message: str,
    start_by: float = float("inf"),
) -> None:
    turns: asyncio.Semaphore = services.once("media copies", partial(asyncio.Semaphore, AT_ONCE))
    async with turns:
        if time.monotonic() > start_by:
            return
        now = epoch_ms(services.now())
        task = await services.store().media_copies.claim(tenant, line, message, now)
        if task is not None:
            await _attempt(bucket, task)


async def _attempt(bucket: "Bucket", task: MediaTask) -> None:
    """Copy a claimed file, or plan what follows; delete it if its message was taken back."""
    if task.message.media is None or task.message.surely_revoked:
        await delete_copy(bucket, task, None)
        return
    try:
        async with asyncio.timeout(ATTEMPT_SECONDS):
            await _copy(bucket, task)
    except _Failed as failed:
        await _plan_next(bucket, task, failed.why)
    except (problems.BucketUnavailable, problems.BucketRefused):
        await _plan_next(bucket, task, CopyFailure.BUCKET)
    except (problems.Problem, TimeoutError):
        await _plan_next(bucket, task, CopyFailure.TRANSIENT)


async def _copy(bucket: "Bucket", task: MediaTask) -> None:
    """Copy a file, or end what an attempt before began. Raises _Failed."""
    copy = task.message.media_copy
    if copy and await _settle(bucket, task, copy):
        return
    copy = await _write_draft(bucket, task)
    holding = await services.store().media_copies.hold(task, copy, epoch_ms(services.now()))
    if holding and not await _settle(bucket, holding, copy):
        raise _Failed(CopyFailure.TRANSIENT)


async def _write_draft(bucket: "Bucket", task: MediaTask) -> MediaCopy:
    """Stream the file from its server into the bucket. Raises _Failed."""
    message, limit = task.message, config.settings().media_max_bytes
    if message.media and (message.media.size or 0) > limit:
        raise _Failed(CopyFailure.TOO_LARGE)
    key = LineKey(task.tenant, message.line)
    name = names.instance_name(config.settings().instance_prefix, key)
    instance = await services.store().instances.find(name)
    if instance is None:
        raise _Failed(CopyFailure.NO_INSTANCE)
    evolution = services.evolution(instance.server)
    async with evolution.open_media(name, message.id, ATTEMPT_SECONDS) as media:
        if media is None:
            raise _Failed(CopyFailure.GONE)
        hashing = _HashingChunks(media, limit)
        await bucket.write(name_draft(task), hashing.chunks(), content_type=PLAIN_BYTES)
    return MediaCopy(sha256=hashing.sha256, size=hashing.size, mimetype=media.mimetype)


async def _settle(bucket: "Bucket", task: MediaTask, copy: MediaCopy) -> bool:
    """Give a held file its own name; False if the bucket has neither it nor its draft."""
    name = name_file(task.tenant, copy.sha256)
    if not await bucket.copy(name_draft(task), name) and await bucket.find(name) is None:
        return False
    await bucket.delete(name_draft(task))
    thumbnail, now = await make_missing_thumbnail(bucket, task, copy), epoch_ms(services.now())
    if not await services.store().media_copies.finish(task, thumbnail, now):
        await _delete_unheld(bucket, task.tenant, copy.sha256)
        return True
    log.info("media.stored", line=task.message.line, bytes=copy.size)
    return True


async def _plan_next(bucket: "Bucket", task: MediaTask, why: CopyFailure) -> None:
    now = epoch_ms(services.now())
    if why is CopyFailure.BUCKET:
        log.notice("media.bucket_failed", line=task.message.line)
    match media_state.decide_after_failure(why, task.message.media_tries, now):
        case RetryAt() as retry:
            await services.store().media_copies.postpone(task, retry)
        case GiveUp(loss):
            log.notice("media.lost", line=task.message.line, why=loss)
            await delete_copy(bucket, task, loss)


async def delete_copy(bucket: "Bucket", task: MediaTask, loss: MediaLoss | None) -> bool:
    """Let a message's file go, and delete it if no other message of the tenant holds it.

    `loss`: why it is gone, for people; None if the message was taken back. Safe to repeat; False
    if the task was over. Raises BucketUnavailable, BucketRefused. Firestore: what `give_up` costs
    for a message without a copy, else what `drop` does.
    """
    now, copy = epoch_ms(services.now()), task.message.media_copy
    if task.message.media_due is not None:
        await bucket.delete(name_draft(task))
    if copy is None:
        return await services.store().media_copies.give_up(task, loss, now)
    for _ in range(DELETE_ATTEMPTS):
        delete = await plan_delete(bucket, task.tenant, copy.sha256)
        dropped = await services.store().media_copies.drop(task, loss, now, delete)
        if dropped is not None:
            return dropped
    raise problems.BucketUnavailable("A file is written again and again.")


async def plan_delete(
    bucket: "Bucket", tenant: TenantId, sha256: str
) -> Callable[[], Awaitable[bool]]:
    """Return how to delete a file as it is now: it gives False if the file is written until then.

    This comes before it is read who holds the file. Who holds it later writes it after that, so the
    delete spares it.
    """
    name = name_file(tenant, sha256)
    facts = await bucket.find(name)
    return partial(bucket.delete, name, facts.generation if facts else 0)


async def _delete_unheld(bucket: "Bucket", tenant: TenantId, sha256: str) -> None:
    """Delete a file that was written for a message which had let it go by then."""
    delete = await plan_delete(bucket, tenant, sha256)
    if not await services.store().media_copies.is_held(tenant, sha256):
        await delete()


class _HashingChunks:
    """The chunks of a file on their way, hashed and counted."""

    def __init__(self, media: ReceivedMedia, limit: int) -> None:
        self._media, self._limit = media, limit
        self._digest = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks. Raises _Failed once they are more than the limit."""
        async for chunk in self._media.chunks:
            self.size += len(chunk)
            if self.size > self._limit:
                raise _Failed(CopyFailure.TOO_LARGE)
            self._digest.update(chunk)
            yield chunk
