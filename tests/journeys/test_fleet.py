"""What operators see and set: the sweeps' findings, the dead letters, the servers, the tenants."""

import json
from datetime import timedelta
from typing import Any

import pytest

from tests.adapters.counting import counting
from tests.cases import in_each
from tests.perene import Perene, name_of

DAY = timedelta(days=1)


async def get(perene: Perene, path: str, **query: Any) -> Any:
    answer = await perene.operate("GET", path, params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_fleet_at_a_glance(perene: Perene):
    await perene.pair("acme")
    await perene.ensure("shy")
    await perene.sweep("/sweep-capacity")
    await perene.sweep()

    seen = await get(perene, "/fleet")

    assert seen["sentence"] == "Registros e servidores concordam"
    totals = seen["totals"]
    assert (totals["open"], totals["pairing"], totals["reserved"]) == (1, 1, 2)
    (server,) = seen["servers"]
    assert (server["server"], server["free"], server["share"]) == ("main", 98, 0.02)
    assert server["memory_gb"] == 0.1
    assert {sweep["kind"] for sweep in seen["sweeps"]} == {"capacity", "orphans"}
    assert seen["attention"] == []


async def test_unswept_fleet_is_shown(perene: Perene):
    seen = await get(perene, "/fleet")

    assert seen["sentence"] == "Nenhuma varredura de consistência rodou ainda"
    assert seen["totals"]["limit"] == 100


async def test_troubles_come_first_in_words(firestore_emulator: str):
    async with Perene(instance_max=2, one="2.3.6", two="2.3.6") as perene:
        perene.set(ALERT_LANGUAGE="en")
        for at in range(4):
            await perene.ensure(f"t{at}")
        perene.servers["two"].faults.turn_on("down")
        await perene.sweep("/sweep-capacity")

        seen = await get(perene, "/fleet")

        assert {incident["sentence"] for incident in seen["attention"]} == {
            "Server two doesn't answer",
            "Server one is full: 2/2 (100 %). It takes no new lines",
        }
        assert seen["totals"]["answering"] == 1


async def test_violations_are_shown_one_by_one(perene: Perene):
    await perene.pair("acme")
    perene.write("servers/main/slots/9", instance="instance_nobody")
    perene.write("tenants/acme", lines=["default", "lost"])
    perene.write("numbers/5511900000000", instance="instance_nobody", tenant="nobody")
    document = {"line": "never", "last_at": 1, "number": "1", "contact": "2"}
    perene.write("tenants/acme/conversations/strange", **document)
    perene.write("instances/instance_far", **far(perene))

    invariants = (await perene.sweep())["invariants"]

    rules = sorted(violation["rule"] for violation in invariants["violations"])
    assert rules == [
        "conversation_of_no_line",
        "line_not_listed",
        "line_on_unknown_server",
        "listed_without_line",
        "number_without_line",
        "slots_wrong",
    ]
    assert invariants["count"] == 6


def far(perene: Perene) -> dict[str, Any]:
    """The record of a line whose server isn't configured any more."""
    record = perene.documents("instances")["instance_acme"]
    other = {"name": "instance_far", "tenant": "far", "server": "away", "number": None}
    return {**record, **other, "claimed": None}


# Tenants -------------------------------------------------------------------------------------


async def test_a_tenant_is_registered_and_changed(perene: Perene):
    perene.set(TENANTS_ON_FIRST_USE="false")
    assert (await perene.ensure("acme")).status_code == 403

    answer = await perene.operate("PUT", "/fleet/tenants/acme", json={"max_lines": 2})

    assert answer.json()["status"] == "active"
    assert (await perene.ensure("acme")).status_code == 200
    assert (await perene.ensure("acme", line="vendas")).status_code == 200
    seen = await get(perene, "/fleet/tenants/acme")
    assert (seen["max_lines"], seen["lines"]) == (2, ["default", "vendas"])


async def test_cancelling_twice_keeps_the_date(perene: Perene):
    await perene.ensure("acme")
    first = await perene.operate("PUT", "/fleet/tenants/acme", json={"status": "cancelled"})
    perene.clock.advance(DAY)
    again = await perene.operate("PUT", "/fleet/tenants/acme", json={"status": "cancelled"})
    back = await perene.operate("PUT", "/fleet/tenants/acme", json={"status": "active"})

    assert first.json()["cancelled_at"] == again.json()["cancelled_at"]
    assert "cancelled_at" not in back.json()


@in_each(
    ("path", "tenant"),
    [
        pytest.param("ana@acme.test", "ana@acme.test", id="an address"),
        pytest.param("a~2fb", "a/b", id="a slash, as names spell it"),
        pytest.param("auth0%7C123", "auth0|123", id="an id of Auth0"),
    ],
)
async def test_any_tenants_id_fits_into_path(perene: Perene, path: str, tenant: str):
    answer = await perene.operate("PUT", f"/fleet/tenants/{path}", json={"max_lines": 3})

    assert answer.json()["tenant"] == tenant
    assert (await get(perene, f"/fleet/tenants/{path}"))["max_lines"] == 3


async def test_tenants_come_page_by_page(perene: Perene):
    for at in range(5):
        await perene.operate("PUT", f"/fleet/tenants/t{at}", json={})

    first = await get(perene, "/fleet/tenants", limit=3)
    second = await get(perene, "/fleet/tenants", limit=3, cursor=first["next"])

    assert [tenant["tenant"] for page in (first, second) for tenant in page["tenants"]] == [
        f"t{at}" for at in range(5)
    ]
    assert "next" not in second


@in_each(
    ("method", "path", "status", "problem"),
    [
        ("GET", "/fleet/tenants/nobody", 404, "tenant-absent"),
        ("PUT", f"/fleet/tenants/{'x' * 300}", 404, "tenant-absent"),
        ("PUT", "/fleet/servers/nowhere", 404, "server-absent"),
        ("POST", "/fleet/candidates/main~instance_x/approve", 404, "candidate-unknown"),
        ("POST", "/fleet/candidates/main~instance_x/undo", 404, "candidate-unknown"),
        ("POST", "/fleet/candidates/..~x/keep", 404, "candidate-unknown"),
        ("GET", "/fleet/sweeps/orphans/latest", 404, "report-unknown"),
        ("GET", "/fleet/sweeps/strange/latest", 404, "report-unknown"),
        ("POST", f"/fleet/dead-letters/{'0' * 64}/replay", 404, "letter-unknown"),
        ("DELETE", "/fleet/dead-letters/__x__", 404, "letter-unknown"),
        ("GET", "/fleet/tenants?limit=0", 422, "request-invalid"),
        ("GET", "/fleet/candidates?stage=strange", 422, "request-invalid"),
        ("PUT", "/fleet/tenants/acme?x", 422, "request-invalid"),
    ],
)
async def test_every_refusal_has_its_problem(
    perene: Perene, method: str, path: str, status: int, problem: str
):
    body = {"accepting": True} if "servers" in path else {}
    body = {"max_lines": 101} if path.endswith("?x") else body

    answer = await perene.operate(method, path, json=body)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:perene:problem:{problem}")


# Sweeps --------------------------------------------------------------------------------------


async def test_reports_are_listed_newest_first(perene: Perene):
    for _ in range(3):
        perene.clock.advance(DAY)
        last = await perene.sweep()

    listed = await get(perene, "/fleet/sweeps", kind="orphans", limit=2)
    more = await get(perene, "/fleet/sweeps", kind="orphans", limit=2, cursor=listed["next"])
    latest = await get(perene, "/fleet/sweeps/orphans/latest")
    named = await get(perene, f"/fleet/sweeps/orphans/{last['id']}")

    assert len(listed["reports"]) + len(more["reports"]) == 3
    assert latest["id"] == named["id"] == listed["reports"][0]["id"] == last["id"]


async def test_begun_deletion_cannot_be_undone(perene: Perene):
    await perene.ensure("acme")
    await perene.plant_orphan("instance_ghost")
    perene.evolution.faults.turn_on("delete_never_finishes")
    for _ in range(2):
        perene.clock.advance(8 * DAY)
        await perene.sweep()
    await perene.operate("POST", "/fleet/candidates/main~instance_ghost/approve")
    perene.clock.advance(8 * DAY)
    await perene.sweep()

    answers = [
        await perene.operate("POST", f"/fleet/candidates/main~instance_ghost/{verb}")
        for verb in ("undo", "keep", "approve")
    ]

    assert [answer.status_code for answer in answers] == [409, 409, 409]


# Dead letters --------------------------------------------------------------------------------


async def buried(perene: Perene, **data: Any) -> str:
    """An event that nobody understands; the letter's id."""
    name = await perene.pair("acme")
    envelope = {"event": "messages.upsert", "instance": name, "data": data or 7}
    await perene.http.post("/webhook", json=envelope, headers=perene.webhook_headers(name))
    (letter,) = perene.documents("dead_letters")
    return letter


async def test_dead_letters_are_listed_without_content(perene: Perene):
    letter = await buried(perene, text="segredo")

    (row,) = (await get(perene, "/fleet/dead-letters"))["letters"]

    assert (row["id"], row["instance"], row["attempts"]) == (letter, name_of("acme"), 1)
    assert "segredo" not in str(row)


async def test_unreadable_dead_letter_stays(perene: Perene):
    letter = await buried(perene)

    answer = await perene.operate("POST", f"/fleet/dead-letters/{letter}/replay")

    assert answer.json() == {"outcome": "dead"}
    assert perene.documents("dead_letters")[letter]["attempts"] == 2


async def test_readable_dead_letter_is_replayed(perene: Perene):
    letter = await buried(perene)
    webhook = {
        "key": {"id": "3A1", "remoteJid": "5521988887777@s.whatsapp.net", "fromMe": False},
        "message": {"conversation": "oi"},
        "messageTimestamp": 1_795_302_085,
    }
    envelope = {
        "event": "messages.upsert",
        "instance": name_of("acme"),
        "sender": "5511999990001@s.whatsapp.net",
        "data": webhook,
    }
    perene.write(f"dead_letters/{letter}", raw=json.dumps(envelope))

    answers = [
        await perene.operate("POST", f"/fleet/dead-letters/{letter}/replay") for _ in range(2)
    ]

    assert answers[0].json() == {"outcome": "replayed"}
    assert answers[1].status_code == 404
    assert len(perene.documents("tenants/acme/messages")) == 1


async def test_cut_dead_letter_stays(perene: Perene):
    letter = await buried(perene)
    perene.write(f"dead_letters/{letter}", cut=True)

    answer = await perene.operate("POST", f"/fleet/dead-letters/{letter}/replay")

    assert answer.status_code == 409


async def test_a_letter_is_discarded(perene: Perene):
    letter = await buried(perene)

    assert (await perene.operate("DELETE", f"/fleet/dead-letters/{letter}")).status_code == 204
    assert perene.documents("dead_letters") == {}


async def test_replayed_letter_never_moves_connection(perene: Perene):
    letter = await buried(perene)
    envelope = {"event": "connection.update", "instance": name_of("acme"), "data": {"state": "close", "statusReason": 401}}  # fmt: skip  # noqa: E501
    perene.write(f"dead_letters/{letter}", raw=json.dumps(envelope))

    await perene.operate("POST", f"/fleet/dead-letters/{letter}/replay")

    assert perene.documents("instances")[name_of("acme")]["state"] == "open"


# What a console shows ------------------------------------------------------------------------


async def test_lines_are_listed_in_pages(on_2: Perene):
    for at in range(3):
        await on_2.pair(f"t{at}", f"551199999000{at}")
    await on_2.ensure("shy")

    first = await get(on_2, "/fleet/instances", limit=2)
    second = await get(on_2, "/fleet/instances", limit=2, cursor=first["next"])

    rows = first["instances"] + second["instances"]
    assert [row["tenant"] for row in rows] == ["shy", "t0", "t1", "t2"]
    assert (rows[1]["state"], rows[1]["number"], rows[1]["server"]) == (
        "open",
        "5511999990000",
        "main",
    )
    assert not any("code" in row for row in rows)


async def test_lines_are_filtered(on_2: Perene):
    await on_2.pair("acme")
    await on_2.ensure("shy")

    async def listed(**where: str) -> list[str]:
        page = await get(on_2, "/fleet/instances", **where)
        return [row["tenant"] for row in page["instances"]]

    assert await listed(state="open") == ["acme"]
    assert await listed(state="pairing", server="main") == ["shy"]
    assert await listed(tenant="shy") == ["shy"]
    assert await listed(server="other") == []
    assert (await on_2.operate("GET", "/fleet/instances?state=odd")).status_code == 422


async def test_lines_page_costs_read_each(on_2: Perene):
    for at in range(4):
        await on_2.ensure(f"t{at}")
    await on_2.evolution.drain()
    with counting(on_2.store.db.client) as counted:
        await get(on_2, "/fleet/instances", limit=3)

    assert (counted.reads, counted.writes) == (4, 0)  # and a count of all


async def test_incidents_are_listed_newest_first(on_2: Perene):
    on_2.set(ALERT_LANGUAGE="en")
    await on_2.pair("acme")
    on_2.evolution.faults.turn_on("down")
    await on_2.sweep("/sweep-capacity")
    on_2.evolution.faults.clear()
    on_2.clock.advance(DAY)
    await on_2.sweep("/sweep-capacity")

    page = await get(on_2, "/fleet/incidents", limit=1)
    (incident,) = page["incidents"]

    assert (incident["cause"], incident["severity"]) == ("server_down", "critical")
    assert incident["resolved_at"] > incident["since"]
    assert incident["sentence"] == "Server main doesn't answer"
    assert (await get(on_2, "/fleet/incidents", cursor=page["next"]))["incidents"] == []


async def test_days_show_each_servers_use(on_2: Perene):
    for at in range(3):
        await on_2.ensure(f"t{at}")
        await on_2.sweep("/sweep-capacity")
        on_2.clock.advance(DAY)

    days = (await get(on_2, "/fleet/days", days=3))["days"]

    assert [day["used"]["main"] for day in days] == [2, 3]
    assert [day["limit"]["main"] for day in days] == [100, 100]


async def test_next_sweeps_plan_is_shown(on_2: Perene):
    await on_2.pair("acme")
    await on_2.plant_orphan("instance_ghost")

    plan = await get(on_2, "/fleet/sweeps/orphans/plan")

    assert [(note["what"], note["instance"]) for note in plan["notes"]] == [
        ("suspect", "instance_ghost")
    ]
    assert plan["dry"]
    assert on_2.documents("sweeps/orphans/candidates") == {}
    assert (await on_2.call("GET", "/fleet/sweeps/orphans/plan")).status_code == 403
