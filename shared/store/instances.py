"""The instances' records: compared, set, leased and given back; and whose a number is."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore

from shared.domain import connecting
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName
from shared.store import base
from shared.store.base import CONTENDED, Base, Snapshot


class Instances(Base):
    """One record per instance. Each method is one question or one change."""

    async def instance(self, name: InstanceName) -> Instance | None:
        """One instance's record. Firestore: 1 read."""
        return instance_in((await self._read(self._instance(name)))[0])

    async def replace(self, old: Instance, new: Instance) -> Instance | None:
        """The record is `new`; None, and nothing written, if it isn't `old` any more.

        What was said meanwhile makes no other record of it: the pace is taken over.
        Firestore: 1 write; 1 read more where it changed, and 1 write if only its pace did.
        """
        async for _ in base.attempts():
            if replaced := await self._swap(old, new):
                return replaced
            current = await self.instance(old.name)
            if current and new.lease not in (None, old.lease) and current.lease == new.lease:
                return current  # only the commit's answer was lost
            if current is None or not current.differs_only_in_pace(old):
                return None
            pace = {"paced_until": current.paced_until}
            old, new = current, new.model_copy(update=pace)
        raise AssertionError("attempts() ends with a problem")

    async def extend(self, held: Instance, now: datetime) -> Instance | None:
        """The lease lasts its whole length from now; None if it is somebody else's by now.

        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """
        current: Instance | None = held
        async for _ in base.attempts():
            if current is None or not current.held_by(held):
                return None
            wanted = current.extended(now)
            if extended := await self._swap(current, wanted):
                return extended
            current = await self.instance(held.name)
            if current and current.lease == wanted.lease:
                return current  # only the commit's answer was lost
        raise AssertionError("attempts() ends with a problem")

    async def settle(
        self, held: Instance, decide: Callable[[Instance], Instance]
    ) -> Instance | None:
        """The record is what `decide` makes of it and the lease is given back.

        None if the lease is somebody else's by now: then nothing of ours was written.
        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """
        current: Instance | None = held
        async for _ in base.attempts():
            if current is None or current.fence != held.fence:
                return None
            if current.lease is None:
                return current
            if not current.held_by(held):
                return None
            if settled := await self._swap(current, decide(current).freed()):
                return settled
            current = await self.instance(held.name)
        raise AssertionError("attempts() ends with a problem")

    async def change(
        self,
        name: InstanceName,
        decide: Callable[[Instance], Instance | None],
        now: datetime,
        known: Instance | None = None,
    ) -> Instance | None:
        """The record is what `decide` makes of it, with its number bound (P11).

        None if there is no record or nothing to change. `known`: the record, if it was just read.
        Firestore: 1 read (none if known); 1 write if it changed; 1 – 3 reads and 1 – 2 writes more
        if its number
        did, or it opened.
        """
        async for _ in base.attempts():
            current, known = known or await self.instance(name), None
            wanted = decide(current) if current else None
            if current is None or wanted is None:
                return None
            try:
                return await self._write(current, wanted, now)
            except CONTENDED:
                continue
        raise AssertionError("attempts() ends with a problem")

    async def free_number(self, instance: Instance) -> None:
        """The number that the instance had is nobody's, unless it is another's by now.

        Firestore: 1 read, 1 write.
        """
        async for _ in base.attempts():
            batch = self._client.batch()
            await self._free(batch, instance.name, instance.claimed)
            try:
                await self._commit(batch)
            except CONTENDED:
                continue
            return

    # How -------------------------------------------------------------------------------------

    async def _swap(self, old: Instance, new: Instance) -> Instance | None:
        """Write `new` if the record is `old` to the last detail, else return None. 1 write."""
        batch = self._client.batch()
        batch.update(self._instance(old.name), stored(new), option=self._since(old.version))
        try:
            (version,) = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return None
        return versioned(new, version)

    async def _write(self, current: Instance, wanted: Instance, now: datetime) -> Instance:
        batch = self._client.batch()
        if wanted.state is State.OPEN and wanted.number and _opens(current, wanted):
            wanted = await self._bind(batch, current, wanted, now)
        option = self._since(current.version)
        if wanted == current:
            return current
        batch.update(self._instance(current.name), stored(wanted), option=option)
        return versioned(wanted, (await self._commit(batch))[-1])

    async def _bind(
        self, batch: Any, current: Instance, opened: Instance, now: datetime
    ) -> Instance:
        assert opened.number
        (claim,) = await self._read(self._number(opened.number))
        owner = await self._owner(claim, opened)
        match connecting.decide_number(current, opened, owner, now):
            case connecting.Conflict(refused):
                return refused
            case connecting.Bind(instance, free):
                self._take(batch, claim, instance)
                await self._free(batch, instance.name, free)
                return instance

    async def _owner(self, claim: Snapshot, opened: Instance) -> Instance | None:
        name = (claim.to_dict() or {}).get("instance")
        if name == opened.name:
            return opened
        if not isinstance(name, str) or not base.is_document_id(name):
            return None
        return await self.instance(InstanceName(name))

    def _take(self, batch: Any, claim: Snapshot, instance: Instance) -> None:
        """The claim changes even if it is ours: whoever opens with a number meets us here.

        (Firestore keeps the update time of a document that a write leaves as it was.)
        """
        mine = {
            "instance": instance.name,
            "tenant": instance.tenant,
            "opened": firestore.Increment(1),
        }
        if claim.exists:
            batch.update(claim.reference, mine, option=self._since(claim.update_time))
        else:
            batch.create(claim.reference, mine)

    async def _free(self, batch: Any, name: InstanceName, number: str | None) -> None:
        if not number:
            return
        (claim,) = await self._read(self._number(number))
        if (claim.to_dict() or {}).get("instance") == name:
            batch.delete(claim.reference, option=self._since(claim.update_time))


def _opens(before: Instance, after: Instance) -> bool:
    return (before.state, before.number) != (after.state, after.number)


def stored(instance: Instance) -> dict[str, Any]:
    """The record as its document holds it."""
    return instance.model_dump()


def versioned(instance: Instance, version: Any) -> Instance:
    """The record as it was written just then."""
    return instance.model_copy(update={"version": version})


def instance_in(snapshot: Snapshot) -> Instance | None:
    """The record in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Instance, name=snapshot.id)
