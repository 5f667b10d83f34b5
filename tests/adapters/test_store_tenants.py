"""What sweeps read of tenants: every field, and no tenant left out."""

from typing import Any

from shared.domain.names import LineId, TenantId
from shared.domain.tenants import Status, Tenant
from shared.store import Store
from shared.store.base import UnreadableRecord
from tests.builders import LATER, NOON, a_tenant
from tests.perene import Perene

WHOLE = a_tenant(
    "acme",
    "default",
    "sales",
    status=Status.CANCELLED,
    max_lines=2,
    labels={LineId("sales"): "Vendas"},
    created_at=NOON,
    cancelled_at=LATER,
    fed=7,
    media_days=30,
)
STORED = WHOLE.model_dump(exclude={"version"})


async def list_records(store: Store) -> list[Any]:
    return [record async for record in store.tenants.iterate()]


def test_whole_tenant_fills_every_field():
    assert {*WHOLE.model_dump(exclude_defaults=True)} == {*Tenant.model_fields} - {"version"}


async def test_sweeps_read_every_field(perene: Perene, store: Store):
    perene.write("tenants/acme", **STORED)

    (tenant,) = await list_records(store)

    assert tenant.model_copy(update={"version": None}) == WHOLE


async def test_sweeps_see_every_odd_tenant(perene: Perene, store: Store):
    silent = {}
    for field in STORED:
        perene.write("tenants/acme", **{**STORED, field: ["odd"]})
        records = await list_records(store)
        if [getattr(record, "tenant", record) for record in records] not in (
            [TenantId("acme")],
            [UnreadableRecord("acme")],
        ):
            silent[field] = records

    assert silent == {}


async def test_odd_date_makes_tenant_unreadable(perene: Perene, store: Store):
    perene.write("tenants/acme", **{**STORED, "created_at": "yesterday"})

    assert await list_records(store) == [UnreadableRecord("acme")]
