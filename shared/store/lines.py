"""The lines of tenants: placed on servers that have room, and released."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from google.cloud.firestore_v1.field_path import FieldPath

from shared.domain import names, placing
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, TenantId
from shared.domain.placing import Capacity
from shared.domain.tenants import MAX_LINES_LIMIT, Tenant
from shared.store import base
from shared.store.base import CONTENDED, Snapshot
from shared.store.instances import Instances, instance_in, stored, versioned


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


class Lines(Instances):
    """Tenants, their lines, and the servers' room. Each method is one question or one change."""

    async def look(
        self, tenant: TenantId, name: InstanceName
    ) -> tuple[Tenant | None, Instance | None]:
        """What we know of a tenant and of one of its instances.

        Firestore: 2 reads in one round trip.
        """
        references = self._tenant(names.spell(tenant)), self._instance(name)
        kept, carried = await self._read(*references)
        return tenant_in(kept), instance_in(carried)

    async def tenant(self, tenant: TenantId) -> Tenant | None:
        """What we know of a tenant. Firestore: 1 read."""
        return tenant_in((await self._read(self._tenant(names.spell(tenant))))[0])

    async def lines(self, tenant: TenantId) -> tuple[Tenant | None, list[Instance]]:
        """A tenant and the instances of all its lines, by line.

        Firestore: 1 + n reads; n is bounded by what a tenant may have.
        """
        kept = (await self._read(self._tenant(names.spell(tenant))))[0]
        of_tenant = FieldFilter("tenant", "==", tenant)
        query = self._client.collection("instances").where(filter=of_tenant).limit(MAX_LINES_LIMIT)
        with base.translated():
            found = [instance_in(snapshot) async for snapshot in query.stream(**base.LIMITS)]
        return tenant_in(kept), sorted(filter(None, found), key=lambda each: each.line)

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
        registered = True
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
            if registered:
                without = {"tenant": held.tenant, "lines": firestore.ArrayRemove([held.line])}
                batch.update(self._tenant(names.spell(held.tenant)), without)
            await self._free(batch, current.name, current.claimed)
            try:
                await self._commit(batch)
            except exceptions.NotFound:
                registered = False  # the tenant has no record, and releasing doesn't make one
                continue
            except CONTENDED:
                continue
            return True
        raise AssertionError("attempts() ends with a problem")

    async def relabel(self, instance: Instance, label: str, now: datetime) -> None:
        """People call the line so. Firestore: 1 read, 2 writes."""

        def labelled(current: Instance) -> Instance:
            return current.model_copy(update={"label": label})

        if await self.change(instance.name, labelled, now):
            batch = self._client.batch()
            named = {"tenant": instance.tenant, "labels": {instance.line: label}}
            batch.set(self._tenant(names.spell(instance.tenant)), named, merge=True)
            await self._commit(batch)

    # How -------------------------------------------------------------------------------------

    async def _rooms(self, fleet: dict[str, Limits]) -> dict[str, Capacity]:
        snapshots = await self._read(*map(self._server, fleet))
        return {
            server.id: capacity_in(snapshot, server)
            for snapshot, server in zip(snapshots, fleet.values(), strict=True)
        }

    async def _reserve(self, wanted: Instance, tenant: Tenant | None, room: Capacity) -> Instance:
        placed = wanted.model_copy(update={"server": room.server})
        batch = self._client.batch()
        batch.create(self._instance(placed.name), stored(placed))
        self._keep_tenant(batch, placed, tenant)
        self._keep_room(batch, room.model_copy(update={"reserved": room.reserved + 1}))
        return versioned(placed, (await self._commit(batch))[0])

    def _keep_tenant(self, batch: Any, placed: Instance, tenant: Tenant | None) -> None:
        reference = self._tenant(names.spell(placed.tenant))
        if tenant is None:
            new = Tenant(
                tenant=placed.tenant,
                lines=(placed.line,),
                labels={placed.line: placed.label},
                created_at=placed.created_at,
            )
            batch.create(reference, new.model_dump())
            return
        added = {
            "lines": firestore.ArrayUnion([placed.line]),
            FieldPath("labels", placed.line).to_api_repr(): placed.label,
        }
        batch.update(reference, added, option=self._since(tenant.version))

    def _keep_room(self, batch: Any, room: Capacity) -> None:
        reference = self._server(room.server)
        if room.version is None:
            batch.create(reference, room.model_dump())
            return
        change = {"reserved": room.reserved, "limit": room.limit}
        batch.update(reference, change, option=self._since(room.version))


def tenant_in(snapshot: Snapshot) -> Tenant | None:
    """The tenant in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Tenant, tenant=names.unspell(snapshot.id))


def capacity_in(snapshot: Snapshot, server: Limits) -> Capacity:
    """A server's room, as its document and the settings say."""
    kept = snapshot.to_dict() or {}
    return Capacity.model_validate(
        {**kept, "server": server.id, "limit": server.instance_max, "version": snapshot.update_time}
    )
