"""What may have to go, kept from the first suspicion on; nobody changes what he didn't see."""

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import names
from shared.domain.fleet.candidates import Candidate, Stage
from shared.domain.instances import Instance
from shared.domain.tenants import Tenant
from shared.store import base
from shared.store.base import CONTENDED, Snapshot
from shared.store.fleet import Fleet, Unreadable, read
from shared.store.instances import stored, versioned

MOST_QUARANTINED = 5_000
AT_ONCE = 400
"""Documents in one commit; Firestore takes 500."""


class Candidates(Fleet):
    """The quarantine. Each method is one question or one change."""

    async def every_candidate(self) -> AsyncIterator[Candidate | Unreadable]:
        """All of them, those that are deleted too. Firestore: n reads."""
        async for snapshot in self._every(self._quarantine):
            yield read(_candidate, snapshot)

    async def quarantined(self) -> list[Candidate]:
        """Those whose time is running, or over. Firestore: n reads, bounded."""
        running = FieldFilter("stage", "in", [Stage.QUARANTINED, Stage.DELETING])
        query = self._quarantine.where(filter=running).limit(MOST_QUARANTINED)
        with base.translated():
            found = [each async for each in query.stream(**base.LIMITS)]
        return base.readable(found, _candidate)

    async def candidates(
        self, stage: Stage | None, limit: int, after: str | None
    ) -> tuple[list[Candidate], str | None]:
        """A page of them by id, and where it ended if there may be more. Firestore: n reads."""
        query: Any = self._quarantine
        if stage:
            query = query.where(filter=FieldFilter("stage", "==", stage))
        query = query.order_by("__name__").limit(limit)
        if after is not None:
            query = query.start_after({"__name__": self._quarantine.document(after)})
        with base.translated():
            found = [snapshot async for snapshot in query.stream(**base.LIMITS)]
        end = found[-1].id if len(found) == limit else None
        return base.readable(found, _candidate), end

    async def awaiting_approval(self) -> int:
        """How many in quarantine nobody approved who has to. Firestore: 1 read per 1000."""
        wanted = {"stage": Stage.QUARANTINED, "needs_approval": True, "approved_at": None}
        query: Any = self._quarantine
        for field, value in wanted.items():
            query = query.where(filter=FieldFilter(field, "==", value))
        with base.translated():
            ((counted,),) = await query.count().get(**base.LIMITS)
        return int(counted.value)

    async def candidate(self, name: str) -> Candidate | None:
        """One of them. Firestore: 1 read."""
        (found,) = await self._read(self._quarantine.document(name))
        return _candidate(found) if found.exists else None

    async def move_candidates(
        self, moved: Sequence[Candidate], cleared: Sequence[Candidate]
    ) -> int:
        """Each is as moved or cleared, unless somebody changed it meanwhile; how many are.

        Firestore: 1 write each (those that others changed: none).
        """
        done = 0
        changes = [(each, False) for each in moved] + [(each, True) for each in cleared]
        for start in range(0, len(changes), AT_ONCE):
            done += await self._move(changes[start : start + AT_ONCE])
        return done

    async def change_candidate(
        self, name: str, decide: Callable[[Candidate], Candidate | None]
    ) -> Candidate | None:
        """The candidate is what `decide` makes of it (None: nothing); None if there is none.

        Firestore: 1 read, 1 write.
        """
        async for _ in base.attempts():
            known = await self.candidate(name)
            wanted = decide(known) if known else None
            if wanted is None:
                return None
            if await self._move([(wanted, False)]):
                return wanted
        raise AssertionError("attempts() ends with a problem")

    async def undo(self, known: Candidate) -> bool:
        """There is nothing against it; False if it was changed meanwhile. Firestore: 1 write."""
        return bool(await self._move([(known, True)]))

    async def condemn(
        self,
        candidate: Candidate,
        old: Instance | None,
        new: Instance,
        tenant: Tenant | None,
        *,
        reserve: bool,
    ) -> Instance | None:
        """In one commit the deletion has begun: candidate and record say so, the tenant is as seen.

        None, and nothing written, if any of the three isn't any more what was looked at. `old`: no
        record until now, if None; then it has a slot for as long as it is there (`reserve`).
        Firestore: 2 to 4 writes; 1 read per slot of the server that is taken, if it gets one.
        """
        batch = self._client.batch()
        self._hold(batch, candidate)
        record = self._instance(new.name)
        if old is None:
            batch.create(record, stored(new))
        else:
            batch.update(record, stored(new), option=self._since(old.version))
        if reserve:
            self._take_slot(batch, await self._any_slot(new.server), new.name)
        if tenant is not None:
            touched = {"condemned": firestore.Increment(1)}
            reference = self._tenant(names.spell(tenant.tenant))
            batch.update(reference, touched, option=self._since(tenant.version))
        try:
            versions = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return None
        return versioned(new, versions[1])

    async def condemned(self, candidate: Candidate, change: dict[str, Any]) -> None:
        """What became of a deletion that has begun. Firestore: 1 write."""
        batch = self._client.batch()
        batch.set(self._quarantine.document(candidate.id), change, merge=True)
        await self._settled(batch)

    # How -------------------------------------------------------------------------------------

    @property
    def _quarantine(self) -> Any:
        return self._client.collection("sweeps", "orphans", "candidates")

    async def _move(self, changes: Iterable[tuple[Candidate, bool]]) -> int:
        """All in one commit; if others changed one of them, those that they didn't."""
        several = list(changes)
        batch = self._client.batch()
        for candidate, cleared in several:
            if cleared:
                reference = self._quarantine.document(candidate.id)
                batch.delete(reference, option=self._since(candidate.version))
            else:
                self._hold(batch, candidate)
        try:
            await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            if len(several) == 1:
                return 0
            half = len(several) // 2
            return await self._move(several[:half]) + await self._move(several[half:])
        return len(several)

    def _hold(self, batch: Any, candidate: Candidate) -> None:
        reference = self._quarantine.document(candidate.id)
        if candidate.version is None:
            batch.create(reference, candidate.model_dump())
        else:
            option = self._since(candidate.version)
            batch.update(reference, candidate.model_dump(), option=option)


def _candidate(snapshot: Snapshot) -> Candidate:
    server, _, name = snapshot.id.partition("~")
    return base.understood(snapshot, Candidate, id=snapshot.id, server=server, name=name)
