"""Test the switching of faults, and the faults of webhooks."""

import asyncio
from pathlib import Path

import pytest

from infra.local.simulator.faults import KINDS
from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio
CONTACT = "5511988887777"


async def test_webhooks_may_be_lost(sim, shop, receiver):
    sim.faults.turn_on("webhook_lost", events="messages.*")
    receiver.posts.clear()

    await sim.receive(shop, CONTACT, "oi")

    await sim.drain()
    assert set(receiver.events) == {"chats.update", "contacts.update", "contacts.upsert"}


async def test_webhooks_may_be_repeated(sim, shop, receiver):
    sim.faults.turn_on("webhook_duplicated", events="messages.upsert", times=3)

    await sim.receive(shop, CONTACT, "oi")

    await sim.drain()
    assert receiver.events.count("messages.upsert") == 3


async def test_webhooks_may_overtake_each_other(sim, shop, receiver):
    sim.faults.turn_on("webhook_reordered")
    receiver.posts.clear()

    ids = [await sim.receive(shop, CONTACT, str(at)) for at in range(10)]

    await sim.drain()
    arrived = [b["data"]["key"]["id"] for _, _, b in receiver.posts
               if b["event"] == "messages.upsert"]  # fmt: skip
    assert arrived != ids
    assert sorted(arrived) == sorted(ids)


async def test_webhooks_may_be_late(sim, shop, receiver):
    sim.faults.turn_on("webhook_delayed", seconds=0.1)
    receiver.posts.clear()

    await sim.receive(shop, CONTACT, "oi")

    await asyncio.sleep(0.05)
    assert receiver.posts == []
    await sim.drain()
    assert receiver.posts


async def test_fault_may_concern_some_names_only(sim, call):
    sim.faults.turn_on("error_500_before", names="bad*")

    assert (await create(call, "bad-one")).status_code == 500
    assert (await create(call, "good")).status_code == 201


async def test_fault_fires_its_number_of_times(sim, shop, call):
    sim.faults.turn_on("error_500_before", count=2)

    answers = [await call.get("/instance/connectionState/shop") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [500, 500, 200]


async def test_chance_is_same_for_same_seed(sim, shop, call):
    async def run():
        sim.faults.apply({"seed": 7, "on": {"error_500_before": {"probability": 0.5}}})
        answers = [await call.get("/instance/connectionState/shop") for _ in range(20)]
        return [answer.status_code for answer in answers]

    first, second = await run(), await run()

    assert first == second
    assert set(first) == {200, 500}


def test_unknown_fault_or_setting_is_refused(sim):
    with pytest.raises(ValueError, match="no such fault"):
        sim.faults.turn_on("earthquake")
    with pytest.raises(ValueError, match="no setting"):
        sim.faults.turn_on("slow", strength=9)


def test_every_fault_has_a_test():
    folder = Path(__file__).parent
    tests = "".join(path.read_text(encoding="utf-8") for path in folder.glob("test_fault*.py"))

    assert [kind for kind in KINDS if f'"{kind}"' not in tests] == []
