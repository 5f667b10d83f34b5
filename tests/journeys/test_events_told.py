"""What is recorded reaches endpoints: from a webhook to a signed POST, and what that costs."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any
from unittest import mock

import httpx
import pytest

from infra import costs
from infra.costs import Operations
from shared import problems, services
from shared.domain.endpoints import BUSY, IDLE_MINUTES
from shared.outbound import delivery, event_log
from shared.store import base, endpoint_records
from tests.adapters import posted
from tests.adapters.counting import Counted, counting
from tests.adapters.posted import a_key, a_message
from tests.perene import Perene, name_of
from tests.receiver import Receiver

LATENESS = event_log.LATENESS
TOPIC = "projects/p/topics/perene-events"


class PubSub(httpx.AsyncBaseTransport):
    """Pub/Sub, which keeps what was published; `refuse`: it takes nothing."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self.refuse = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if self.refuse:
            return httpx.Response(503)
        assert request.url.path == f"/v1/{TOPIC}:publish"
        content = json.loads(await request.aread())
        self.messages += [message["data"] for message in content["messages"]]
        return httpx.Response(200, json={"messageIds": ["1"]})

    def read(self) -> list[dict[str, Any]]:
        return [json.loads(base64.b64decode(data)) for data in self.messages]


@pytest.fixture
async def pubsub(perene: Perene) -> PubSub:
    """Perene with a line, that pokes through a Pub/Sub of the test."""
    pubsub = PubSub()
    perene.hosts.transports["pubsub.test"] = pubsub
    perene.set(ENDPOINTS_ON_LOOPBACK="true", EVENTS_TOPIC=TOPIC, PUBSUB_EMULATOR_HOST="pubsub.test")
    await perene.pair(number=posted.OWN.partition("@")[0])
    return pubsub


async def say(line: Perene, name: str) -> None:
    at = int(line.clock().timestamp())
    message = a_message(key=a_key(posted.MARIA, id=name), messageTimestamp=at)
    envelope = posted.an_event("messages.upsert", [message])
    headers = line.webhook_headers(name_of("acme"))
    body = {**envelope, "instance": name_of("acme")}
    answer = await line.http.post("/webhook", json=body, headers=headers)
    assert answer.status_code == 204, answer.text


async def push(line: Perene, data: str) -> None:
    answer = await try_push(line, data)
    assert answer.status_code == 204, answer.text


async def try_push(line: Perene, data: str) -> httpx.Response:
    message = {"message": {"data": data, "messageId": "1"}, "subscription": "s"}
    return await line.operate("POST", "/deliver-events/push", json=message)


async def test_message_is_told_for_two_reads_and_one_write(perene: Perene, pubsub: PubSub):
    async with Receiver() as receiver:
        body = {"url": receiver.url}
        made = (await perene.call("POST", "/endpoints", json=body)).json()
        forget_told_tenants()
        await say(perene, "3A01")
        assert pubsub.read()[-1] == {"tenant": "acme", "news": "message"}
        await push(perene, pubsub.messages[-1])
        receiver.deliveries.clear()

        await say(perene, "3A02")
        with counting(perene.store.db.client) as counted:
            await push(perene, pubsub.messages[-1])

        (delivery,) = receiver.deliveries
        delivery.verify(made["secret"])
        event = delivery.event
        assert (event["type"], event["data"]["id"]) == ("message.received", "3A02")
        assert Operations(counted.reads, counted.writes) == costs.DELIVERED


async def test_every_poke_tells_its_own_event(perene: Perene, pubsub: PubSub, mocker):
    """Although that is too young when the poke comes; pokes at once share their reading."""
    mocker.patch.object(event_log, "LATENESS", LATENESS)
    mocker.patch.object(services, "pause", asyncio.sleep)
    names = [f"3A0{number}" for number in range(10)]
    async with Receiver() as receiver:
        await perene.call("POST", "/endpoints", json={"url": receiver.url})
        forget_told_tenants()
        async with asyncio.TaskGroup() as group:
            for name in names[:5]:
                await say(perene, name)
                group.create_task(push(perene, pubsub.messages[-1]))
                await asyncio.sleep(LATENESS / 4)
        assert [one.event["data"]["id"] for one in receiver.deliveries] == names[:5]
        for name in names[5:]:
            await say(perene, name)
        with counting(perene.store.db.client) as counted:
            await asyncio.gather(*(push(perene, message) for message in pubsub.messages[-5:]))

    assert [one.event["data"]["id"] for one in receiver.deliveries] == names
    assert counted == Counted(reads=1 + 5, writes=1, round_trips=3)


async def test_poke_whose_log_cannot_be_read_comes_again(perene: Perene, pubsub: PubSub):
    """An endpoint that was told nothing lately would have to wait for its turn, a quarter hour."""
    async with Receiver() as receiver:
        await perene.call("POST", "/endpoints", json={"url": receiver.url})
        forget_told_tenants()
        await say(perene, "3A01")
        with mock.patch.object(event_log, "read_log", side_effect=problems.StoreUnavailable):
            refused = await try_push(perene, pubsub.messages[-1])

        await push(perene, pubsub.messages[-1])

    assert refused.status_code == 503
    assert [one.event["data"]["id"] for one in receiver.deliveries] == ["3A01"]


async def test_poke_that_others_overtake_comes_again(perene: Perene, pubsub: PubSub, mocker):
    """They may have looked before its event was there."""
    async with Receiver() as receiver:
        await perene.call("POST", "/endpoints", json={"url": receiver.url})
        forget_told_tenants()
        await say(perene, "3A01")
        poke = pubsub.messages.pop()
        mocker.patch.object(perene.store.endpoints, "advance", return_value=None)

        await push(perene, poke)

    assert pubsub.read() == [{"tenant": "acme", "news": "message,send,conversation,line"}]


async def test_poke_of_who_the_tick_has_no_time_for_comes_again(
    perene: Perene, pubsub: PubSub, mocker
):
    mocker.patch.object(delivery, "TICK_SECONDS", 0.1)
    mocker.patch.object(delivery, "AT_ONCE", 1)
    endpoint = {"url": "http://127.0.0.1:9/"}
    await perene.call("POST", "/endpoints", json=endpoint)
    forget_told_tenants()
    await say(perene, "3A01")
    (waiting,) = await perene.store.endpoints.list_active()
    async with delivery._choose_places(waiting):
        tick = asyncio.create_task(perene.operate("POST", "/deliver-events"))
        while waiting.id not in delivery._running:
            await asyncio.sleep(0.01)
        delivery._ids_of["acme"] = (waiting.id,)
        await push(perene, pubsub.messages[-1])
        pubsub.messages.clear()
        await asyncio.sleep(0.1)
    await tick

    assert pubsub.read() == [{"tenant": "acme", "news": "message,send,conversation,line"}]


async def test_tenants_without_endpoints_cost_nothing(perene: Perene, pubsub: PubSub):
    await say(perene, "3A01")

    with counting(perene.store.db.client) as counted:
        await say(perene, "3A02")

    assert counted == Counted(writes=2, round_trips=1)
    assert pubsub.messages == []


async def test_every_tenant_is_poked_when_many_have_endpoints(perene: Perene, pubsub: PubSub):
    with mock.patch.object(endpoint_records, "MOST_LISTED", 2):
        for tenant in ("t0", "t1", "t2"):
            body = {"url": "http://127.0.0.1:9/"}
            assert (await perene.call("POST", "/endpoints", tenant, json=body)).is_success
            forget_told_tenants()
            await say(perene, f"3A-{tenant}")

    assert pubsub.read() == [{"tenant": "acme", "news": "message"}]


async def test_tick_looks_at_every_endpoint(perene: Perene, pubsub: PubSub):
    with mock.patch.object(base, "PAGE", 2):
        for _ in range(5):
            body = {"url": "http://127.0.0.1:9/"}
            assert (await perene.call("POST", "/endpoints", json=body)).is_success

        answer = await perene.operate("POST", "/deliver-events")

    assert answer.json() == {"due": 5}


async def test_idle_endpoint_costs_what_the_table_says(perene: Perene, pubsub: PubSub):
    async def tick_for_a_round() -> Operations:
        """Count what as many ticks cost as it takes to look at every idle endpoint once."""
        with counting(perene.store.db.client) as counted:
            for _ in range(IDLE_MINUTES):
                perene.clock.advance(timedelta(minutes=1))
                assert (await perene.operate("POST", "/deliver-events")).status_code == 200
        return Operations(counted.reads, counted.writes)

    assert await tick_for_a_round() == costs.TICK.multiply(IDLE_MINUTES)
    for made in range(1, 3):
        with counting(perene.store.db.client) as counted:
            body = {"url": "http://127.0.0.1:9/"}
            assert (await perene.call("POST", "/endpoints", json=body)).status_code == 201
        assert (counted.reads, counted.writes) == (2 + max(made - 1, 1), 2)
        perene.clock.advance(BUSY)

        idle = costs.TICK.multiply(IDLE_MINUTES).add(costs.LOOK)
        assert await tick_for_a_round() == idle.multiply(made)


async def test_lost_poke_loses_nothing(perene: Perene, pubsub: PubSub):
    async with Receiver() as receiver:
        await perene.call("POST", "/endpoints", json={"url": receiver.url})
        pubsub.refuse = True
        await say(perene, "3A01")

        await perene.operate("POST", "/deliver-events")

        assert [one.event["data"]["id"] for one in receiver.deliveries] == ["3A01"]


async def test_what_no_event_reports_is_poked_as_well(perene: Perene, pubsub: PubSub):
    """What people change of a conversation, and a group's subject that we asked for."""
    await perene.call("POST", "/endpoints", json={"url": "http://127.0.0.1:1/"})
    forget_told_tenants()
    await say(perene, "3A01")
    (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
    pubsub.messages.clear()
    path = f"/conversations/{conversation['id']}"

    await perene.call("PATCH", path, json={"archived": True})
    group = await perene.store.conversations.find("acme", conversation["id"])
    for subject in ("Vendas", "Vendas", None):
        group = await perene.store.conversations.record_subject("acme", group, subject, 1)

    assert pubsub.read() == [{"tenant": "acme", "news": "conversation"}] * 2


def forget_told_tenants() -> None:
    """Let this process read anew which tenants have endpoints, as it does every half minute."""
    for objects in services._current.objects.values():
        if "pokes" in objects:
            objects["pokes"]._read_at = float("-inf")
