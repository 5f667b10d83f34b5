"""Endpoints: made, told in order, tried again, rotated, replayed; in the end disabled."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from shared.alerts import notify
from shared.domain.endpoints import LEASE, MOST_ENDPOINTS, STEPS
from shared.outbound import delivery, endpoint_run
from tests.log_of_events import Log
from tests.perene import Perene
from tests.receiver import Delivery, Receiver


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with Receiver() as receiver:
        yield receiver


@pytest.fixture
def line(perene: Perene) -> Perene:
    """Perene as the local stack sets it: endpoints may be on this machine."""
    perene.set(ENDPOINTS_ON_LOOPBACK="true")
    return perene


@pytest.fixture
def log(line: Perene, mocker: Any) -> Log:
    """A log that tests write by hand."""
    log = Log()
    mocker.patch("shared.outbound.event_log.read_log", log.read)
    mocker.patch("shared.outbound.event_log.position_at", log.position_at)
    return log


async def create(line: Perene, receiver: Receiver, tenant: str = "acme", **body: Any) -> Any:
    answer = await line.call("POST", "/endpoints", tenant, json={"url": receiver.url, **body})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def tick(line: Perene) -> None:
    answer = await line.operate("POST", "/deliver-events")
    assert answer.status_code == 200, answer.text


async def find(line: Perene, endpoint: str) -> Any:
    return (await line.call("GET", f"/endpoints/{endpoint}")).json()


def refuse(*conversations: str, answer: str = "500 x") -> Any:
    """Answer so to the events of these conversations, or of all."""

    def decide(one: Delivery) -> str:
        is_theirs = not conversations or one.event["data"]["conversation"] in conversations
        return answer if is_theirs else "204 ok"

    return decide


# As its owner sees it ------------------------------------------------------------------------


async def test_secret_is_shown_once(line, log, receiver):
    made = await create(line, receiver, description="CRM")
    shown = await find(line, made["endpoint"]["id"])

    assert made["secret"].startswith("whsec_")
    assert shown == made["endpoint"]
    assert (shown["condition"], shown["description"]) == ("ok", "CRM")
    assert "secret" not in str(shown).replace("previous_secret_until", "")


async def test_tenant_has_five_endpoints_at_most(line, log, receiver):
    calls = [line.call("POST", "/endpoints", json={"url": receiver.url}) for _ in range(9)]
    statuses = sorted([answer.status_code for answer in await asyncio.gather(*calls)])

    assert statuses == [201] * MOST_ENDPOINTS + [409] * 4


async def test_endpoints_of_others_are_unknown(line, log, receiver):
    made = await create(line, receiver)
    path = f"/endpoints/{made['endpoint']['id']}"

    for method, tail in (("GET", ""), ("DELETE", ""), ("POST", "/rotate"), ("GET", "/attempts")):
        answer = await line.call(method, path + tail, "other")
        assert answer.status_code == 404
    assert (await line.call("GET", "/endpoints?everybody=true")).status_code == 403
    assert (await line.call("GET", "/endpoints", "other")).json()["endpoints"] == []


async def test_unusable_bodies_are_explained(line, log):
    line.set(ENDPOINTS_ON_LOOPBACK="false")
    bodies = (
        {}, {"url": "http://127.0.0.1/"}, {"url": "https://a.example/", "types": ["x"]},
        {"url": "https://a.example/", "lines": ["No"]}, {"url": "https://10.0.0.1/"},
        {"url": "https://a.example/", "secret": "mine"},
    )  # fmt: skip

    for body in bodies:
        assert (await line.call("POST", "/endpoints", json=body)).status_code == 422, body


async def test_test_is_signed_and_shown(line, log, receiver):
    made = await create(line, receiver)
    path = f"/endpoints/{made['endpoint']['id']}"

    answer = (await line.call("POST", f"{path}/test")).json()

    receiver.deliveries[0].verify(made["secret"])
    assert (answer["status"], answer["succeeded"]) == (204, True)
    assert (answer["type"], len(receiver.deliveries)) == ("endpoint.test", 1)
    attempts = (await line.call("GET", f"{path}/attempts")).json()["attempts"]
    assert attempts == [answer]


# Told ----------------------------------------------------------------------------------------


async def test_nothing_is_posted_unsigned(line, log, receiver):
    """A secret that was written by hand fails and says why, until it is rotated."""
    made = await create(line, receiver)
    path = f"/endpoints/{made['endpoint']['id']}"
    told = log.add(1)
    for secret in ("by hand", "whsec_é", "whsec_YQ=="):
        line.write(f"endpoints/{made['endpoint']['id']}", secret=secret)
        answer = await line.call("POST", f"{path}/test")
        assert (answer.status_code, answer.json()["failure"]) == (200, "secret_unusable")
    await tick(line)
    assert ((await line.call("GET", path)).json()["condition"], receiver.ids) == ("failing", [])

    rotated = (await line.call("POST", f"{path}/rotate")).json()
    line.clock.advance(timedelta(minutes=1))
    await tick(line)

    assert receiver.ids == told
    receiver.deliveries[0].verify(rotated["secret"])


async def test_unreadable_endpoint_can_be_deleted_by_its_owner(line, log, receiver):
    made = await create(line, receiver)
    name = made["endpoint"]["id"]
    line.write(f"endpoints/{name}", held="by hand")
    assert (await line.call("GET", f"/endpoints/{name}")).status_code == 500

    others = await line.call("DELETE", f"/endpoints/{name}", "other")
    own = await line.call("DELETE", f"/endpoints/{name}")
    again = await line.call("DELETE", f"/endpoints/{name}")

    assert [answer.status_code for answer in (others, own, again)] == [404, 204, 404]
    assert not (await line.store.endpoints.read_told_tenants()).include("acme")


async def test_suspended_tenants_endpoints_are_told(line, log, receiver):
    """Its lines go on, and what they are told; its people can neither read nor change endpoints."""
    await create(line, receiver)
    await line.operate("PUT", "/fleet/tenants/acme", json={"status": "suspended"})
    told = log.add(1)

    await tick(line)

    assert receiver.ids == told
    assert (await line.call("GET", "/endpoints")).status_code == 403


async def test_new_events_are_told_signed_in_order(line, log, receiver):
    made = await create(line, receiver)
    other = await create(line, receiver, "other")
    told = log.add(60)

    await tick(line)

    assert receiver.ids == told
    for one in receiver.deliveries:
        one.verify(made["secret"])
        with pytest.raises(WebhookVerificationError):
            one.verify(other["secret"])
    assert receiver.deliveries[0].event.keys() == {"id", "type", "timestamp", "data"}


async def test_only_wanted_types_and_lines_are_told(line, log, receiver):
    await create(line, receiver, types=["message.sent"], lines=["sales"])
    log.add(1)
    log.add(1, type="message.sent")
    (wanted,) = log.add(1, type="message.sent", line="sales")

    await tick(line)

    assert receiver.ids == [wanted]


async def test_operators_endpoint_is_told_of_all_tenants(line, log, receiver):
    body = {"url": receiver.url}
    answer = await line.operate("POST", "/endpoints?everybody=true", json=body)
    assert answer.status_code == 201
    told = log.add(1) + log.add(1, tenant="other")

    await tick(line)

    assert receiver.ids == told


async def test_endpoint_that_is_down_holds_everything_and_gets_it_all(line, log, receiver):
    receiver.answer = refuse()
    made = await create(line, receiver)
    told = log.add(40)

    for hour in range(3 * 24):
        await tick(line)
        line.clock.advance(timedelta(hours=1))
        told += log.add(1) if hour % 12 == 0 else []
    shown = await find(line, made["endpoint"]["id"])
    probes, receiver.answer = len(receiver.deliveries), lambda _: "204 ok"
    told += log.add(5)
    receiver.deliveries.clear()
    line.clock.advance(STEPS[-1] * 1.1)
    await tick(line)

    assert 5 <= probes <= 10
    assert (shown["condition"], shown["state"]) == ("failing", "active")
    assert shown["lag_seconds"] > 2 * 24 * 3600
    assert sorted(set(receiver.ids)) == sorted(told)
    assert (await find(line, made["endpoint"]["id"]))["condition"] == "ok"


async def test_late_endpoint_is_shown_to_operators(line, log, receiver):
    receiver.answer = lambda one: "500 x" if one.event["data"]["conversation"] == "c0" else "204 ok"
    made = await create(line, receiver, description="CRM")
    await create(line, receiver, "other")
    log.add(1)
    await tick(line)
    line.clock.advance(timedelta(hours=2))

    async def show(query: str = "") -> Any:
        return (await line.operate("GET", f"/fleet/endpoints{query}")).json()["endpoints"]

    async def attention() -> Any:
        await line.sweep("/sweep-capacity")
        shown = (await line.operate("GET", "/fleet")).json()["attention"]
        return [(one["cause"], one["subject"], one["count"]) for one in shown]

    (late,) = await show("?late=true")
    assert (late["id"], late["tenant"], late["condition"]) == (
        made["endpoint"]["id"], "acme", "failing",
    )  # fmt: skip
    assert 2 * 3600 <= late["lag_seconds"] < 2 * 3600 + 60
    assert (late["host"], "url" in late, "secret" in str(late)) == ("127.0.0.1", False, False)
    assert await show("?late=true&tenant=acme") == [late]
    assert await show("?late=true&tenant=other") == []
    assert [one["lag_seconds"] for one in await show("?tenant=other")] == [0]
    assert len(await show()) == len(await show("?state=active")) == 2
    assert await attention() == [("endpoints_late", "acme", 1)]

    receiver.answer = lambda _: "204 ok"
    await tick(line)

    assert await show("?late=true") == await attention() == []


async def test_endpoint_waits_for_no_event_that_it_wants_no_more(line, log, receiver):
    receiver.answer = refuse()
    path = f"/endpoints/{(await create(line, receiver))['endpoint']['id']}"
    log.add(1)
    await tick(line)
    line.clock.advance(timedelta(hours=2))
    assert (await line.call("GET", path)).json()["lag_seconds"] >= 2 * 3600

    await line.call("PATCH", path, json={"types": ["send.settled"]})
    await tick(line)

    assert (await line.call("GET", path)).json()["lag_seconds"] == 0


async def test_unreadable_cursor_is_late(line, receiver):
    """Nothing can be told from a position that somebody wrote by hand: people have to hear."""
    made = await create(line, receiver)
    line.write(f"endpoints/{made['endpoint']['id']}", cursor="by hand")

    await tick(line)
    line.clock.advance(timedelta(hours=2))

    assert len(await line.store.endpoints.list_late(line.clock() - timedelta(hours=1))) == 1


async def test_endpoint_that_fails_for_days_is_disabled_with_an_incident(line, log, receiver):
    receiver.answer = refuse()
    made = await create(line, receiver)
    path = f"/endpoints/{made['endpoint']['id']}"
    missed = log.add(2)

    for step in (*STEPS, timedelta()):
        await tick(line)
        line.clock.advance(step * 1.2)

    shown = await find(line, made["endpoint"]["id"])
    assert (shown["state"], shown["reason"]) == ("disabled", "failing")
    (incident,) = line.documents("incidents").values()
    assert (incident["cause"], incident["subject"], incident["open"]) == (
        "endpoints_failed", "acme", True,
    )  # fmt: skip

    receiver.answer = lambda _: "204 ok"
    receiver.deliveries.clear()
    enabled = await line.call("PATCH", path, json={"state": "active"})
    told = log.add(1)
    await tick(line)

    assert (enabled.json()["condition"], receiver.ids) == ("ok", told)
    (incident,) = line.documents("incidents").values()
    assert not incident["open"]
    assert missed


async def test_gone_endpoint_is_disabled_at_once(line, log, receiver):
    receiver.answer = refuse(answer="410 Gone")
    made = await create(line, receiver)
    log.add(3)

    await tick(line)

    shown = await find(line, made["endpoint"]["id"])
    assert (shown["reason"], len(receiver.deliveries)) == ("gone", 1)


async def test_endpoint_is_not_disabled_in_silence(line, log, receiver, mocker):
    """Whoever dies between the two leaves them to the next run, which does both."""
    receiver.answer = refuse(answer="410 Gone")
    made = await create(line, receiver)
    log.add(1)
    real = notify.note_incident
    noted = mocker.patch.object(notify, "note_incident", side_effect=asyncio.CancelledError)
    await asyncio.gather(delivery.deliver_due(), return_exceptions=True)
    assert noted.call_count == 1
    mocker.patch.object(notify, "note_incident", real)

    await tick(line)

    (incident,) = line.documents("incidents").values()
    shown = await find(line, made["endpoint"]["id"])
    assert (shown["state"], shown["reason"], incident["open"]) == ("disabled", "gone", True)


async def test_retry_after_is_heeded(line, log, receiver):
    receiver.answer = refuse(answer="429 x\r\nretry-after: 3600")
    await create(line, receiver)
    log.add(1)

    await tick(line)
    line.clock.advance(timedelta(minutes=50))
    await tick(line)
    assert len(receiver.deliveries) == 1
    line.clock.advance(timedelta(minutes=11))
    await tick(line)
    assert len(receiver.deliveries) == 2


async def test_refused_event_holds_back_its_conversation_only(line, log, receiver, mocker):
    mocker.patch.object(endpoint_run, "HELD_PAGE", 3)
    receiver.answer = refuse("poison", answer="400 no")
    made = await create(line, receiver)
    (before,) = log.add(1)
    poison = log.add(2, conversation="poison")
    after = log.add(2)

    await tick(line)
    held = (await find(line, made["endpoint"]["id"]))["held"]
    assert receiver.ids == [before, poison[0], *after]
    assert [(one["conversation"], one["event"]) for one in held] == [("poison", poison[0])]

    receiver.answer = lambda _: "204 ok"
    later = log.add(1, conversation="poison")
    receiver.deliveries.clear()
    await tick(line)
    line.clock.advance(timedelta(minutes=1))
    await tick(line)
    assert [*dict.fromkeys(receiver.ids)] == [*poison, *later]
    assert (await find(line, made["endpoint"]["id"]))["condition"] == "ok"


async def test_refused_event_is_given_up_after_five_tries(line, log, receiver):
    (poison,) = log.add(1, conversation="poison", at=line.clock() + timedelta(seconds=2))

    def decide(one: Delivery) -> str:
        return "400 no" if one.headers["webhook-id"] == poison else "204 ok"

    receiver.answer = decide
    made = await create(line, receiver)
    follower = log.add(1, conversation="poison") + log.add(1)

    for step in STEPS[:6]:
        await tick(line)
        line.clock.advance(step * 1.2)

    path = f"/endpoints/{made['endpoint']['id']}/attempts"
    attempts = (await line.call("GET", path)).json()["attempts"]
    refused = [one for one in attempts if not one["succeeded"]]
    assert receiver.ids.count(poison) == len(refused) == 5
    assert [one["given_up"] for one in refused] == [True, False, False, False, False]
    assert sorted(set(receiver.ids)) == sorted([poison, *follower])


async def test_rotation_refuses_no_delivery(line, log, receiver):
    made = await create(line, receiver)
    path = f"/endpoints/{made['endpoint']['id']}"
    rotated = (await line.call("POST", f"{path}/rotate")).json()

    log.add(1)
    await tick(line)
    line.clock.advance(timedelta(hours=25))
    log.add(1)
    await tick(line)

    during, later = receiver.deliveries
    for secret in (made["secret"], rotated["secret"]):
        during.verify(secret)
    later.verify(rotated["secret"])
    with pytest.raises(WebhookVerificationError):
        later.verify(made["secret"])


async def test_replay_is_complete_and_marked(line, log, receiver):
    made = await create(line, receiver)
    path = f"/endpoints/{made['endpoint']['id']}"
    told = log.add(60)
    await tick(line)
    until = line.clock()
    line.clock.advance(timedelta(hours=20))
    log.add(3)
    await tick(line)
    receiver.deliveries.clear()

    body = {"from": (until - timedelta(hours=1)).isoformat(), "to": until.isoformat()}
    answers = [await line.call("POST", f"{path}/replay", json=body) for _ in range(2)]
    await tick(line)

    assert [answer.status_code for answer in answers] == [202, 409]
    assert receiver.ids == told
    assert {one.headers.get("perene-replay") for one in receiver.deliveries} == {"true"}
    assert (await find(line, made["endpoint"]["id"])).get("replay") is None
    too_old = {"from": (until - timedelta(days=40)).isoformat()}
    assert (await line.call("POST", f"{path}/replay", json=too_old)).status_code == 422


async def test_replay_goes_on_where_the_endpoint_failed(line, log, receiver):
    made = await create(line, receiver)
    told = log.add(40)
    await tick(line)
    receiver.deliveries.clear()
    receiver.answer = lambda _: "500 x" if len(receiver.deliveries) == 30 else "204 ok"

    since = {"from": (line.clock() - timedelta(hours=1)).isoformat()}
    await line.call("POST", f"/endpoints/{made['endpoint']['id']}/replay", json=since)
    await tick(line)
    line.clock.advance(timedelta(minutes=1))
    await tick(line)

    assert [*dict.fromkeys(receiver.ids)] == told
    assert len(receiver.ids) == 41


async def test_dead_endpoint_delays_no_other(line, log, receiver):
    ends = asyncio.Event()

    async def hang(_: Delivery) -> str:
        await ends.wait()
        return "500 late"

    async with Receiver(hang) as dead:
        await create(line, dead)
        await create(line, receiver)
        (first,) = log.add(1)
        first_push = asyncio.create_task(push(line))
        await wait_until(lambda: dead.deliveries and receiver.ids == [first])
        await wait_until(lambda: len(delivery._running) == 1)
        (second,) = log.add(1)

        await asyncio.wait_for(push(line), 1)

        await wait_until(lambda: receiver.ids == [first, second])
        assert not first_push.done()
        ends.set()
        await first_push


async def test_living_endpoint_waits_for_no_place_of_a_dead_one(line, log, receiver, mocker):
    """However many hang: those that failed before have places of their own."""
    for places in ("AT_ONCE", "FAILING_AT_ONCE"):
        mocker.patch.object(delivery, places, 1)
    hangs, ends = asyncio.Event(), asyncio.Event()

    async def hang(_: Delivery) -> str:
        hangs.set()
        await ends.wait()
        return "500 late"

    async with Receiver(refuse()) as dead:
        await create(line, dead, "dead")
        log.add(1, tenant="dead")
        await tick(line)
        line.clock.advance(timedelta(hours=1))
        dead.answer = hang
        waiting = [asyncio.create_task(push(line, "dead"))]
        await asyncio.wait_for(hangs.wait(), 5)
        await create(line, receiver)
        told = log.add(1)

        await asyncio.wait_for(push(line), 5)

        assert receiver.ids == told
        assert not waiting[0].done()
        ends.set()
        await asyncio.gather(*waiting)


async def test_leased_endpoint_is_left_to_whoever_has_it(line, log, receiver):
    made = await create(line, receiver)
    (told,) = log.add(1)
    lease = {"leased_by": "another", "leased_until": line.clock() + LEASE}
    line.write(f"endpoints/{made['endpoint']['id']}", **lease)

    await tick(line)
    assert receiver.ids == []
    line.clock.advance(LEASE)
    await tick(line)
    assert receiver.ids == [told]


async def test_time_that_is_over_leaves_the_rest_to_the_next(line, log, receiver, mocker):
    """New events, a conversation that was held back, and a replay: without the lease, and poked."""
    mocker.patch.object(delivery, "RUN_SECONDS", 0.2)
    busy = list[Any]()
    poke = mocker.patch("shared.services.poke")
    poke.side_effect = lambda *_: busy.append({*delivery._running})

    async def answer(one: Delivery) -> str:
        await asyncio.sleep(0.02)
        return "500 x" if one.event["data"]["conversation"] in failing else "204 ok"

    failing, receiver.answer = {"held"}, answer
    made = await create(line, receiver)
    told = log.add(1, conversation="held") + log.add(1) + log.add(22, conversation="held")
    await tick(line)
    failing.clear()
    since = {"from": (line.clock() - timedelta(hours=1)).isoformat()}
    await line.call("POST", f"/endpoints/{made['endpoint']['id']}/replay", json=since)
    line.clock.advance(timedelta(minutes=1))
    busy.clear()

    runs = 0
    while (shown := await find(line, made["endpoint"]["id"])).get("replay") or shown["held"]:
        await tick(line)
        runs += 1
        assert runs < 20
        (endpoint,) = await line.store.endpoints.list_active()
        assert endpoint.leased_by is None

    assert runs > 3
    assert busy == [set()] * len(busy), "a poke that comes during a run is only noted"
    assert len(busy) >= runs - 1
    replayed = [one for one in receiver.deliveries if "perene-replay" in one.headers]
    assert {*dict.fromkeys(one.event["id"] for one in replayed)} == {*told}
    assert {*receiver.ids} == {*told}


async def test_record_that_changed_is_not_written_over(line, log, receiver):
    await create(line, receiver)
    (read,) = await line.store.endpoints.list_active()
    await line.store.endpoints.change(
        read.id, lambda current: current.model_copy(update={"description": "by a person"})
    )

    moved = await line.store.endpoints.advance(read, read.model_copy(update={"cursor": "7"}))

    (endpoint,) = await line.store.endpoints.list_active()
    assert (moved, endpoint.cursor, endpoint.description) == (None, read.cursor, "by a person")


async def test_several_deliverers_keep_the_order(line, log, receiver):
    await create(line, receiver)
    told = log.add(30)
    endpoints = await line.store.endpoints.list_active()
    runs = [delivery._tell_in_rounds(endpoint) for endpoint in endpoints * 3]
    delivery._running[endpoints[0].id] = delivery._Pokes(delivery.WHOLE_LOG, 0)

    await asyncio.gather(*runs)
    del delivery._running[endpoints[0].id]

    assert [*dict.fromkeys(receiver.ids)] == told


async def test_crashed_deliverer_repeats_and_loses_nothing(line, log, receiver, mocker):
    await create(line, receiver)
    told = log.add(12)
    real = line.store.endpoints.advance
    crashes = iter([False, True, False, True])

    async def advance(*given: Any) -> Any:
        if next(crashes, False):
            raise asyncio.CancelledError
        return await real(*given)

    mocker.patch.object(line.store.endpoints, "advance", advance)
    for _ in range(3):
        await asyncio.gather(delivery.deliver_due(), return_exceptions=True)
        line.clock.advance(timedelta(minutes=2))

    assert [*dict.fromkeys(receiver.ids)] == told
    assert len(receiver.ids) > 12


async def push(line: Perene, tenant: str = "acme", news: str = "message") -> None:
    import base64
    import json

    data = base64.b64encode(json.dumps({"tenant": tenant, "news": news}).encode()).decode()
    body = {"message": {"data": data, "messageId": "1"}, "subscription": "s"}
    answer = await line.operate("POST", "/deliver-events/push", json=body)
    assert answer.status_code == 204, answer.text


async def wait_until(is_so: Any) -> None:
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0.01)


async def test_pushes_of_strangers_are_refused(line, log):
    body = {"message": {"data": "e30="}}
    assert (await line.call("POST", "/deliver-events/push", json=body)).status_code == 403
    assert (await line.http.post("/deliver-events", json={})).status_code == 401
    for data in ("e30=", "!", "W10=", "eyJ0ZW5hbnQiOiAxfQ=="):
        answer = await line.operate(
            "POST", "/deliver-events/push", json={"message": {"data": data}}
        )
        assert answer.status_code == 422
