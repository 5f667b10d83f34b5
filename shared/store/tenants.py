"""Tenants: what operators and the feed say of them, and which lines they have."""

import math
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from google.cloud.firestore_v1.base_query import FieldFilter
from pydantic import ValidationError

from shared.domain import names
from shared.domain.names import TenantId
from shared.domain.tenants import Status, Tenant
from shared.store import base
from shared.store.base import Snapshot, Topic, UnreadableRecord

FIELDS = [field for field in Tenant.model_fields if field != "version"]
"""Fields of a tenant as they are stored. Operators may have added others to its document."""


_LAST = "\uf8ff"
"""A character behind all that ids have."""


class Tenants(Topic):
    """The tenants' records. Every method is one question or one change."""

    async def find(self, tenant: TenantId) -> Tenant | None:
        """Return a tenant's record. Firestore: 1 read."""
        return tenant_in((await self._db.read(self._db.tenant(tenant)))[0])

    async def iterate(self) -> AsyncIterator[Tenant | UnreadableRecord]:
        """Yield all tenants. Firestore: n reads, and one round trip per 300."""
        async for snapshot in self._db.iterate(self._db.tenants, FIELDS):
            yield base.read_record(tenant_in, snapshot)

    async def list_page(
        self, where: dict[str, str], limit: int, after: str | None, beginning: str = ""
    ) -> tuple[list[Tenant], str | None]:
        """Return a page of tenants with these fields, by id, and its end if there may be more.

        `beginning`: of their ids. Firestore: n reads.
        """
        spelled = names.spell(TenantId(beginning)) if beginning else ""
        ids = (spelled, spelled + _LAST) if spelled else None
        snapshots, end = await self._db.query_page(
            self._db.tenants, limit, after, where=where, ids=ids
        )
        return [tenant for tenant in base.readable(snapshots, tenant_in) if tenant], end

    async def count(self, where: dict[str, str]) -> int:
        """Count the tenants with these fields. Firestore: 1 read per 1000."""
        return await self._db.count(base.filtered(self._db.tenants, where))

    async def find_with_status(self, *status: Status) -> set[TenantId]:
        """Find the ids of the tenants with these statuses. Firestore: 1 read per tenant."""
        with_status = FieldFilter("status", "in", list(status))
        query = self._db.tenants.where(filter=with_status)
        snapshots = await self._db.query(query.select(["status"]))
        return {tenant for snapshot in snapshots if (tenant := names.unspell(snapshot.id))}

    async def update(self, tenant: TenantId, change: dict[str, Any], now: datetime) -> Tenant:
        """Change a tenant as an operator says, and create or repair its record if need be.

        Fields that can't be read get their defaults. The time of a cancellation is the first one.
        `fed` in the change is its order: a change that is older than the stored one does nothing.

        Firestore: 1 read, 1 write.
        """
        reference = self._db.tenant(tenant)

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
                batch.update(reference, fields, option=self._db.since(snapshot.update_time))
            else:
                batch.create(reference, fields)
            before = current or Tenant(tenant=tenant)
            return Tenant.model_validate({**before.model_dump(), **fields})

        return await self._db.compare_and_set([reference], build)


def tenant_in(snapshot: Snapshot) -> Tenant | None:
    """Return the tenant in a document, if there is one. Raises RecordUnreadable."""
    if not snapshot.exists:
        return None
    return base.understood(snapshot, Tenant, tenant=names.unspell(snapshot.id))


def _repaired(snapshot: Snapshot, tenant: TenantId) -> Tenant:
    """Read the fields of a tenant's record that can be read; the others get their defaults."""
    repaired = Tenant(tenant=tenant)
    for field, value in (snapshot.to_dict() or {}).items():
        with suppress(ValidationError):
            fields = {**repaired.model_dump(), field: value, "tenant": tenant}
            repaired = Tenant.model_validate(fields)
    return repaired


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
