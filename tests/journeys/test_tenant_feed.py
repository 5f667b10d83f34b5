"""The agency's database tells of tenants: once, twice, late or forged."""

import asyncio
import itertools
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.adapters.counting import counting
from tests.cases import in_each
from tests.perene import Perene

SECRET = "of the table, long enough to be one"
PREVIOUS = "of the table until today, long enough too"
FIRST, LATER, LAST = (f"2024-11-2{day}T12:00:00.123456+00:00" for day in (1, 2, 3))


def row(status: str = "active", at: str = FIRST, **more: Any) -> dict[str, Any]:
    return {"id": "acme", "status": status, "updated_at": at, "name": "Acme Ltda.", **more}


def told(kind: str, new: Any, old: Any = None) -> dict[str, Any]:
    """Build a change as a Supabase database webhook posts it."""
    where = {"table": "tenants", "schema": "public"}
    return {"type": kind, **where, "record": new, "old_record": old}


INSERTED = told("INSERT", row(max_lines=3))
SUSPENDED = told("UPDATE", row("past_due", LATER, max_lines=3), row())
DELETED = told("DELETE", None, row("past_due", LATER, max_lines=3))
BACK = told("INSERT", row("active", LAST, max_lines=2))


@pytest.fixture
def perene(on_2: Perene) -> Perene:
    on_2.set(TENANT_FEED_SECRET=SECRET)
    return on_2


async def feed(perene: Perene, body: Any, secret: str | None = SECRET) -> httpx.Response:
    headers = {} if secret is None else {"x-feed-secret": secret}
    return await perene.http.post("/tenant-feed", json=body, headers=headers)


def kept(perene: Perene) -> tuple[Any, Any]:
    tenant = perene.documents("tenants").get("acme", {})
    return tenant.get("status"), tenant.get("max_lines")


def forget_tenant(perene: Perene) -> None:
    perene.database.document("tenants/acme").delete()


async def test_a_new_row_registers_its_tenant(perene: Perene):
    answer = await feed(perene, INSERTED)

    assert answer.status_code == 200
    assert answer.json() == {
        "tenant": "acme", "status": "active", "max_lines": 3, "outcome": "taken",
    }  # fmt: skip
    assert kept(perene) == ("active", 3)


async def test_suspended_row_bars_its_tenant(perene: Perene):
    perene.set(TENANTS_ON_FIRST_USE="false")
    assert (await perene.ensure()).status_code == 403

    await feed(perene, INSERTED)
    assert (await perene.ensure()).status_code in (200, 202)

    await feed(perene, SUSPENDED)
    refused = await perene.ensure()
    assert refused.json()["type"].endswith("tenant-suspended")


async def test_deleted_row_cancels_its_tenant(perene: Perene):
    await feed(perene, SUSPENDED)

    await feed(perene, DELETED)

    assert kept(perene) == ("cancelled", 3)
    assert perene.documents("tenants")["acme"]["cancelled_at"]


@in_each("order", [*itertools.permutations([INSERTED, SUSPENDED, DELETED])])
async def test_newest_row_counts_in_any_order(perene: Perene, order: tuple[Any, ...]):
    forget_tenant(perene)

    for body in (*order, *order):
        assert (await feed(perene, body)).status_code == 200

    assert kept(perene)[0] == "cancelled"


@in_each("order", [*itertools.permutations([SUSPENDED, DELETED, BACK])])
async def test_returning_row_restores_its_tenant(perene: Perene, order: tuple[Any, ...]):
    forget_tenant(perene)

    for body in order:
        await feed(perene, body)

    assert kept(perene) == ("active", 2)


async def test_late_row_changes_nothing(perene: Perene):
    await feed(perene, SUSPENDED)

    late = await feed(perene, INSERTED)

    assert late.json()["outcome"] == "stale"
    assert kept(perene) == ("suspended", 3)


async def test_repetition_keeps_operators_change(perene: Perene):
    await feed(perene, INSERTED)
    await perene.operate("PUT", "/fleet/tenants/acme", json={"status": "suspended"})

    repeated = await feed(perene, INSERTED)

    assert repeated.json()["status"] == "suspended"


async def test_row_sets_status_and_lines_only(perene: Perene):
    await feed(perene, told("INSERT", row(lines=["x"], fed=1, cancelled_at=FIRST, labels={"x": 1})))

    tenant = perene.documents("tenants")["acme"]
    assert set(tenant) == {"tenant", "status", "created_at", "cancelled_at", "fed"}
    assert tenant["cancelled_at"] is None


async def test_future_row_is_refused(perene: Perene):
    def at(ahead: timedelta) -> str:
        return (perene.clock() + ahead).isoformat()

    for far in (at(timedelta(minutes=11)), at(timedelta(days=366)), "9999-12-31T23:59:59Z"):
        refused = await feed(perene, told("UPDATE", row("cancelled", far), row()))
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "record.updated_at"
    assert kept(perene) == (None, None)

    ahead = await feed(perene, told("UPDATE", row("past_due", at(timedelta(minutes=5))), row()))
    assert ahead.json()["outcome"] == "taken"


async def test_deleted_row_ignores_the_plan(perene: Perene):
    gone = await feed(perene, told("DELETE", None, row("a new word", LATER, max_lines=1000)))

    assert (gone.status_code, kept(perene)) == (200, ("cancelled", None))


async def test_newest_of_concurrent_rows_counts(perene: Perene):
    statuses = ("active", "past_due")
    rows = [row(statuses[at % 2], f"2024-11-21T12:00:{at:02}Z", max_lines=at) for at in range(12)]

    await asyncio.gather(*(feed(perene, told("UPDATE", record)) for record in (*rows[::-1], *rows)))

    assert kept(perene) == ("suspended", 11)


async def test_plan_that_is_not_told_stays(perene: Perene):
    await feed(perene, INSERTED)

    await feed(perene, told("UPDATE", row("active", LATER)))

    assert kept(perene) == ("active", 3)


async def test_other_columns_may_be_large(perene: Perene):
    logo = {"logo": "x" * 200_000}

    taken = await feed(perene, told("UPDATE", row(**logo), row(**logo)))
    too_large = await feed(perene, told("UPDATE", row(logo="x" * 2**20), row()))

    assert (taken.status_code, too_large.status_code) == (200, 413)


async def test_numeric_id_is_tenants_id_too(perene: Perene):
    await feed(perene, told("INSERT", row(id=42)))

    assert "42" in perene.documents("tenants")


# Who and what is refused ---------------------------------------------------------------------


@in_each(
    ("secret", "slug"),
    [
        (None, "token-missing"),
        ("", "token-missing"),
        ("guessed", "token-invalid"),
        (SECRET + "x", "token-invalid"),
        (SECRET[:-1], "token-invalid"),
    ],
)
async def test_wrong_secret_changes_nothing(perene: Perene, secret: str | None, slug: str):
    refused = await feed(perene, INSERTED, secret)

    assert (refused.status_code, refused.json()["type"]) == (401, f"urn:perene:problem:{slug}")
    assert kept(perene) == (None, None)


async def test_previous_secret_still_counts(perene: Perene):
    perene.set(TENANT_FEED_SECRET_PREVIOUS=PREVIOUS)
    for secret in (SECRET, PREVIOUS):
        assert (await feed(perene, INSERTED, secret)).status_code == 200
    assert (await feed(perene, INSERTED, PREVIOUS[:-1])).status_code == 401

    perene.set(TENANT_FEED_SECRET_PREVIOUS="")
    assert (await feed(perene, INSERTED, PREVIOUS)).status_code == 401


async def test_previous_secret_alone_is_refused(perene: Perene):
    perene.set(TENANT_FEED_SECRET="", TENANT_FEED_SECRET_PREVIOUS=PREVIOUS)

    assert (await feed(perene, INSERTED, PREVIOUS)).status_code == 503


async def test_operator_token_is_refused(perene: Perene):
    refused = await perene.operate("POST", "/tenant-feed", json=INSERTED)

    assert refused.status_code == 401


async def test_missing_secret_closes_the_feed(perene: Perene):
    perene.set(TENANT_FEED_SECRET="")

    assert (await feed(perene, INSERTED, "")).status_code == 503


@in_each(
    "body",
    [
        told("INSERT", row("a new word")),
        told("INSERT", row(max_lines=101)),
        told("INSERT", row(max_lines=-1)),
        told("INSERT", row(id="")),
        told("INSERT", row(id="../x" * 500)),
        told("INSERT", row(id=None)),
        told("INSERT", row(id=True)),
        told("INSERT", row(id=1.5)),
        told("INSERT", row(at="yesterday")),
        told("INSERT", row(at="2024-11-21T12:00:00")),
        told("INSERT", {"id": "acme", "status": "active"}),
        told("INSERT", None),
        told("DELETE", None, None),
        told("UPDATE", row(id="other"), row()),
        told("UPDATE", row(), row(id="other")),
        told("TRUNCATE", None),
        [],
    ],
)
async def test_unclear_row_is_refused(perene: Perene, body: Any):
    refused = await feed(perene, body)

    assert refused.status_code == 422
    assert perene.documents("tenants") == {}


async def test_row_costs_read_and_write(perene: Perene):
    with counting(perene.store.db.client) as first:
        await feed(perene, INSERTED)
    with counting(perene.store.db.client) as again:
        await feed(perene, INSERTED)

    assert (first.reads, first.writes) == (1, 1)
    assert (again.reads, again.writes) == (1, 0)
