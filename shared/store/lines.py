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
from shared.store.slots import OpenSlots, Slots, bears_counter, numbers_in

AT_ONCE: Final = 8
"""Lines that one process places at once: more would only take slots from each other, and make calls
wait in the client until they time out."""


class ServerLimits(Protocol):
    """The part of a server's settings that its room depends on."""

    @property
    def id(self) -> str: ...
    @property
    def instance_max(self) -> int: ...


@dataclass(frozen=True)
class Placed:
    """An instance whose record exists with its slot, and whose lease the caller holds."""

    instance: Instance


@dataclass(frozen=True)
class Full:
    """A fleet without room on any server that accepts instances; nothing was written."""


class _SlotLost(Exception):
    """A server that filled up since its slots were counted."""


class Lines(Slots):
    """Tenants, their lines, and the servers' room. Every method is one question or one change."""

    def __init__(self, client: firestore.AsyncClient) -> None:
        super().__init__(client)
        self._placing = asyncio.Semaphore(AT_ONCE)

    async def find_tenant_and_instance(
        self, tenant: TenantId, name: InstanceName
    ) -> tuple[Tenant | None, Instance | None]:
        """Return a tenant and one of its instances, as far as they have records.

        Firestore: 2 reads in one round trip.
        """
        references = self._tenant(names.spell(tenant)), self._instance(name)
        record, instance = await self._read(*references)
        return tenant_in(record), instance_in(instance)

    async def find_tenant(self, tenant: TenantId) -> Tenant | None:
        """Return a tenant's record. Firestore: 1 read."""
        return tenant_in((await self._read(self._tenant(names.spell(tenant))))[0])

    async def list_lines(self, tenant: TenantId) -> tuple[Tenant | None, list[Instance]]:
        """Return a tenant and the instances of all its lines, by line.

        Firestore: 1 + n reads; n is bounded by what a tenant may have.
        """
        (record,) = await self._read(self._tenant(names.spell(tenant)))
        of_tenant = FieldFilter("tenant", "==", tenant)
        query = self._client.collection("instances").where(filter=of_tenant).limit(MAX_LINES_LIMIT)
        with base.translated():
            instances = [instance_in(snapshot) async for snapshot in query.stream(**base.LIMITS)]
        return tenant_in(record), sorted(filter(None, instances), key=lambda line: line.line)

    async def place_instance(
        self, wanted: Instance, servers: Iterable[ServerLimits], found_on: str | None = None
    ) -> Placed | Full | None:
        """Create the instance's record and its slot, in one commit, or neither.

        `wanted` is leased to the caller. It goes to `found_on`, the server that carries it
        already, full or not; else to the one with most room. None: the records of the tenant or
        the line changed meanwhile, so the caller has to look again.
        Firestore: 2 reads, 2 per server (none if found), and 1 per slot that is taken on the one
        chosen; 3 writes. A caller that loses a slot to another begins anew.
        """
        async with self._placing:
            return await self._place_line(
                wanted, {server.id: server for server in servers}, found_on
            )

    async def release_instance(self, held: Instance) -> bool:
        """Delete the record and free its slot and number; False if another caller took the lease.

        Firestore: 2 or 3 reads, 3 or 4 writes and deletes.
        """
        tenant = self._tenant(names.spell(held.tenant))
        has_record = True

        async def attempt(first: bool) -> bool:
            nonlocal has_record
            current = await self.find_instance(held.name)
            if current is None:
                return True
            if not current.held_by(held):
                return False
            batch = self._client.batch()
            batch.delete(self._instance(held.name), option=self._since(current.version))
            await self._leave_slots(batch, current.server, current.name)
            if has_record:
                without = {"tenant": held.tenant, "lines": firestore.ArrayRemove([held.line])}
                batch.update(tenant, without)
            await self._free(batch, current.name, current.claimed)
            try:
                await self._commit(batch)
            except exceptions.NotFound:
                # A tenant without a record gets none by a release; else the slot was moved.
                has_record = (await self._read(tenant))[0].exists
                raise
            return True

        return await base.retry_contended(attempt)

    async def relabel_line(self, instance: Instance, label: str, now: datetime) -> None:
        """Change the name that people see for the line. Firestore: 1 read, 2 writes."""

        def labelled(current: Instance) -> Instance:
            return current.model_copy(update={"label": label})

        if await self.change_instance(instance.name, labelled, now):
            batch = self._client.batch()
            labels = {"tenant": instance.tenant, "labels": {instance.line: label}}
            batch.set(self._tenant(names.spell(instance.tenant)), labels, merge=True)
            await self._commit(batch)

    # How -------------------------------------------------------------------------------------

    async def _place_line(
        self, wanted: Instance, fleet: dict[str, ServerLimits], found_on: str | None
    ) -> Placed | Full | None:
        crowded = False

        async def attempt(first: bool) -> Placed | Full | None:
            nonlocal crowded
            tenant, current = await self.find_tenant_and_instance(wanted.tenant, wanted.name)
            if current:
                return Placed(current) if current.held_by(wanted) else None
            if tenant and not tenant.has_room_for(wanted.line):
                return None
            where = await (
                self._any_slot(found_on) if found_on else self._find_open(fleet, crowded=crowded)
            )
            if where is None:
                return Full()
            crowded = True
            if not where.numbers:
                raise _SlotLost
            return Placed(await self._create_line(wanted, tenant, where))

        return await base.retry_contended(attempt, (*CONTENDED, _SlotLost))

    async def _find_open(
        self, fleet: dict[str, ServerLimits], *, crowded: bool
    ) -> OpenSlots | None:
        """Choose a server with room, and list the slots that are open there; None: all are full.

        Choose the one with most room; if it is `crowded`, one by lot, or all callers that lost a
        slot to each other would meet again. Lines of earlier versions get their slots before
        anything is counted.
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
        ids = await self._taken_ids(room.server)
        numbers = placing.free_slots(numbers_in(ids), room.limit - len(ids))
        return OpenSlots(room.server, numbers)

    async def _create_line(
        self, wanted: Instance, tenant: Tenant | None, where: OpenSlots
    ) -> Instance:
        placed = wanted.model_copy(update={"server": where.server})
        batch = self._client.batch()
        batch.create(self._instance(placed.name), stored(placed))
        self._keep_tenant(batch, placed, tenant)
        self._take_slot(batch, where, placed.name)
        return versioned(placed, (await self._commit(batch))[0].update_time)

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
    """Return the tenant in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Tenant, tenant=names.unspell(snapshot.id))


def capacity_in(snapshot: Snapshot, server: ServerLimits, reserved: int) -> Capacity:
    """Return a server's room by its document and the settings; `reserved`: its counted slots."""
    accepting = (snapshot.to_dict() or {}).get("accepting")
    return Capacity.model_validate(
        {
            "server": server.id,
            "limit": server.instance_max,
            "reserved": reserved,
            "accepting": accepting,
        }
    )
