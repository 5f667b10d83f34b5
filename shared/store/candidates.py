"""Candidates for deletion, stored from the first suspicion on, and changed by compare-and-set."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.fleet.candidates import Candidate, Stage
from shared.domain.instances import Instance
from shared.domain.tenants import Tenant
from shared.store import base
from shared.store.base import CHANGED, Database, Snapshot, Topic, UnreadableRecord
from shared.store.instance_documents import instance_fields, with_version
from shared.store.server_rooms import Servers

MOST_QUARANTINED = 5_000
AT_ONCE = 400
"""Documents in one commit; Firestore takes 500."""


class Candidates(Topic):
    """The quarantine. Every method is one question or one change."""

    def __init__(self, db: Database, servers: Servers) -> None:
        super().__init__(db)
        self._servers = servers

    async def iterate(self) -> AsyncIterator[Candidate | UnreadableRecord]:
        """Yield all candidates, the deleted ones too. Firestore: n reads."""
        async for snapshot in self._db.iterate(self._db.candidates):
            yield base.read_record(_candidate, snapshot)

    async def list_quarantined(self, server: str | None = None) -> list[Candidate]:
        """List the candidates in quarantine or in deletion, of all servers or of one.

        Firestore: n reads, bounded.
        """
        running = FieldFilter("stage", "in", [Stage.QUARANTINED, Stage.DELETING])
        query = base.filtered(self._db.candidates, {"server": server} if server else {})
        query = query.where(filter=running).limit(MOST_QUARANTINED)
        return base.readable(await self._db.query(query), _candidate)

    async def list_page(
        self, stage: Stage | None, limit: int, after: str | None
    ) -> tuple[list[Candidate], str | None]:
        """Return a page of candidates by id, and its end if there may be more. n reads."""
        where = {"stage": stage} if stage else {}
        snapshots, end = await self._db.query_page(self._db.candidates, limit, after, where=where)
        return base.readable(snapshots, _candidate), end

    async def count_awaiting_approval(self) -> int:
        """Count the candidates in quarantine that await approval. Firestore: 1 read per 1000."""
        fields = {"stage": Stage.QUARANTINED, "needs_approval": True, "approved_at": None}
        query: Any = self._db.candidates
        for field, value in fields.items():
            query = query.where(filter=FieldFilter(field, "==", value))
        return await self._db.count(query)

    async def find(self, name: str) -> Candidate | None:
        """Return a candidate. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.candidates.document(name))
        return _candidate(snapshot) if snapshot.exists else None

    async def move(self, moved: Sequence[Candidate], cleared: Sequence[Candidate]) -> int:
        """Store the moved candidates and delete the cleared ones; return how many were changed.

        Those that another caller changed meanwhile stay as they are.
        Firestore: 1 write for every candidate that is changed.
        """
        count = 0
        changes = [(candidate, False) for candidate in moved]
        changes += [(candidate, True) for candidate in cleared]
        for start in range(0, len(changes), AT_ONCE):
            count += await self._move(changes[start : start + AT_ONCE])
        return count

    async def change(
        self, name: str, decide: Callable[[Candidate], Candidate | None]
    ) -> Candidate | None:
        """Write what `decide` makes of a candidate; None if there is none or nothing to change.

        Firestore: 1 read, 1 write.
        """

        async def build(batch: Any, snapshot: Snapshot) -> Candidate | None:
            candidate = decide(_candidate(snapshot)) if snapshot.exists else None
            if candidate is not None:
                self._hold(batch, candidate)
            return candidate

        return await self._db.compare_and_set([self._db.candidates.document(name)], build)

    async def clear(self, candidate: Candidate) -> bool:
        """Delete a candidate; return False if it was candidate meanwhile. Firestore: 1 write."""
        return bool(await self._move([(candidate, True)]))

    async def begin_deletion(
        self,
        candidate: Candidate,
        old: Instance | None,
        new: Instance,
        tenant: Tenant | None,
        *,
        reserve: bool,
    ) -> Instance | None:
        """Begin a deletion: mark candidate and record in one commit, if the tenant is unchanged.

        Return None, and write nothing, if any of the three was changed meanwhile. `old`: the
        record until now, if there was one; `reserve`: the new one takes a slot.
        Firestore: 2 to 4 writes; 1 read per slot of the server that is taken, if it gets one.
        """
        batch = self._db.batch()
        self._hold(batch, candidate)
        record = self._db.instance(new.name)
        if old is None:
            batch.create(record, instance_fields(new))
        else:
            batch.update(record, instance_fields(new), option=self._db.since(old.version))
        if reserve:
            self._servers.take_slot(batch, await self._servers.list_any_open(new.server), new.name)
        if tenant is not None:
            touch = {"condemned": firestore.Increment(1)}
            reference = self._db.tenant(tenant.tenant)
            batch.update(reference, touch, option=self._db.since(tenant.version))
        try:
            results = await self._db.commit(batch)
        except CHANGED:
            return None
        return with_version(new, results[1].update_time)

    async def record_deletion(self, candidate: Candidate, change: dict[str, Any]) -> None:
        """Record the outcome of a deletion that has begun. Firestore: 1 write."""
        batch = self._db.batch()
        batch.set(self._db.candidates.document(candidate.id), change, merge=True)
        await self._db.commit_unordered(batch)

    # How -------------------------------------------------------------------------------------

    async def _move(self, changes: Iterable[tuple[Candidate, bool]]) -> int:
        """Make all changes in one commit; if another caller changed one, then in halves."""
        several = list(changes)
        batch = self._db.batch()
        for candidate, cleared in several:
            if cleared:
                reference = self._db.candidates.document(candidate.id)
                batch.delete(reference, option=self._db.since(candidate.version))
            else:
                self._hold(batch, candidate)
        try:
            await self._db.commit(batch)
        except CHANGED:
            if len(several) == 1:
                return 0
            half = len(several) // 2
            return await self._move(several[:half]) + await self._move(several[half:])
        return len(several)

    def _hold(self, batch: Any, candidate: Candidate) -> None:
        reference = self._db.candidates.document(candidate.id)
        if candidate.version is None:
            batch.create(reference, candidate.model_dump())
        else:
            option = self._db.since(candidate.version)
            batch.update(reference, candidate.model_dump(), option=option)


def _candidate(snapshot: Snapshot) -> Candidate:
    server, _, name = snapshot.id.partition("~")
    return base.understood(snapshot, Candidate, id=snapshot.id, server=server, name=name)
