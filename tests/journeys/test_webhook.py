"""Evolution tells us what happened to an instance."""

import json
from typing import Any

import httpx

from shared import webhook_token
from shared.domain.names import InstanceName
from tests.cases import in_each
from tests.perene import Perene, in_both_dialects, name_of

NUMBER = "5511999990001"


@in_both_dialects
async def test_envelopes_number_is_enough(perene: Perene):
    name = (await perene.ensure()).json()["instance"]
    await perene.evolution.drain()
    envelope = json.loads(event(name, "connection.update", {"instance": name, "state": "open"}))
    envelope["sender"] = f"{NUMBER}:7@s.whatsapp.net"

    await post(perene, json.dumps(envelope).encode(), perene.webhook_headers(name))

    assert (await perene.call("GET", "/instances/default")).json()["number"] == NUMBER


@in_both_dialects
async def test_connecting_storm_costs_no_write(perene: Perene):
    name = await perene.pair()
    before = perene.database.document(f"instances/{name}").get().update_time

    await perene.evolution.storm(name, 400)
    await perene.evolution.drain()

    assert perene.database.document(f"instances/{name}").get().update_time == before
    assert (await perene.ensure()).json()["state"] == "open"


@in_both_dialects
async def test_unpaired_line_has_its_reason(perene: Perene):
    name = await perene.pair()

    await perene.evolution.unpair(name)
    await perene.evolution.drain()

    line = (await perene.call("GET", "/instances/default")).json()
    assert (line["state"], line["reason"]) == ("closed", "logged_out")


@in_both_dialects
async def test_removed_instance_is_missing(perene: Perene):
    name = await perene.pair()
    headers = perene.webhook_headers(name)
    await perene.evolution.vanish(name)
    await post(perene, event(name, "remove.instance", None), headers)

    line = (await perene.call("GET", "/instances/default")).json()

    assert (line["state"], line["reason"]) == ("missing", "vanished")


@in_both_dialects
async def test_live_number_makes_a_conflict(perene: Perene):
    await perene.pair("owner", number=NUMBER)

    await perene.pair("newcomer", number=NUMBER)

    newcomer = (await perene.ensure("newcomer")).json()
    assert (newcomer["state"], newcomer["reason"]) == ("conflict", "number_in_use")
    assert (await perene.ensure("owner")).json()["state"] == "open"
    assert perene.documents("numbers")[NUMBER]["instance"] == name_of("owner")


@in_both_dialects
async def test_conflict_ends_with_owners_release(perene: Perene):
    await perene.pair("owner", number=NUMBER)
    await perene.pair("newcomer", number=NUMBER)
    await perene.call("DELETE", "/instances/default", "owner")

    line = (await perene.ensure("newcomer")).json()

    assert line["state"] == "open"
    assert perene.documents("numbers")[NUMBER]["instance"] == name_of("newcomer")


@in_both_dialects
async def test_pairing_another_number_frees_one_before(perene: Perene):
    name = await perene.pair(number=NUMBER)
    await perene.evolution.unpair(name)
    await perene.evolution.drain()

    await perene.pair(number="5511999990002")

    assert set(perene.documents("numbers")) == {"5511999990002"}
    assert (await perene.ensure()).json()["number"] == "5511999990002"


@in_both_dialects
async def test_event_that_comes_late_says_nothing(perene: Perene):
    name = await perene.pair()
    headers = perene.webhook_headers(name)
    closed = {"instance": name, "state": "close", "statusReason": 401}
    late = event(name, "connection.update", closed, date_time="2020-01-01T00:00:00.000Z")

    answer = await post(perene, late, headers)

    assert answer.status_code == 204
    assert (await perene.call("GET", "/instances/default")).json()["state"] == "open"


@in_both_dialects
async def test_look_overrules_a_close_event(perene: Perene):
    name = await perene.pair()
    headers = perene.webhook_headers(name)
    closed = {"instance": name, "state": "close", "statusReason": 401}

    await post(perene, event(name, "connection.update", closed), headers)

    assert (await perene.call("GET", "/instances/default")).json()["state"] == "open"


@in_both_dialects
async def test_failed_look_closes_the_line(perene: Perene):
    name = await perene.pair()
    headers = perene.webhook_headers(name)
    closed = {"instance": name, "state": "close", "statusReason": 401}
    perene.evolution.faults.turn_on("down")

    await post(perene, event(name, "connection.update", closed), headers)

    assert (await perene.call("GET", "/instances/default")).json()["state"] == "closed"


@in_both_dialects
async def test_webhook_by_event_is_read(perene: Perene):
    name = await perene.pair()
    headers = perene.webhook_headers(name)
    closed = {"instance": name, "state": "close", "statusReason": 401}
    await perene.evolution.vanish(name)

    body = event(name, "connection.update", closed)
    answer = await perene.http.post("/webhook/connection-update", content=body, headers=headers)

    assert answer.status_code == 204
    assert (await perene.call("GET", "/instances/default")).json()["state"] == "missing"


@in_both_dialects
async def test_rotated_secret_loses_no_event(perene: Perene):
    name = await perene.pair()
    perene.set(
        WEBHOOK_SECRET="the next secret of the webhooks of the tests",
        WEBHOOK_SECRET_PREVIOUS="the webhooks' secret of the tests",
    )

    await perene.evolution.unpair(name)
    await perene.evolution.drain()

    assert (await perene.call("GET", "/instances/default")).json()["state"] == "closed"


@in_both_dialects
async def test_unknown_instances_events_change_nothing(perene: Perene):
    name = InstanceName("instance_nobody")
    headers = perene.webhook_headers(name)

    opened = {"instance": name, "state": "open", "wuid": "5511999990001@s.whatsapp.net"}
    answer = await post(perene, event(name, "connection.update", opened), headers)

    assert answer.status_code == 204
    assert perene.documents("instances") == {}
    assert perene.documents("numbers") == {}


FORGED = {
    "no token": None,
    "garbage": "garbage",
    "another secret": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJpbnN0YW5jZV9hY21lIn0.AAAA",
    "unsigned": "eyJhbGciOiJub25lIn0.eyJzdWIiOiJpbnN0YW5jZV9hY21lIn0.",
    "not ASCII": "señal",
}


@in_each("case", FORGED)
async def test_forged_webhook_is_refused(perene: Perene, case: str):
    name = await perene.pair()
    token = FORGED[case]
    headers = {webhook_token.HEADER: token.encode()} if token else {}

    answer = await post(perene, b"not even JSON", headers)

    assert answer.status_code == 401
    assert answer.json()["type"] == "urn:perene:problem:webhook-forged"
    assert perene.documents("instances")[name]["state"] == "open"


@in_each(
    "body", [b"", b"{", b"[]", b"7", b"\xff", b'{"event": 1}', b"[" * 5000, b'{"instance": null}']
)
async def test_senseless_body_is_accepted(perene: Perene, body: bytes):
    name = await perene.pair()
    headers = perene.webhook_headers(name)

    answer = await post(perene, body, headers)

    assert answer.status_code == 204


def event(name: str, what: str, data: Any, date_time: str = "2099-01-01T00:00:00.000Z") -> bytes:
    """A webhook's body."""
    envelope = {"event": what, "instance": name, "data": data, "date_time": date_time}
    return json.dumps(envelope).encode()


async def post(perene: Perene, body: bytes, headers: Any) -> httpx.Response:
    """Evolution posts it."""
    return await perene.http.post("/webhook", content=body, headers=headers)
