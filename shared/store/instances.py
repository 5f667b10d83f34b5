"""The instances' records: compared, set, leased and released; and which instance has a number."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from google.cloud import firestore

from shared.domain import connecting
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName
from shared.store import base
from shared.store.base import CONTENDED, Base, Snapshot


class InstanceStore(Base):
    """One record per instance. Every method is one question or one change."""

    async def find_instance(self, name: InstanceName) -> Instance | None:
        """Return an instance's record. Firestore: 1 read."""
        return instance_in((await self._read(self._instance(name)))[0])

    async def replace_instance(self, old: Instance, new: Instance) -> Instance | None:
        """Write `new` over `old`. Return None, and write nothing, if the record isn't `old`.

        A record that only a send changed meanwhile is still `old`: its pace is taken over.
        Firestore: 1 write; 1 read more where it changed, and 1 write if only its pace did.
        """

        async def attempt(first: bool) -> Instance | None:
            if first:
                return await self._swap(old, new)
            current = await self.find_instance(old.name)
            if current and new.lease not in (None, old.lease) and current.lease == new.lease:
                return current  # only the commit's answer was lost
            if current is None or not current.differs_only_in_pace(old):
                return None
            pace = {"paced_until": current.paced_until}
            return await self._swap(current, new.model_copy(update=pace))

        return await base.retry_contended(attempt)

    async def extend_lease(self, held: Instance, now: datetime) -> Instance | None:
        """Let the lease last its whole length from now; None if another caller has it by now.

        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """

        async def attempt(first: bool) -> Instance | None:
            current = held if first else await self.find_instance(held.name)
            if current is None or not current.held_by(held):
                return None
            extended = current.extended(now)
            if not first and current.lease == extended.lease:
                return current  # only the commit's answer was lost
            return await self._swap(current, extended)

        return await base.retry_contended(attempt)

    async def release_lease(
        self, held: Instance, decide: Callable[[Instance], Instance]
    ) -> Instance | None:
        """Write what `decide` makes of the record, and release its lease.

        Return None, and write nothing, if another caller has the lease by now.
        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """

        async def attempt(first: bool) -> Instance | None:
            current = held if first else await self.find_instance(held.name)
            if current is None or current.fence != held.fence:
                return None
            if current.lease is None:
                return current
            if not current.held_by(held):
                return None
            return await self._swap(current, decide(current).freed())

        return await base.retry_contended(attempt)

    async def change_instance(
        self,
        name: InstanceName,
        decide: Callable[[Instance], Instance | None],
        now: datetime,
        known: Instance | None = None,
    ) -> Instance | None:
        """Write what `decide` makes of the record, with its number bound (P11).

        None if there is no record or nothing to change. `known`: the record, if it was just read.
        Firestore: 1 read (none if known); 1 write if it changed; 1 – 3 reads and 1 – 2 writes more
        if its number did, or it opened.
        """

        async def attempt(first: bool) -> Instance | None:
            current = (known if first else None) or await self.find_instance(name)
            instance = decide(current) if current else None
            if current is None or instance is None:
                return None
            return await self._write(current, instance, now)

        return await base.retry_contended(attempt, CONTENDED)

    async def free_number(self, instance: Instance) -> None:
        """Free the number that the instance had, unless another instance has it by now.

        Firestore: 1 read, 1 write.
        """

        async def attempt(first: bool) -> None:
            batch = self._client.batch()
            await self._free(batch, instance.name, instance.claimed)
            await self._commit(batch)

        await base.retry_contended(attempt, CONTENDED)

    # How -------------------------------------------------------------------------------------

    async def _swap(self, old: Instance, new: Instance) -> Instance:
        """Write `new` if the record is `old` to the last detail, else raise contention. 1 write."""
        batch = self._client.batch()
        batch.update(self._instance(old.name), stored(new), option=self._since(old.version))
        (result,) = await self._commit(batch)
        return versioned(new, result.update_time)

    async def _write(self, current: Instance, instance: Instance, now: datetime) -> Instance:
        batch = self._client.batch()
        if instance.state is State.OPEN and instance.number and _opens(current, instance):
            instance = await self._bind(batch, current, instance, now)
        option = self._since(current.version)
        if instance == current:
            return current
        batch.update(self._instance(current.name), stored(instance), option=option)
        return versioned(instance, (await self._commit(batch))[-1].update_time)

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
        return await self.find_instance(InstanceName(name))

    def _take(self, batch: Any, claim: Snapshot, instance: Instance) -> None:
        """Add to the batch: the number is the instance's.

        The claim changes even if it is the instance's already, so that every line that opens with
        this number contends here. (Firestore keeps the update time of a document that a write
        leaves as it was.)
        """
        fields = {
            "instance": instance.name,
            "tenant": instance.tenant,
            "opened": firestore.Increment(1),
        }
        if claim.exists:
            batch.update(claim.reference, fields, option=self._since(claim.update_time))
        else:
            batch.create(claim.reference, fields)

    async def _free(self, batch: Any, name: InstanceName, number: str | None) -> None:
        if not number:
            return
        (claim,) = await self._read(self._number(number))
        if (claim.to_dict() or {}).get("instance") == name:
            batch.delete(claim.reference, option=self._since(claim.update_time))


def _opens(before: Instance, after: Instance) -> bool:
    return (before.state, before.number) != (after.state, after.number)


def stored(instance: Instance) -> dict[str, Any]:
    """Return the fields of the record's document."""
    return instance.model_dump()


def versioned(instance: Instance, version: Any) -> Instance:
    """Return the record with the version of the write that stored it."""
    return instance.model_copy(update={"version": version})


def instance_in(snapshot: Snapshot) -> Instance | None:
    """Return the record in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Instance, name=snapshot.id)
