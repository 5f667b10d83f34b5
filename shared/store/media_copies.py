"""Copies of messages' files: which are due, which messages hold which file, and how much it is.

A file of a tenant is one object, however many of its messages hold it. Its document counts them,
and every commit that changes who holds it also writes that document, on the condition that it is
what was read: so the last one to let go deletes the object, and a message that holds it
is counted before the object is written.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.kept_messages import KeptMessage, is_stub
from shared.domain.media_state import LEASE_MS, MediaCopy, MediaLoss, RetryAt
from shared.domain.names import LineId, TenantId
from shared.domain.record import Record
from shared.domain.tenants import MediaUsage
from shared.store import base
from shared.store.base import Document, LineScope, Snapshot, Topic
from shared.store.logged import untold_fields
from shared.store.messages.documents import LANES, changed_fields, message_in


class MediaTask(NamedTuple):
    """A message whose file is to be copied, or whose copy is to be deleted."""

    tenant: TenantId
    message: KeptMessage

    @property
    def scope(self) -> LineScope:
        return LineScope(self.tenant, self.message.line, self.message.number)


class StoredFile(Record):
    """A file that a tenant has stored. `used_at`: when a message last began to hold it (epoch
    milliseconds)."""

    sha256: str
    size: int = 0
    holders: int = 0
    used_at: int = 0


class _TaskFields(Record):
    tenant: TenantId


class MediaCopies(Topic):
    """Copies of files. None of these changes is told as an event, unless it says so."""

    async def list_due(
        self, now: int, limit: int, after: Snapshot | None = None
    ) -> tuple[list[MediaTask], Snapshot | None]:
        """List files of all tenants that are due, the longest due first, and the page's end.

        The end is None on the last page. A page has fewer if some can't be read. n reads, 1 at
        least.
        """
        in_lanes = FieldFilter("lane", "in", list(range(LANES)))
        query = self._db.client.collection_group("messages").where(filter=in_lanes)
        query = query.where(filter=FieldFilter("media_due", "<=", now)).order_by("media_due")
        query = query.start_after(after) if after else query
        snapshots = await self._db.query(query.limit(limit))
        end = snapshots[-1] if len(snapshots) == limit else None
        return base.readable(snapshots, _task_in), end

    async def list_due_of_line(self, tenant: TenantId, line: LineId, limit: int) -> list[MediaTask]:
        """List files of a line that aren't copied yet, whenever they are due. n reads."""
        query = self._db.messages(tenant).where(filter=FieldFilter("line", "==", line))
        query = query.where(filter=FieldFilter("media_due", ">", 0)).order_by("media_due")
        return base.readable(await self._db.query(query.limit(limit)), _task_in)

    async def claim(
        self, tenant: TenantId, line: LineId, message: str, now: int
    ) -> MediaTask | None:
        """Lease a file that is due, or was never tried, to the caller; None if it isn't.

        Firestore: 1 read, 1 write.
        """
        reference = self._db.message(LineScope(tenant, line, ""), message)

        async def build(batch: Any, snapshot: Snapshot) -> MediaTask | None:
            task = _find_task(snapshot)
            if task is None or not task.message.may_try_media(now):
                return None
            change = {"media_due": now + LEASE_MS, "media_tries": task.message.media_tries + 1}
            self._update(batch, snapshot, change)
            return MediaTask(task.tenant, task.message.model_copy(update=change))

        return await self._db.compare_and_set([reference], build)

    async def hold(self, task: MediaTask, copy: MediaCopy, now: int) -> MediaTask | None:
        """Record that a message holds a file, before it is written under its own name.

        None if the task is over: another has it, or the message was taken back. The message lets go
        what it held before, of which the bucket has nothing. Firestore: 2 reads, 2 writes; of a
        file that is new 3 writes.
        """
        before = task.message.media_copy
        sha256s = [copy.sha256, *([before.sha256] if before else [])]
        files = (self._db.media_file(task.tenant, sha256) for sha256 in dict.fromkeys(sha256s))

        async def build(batch: Any, snapshot: Snapshot, *files: Snapshot) -> MediaTask | None:
            current = _find_current(snapshot, task)
            if current is None or current.message.surely_revoked:
                return None
            if before is None or before.sha256 != copy.sha256:
                self._update(batch, snapshot, {"media_copy": copy.model_dump()})
                self._add_holder(batch, task.tenant, files[0], copy, now)
                for stored in filter(None, map(_file_in, files[1:])):
                    self._remove_holder(batch, task.tenant, files[1], stored)
            held = current.message.model_copy(update={"media_copy": copy})
            return MediaTask(task.tenant, held)

        return await self._db.compare_and_set([self._reference(task), *files], build)

    async def finish(self, task: MediaTask, thumbnail: str | None, now: int) -> bool:
        """Record that the copy is whole; False if the task was over. A thumbnail (base64) is told.

        Firestore: 1 read, 1 write.
        """
        change: dict[str, Any] = {"media_due": firestore.DELETE_FIELD}
        change |= {"media_tries": firestore.DELETE_FIELD}
        news = {"media.thumbnail": thumbnail, **changed_fields(now)} if thumbnail else {}
        return await self._change(task, change | news)

    async def postpone(self, task: MediaTask, retry: RetryAt) -> bool:
        """Record when the next attempt follows. Firestore: 1 read, 1 write."""
        return await self._change(task, {"media_due": retry.at, "media_tries": retry.tries})

    async def give_up(self, task: MediaTask, loss: MediaLoss | None, now: int) -> bool:
        """Record that no other attempt follows, and why (None: it was taken back). It is told.

        Firestore: 1 read, 1 write.
        """
        return await self._change(task, _loss_fields(loss, now))

    async def drop(
        self,
        task: MediaTask,
        loss: MediaLoss | None,
        now: int,
        delete_object: Callable[[], Awaitable[bool]],
    ) -> bool | None:
        """Let a message's file go; `delete_object` first, if no other message holds it.

        `loss` as in `give_up`. False if the task was over; None, and nothing changed, if
        `delete_object` says that the object was written since it was looked at, which has to be
        before this call. Firestore: 2 reads, 2 writes; of the last holder 3 writes.
        """
        copy = task.message.media_copy
        assert copy
        references = [self._reference(task), self._db.media_file(task.tenant, copy.sha256)]

        async def build(batch: Any, snapshot: Snapshot, file: Snapshot) -> bool | None:
            current = _find_current(snapshot, task)
            if current is None or current.message.media_copy != copy:
                return False
            stored = _file_in(file)
            is_last = stored is None or stored.holders <= 1
            if is_last and not await delete_object():
                return None
            fields = {"media_copy": firestore.DELETE_FIELD, **_loss_fields(loss, now)}
            self._update(batch, snapshot, fields)
            if stored is not None:
                self._remove_holder(batch, task.tenant, file, stored)
            return True

        return await self._db.compare_and_set(references, build)

    async def list_old_files(self, tenant: TenantId, until: int, limit: int) -> list[StoredFile]:
        """List files that no message began to hold after then, the oldest first. n reads."""
        query = self._db.media_files(tenant).where(filter=FieldFilter("used_at", "<=", until))
        snapshots = await self._db.query(query.order_by("used_at").limit(limit))
        return [file for file in map(_file_in, snapshots) if file]

    async def remove_file(
        self, tenant: TenantId, sha256: str, delete_object: Callable[[], Awaitable[bool]]
    ) -> None:
        """Remove what no message holds, if it is there; `delete_object` first, as in `drop`: what
        was written since stays.

        Its messages were deleted by hand. Firestore: 1 read, 2 writes if it is there.
        """

        async def build(batch: Any, file: Snapshot) -> None:
            stored = _file_in(file)
            if stored and await delete_object():
                alone = stored.model_copy(update={"holders": 1})
                self._remove_holder(batch, tenant, file, alone)

        await self._db.compare_and_set([self._db.media_file(tenant, sha256)], build)

    async def list_holders(self, tenant: TenantId, sha256: str, limit: int) -> list[MediaTask]:
        """List messages that hold a file. Firestore: n reads."""
        query = self._db.messages(tenant)
        query = query.where(filter=FieldFilter("media_copy.sha256", "==", sha256))
        return base.readable(await self._db.query(query.limit(limit)), _task_in)

    async def is_held(self, tenant: TenantId, sha256: str) -> bool:
        """Tell whether a message holds a file. Firestore: 1 read."""
        (file,) = await self._db.read(self._db.media_file(tenant, sha256))
        return file.exists

    async def find_usage(self, tenants: Iterable[TenantId]) -> dict[TenantId, MediaUsage]:
        """Return how much each of these tenants has stored. Firestore: 1 read each."""
        several = list(tenants)
        snapshots = await self._db.read(*map(self._db.media_usage, several)) if several else []
        usages = (MediaUsage.model_validate(snapshot.to_dict() or {}) for snapshot in snapshots)
        return dict(zip(several, usages, strict=True))

    # How -------------------------------------------------------------------------------------

    def _reference(self, task: MediaTask) -> Document:
        return self._db.message(task.scope, task.message.id)

    async def _change(self, task: MediaTask, fields: Mapping[str, Any]) -> bool:
        """Change a message while the task is the caller's."""

        async def build(batch: Any, snapshot: Snapshot) -> bool:
            if _find_current(snapshot, task) is None:
                return False
            self._update(batch, snapshot, fields)
            return True

        return await self._db.compare_and_set([self._reference(task)], build)

    def _update(self, batch: Any, snapshot: Snapshot, fields: Mapping[str, Any]) -> None:
        untold = {} if "logged_at" in fields else untold_fields(snapshot)
        option = self._db.since(snapshot.update_time)
        batch.update(snapshot.reference, {**fields, **untold}, option=option)

    def _add_holder(
        self, batch: Any, tenant: TenantId, file: Snapshot, copy: MediaCopy, now: int
    ) -> None:
        if file.exists:
            more = {"holders": firestore.Increment(1), "used_at": firestore.Maximum(now)}
            batch.update(file.reference, more, option=self._db.since(file.update_time))
            return
        batch.create(file.reference, {"size": copy.size, "holders": 1, "used_at": now})
        self._count(batch, tenant, 1, copy.size)

    def _remove_holder(
        self, batch: Any, tenant: TenantId, file: Snapshot, stored: StoredFile
    ) -> None:
        option = self._db.since(file.update_time)
        if stored.holders > 1:
            batch.update(file.reference, {"holders": firestore.Increment(-1)}, option=option)
            return
        batch.delete(file.reference, option=option)
        self._count(batch, tenant, -1, -stored.size)

    def _count(self, batch: Any, tenant: TenantId, files: int, size: int) -> None:
        counts = {"files": firestore.Increment(files), "bytes": firestore.Increment(size)}
        batch.set(self._db.media_usage(tenant), counts, merge=True)


def _task_in(snapshot: Snapshot) -> MediaTask:
    """Return the task in a message's document. Raises ValidationError."""
    fields = _TaskFields.model_validate(snapshot.to_dict())
    return MediaTask(fields.tenant, message_in(snapshot))


def _find_task(snapshot: Snapshot) -> MediaTask | None:
    if not snapshot.exists or is_stub(snapshot.to_dict() or {}):
        return None
    return next(iter(base.readable([snapshot], _task_in)), None)


def _find_current(snapshot: Snapshot, task: MediaTask) -> MediaTask | None:
    """Return the task as it is stored now, if it is still the same caller's."""
    current, mine = _find_task(snapshot), task.message
    if current is None:
        return None
    is_mine = (current.message.media_due, current.message.media_tries) == (
        mine.media_due,
        mine.media_tries,
    )
    return current if is_mine else None


def _file_in(snapshot: Snapshot) -> StoredFile | None:
    if not snapshot.exists:
        return None
    return StoredFile.model_validate({**(snapshot.to_dict() or {}), "sha256": snapshot.id})


def _loss_fields(loss: MediaLoss | None, now: int) -> dict[str, Any]:
    over = {"media_due": firestore.DELETE_FIELD, "media_tries": firestore.DELETE_FIELD}
    return over | ({"media_lost": loss, **changed_fields(now)} if loss else {})
