"""The lines of tenants: placed on servers that have room, and released."""

import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

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
from shared.store.instances import instance_in, stored, versioned
from shared.store.slots import Open, Slots, bears_counter, numbers_in

AT_ONCE: Final = 8
"""Lines that one process places at once: more would only take slots from each other, and make calls
wait in the client until they time out."""


class Limits(Protocol):
    """A server of the fleet, as far as its room goes."""

    @property
    def id(self) -> str: ...
    @property
    def instance_max(self) -> int: ...


@dataclass(frozen=True)
class Placed:
    """The record exists with its slot, and the caller holds the lease."""

    instance: Instance


@dataclass(frozen=True)
class Full:
    """No server that accepts instances has room; nothing was written."""


class Lines(Slots):
    """Tenants, their lines, and the servers' room. Each method is one question or one change."""

    def __init__(self, client: firestore.AsyncClient) -> None:
        super().__init__(client)
        self._placing = asyncio.Semaphore(AT_ONCE)

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
        """Create the instance's record and its slot, in one commit, or neither.

        `wanted` is leased to the caller. It goes to `found_on`, the server that carries it
        already, full or not; else to the one with most room. None: the records of the tenant or
        the line changed meanwhile, so the caller has to look again.
        Firestore: 2 reads, 2 per server (none if found), and 1 per slot that is taken on the one
        chosen; 3 writes. Whoever loses a slot to another begins anew.
        """
        async with self._placing:
            return await self._place_line(
                wanted, {server.id: server for server in servers}, found_on
            )

    async def release(self, held: Instance) -> bool:
        """The record, its slot and its number are gone; False if somebody else took the lease.

        Firestore: 2 or 3 reads, 3 or 4 writes and deletes.
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
            await self._leave_slots(batch, current.server, current.name)
            if registered:
                without = {"tenant": held.tenant, "lines": firestore.ArrayRemove([held.line])}
                batch.update(self._tenant(names.spell(held.tenant)), without)
            await self._free(batch, current.name, current.claimed)
            try:
                await self._commit(batch)
            except exceptions.NotFound:
                # A tenant without a record gets none by a release; else the slot was moved.
                (tenant,) = await self._read(self._tenant(names.spell(held.tenant)))
                registered = tenant.exists
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

    async def _place_line(
        self, wanted: Instance, fleet: dict[str, Limits], found_on: str | None
    ) -> Placed | Full | None:
        crowded = False
        async for _ in base.attempts():
            tenant, known = await self.look(wanted.tenant, wanted.name)
            if known:
                return Placed(known) if known.held_by(wanted) else None
            if tenant and not tenant.has_room_for(wanted.line):
                return None
            where = await (
                self._any_slot(found_on) if found_on else self._find_open(fleet, crowded=crowded)
            )
            if where is None:
                return Full()
            crowded = True
            if not where.numbers:
                continue  # it filled up since it was counted
            try:
                return Placed(await self._create_line(wanted, tenant, where))
            except CONTENDED:
                continue
        raise AssertionError("attempts() ends with a problem")

    async def _find_open(self, fleet: dict[str, Limits], *, crowded: bool) -> Open | None:
        """Choose a server with room, and list the slots that are open there; None: all are full.

        The one with most room; if it is `crowded`, one by lot, or all who lost a slot to each other
        would meet again. Lines of earlier versions get their slots before anything is counted.
        Firestore: 2 reads per server, and 1 per slot that is taken on the one chosen.
        """
        servers = await self._read(*map(self._server, fleet))
        for server in filter(bears_counter, servers):
            await self.seat_lines(server.id)
        counts = await asyncio.gather(*map(self.count_slots, fleet))
        roomy = placing.find_roomy(map(capacity_in, servers, fleet.values(), counts))
        if not roomy:
            return None
        by_lot = random.choices(roomy, [room.free for room in roomy])[0] if crowded else None
        room = by_lot or placing.decide_server(roomy) or roomy[0]
        taken = await self._taken_ids(room.server)
        numbers = placing.free_slots(numbers_in(taken), room.limit - len(taken))
        return Open(room.server, numbers)

    async def _create_line(self, wanted: Instance, tenant: Tenant | None, where: Open) -> Instance:
        placed = wanted.model_copy(update={"server": where.server})
        batch = self._client.batch()
        batch.create(self._instance(placed.name), stored(placed))
        self._keep_tenant(batch, placed, tenant)
        self._take_slot(batch, where, placed.name)
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


def tenant_in(snapshot: Snapshot) -> Tenant | None:
    """The tenant in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Tenant, tenant=names.unspell(snapshot.id))


def capacity_in(snapshot: Snapshot, server: Limits, reserved: int) -> Capacity:
    """A server's room, as its document and the settings say; `reserved`: its slots, counted."""
    accepting = (snapshot.to_dict() or {}).get("accepting")
    return Capacity.model_validate(
        {
            "server": server.id,
            "limit": server.instance_max,
            "reserved": reserved,
            "accepting": accepting,
        }
    )
