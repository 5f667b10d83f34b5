"""P10: a document that somebody wrote by hand, and wrong, costs nobody else anything."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cases import in_each
from tests.perene import Perene
from tests.proofs.stage import times

DAY = timedelta(days=1)
ODD = [None, "odd", -1, 1e300, True, [], ["odd"], {}, {"odd": {"odd": 1}}]
FIELDS_AT_ONCE = times(16, 1)
"""Fields of a document that are odd together."""
IN_ALL_FIELDS = times(["odd"], [None, "odd", 1e300])
SWEEPS = ["/sweep-orphans", "/sweep-capacity"]
ROUTES = [
    "/fleet",
    "/fleet/tenants",
    "/fleet/candidates",
    "/fleet/dead-letters",
    "/fleet/sweeps",
    "/fleet/sweeps/orphans/latest",
    "/fleet/sweeps/capacity/latest",
]


async def answers(perene: Perene) -> dict[str, int]:
    """Return what operators and the scheduler are answered, where it isn't fine."""
    sweeps = [await perene.operate("POST", path) for path in SWEEPS]
    pages = await asyncio.gather(*(perene.operate("GET", route) for route in ROUTES))
    responses = zip((*SWEEPS, *ROUTES), (*sweeps, *pages), strict=True)
    return {
        path: response.status_code for path, response in responses if response.status_code != 200
    }


@pytest.fixture
async def fleet(on_2: Perene) -> Perene:
    """A fleet that has one document of every kind, and an orphan whose time is over."""
    await on_2.pair("acme")
    await on_2.pair("globex", "5511999990002")
    await on_2.plant_orphan("instance_ghost")
    for _ in range(2):
        on_2.clock.advance(DAY)
        assert await answers(on_2) == {}
    await on_2.http.post(
        "/webhook", json={"event": 1}, headers=on_2.webhook_headers("instance_acme")
    )
    return on_2


@in_each(
    "collections",
    [
        ("sweeps/orphans/candidates",),
        ("servers", "dead_letters"),
        ("sweeps",),
        (
            "incidents",
            "numbers",
            "sweeps/orphans/reports",
            "sweeps/capacity/reports",
            "sweeps/capacity/days",
        ),
        ("tenants",),
        ("instances",),
    ],
)
async def test_odd_fields_cost_no_answer(fleet: Perene, collections: tuple[str, ...]):
    if "incidents" in collections:
        fleet.evolution.faults.turn_on("down")
        await fleet.sweep("/sweep-capacity")
        fleet.evolution.faults.clear()
    originals = {
        f"{collection}/{name}": fields
        for collection in collections
        for name, fields in list(fleet.documents(collection).items())[:1]
    }
    rounds = max(len(fields) for fields in originals.values())

    failures = {}
    for first in range(0, rounds, FIELDS_AT_ONCE):
        turns = range(first, first + FIELDS_AT_ONCE)
        odd = [write_odd_fields(fleet, path, fields, turns) for path, fields in originals.items()]
        failures[f"{odd}"] = await answers(fleet)
    for odd in IN_ALL_FIELDS:
        for path, fields in originals.items():
            fleet.database.document(path).set(dict.fromkeys(fields, odd))
        failures[f"all {odd}"] = await answers(fleet)

    assert len(originals) == len(collections)
    assert {fields: statuses for fields, statuses in failures.items() if statuses} == {}
    assert {"instance_acme", "instance_globex", "instance_ghost"} <= set(fleet.evolution.names())
    for path, fields in originals.items():
        fleet.database.document(path).set(fields)


def write_odd_fields(
    perene: Perene, path: str, fields: dict[str, Any], turns: Iterable[int]
) -> str:
    """Write the document with one field odd for each turn; return their names."""
    odd = {list(fields)[turn % len(fields)]: ODD[turn % len(ODD)] for turn in turns}
    perene.database.document(path).set({**fields, **odd})
    return f"{path} {', '.join(odd)}"


async def test_unreadable_candidates_instance_stays(fleet: Perene):
    fleet.write("sweeps/orphans/candidates/main~instance_ghost", stage="whatever")

    for _ in range(3):
        fleet.clock.advance(7 * DAY)
        report = await fleet.sweep()

    assert fleet.evolution.exists("instance_ghost")
    assert "record_unreadable" in {
        violation["rule"] for violation in report["invariants"]["violations"]
    }


async def test_operator_overwrites_tenant_that_nobody_understands(fleet: Perene):
    fleet.write("tenants/globex", status="whatever", max_lines=3)

    answer = await fleet.operate("GET", "/fleet/tenants/globex")
    mended = await fleet.operate("PUT", "/fleet/tenants/globex", json={"status": "active"})

    assert (answer.status_code, answer.json()["type"]) == (
        500,
        "urn:perene:problem:record-unreadable",
    )
    assert mended.status_code == 200
    body = mended.json()
    assert (body["status"], body["max_lines"], body["lines"]) == ("active", 3, ["default"])


async def test_an_odd_incident_is_raised_anew(fleet: Perene):
    fleet.write("incidents/server_down~main", cause="whatever", open=True, pending=True)
    fleet.evolution.faults.turn_on("down")

    report = await fleet.operate("POST", "/sweep-capacity")

    assert report.status_code == 200
    incident = fleet.documents("incidents")["server_down~main"]
    assert (incident["cause"], incident["open"]) == ("server_down", True)
    assert incident["raised_at"] > datetime.now(UTC)


@in_each("odd", [0, "1700000000", 1.5, True])
async def test_plain_number_ends_no_quarantine(fleet: Perene, odd: object):
    path = "sweeps/orphans/candidates/main~instance_ghost"
    fleet.write(path, quarantined_at=odd, approved_at=odd)

    for _ in range(3):
        fleet.clock.advance(timedelta(hours=1))
        await fleet.sweep()

    assert fleet.evolution.exists("instance_ghost")


async def test_candidate_id_decides_what_goes(fleet: Perene):
    path = "sweeps/orphans/candidates/main~instance_ghost"
    fleet.write(path, name="instance_acme", server="other", id="main~instance_acme")

    fleet.clock.advance(8 * DAY)
    report = await fleet.sweep()

    assert [note["instance"] for note in report["notes"] if note["what"] == "deleted"] == [
        "instance_ghost"
    ]
    assert fleet.evolution.exists("instance_acme")


async def test_lost_baseline_brakes_the_sweep(
    fleet: Perene,
):
    fleet.write("sweeps/orphans", carried="odd", until="odd")
    fleet.clock.advance(8 * DAY)

    first = await fleet.sweep()

    assert {brake["why"] for brake in first["brakes"]} == {"forgotten"}
    assert fleet.evolution.exists("instance_ghost")
    fleet.clock.advance(DAY)
    assert {brake["why"] for brake in (await fleet.sweep())["brakes"]} == {"forgotten"}
    await fleet.operate("POST", "/fleet/sweeps/orphans/accept-loss")
    assert (await fleet.sweep())["counts"]["deleted"] == 1


async def test_far_future_lease_is_ignored(fleet: Perene):
    fleet.write("sweeps/orphans", holder="x", until=datetime.now(UTC) + timedelta(days=400))

    assert (await fleet.operate("POST", "/sweep-orphans")).status_code == 200


# What no clock and no hand of ours would have written -----------------------------------------


@in_each("apart", [-1e300, -1e14, 1e14, 1e300])
async def test_odd_interval_costs_no_answer(fleet: Perene, apart: float):
    fleet.write("sweeps/capacity", usually_apart=apart)

    assert await answers(fleet) == {}


async def test_odd_mark_is_renewed(fleet: Perene):
    fleet.write("instances/instance_acme", heard_until=10**18)

    assert await answers(fleet) == {}
    marked = fleet.documents("instances")["instance_acme"]["heard_until"]
    assert marked <= fleet.clock().timestamp() * 1000


async def test_far_future_candidate_is_left_alone(fleet: Perene):
    path = "sweeps/orphans/candidates/main~instance_ghost"
    fleet.write(path, quarantined_at=datetime(9999, 12, 31, tzinfo=UTC))
    fleet.clock.advance(8 * DAY)

    assert await answers(fleet) == {}
    assert (await fleet.operate("POST", "/sweep-orphans?dry=1")).status_code == 200
    assert fleet.evolution.exists("instance_ghost")


async def test_brake_without_reason_is_shown(fleet: Perene):
    for name in fleet.documents("sweeps/orphans/reports"):
        fleet.write(f"sweeps/orphans/reports/{name}", brakes=[{"x": 1}])

    statuses = [(await fleet.operate("GET", route)).status_code for route in ROUTES]

    assert statuses == [200] * len(ROUTES)


@in_each("cursor", ["odd", "server_down~main", "9~a/b", "9~.", "9~..", "9~__x__", f"{10**18}~x"])
async def test_forged_cursor_is_a_problem(fleet: Perene, cursor: str):
    fleet.write("incidents/odd", x=1)

    answer = await fleet.operate("GET", "/fleet/incidents", params={"cursor": cursor})

    assert answer.status_code == 422
