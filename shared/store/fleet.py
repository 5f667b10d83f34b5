"""The whole fleet, page by page: tenants, lines, numbers, servers; and what operators set."""

import asyncio
import math
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, TypeVar

from google.api_core import exceptions
from google.cloud.firestore_v1.base_query import FieldFilter
from pydantic import ValidationError

from shared.domain import names
from shared.domain.fleet.capacity import Census
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, TenantId
from shared.domain.placing import Capacity
from shared.domain.tenants import Status, Tenant
from shared.store import base
from shared.store.base import CONTENDED, Snapshot
from shared.store.instances import instance_in
from shared.store.lines import Limits, Lines, capacity_in, tenant_in
from shared.store.slots import bears_counter

PAGE = 300
"""Documents in one answer: far below what one takes 5 seconds for."""

WITHOUT_CODE = [field for field in Instance.model_fields if field not in ("version", "code")]
"""A survey has no use for the pictures of codes."""


@dataclass(frozen=True)
class Unreadable:
    """A document that somebody wrote by hand, and wrong: nobody can tell what it says."""

    id: str

    @property
    def instance(self) -> str:
        """The instance that it is about, if it is a candidate."""
        return self.id.partition("~")[2]


class Room(NamedTuple):
    """A server as its document says: its room, its last census, since when it fails.

    `unseated`: a version that gave lines no slots placed some there.
    """

    capacity: Capacity
    census: Census | None
    failed_since: datetime | None
    unseated: bool


T = TypeVar("T")


class Fleet(Lines):
    """What is true of all tenants at once. Only sweeps and operators ask."""

    async def every_tenant(self) -> AsyncIterator[Tenant | Unreadable]:
        """Every tenant there is. Firestore: n reads, and one round trip per 300."""
        fields = ["tenant", "status", "max_lines", "lines", "cancelled_at"]
        async for snapshot in self._every(self._client.collection("tenants"), fields):
            yield read(tenant_in, snapshot)

    async def every_line(self) -> AsyncIterator[Instance | Unreadable]:
        """The record of every line, without its code. Firestore: n reads."""
        collection = self._client.collection("instances")
        async for snapshot in self._every(collection, WITHOUT_CODE):
            yield read(instance_in, snapshot)

    async def every_number(self) -> AsyncIterator[tuple[str, InstanceName]]:
        """Every number, and the instance whose it is. Firestore: n reads."""
        async for snapshot in self._every(self._client.collection("numbers"), ["instance"]):
            owner = (snapshot.to_dict() or {}).get("instance")
            if isinstance(owner, str):
                yield snapshot.id, InstanceName(owner)

    async def instances(
        self, where: dict[str, str], limit: int, after: str | None
    ) -> tuple[list[Instance], str | None]:
        """A page of lines by name, those whose fields are so. Firestore: n reads."""
        collection = self._client.collection("instances")
        query: Any = collection
        for field, value in where.items():
            query = query.where(filter=FieldFilter(field, "==", value))
        query = query.order_by("__name__").limit(limit).select(WITHOUT_CODE)
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        with base.translated():
            found = [snapshot async for snapshot in query.stream(**base.LIMITS)]
        end = found[-1].id if len(found) == limit else None
        return [each for each in base.readable(found, instance_in) if each], end

    async def tenants(self, limit: int, after: str | None) -> tuple[list[Tenant], str | None]:
        """A page of tenants by id, and where it ended if there may be more. n reads."""
        found = await self._page(self._client.collection("tenants"), limit, after)
        end = found[-1].id if len(found) == limit else None
        return [each for each in base.readable(found, tenant_in) if each], end

    async def tenants_that_are(self, *status: Status) -> set[TenantId]:
        """The tenants of these statuses. Firestore: 1 read each."""
        wanted = FieldFilter("status", "in", list(status))
        query = self._client.collection("tenants").where(filter=wanted)
        with base.translated():
            found = [each async for each in query.select(["status"]).stream(**base.LIMITS)]
        return {tenant for each in found if (tenant := names.unspell(each.id))}

    async def keep_tenant(self, tenant: TenantId, change: dict[str, Any], now: datetime) -> Tenant:
        """The tenant is as an operator says, and what nobody can read of it is as if it were new.
        A cancelled one is so since now, or since before. `fed` in the change is its order: what was
        fed in a later one stays.

        Firestore: 1 read, 1 write.
        """
        reference = self._tenant(names.spell(tenant))
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            (known,) = (base.readable([found], tenant_in) if found.exists else ()) or (None,)
            if known and known.fed >= change.get("fed", math.inf):
                return known
            fields = _changed(known, tenant, change, now)
            batch = self._client.batch()
            if known is None and found.exists:
                known = _mended(found, tenant)
                fields = known.model_dump() | _changed(known, tenant, change, now)
                batch.update(reference, fields, option=self._since(found.update_time))
            elif known is None:
                batch.create(reference, fields)
            else:
                batch.update(reference, fields, option=self._since(known.version))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            kept = known or Tenant(tenant=tenant)
            return Tenant.model_validate({**kept.model_dump(), **fields})
        raise AssertionError("attempts() ends with a problem")

    # Servers ---------------------------------------------------------------------------------

    async def rooms(self, servers: Iterable[Limits]) -> dict[str, Room]:
        """Tell every server's room and last census. Firestore: 2 reads per server."""
        fleet = {server.id: server for server in servers}
        found, counts = await asyncio.gather(
            self._read(*map(self._server, fleet)), asyncio.gather(*map(self.count_slots, fleet))
        )
        several = zip(found, fleet.values(), counts, strict=True)
        return {server.id: _room(snapshot, server, count) for snapshot, server, count in several}

    async def accept(self, server: Limits, accepting: bool) -> None:
        """New lines may go there, or not; those that are there stay. Firestore: 1 write."""
        batch = self._client.batch()
        fields = {"server": server.id, "limit": server.instance_max, "accepting": accepting}
        batch.set(self._server(server.id), fields, merge=True)
        await self._settled(batch)

    async def note_census(self, server: Limits, census: Census | None, now: datetime) -> None:
        """What it carries now; None: it didn't answer, since now or since before.

        Firestore: 1 write (and 1 read if it didn't answer).
        """
        reference = self._server(server.id)
        fields: dict[str, Any] = {"server": server.id, "limit": server.instance_max}
        if census:
            fields |= {"census": census.model_dump(), "failed_since": None}
        else:
            (found,) = await self._read(reference)
            fields |= {"failed_since": _moment(found, "failed_since") or now}
        batch = self._client.batch()
        batch.set(reference, fields, merge=True)
        await self._settled(batch)

    # How -------------------------------------------------------------------------------------

    async def _every(
        self, collection: Any, fields: list[str] | None = None
    ) -> AsyncIterator[Snapshot]:
        """Every document, by id, never more than a page of them in memory."""
        after: str | None = None
        while True:
            found = await self._page(collection, PAGE, after, fields)
            for snapshot in found:
                yield snapshot
            if len(found) < PAGE:
                return
            after = found[-1].id

    async def _page(
        self, collection: Any, limit: int, after: str | None, fields: list[str] | None = None
    ) -> list[Snapshot]:
        query = collection.order_by("__name__").limit(limit)
        query = query.select(fields) if fields else query
        if after is not None:
            query = query.start_after({"__name__": collection.document(after)})
        with base.translated():
            return [snapshot async for snapshot in query.stream(**base.LIMITS)]

    async def _settled(self, batch: Any) -> None:
        """A commit that cares for no order."""
        async for _ in base.attempts():
            try:
                await self._commit(batch)
            except exceptions.Aborted:
                continue
            return


def read(reading: Callable[[Snapshot], T | None], snapshot: Snapshot) -> T | Unreadable:
    """What a document says, or that nobody understands it."""
    return next(filter(None, base.readable([snapshot], reading)), Unreadable(snapshot.id))


def _mended(snapshot: Snapshot, tenant: TenantId) -> Tenant:
    """What of a tenant's record makes sense, field by field."""
    mended = Tenant(tenant=tenant)
    for field, value in (snapshot.to_dict() or {}).items():
        with suppress(ValidationError):
            mended = Tenant.model_validate({**mended.model_dump(), field: value, "tenant": tenant})
    return mended


def _moment(snapshot: Snapshot, field: str) -> datetime | None:
    value = (snapshot.to_dict() or {}).get(field)
    return value if isinstance(value, datetime) else None


def _changed(
    known: Tenant | None, tenant: TenantId, change: dict[str, Any], now: datetime
) -> dict[str, Any]:
    fields: dict[str, Any] = {"tenant": tenant, **change}
    if known is None:
        fields["created_at"] = now
    if change.get("status") is Status.CANCELLED:
        fields["cancelled_at"] = (known and known.cancelled_at) or now
    elif "status" in change:
        fields["cancelled_at"] = None
    return fields


def _room(snapshot: Snapshot, server: Limits, reserved: int) -> Room:
    kept = (snapshot.to_dict() or {}).get("census")
    known = base.readable([snapshot], lambda _: Census.model_validate(kept)) if kept else ()
    census = next(iter(known), None)
    capacity = capacity_in(snapshot, server, reserved)
    failed_since = _moment(snapshot, "failed_since")
    return Room(capacity, census, failed_since, bears_counter(snapshot))
