"""The whole fleet, page by page: tenants, lines, numbers, servers; and operators' settings."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from google.cloud.firestore_v1.base_query import FieldFilter
from pydantic import ValidationError

from shared.domain import names
from shared.domain.fleet.capacity import Census
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, TenantId
from shared.domain.placing import Capacity
from shared.domain.tenants import Status, Tenant
from shared.store import base
from shared.store.base import Snapshot
from shared.store.instances import instance_in
from shared.store.lines import Lines, ServerLimits, capacity_in, tenant_in
from shared.store.slots import bears_counter

PAGE = 300
"""Documents in one answer: far below what one takes 5 seconds for."""

WITHOUT_CODE = [field for field in Instance.model_fields if field not in ("version", "code")]
"""Fields of an instance for a survey, which has no use for the pictures of codes."""

TENANT_FIELDS = [field for field in Tenant.model_fields if field != "version"]
"""Fields of a tenant as they are stored. Operators may have added others to its document."""


@dataclass(frozen=True)
class UnreadableRecord:
    """A document that was written by hand, wrongly, and can't be read."""

    id: str

    @property
    def instance(self) -> str:
        """Return the name of its instance, if it is a candidate."""
        return self.id.partition("~")[2]


class ServerRoom(NamedTuple):
    """A server by its document: its room, its last census, since when it fails.

    `unseated`: a version of Perene that gave lines no slots placed some there.
    """

    capacity: Capacity
    census: Census | None
    failed_since: datetime | None
    unseated: bool


T = TypeVar("T")


class Fleet(Lines):
    """Questions about all tenants at once, for sweeps and operators only."""

    async def iterate_tenants(self) -> AsyncIterator[Tenant | UnreadableRecord]:
        """Yield all tenants. Firestore: n reads, and one round trip per 300."""
        async for snapshot in self._every(self._client.collection("tenants"), TENANT_FIELDS):
            yield read_record(tenant_in, snapshot)

    async def iterate_lines(self) -> AsyncIterator[Instance | UnreadableRecord]:
        """Yield the records of all lines, without their codes. Firestore: n reads."""
        collection = self._client.collection("instances")
        async for snapshot in self._every(collection, WITHOUT_CODE):
            yield read_record(instance_in, snapshot)

    async def iterate_numbers(self) -> AsyncIterator[tuple[str, InstanceName]]:
        """Yield all numbers, with the instance that has the number. Firestore: n reads."""
        async for snapshot in self._every(self._client.collection("numbers"), ["instance"]):
            owner = (snapshot.to_dict() or {}).get("instance")
            if isinstance(owner, str):
                yield snapshot.id, InstanceName(owner)

    async def list_instances(
        self, where: dict[str, str], limit: int, after: str | None
    ) -> tuple[list[Instance], str | None]:
        """Return a page of lines with these fields, by name. Firestore: n reads."""
        collection = self._client.collection("instances")
        query: Any = collection
        for field, value in where.items():
            query = query.where(filter=FieldFilter(field, "==", value))
        query = query.order_by("__name__").limit(limit).select(WITHOUT_CODE)
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        snapshots = await self._query(query)
        end = snapshots[-1].id if len(snapshots) == limit else None
        return [line for line in base.readable(snapshots, instance_in) if line], end

    async def list_tenants(self, limit: int, after: str | None) -> tuple[list[Tenant], str | None]:
        """Return a page of tenants by id, and its end if there may be more. n reads."""
        snapshots = await self._page(self._client.collection("tenants"), limit, after)
        end = snapshots[-1].id if len(snapshots) == limit else None
        return [tenant for tenant in base.readable(snapshots, tenant_in) if tenant], end

    async def find_tenants_with_status(self, *status: Status) -> set[TenantId]:
        """Find the ids of the tenants with these statuses. Firestore: 1 read per tenant."""
        with_status = FieldFilter("status", "in", list(status))
        query = self._client.collection("tenants").where(filter=with_status)
        snapshots = await self._query(query.select(["status"]))
        return {tenant for snapshot in snapshots if (tenant := names.unspell(snapshot.id))}

    async def update_tenant(
        self, tenant: TenantId, change: dict[str, Any], now: datetime
    ) -> Tenant:
        """Change a tenant as an operator says, and create or repair its record if need be.

        Fields that can't be read get their defaults. The time of a cancellation is the first one.
        `fed` in the change is its order: a change that is older than the stored one does nothing.

        Firestore: 1 read, 1 write.
        """
        reference = self._tenant(names.spell(tenant))

        async def build(batch: Any, snapshot: Snapshot) -> Tenant:
            exists = snapshot.exists
            (current,) = (base.readable([snapshot], tenant_in) if exists else ()) or (None,)
            if current and current.fed >= change.get("fed", math.inf):
                return current
            fields = _change_fields(current, tenant, change, now)
            if current is None and exists:
                current = _repaired(snapshot, tenant)
                fields = current.model_dump() | _change_fields(current, tenant, change, now)
            if exists:
                batch.update(reference, fields, option=self._since(snapshot.update_time))
            else:
                batch.create(reference, fields)
            before = current or Tenant(tenant=tenant)
            return Tenant.model_validate({**before.model_dump(), **fields})

        return await self.compare_and_set([reference], build)

    # Servers ---------------------------------------------------------------------------------

    async def read_rooms(self, servers: Iterable[ServerLimits]) -> dict[str, ServerRoom]:
        """Read every server's room and last census. Firestore: 2 reads per server."""
        fleet = {server.id: server for server in servers}
        snapshots, counts = await asyncio.gather(
            self._read(*map(self._server, fleet)), asyncio.gather(*map(self.count_slots, fleet))
        )
        several = zip(snapshots, fleet.values(), counts, strict=True)
        return {server.id: _room(snapshot, server, count) for snapshot, server, count in several}

    async def set_accepting(self, server: ServerLimits, accepting: bool) -> None:
        """Let new lines go to a server, or not; its lines stay. Firestore: 1 write."""
        batch = self._client.batch()
        fields = {"server": server.id, "limit": server.instance_max, "accepting": accepting}
        batch.set(self._server(server.id), fields, merge=True)
        await self._commit_unordered(batch)

    async def record_census(
        self, server: ServerLimits, census: Census | None, now: datetime
    ) -> None:
        """Store the census of a server; None: it doesn't answer, since now or an earlier census.

        Firestore: 1 write (and 1 read if it didn't answer).
        """
        reference = self._server(server.id)
        fields: dict[str, Any] = {"server": server.id, "limit": server.instance_max}
        if census:
            fields |= {"census": census.model_dump(), "failed_since": None}
        else:
            (snapshot,) = await self._read(reference)
            fields |= {"failed_since": _moment(snapshot, "failed_since") or now}
        batch = self._client.batch()
        batch.set(reference, fields, merge=True)
        await self._commit_unordered(batch)

    # How -------------------------------------------------------------------------------------

    async def _every(
        self, collection: Any, fields: list[str] | None = None
    ) -> AsyncIterator[Snapshot]:
        """Yield all documents, by id, with no more than a page of them in memory."""
        after: str | None = None
        while True:
            snapshots = await self._page(collection, PAGE, after, fields)
            for snapshot in snapshots:
                yield snapshot
            if len(snapshots) < PAGE:
                return
            after = snapshots[-1].id

    async def _page(
        self, collection: Any, limit: int, after: str | None, fields: list[str] | None = None
    ) -> list[Snapshot]:
        query = collection.order_by("__name__").limit(limit)
        query = query.select(fields) if fields else query
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        return await self._query(query)


def read_record(read: Callable[[Snapshot], T | None], snapshot: Snapshot) -> T | UnreadableRecord:
    """Read a document, or return that it is unreadable."""
    return next(filter(None, base.readable([snapshot], read)), UnreadableRecord(snapshot.id))


def _repaired(snapshot: Snapshot, tenant: TenantId) -> Tenant:
    """Read the fields of a tenant's record that can be read; the others get their defaults."""
    repaired = Tenant(tenant=tenant)
    for field, value in (snapshot.to_dict() or {}).items():
        with suppress(ValidationError):
            fields = {**repaired.model_dump(), field: value, "tenant": tenant}
            repaired = Tenant.model_validate(fields)
    return repaired


def _moment(snapshot: Snapshot, field: str) -> datetime | None:
    value = (snapshot.to_dict() or {}).get(field)
    return value if isinstance(value, datetime) else None


def _change_fields(
    current: Tenant | None, tenant: TenantId, change: dict[str, Any], now: datetime
) -> dict[str, Any]:
    fields: dict[str, Any] = {"tenant": tenant, **change}
    if current is None:
        fields["created_at"] = now
    if change.get("status") is Status.CANCELLED:
        fields["cancelled_at"] = (current and current.cancelled_at) or now
    elif "status" in change:
        fields["cancelled_at"] = None
    return fields


def _room(snapshot: Snapshot, server: ServerLimits, reserved: int) -> ServerRoom:
    fields = (snapshot.to_dict() or {}).get("census")
    censuses = base.readable([snapshot], lambda _: Census.model_validate(fields)) if fields else ()
    census = next(iter(censuses), None)
    capacity = capacity_in(snapshot, server, reserved)
    failed_since = _moment(snapshot, "failed_since")
    return ServerRoom(capacity, census, failed_since, bears_counter(snapshot))
