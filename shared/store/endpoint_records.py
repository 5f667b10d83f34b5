"""Endpoints that are told events, the attempts to tell them, and which tenants have any."""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain.endpoints import (
    ATTEMPTS_KEPT,
    EVERYBODY,
    MOST_ENDPOINTS,
    Attempt,
    Endpoint,
    EndpointState,
)
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import CHANGED, Snapshot, Topic

MOST_ATTEMPTS: Final = 100
"""Failed attempts in one answer."""

MOST_LISTED: Final = 5000
"""Tenants in the list of those with endpoints, with ids of any length: a document takes 1 MiB
(Firestore limit). Once there are more, the news of every tenant is poked."""

MOST_LATE: Final = 200
"""Late endpoints that one sweep names; when there are more, the deliveries themselves fail."""


class ToldTenants(NamedTuple):
    """The tenants that have endpoints.

    `everybody`: operators have one for all of them, or there are too many to list.
    """

    tenants: frozenset[str] = frozenset()
    everybody: bool = False

    def include(self, tenant: TenantId) -> bool:
        return self.everybody or tenant in self.tenants


class Endpoints(Topic):
    """Endpoints and their attempts. Every method is one question or one change."""

    async def find(self, name: str) -> Endpoint | None:
        """Return an endpoint. Firestore: 1 read."""
        return endpoint_in((await self._db.read(self._db.endpoint(name)))[0])

    async def find_tenant(self, name: str) -> TenantId | None:
        """Return whose an endpoint is, also if its record is unreadable. Firestore: 1 read."""
        fields = (await self._db.read(self._db.endpoint(name)))[0].to_dict() or {}
        tenant = fields.get("tenant")
        return TenantId(tenant) if isinstance(tenant, str) else None

    async def list_of_tenant(self, tenant: TenantId) -> list[Endpoint]:
        """List a tenant's endpoints (or those of operators for `EVERYBODY`), oldest first.

        Firestore: n reads, bounded.
        """
        return await self._list_where("tenant", "==", tenant)

    async def list_told(self, tenant: TenantId) -> list[Endpoint]:
        """List the endpoints that are told a tenant's events, with those of operators.

        Firestore: n reads, bounded.
        """
        return await self._list_where("tenant", "in", sorted({tenant, EVERYBODY}))

    async def list_active(self) -> list[Endpoint]:
        """List all endpoints that are told events, by id. Firestore: n reads, 1 at least."""
        return await self._list_all({"state": EndpointState.ACTIVE})

    async def list_all(self) -> list[Endpoint]:
        """List all endpoints, by id. Firestore: n reads, 1 at least."""
        return await self._list_all({})

    async def list_late(self, until: datetime, limit: int = MOST_LATE) -> list[Endpoint]:
        """List the endpoints for which an event of that time or before waits, the latest first.

        Firestore: n reads, 1 at least.
        """
        active = self._db.endpoints.where(filter=FieldFilter("state", "==", EndpointState.ACTIVE))
        query = active.where(filter=FieldFilter("untold_since", "<=", until))
        snapshots = await self._db.query(query.order_by("untold_since").limit(limit))
        return list(filter(None, base.readable(snapshots, endpoint_in)))

    async def list_page(
        self, where: dict[str, str], limit: int, after: str | None
    ) -> tuple[list[Endpoint], str | None]:
        """Return a page of endpoints with these fields, by id, and its end if there may be more.

        Firestore: n reads.
        """
        snapshots, end = await self._db.query_page(self._db.endpoints, limit, after, where=where)
        return list(filter(None, base.readable(snapshots, endpoint_in))), end

    async def read_told_tenants(self) -> ToldTenants:
        """Return which tenants have endpoints that are told events. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.told_tenants())
        return _told_tenants(snapshot)

    async def create(self, endpoint: Endpoint) -> bool:
        """Store a new endpoint, unless its tenant has as many as it may: then return False.

        Firestore: 1 read and n of the tenant's endpoints; 2 writes.
        """

        async def build(batch: Any, told: Snapshot) -> bool:
            if len(await self.list_of_tenant(endpoint.tenant)) >= MOST_ENDPOINTS:
                return False
            batch.create(self._db.endpoint(endpoint.id), endpoint.model_dump())
            self._list_tenant(batch, told, endpoint.tenant, is_told=True)
            return True

        return await self._db.compare_and_set([self._db.told_tenants()], build)

    async def change(self, name: str, decide: Callable[[Endpoint], Endpoint]) -> Endpoint | None:
        """Write what `decide` makes of an endpoint; None if there is none.

        Firestore: 1 read, 1 write; if it is told events from now on, or no more, the reads of
        the tenant's endpoints and 1 read and 1 write more.
        """

        async def build(batch: Any, snapshot: Snapshot, told: Snapshot) -> Endpoint | None:
            current = endpoint_in(snapshot)
            if current is None:
                return None
            changed = decide(current)
            change = _differences(current, changed)
            if change:
                option = self._db.since(current.version)
                batch.update(self._db.endpoint(name), change, option=option)
            if changed.is_active != current.is_active:
                is_told = changed.is_active or await self._has_others(name, changed.tenant)
                self._list_tenant(batch, told, changed.tenant, is_told=is_told)
            return changed

        references = self._db.endpoint(name), self._db.told_tenants()
        return await self._db.compare_and_set(references, build)

    async def delete(self, name: str, tenant: TenantId) -> None:
        """Delete an endpoint of a tenant; its attempts end by themselves.

        Firestore: 1 read and n of the tenant's endpoints; 1 delete, 1 write.
        """

        async def build(batch: Any, told: Snapshot) -> None:
            batch.delete(self._db.endpoint(name))
            is_told = await self._has_others(name, tenant)
            self._list_tenant(batch, told, tenant, is_told=is_told)

        await self._db.compare_and_set([self._db.told_tenants()], build)

    async def advance(
        self, old: Endpoint, new: Endpoint, failed: tuple[Attempt, ...] = ()
    ) -> Endpoint | None:
        """Write `new` over `old`, and the attempts that failed. None if the record isn't `old`.

        Firestore: 1 write, and 1 for each failed attempt.
        """
        batch = self._db.batch()
        change = _differences(old, new)
        if change:
            option = self._db.since(old.version)
            batch.update(self._db.endpoint(old.id), change, option=option)
        for attempt in failed:
            self._keep_attempt(batch, old.id, attempt)
        try:
            results = await self._db.commit(batch)
        except CHANGED:
            return None
        version = results[0].update_time if change else old.version
        return new.model_copy(update={"version": version})

    async def list_failed(self, name: str) -> list[Attempt]:
        """List the failed attempts of the last days, the newest first. Firestore: n reads."""
        attempts = self._db.attempts(name)
        query = attempts.order_by("at", direction=firestore.Query.DESCENDING)
        snapshots = await self._db.query(query.limit(MOST_ATTEMPTS))
        return base.readable(snapshots, _attempt)

    async def keep_attempt(self, name: str, attempt: Attempt) -> None:
        """Store an attempt that stands for itself: a person's test. Firestore: 1 write."""
        batch = self._db.batch()
        self._keep_attempt(batch, name, attempt)
        await self._db.commit(batch)

    # How -------------------------------------------------------------------------------------

    async def _list_all(self, where: dict[str, str]) -> list[Endpoint]:
        pages = self._db.iterate(self._db.endpoints, where=where)
        endpoints = base.readable([snapshot async for snapshot in pages], endpoint_in)
        return list(filter(None, endpoints))

    async def _list_where(self, field: str, operator: str, value: Any) -> list[Endpoint]:
        query = self._db.endpoints.where(filter=FieldFilter(field, operator, value))
        query = query.limit(4 * MOST_ENDPOINTS)
        endpoints = base.readable(await self._db.query(query), endpoint_in)
        return sorted(filter(None, endpoints), key=lambda endpoint: endpoint.created_at)

    async def _has_others(self, name: str, tenant: TenantId) -> bool:
        """Tell whether another endpoint of the tenant is told events."""
        siblings = await self.list_of_tenant(tenant)
        return any(one.is_active for one in siblings if one.id != name)

    def _list_tenant(self, batch: Any, told: Snapshot, tenant: TenantId, *, is_told: bool) -> None:
        """Add to the batch: the tenant is one of those that are told events, or isn't any more.

        Holds only while no other endpoint came or went: else two that go at once would both see
        the other, or one that comes would be forgotten.
        """
        change: dict[str, Any] = {"everybody": is_told}
        if tenant != EVERYBODY:
            list_in = firestore.ArrayUnion if is_told else firestore.ArrayRemove
            listed = _told_tenants(told).tenants
            is_full = is_told and tenant not in listed and len(listed) >= MOST_LISTED
            change = {"too_many": True} if is_full else {"tenants": list_in([tenant])}
        change["changes"] = firestore.Increment(1)  # a write that changes nothing has no new time
        if told.exists:
            batch.update(self._db.told_tenants(), change, option=self._db.since(told.update_time))
            return
        batch.create(self._db.told_tenants(), change)

    def _keep_attempt(self, batch: Any, name: str, attempt: Attempt) -> None:
        fields = attempt.model_dump() | {"expires_at": attempt.at + ATTEMPTS_KEPT}
        batch.create(self._db.attempts(name).document(), fields)


def endpoint_in(snapshot: Snapshot) -> Endpoint | None:
    """Return the endpoint in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Endpoint, id=snapshot.id)


def _attempt(snapshot: Snapshot) -> Attempt:
    return Attempt.model_validate(snapshot.to_dict())


def _told_tenants(snapshot: Snapshot) -> ToldTenants:
    fields = snapshot.to_dict() or {}
    tenants = fields.get("tenants")
    names = filter(lambda name: isinstance(name, str), tenants if isinstance(tenants, list) else ())
    return ToldTenants(frozenset(names), True in (fields.get("everybody"), fields.get("too_many")))


def _differences(old: Endpoint, new: Endpoint) -> dict[str, Any]:
    before = old.model_dump()
    return {field: value for field, value in new.model_dump().items() if value != before[field]}
