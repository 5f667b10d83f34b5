"""A tenant looks after its lines."""

import asyncio
from datetime import timedelta

import pytest

from shared import problems
from shared.domain.instances import LEASE
from tests.cases import in_each
from tests.journeys.test_costs import costs
from tests.perene import Perene, in_both_dialects, name_of

NUMBER = "5511999990001"


@in_both_dialects
async def test_tenant_without_lines_has_empty_list(perene: Perene):
    answer = await perene.call("GET", "/instances")

    assert answer.json() == {"lines": [], "open": 0, "max_lines": 1}


@in_both_dialects
async def test_lines_are_listed_and_counted(perene: Perene):
    perene.write("tenants/acme", tenant="acme", max_lines=2)
    await perene.pair()
    await perene.ensure(line="vendas", label="Vendas")

    listed = (await perene.call("GET", "/instances")).json()

    assert [(line["line"], line["label"], line["state"]) for line in listed["lines"]] == [
        ("default", "default", "open"),
        ("vendas", "Vendas", "pairing"),
    ]
    assert listed["open"] == 1


async def test_lines_say_what_went_through(on_2: Perene):
    on_2.set(TIME_ZONE="Pacific/Kiritimati")
    name = await on_2.pair()
    await on_2.evolution.receive(name, "5511988887777", "oi")
    await on_2.evolution.drain()

    with costs(on_2) as counted:
        listed = (await on_2.call("GET", "/instances?activity=true")).json()
    on_2.clock.advance(timedelta(days=1))
    tomorrow = (await on_2.call("GET", "/instances?activity=true")).json()

    (line,) = listed["lines"]
    assert (line["conversations_today"], counted.reads) == (1, 4)
    assert abs(line["last_message_at"] / 1000 - on_2.clock().timestamp() + 86_400) < 60
    assert tomorrow["lines"][0]["conversations_today"] == 0


async def test_line_is_renamed(on_2: Perene):
    await on_2.pair()

    renamed = await on_2.call("PATCH", "/instances/default", json={"label": "Loja"})
    unknown = await on_2.call("PATCH", "/instances/vendas", json={"label": "Loja"})

    assert (renamed.json()["label"], unknown.status_code) == ("Loja", 404)
    assert (await on_2.call("GET", "/instances/default")).json()["label"] == "Loja"
    assert on_2.documents("tenants")["acme"]["labels"] == {"default": "Loja"}


@in_both_dialects
async def test_line_shows_pushed_code(perene: Perene):
    await perene.ensure()
    await perene.evolution.expire_code(name_of("acme"))
    await perene.evolution.drain()

    line = (await perene.call("GET", "/instances/default")).json()

    assert line["code"]["qr"] == perene.evolution.code(name_of("acme"))


@in_both_dialects
async def test_an_expired_code_is_not_shown(perene: Perene):
    await perene.ensure()
    perene.clock.advance(timedelta(minutes=1))

    line = (await perene.call("GET", "/instances/default")).json()

    assert line["state"] == "pairing"
    assert "code" not in line


@in_both_dialects
async def test_disconnected_line_keeps_its_slot(
    perene: Perene,
):
    name = await perene.pair(number=NUMBER)

    closed = await perene.call("POST", "/instances/default/disconnect")

    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    assert closed.json()["reason"] == "disconnected"
    assert (closed.json().get("number"), closed.json()["last_number"]) == (None, NUMBER)
    assert not perene.evolution.exists(name)
    assert perene.documents("numbers") == {}
    assert perene.taken("main") == 1
    await perene.pair(number=NUMBER)
    assert (await perene.ensure()).json()["state"] == "open"


async def test_disconnect_calls_no_upstream_logout(on_2: Perene):
    await on_2.pair()

    await on_2.call("POST", "/instances/default/disconnect")

    assert not [call for call in on_2.evolution.calls if "/instance/logout" in call.path]


@in_both_dialects
async def test_disconnecting_twice_is_same_as_once(perene: Perene):
    await perene.pair()
    await perene.call("POST", "/instances/default/disconnect")
    before = len(perene.evolution.calls)

    again = await perene.call("POST", "/instances/default/disconnect")

    assert (again.status_code, again.json()["state"]) == (200, "closed")
    assert len(perene.evolution.calls) == before


@in_both_dialects
async def test_release_frees_number_and_slot(perene: Perene):
    name = await perene.pair()

    answer = await perene.call("DELETE", "/instances/default")

    assert (answer.status_code, answer.content) == (204, b"")
    assert not perene.evolution.exists(name)
    assert perene.documents("instances") == {}
    assert perene.documents("numbers") == {}
    assert perene.taken("main") == 0
    assert (await perene.call("GET", "/instances/default")).status_code == 404


@in_both_dialects
async def test_release_allows_another_number(perene: Perene):
    await perene.pair(number=NUMBER)
    await perene.call("DELETE", "/instances/default")

    await perene.pair(number="5511999990002")

    line = (await perene.ensure()).json()
    assert (line["state"], line["number"]) == ("open", "5511999990002")


@in_both_dialects
async def test_failing_receiver_stops_no_release(perene: Perene):
    name = await perene.pair()
    perene.set(WEBHOOK_SECRET="a secret that no instance's token has")

    answer = await perene.call("DELETE", "/instances/default")

    assert answer.status_code == 204
    assert not perene.evolution.exists(name)


@in_both_dialects
async def test_delayed_release_is_finished_later(perene: Perene):
    name = await perene.pair()
    perene.evolution.faults.turn_on("delete_never_finishes")
    first = await perene.call("DELETE", "/instances/default")
    perene.evolution.faults.clear()
    await perene.evolution.vanish(name)

    second = await perene.call("DELETE", "/instances/default")

    assert (first.status_code, first.json()["state"]) == (202, "releasing")
    assert second.status_code == 204
    assert perene.taken("main") == 0


@in_both_dialects
async def test_failed_release_is_finished_later(perene: Perene):
    await perene.pair()
    perene.evolution.faults.turn_on("bad_gateway", route="*delete*", count=1)
    first = await perene.call("DELETE", "/instances/default")
    meanwhile = await perene.call("DELETE", "/instances/default")
    perene.clock.advance(LEASE + timedelta(seconds=1))

    second = await perene.call("DELETE", "/instances/default")

    assert [answer.status_code for answer in (first, meanwhile, second)] == [502, 409, 204]
    assert perene.evolution.names() == []


@in_both_dialects
async def test_leased_line_is_busy(perene: Perene):
    await perene.pair()
    perene.evolution.faults.turn_on("slow", route="*delete*", milliseconds=300)
    releasing = asyncio.create_task(perene.call("DELETE", "/instances/default"))
    await until_state(perene, "releasing")

    busy = await perene.call("POST", "/instances/default/disconnect")

    assert busy.status_code == 409
    assert busy.json()["type"] == "urn:perene:problem:line-busy"
    assert int(busy.headers["retry-after"]) > 0
    assert (await releasing).status_code == 204


@in_both_dialects
async def test_disconnect_keeps_release_a_release(perene: Perene):
    name = await perene.pair()
    perene.evolution.faults.turn_on("delete_never_finishes")
    await perene.call("DELETE", "/instances/default")
    perene.evolution.faults.clear()
    await perene.evolution.vanish(name)

    await perene.call("POST", "/instances/default/disconnect")

    assert perene.documents("instances") == {}


@in_both_dialects
async def test_a_restarted_line_stays_open(perene: Perene):
    name = await perene.pair()

    answer = await perene.call("POST", "/instances/default/restart")
    await perene.evolution.drain()

    assert answer.status_code == 200
    assert perene.evolution.state(name) == "open"
    assert (await perene.ensure()).json()["state"] == "open"


@in_both_dialects
async def test_leased_line_is_not_restarted(perene: Perene):
    name = await perene.pair()
    lease = {"fence": 9, "holder": "another", "until": perene.clock() + LEASE}
    perene.write(f"instances/{name}", fence=9, lease=lease)

    answer = await perene.call("POST", "/instances/default/restart")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:perene:problem:line-busy"
    assert not [call for call in perene.evolution.calls if "/instance/restart" in call.path]


@in_both_dialects
async def test_unconnected_line_cannot_be_restarted(perene: Perene):
    await perene.ensure()

    answer = await perene.call("POST", "/instances/default/restart")

    assert answer.status_code == 409
    assert answer.json()["type"] == "urn:perene:problem:line-not-open"


@in_each(
    ("method", "path"),
    [
        ("GET", "/instances/vendas"),
        ("POST", "/instances/vendas/disconnect"),
        ("POST", "/instances/vendas/restart"),
        ("DELETE", "/instances/vendas"),
        ("GET", "/instances/No such line!"),
        ("DELETE", "/instances/" + "x" * 300),
        ("GET", "/instances/%F0%9F%92%A5"),
        ("GET", "/instances/default~~vendas"),
    ],
)
async def test_an_unknown_line_is_a_problem(perene: Perene, method: str, path: str):
    await perene.ensure()

    answer = await perene.call(method, path)

    assert answer.status_code == 404
    assert answer.json()["type"] == "urn:perene:problem:line-unknown"
    assert perene.evolution.names() == [name_of("acme")]


@in_both_dialects
async def test_dead_holders_release_is_taken_over(perene: Perene):
    name = await perene.pair()
    held = perene.documents("instances")[name] | {
        "state": "releasing",
        "reason": "release_asked",
        "fence": 9,
        "lease": {"fence": 9, "holder": "gone", "until": perene.clock() + LEASE},
    }
    perene.write(f"instances/{name}", **held)
    busy = await perene.call("DELETE", "/instances/default")
    perene.clock.advance(LEASE + timedelta(seconds=1))

    answer = await perene.call("DELETE", "/instances/default")

    assert busy.status_code == 409
    assert answer.status_code == 204
    assert perene.documents("instances") == {}


async def until_state(perene: Perene, state: str) -> None:
    """The line's record says so."""
    while (await perene.call("GET", "/instances/default")).json()["state"] != state:
        await asyncio.sleep(0.005)


@in_both_dialects
async def test_failing_receiver_delays_no_release(perene: Perene, monkeypatch: pytest.MonkeyPatch):
    name = await perene.pair()

    async def out_of_reach(*_: object) -> None:
        raise problems.StoreUnavailable(retry_after=2)

    monkeypatch.setattr(perene.store.instances, "change", out_of_reach)
    before = len(perene.evolution.calls)

    answer = await perene.call("DELETE", "/instances/default")

    routes = [call.path.split("/")[2] for call in perene.evolution.calls[before:]]
    assert answer.status_code == 204
    assert not perene.evolution.exists(name)
    assert routes[:2] == ["set", "delete"]
