"""Tenants, lines and their instances, servers' room and whose a number is."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import connecting, names, placing
from shared.domain.instances import Instance, State
from shared.domain.names import InstanceName, TenantId
from shared.domain.placing import Capacity
from shared.domain.tenants import MAX_LINES_LIMIT, Tenant
from shared.store import base
from shared.store.base import CONTENDED, Base, Snapshot


class Limits(Protocol):
    """A server of the fleet, as far as its room goes."""

    @property
    def id(self) -> str: ...
    @property
    def instance_max(self) -> int: ...


@dataclass(frozen=True)
class Placed:
    """The record exists, a slot is reserved, and the caller holds the lease."""

    instance: Instance


@dataclass(frozen=True)
class Full:
    """No server that accepts instances has room; nothing was written."""


class Store(Base):
    """The records of every line. Each method is one question or one change."""

    # Questions -------------------------------------------------------------------------------

    async def look(
        self, tenant: TenantId, name: InstanceName
    ) -> tuple[Tenant | None, Instance | None]:
        """What we know of a tenant and of one of its instances.

        Firestore: 2 reads in one round trip.
        """
        references = self._tenant(names.spell(tenant)), self._instance(name)
        kept, carried = await self._read(*references)
        return _tenant(kept), _instance(carried)

    async def instance(self, name: InstanceName) -> Instance | None:
        """One instance's record. Firestore: 1 read."""
        return _instance((await self._read(self._instance(name)))[0])

    async def lines(self, tenant: TenantId) -> tuple[Tenant | None, list[Instance]]:
        """A tenant and the instances of all its lines, by line.

        Firestore: 1 + n reads; n is bounded by what a tenant may have.
        """
        kept = (await self._read(self._tenant(names.spell(tenant))))[0]
        of_tenant = FieldFilter("tenant", "==", tenant)
        query = self._client.collection("instances").where(filter=of_tenant).limit(MAX_LINES_LIMIT)
        with base.translated():
            found = [_instance(snapshot) async for snapshot in query.stream(**base.LIMITS)]
        return _tenant(kept), sorted(filter(None, found), key=lambda each: each.line)

    # Placing and leaving ---------------------------------------------------------------------

    async def place(
        self, wanted: Instance, servers: Iterable[Limits], found_on: str | None = None
    ) -> Placed | Full | None:
        """The instance's record is created and its slot reserved, in one commit, or neither.

        `wanted` is leased to the caller. It goes to `found_on`, the server that carries it
        already, full or not; else to the one with most room. None: the records of the tenant or
        the line changed meanwhile, so the caller has to look again.
        Firestore: 2 reads + 1 per server, 3 writes.
        """
        fleet = {server.id: server for server in servers}
        async for _ in base.attempts():
            tenant, known = await self.look(wanted.tenant, wanted.name)
            if known:
                return Placed(known) if known.held_by(wanted) else None
            if tenant and not tenant.has_room_for(wanted.line):
                return None
            rooms = await self._rooms(fleet)
            chosen = rooms[found_on] if found_on else placing.decide_server(rooms.values())
            if chosen is None:
                return Full()
            try:
                return Placed(await self._reserve(wanted, tenant, chosen))
            except CONTENDED:
                continue
        raise AssertionError("attempts() ends with a problem")

    async def release(self, held: Instance) -> bool:
        """The record, its slot and its number are gone; False if somebody else took the lease.

        Firestore: 2 or 3 reads, 3 or 4 writes.
        """
        async for _ in base.attempts():
            current = await self.instance(held.name)
            if current is None:
                return True
            if not current.held_by(held):
                return False
            batch = self._client.batch()
            batch.delete(self._instance(held.name), option=self._since(current.version))
            one_less = {"reserved": firestore.Increment(-1)}
            batch.set(self._server(held.server), one_less, merge=True)
            without = {"lines": firestore.ArrayRemove([held.line])}
            batch.set(self._tenant(names.spell(held.tenant)), without, merge=True)
            await self._free(batch, current.name, current.number)
            try:
                await self._commit(batch)
            except CONTENDED:
                continue
            return True
        raise AssertionError("attempts() ends with a problem")

    # Changing --------------------------------------------------------------------------------

    async def replace(self, old: Instance, new: Instance) -> Instance | None:
        """The record is `new`; None, and nothing written, if it isn't `old` any more.

        Firestore: 1 write (and 1 read where it isn't).
        """
        batch = self._client.batch()
        batch.update(self._instance(old.name), _stored(new), option=self._since(old.version))
        try:
            (version,) = await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return await self._ours(new) if new.lease not in (None, old.lease) else None
        return _versioned(new, version)

    async def extend(self, held: Instance, now: datetime) -> Instance | None:
        """The lease lasts its whole length from now; None if it is somebody else's by now.

        Firestore: 1 write; 1 read more for each event that reached the record meanwhile.
        """
        current: Instance | None = held
        async for _ in base.attempts():
            if current is None or not current.held_by(held):
                return None
            if extended := await self.replace(current, current.extended(now)):
                return extended
            current = await self.instance(held.name)
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
            if settled := await self.replace(current, decide(current).freed()):
                return settled
            current = await self.instance(held.name)
        raise AssertionError("attempts() ends with a problem")

    async def change(
        self, name: InstanceName, decide: Callable[[Instance], Instance | None], now: datetime
    ) -> Instance | None:
        """The record is what `decide` makes of it, with its number bound (P11).

        None if there is no record or nothing to change.
        Firestore: 1 read; 1 write if it changed; 1 – 3 reads and 1 – 2 writes more if its number
        did, or it opened.
        """
        async for _ in base.attempts():
            current = await self.instance(name)
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
            await self._free(batch, instance.name, instance.number)
            try:
                await self._commit(batch)
            except CONTENDED:
                continue
            return

    # How -------------------------------------------------------------------------------------

    async def _ours(self, new: Instance) -> Instance | None:
        """The record, if the lease just written is there: only the commit's answer was lost."""
        current = await self.instance(new.name)
        return current if current and current.lease == new.lease else None

    async def _rooms(self, fleet: dict[str, Limits]) -> dict[str, Capacity]:
        snapshots = await self._read(*map(self._server, fleet))
        return {
            server.id: _capacity(snapshot, server)
            for snapshot, server in zip(snapshots, fleet.values(), strict=True)
        }

    async def _reserve(self, wanted: Instance, tenant: Tenant | None, room: Capacity) -> Instance:
        placed = wanted.model_copy(update={"server": room.server})
        batch = self._client.batch()
        batch.create(self._instance(placed.name), _stored(placed))
        self._keep_tenant(batch, placed, tenant)
        self._keep_room(batch, room.model_copy(update={"reserved": room.reserved + 1}))
        return _versioned(placed, (await self._commit(batch))[0])

    def _keep_tenant(self, batch: Any, placed: Instance, tenant: Tenant | None) -> None:
        reference = self._tenant(names.spell(placed.tenant))
        if tenant is None:
            new = Tenant(tenant=placed.tenant, lines=(placed.line,), created_at=placed.created_at)
            batch.create(reference, new.model_dump())
            return
        added = {"lines": firestore.ArrayUnion([placed.line])}
        batch.update(reference, added, option=self._since(tenant.version))

    def _keep_room(self, batch: Any, room: Capacity) -> None:
        reference = self._server(room.server)
        if room.version is None:
            batch.create(reference, room.model_dump())
            return
        change = {"reserved": room.reserved, "limit": room.limit}
        batch.update(reference, change, option=self._since(room.version))

    async def _write(self, current: Instance, wanted: Instance, now: datetime) -> Instance:
        batch = self._client.batch()
        if wanted.state is State.OPEN and wanted.number and _opens(current, wanted):
            wanted = await self._bind(batch, current, wanted, now)
        option = self._since(current.version)
        batch.update(self._instance(current.name), _stored(wanted), option=option)
        return _versioned(wanted, (await self._commit(batch))[-1])

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
        name = claim.get("instance") if claim.exists else None
        return opened if name == opened.name else await self.instance(name) if name else None

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
        if claim.exists and claim.get("instance") == name:
            batch.delete(claim.reference, option=self._since(claim.update_time))


def _opens(before: Instance, after: Instance) -> bool:
    return (before.state, before.number) != (after.state, after.number)


def _stored(instance: Instance) -> dict[str, Any]:
    return instance.model_dump()


def _versioned(instance: Instance, version: Any) -> Instance:
    return instance.model_copy(update={"version": version})


def _instance(snapshot: Snapshot) -> Instance | None:
    if not snapshot.exists:
        return None
    return _versioned(Instance.model_validate(snapshot.to_dict()), snapshot.update_time)


def _tenant(snapshot: Snapshot) -> Tenant | None:
    if not snapshot.exists:
        return None
    kept = Tenant.model_validate(snapshot.to_dict())
    return kept.model_copy(update={"version": snapshot.update_time})


def _capacity(snapshot: Snapshot, server: Limits) -> Capacity:
    kept = snapshot.to_dict() or {}
    return Capacity.model_validate(
        {**kept, "server": server.id, "limit": server.instance_max, "version": snapshot.update_time}
    )
