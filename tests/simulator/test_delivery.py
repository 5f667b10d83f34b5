"""Test how often a webhook is tried, and when it is given up."""

import asyncio

import pytest

from infra.local.simulator import webhook_posts
from tests.simulator.shapes import recording

pytestmark = pytest.mark.anyio
SERIES = {
    series["instance"]: series
    for series in recording("exchanges", "webhook-retry-timelines")["series"]
    if series["event"] == "messages.upsert"
}


async def receive_text(sim, name):
    """Receive a text, and return the delivery of its messages.upsert."""
    await sim.receive(name, "5511988887777", "oi")
    return next(delivery for delivery in sim.deliveries if delivery.event == "messages.upsert")


async def wait_until_finished(delivery):
    await asyncio.wait([delivery.task])
    return delivery


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_some_answers_are_never_retried(status, sim, shop, receiver):
    receiver.answers = lambda body: status

    delivery = await receive_text(sim, shop)

    await sim.drain()
    assert (delivery.statuses, delivery.outcome) == ([status], "given up")
    assert SERIES[f"rt-{status}"]["attempts"] == 1


@pytest.mark.parametrize("status", [301, 302, 408, 409, 410, 429, 500, 502, 503])
async def test_all_others_are(status, sim, shop, receiver):
    receiver.answers = lambda body: status

    delivery = await receive_text(sim, shop)

    await sim.drain()
    assert len(delivery.statuses) > 1
    assert delivery.outcome == ""


async def test_it_gives_up_after_ten_attempts(sim, shop, receiver, monkeypatch):
    monkeypatch.setattr(webhook_posts, "QUICKER", 10_000)
    receiver.answers = lambda body: 500

    delivery = await wait_until_finished(await receive_text(sim, shop))

    assert delivery.statuses == [500] * SERIES["rt-500"]["attempts"]
    assert delivery.outcome == "given up"


async def test_first_2xx_ends_delivery(sim, shop, receiver):
    answers = iter([500, 500, 204])
    receiver.answers = lambda body: next(answers) if body["event"] == "messages.upsert" else 200

    delivery = await wait_until_finished(await receive_text(sim, shop))

    assert delivery.statuses == [500, 500, 204]
    assert len(delivery.statuses) == SERIES["rt-flaky2"]["attempts"]
    assert delivery.outcome == "delivered"


def test_the_gaps_are_the_measured_ones(sim):
    gaps = [webhook_posts._add_jitter(sim.world, gap) for gap in webhook_posts.GAPS]

    for ours, theirs in zip(gaps, SERIES["rt-500"]["gaps"], strict=True):
        assert 0.6 < ours / theirs < 1.7
    assert min(gaps) >= 5


async def test_crashing_receiver_is_tried_again(sim, shop, receiver):
    sim.world.options.webhook_timeout = 0.02
    answers = iter(["crash", "hang"])

    async def misbehave(scope, receive, send):
        match next(answers, "fine"):
            case "crash":
                raise RuntimeError("the receiver broke")
            case "hang":
                await asyncio.Event().wait()
        await type(receiver).__call__(receiver, scope, receive, send)

    sim.world.client._transport.app = misbehave
    await sim.emit(shop, "call", {})
    delivery = await wait_until_finished(sim.deliveries[-1])

    assert delivery.statuses == [0, 0, 200]


async def test_retries_carry_moment_of_first_attempt(sim, shop, receiver):
    answers = iter([500, 200])
    receiver.answers = lambda body: next(answers) if body["event"] == "messages.upsert" else 200

    await wait_until_finished(await receive_text(sim, shop))

    first, second = [b for _, _, b in receiver.posts if b["event"] == "messages.upsert"]
    assert first == second


async def test_others_overtake_an_event_that_waits(sim, shop, receiver):
    told = []

    def refuse_the_first(body):
        if body["event"] != "messages.upsert":
            return 200
        told.append(body["data"]["key"]["id"])
        return 500 if len(set(told)) == 1 else 200

    receiver.answers = refuse_the_first
    late = await sim.receive(shop, "5511988887777", "late")
    while not told:
        await asyncio.sleep(0)
    early = await sim.receive(shop, "5511988887777", "early")

    await sim.drain()

    assert (told[0], told[-2:]) == (late, [early, late])


async def test_drain_does_not_await_long_retries(sim, shop, receiver):
    receiver.answers = lambda body: 500
    await receive_text(sim, shop)

    async with asyncio.timeout(2):
        await sim.drain()
