"""Test instances from create to delete, and the actions on their phones."""

import asyncio
from collections import Counter

import pytest

from infra.local.simulator import ConnectionCut, Impossible, qr
from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio


async def test_created_instance_shows_real_code(sim, call):
    code = (await create(call)).json()["qrcode"]

    assert code["count"] == 1
    assert code["code"].startswith("2@")
    assert [len(part) for part in code["code"].split(",")[1:]] == [44, 44, 44]
    assert code["base64"].startswith("data:image/png;base64,iVBOR")


async def test_scan_opens_instance_with_number(sim, call, receiver):
    await create(call)

    await sim.scan("shop", "+55 (11) 99999-0001")

    await sim.drain()
    assert (sim.state("shop"), sim.number("shop")) == ("open", "5511999990001")
    assert receiver.events[-2:] == ["connection.update", "connection.update"]


async def test_only_shown_code_can_be_scanned(sim, call):
    await create(call, qrcode=False)

    with pytest.raises(Impossible, match="shows no code"):
        await sim.scan("shop", "5511999990001")


async def test_next_code_differs_and_counts_on(sim, call):
    first = (await create(call)).json()["qrcode"]

    await sim.expire_code("shop")

    second = (await call.get("/instance/connect/shop")).json()
    assert second["count"] == 2
    assert second["code"] != first["code"]


async def test_after_last_code_it_gives_up(sim, call, receiver):
    sim.world.options.qr_limit = 2
    await create(call)

    for _ in range(2):
        await sim.expire_code("shop")

    await sim.drain()
    assert sim.state("shop") == "close"
    assert receiver.last("connection.update")["data"]["state"] == "refused"


async def test_unpaired_instance_keeps_its_name(sim, shop, call):
    await sim.unpair(shop)

    assert (sim.state(shop), sim.number(shop)) == ("close", None)
    assert (await create(call)).status_code == 403


async def test_vanished_instance_posts_nothing(sim, shop, call, receiver):
    posted = len(receiver.posts)

    await sim.vanish(shop)

    assert not sim.exists(shop)
    assert len(receiver.posts) == posted
    assert (await call.get("/instance/connectionState/shop")).status_code == 404


async def test_planted_instance_exists(sim, call):
    await sim.plant("theirs", "5511999990009", open=True)

    assert sim.number("theirs") == "5511999990009"
    assert (await create(call, "theirs")).status_code == 403


async def test_lost_connection_stays_open_in_database(sim, shop, call):
    await sim.drop(shop, back=False)

    memory = (await call.get("/instance/connectionState/shop")).json()["instance"]["state"]
    row = (await call.get("/instance/fetchInstances?instanceName=shop")).json()[0]
    assert (memory, row["connectionStatus"]) == ("close", "open")


async def test_paired_instance_reconnects_on_request(sim, shop, call):
    await sim.drop(shop, back=False)

    await call.get("/instance/connect/shop")

    await sim.drain()
    assert sim.state(shop) == "open"


async def test_storm_posts_one_connecting_after_other(sim, shop, receiver):
    await sim.storm(shop, times=40)

    await sim.drain()
    states = Counter(body["data"].get("state") for _, _, body in receiver.posts if body["data"])
    assert states["connecting"] > 40
    assert sim.state(shop) == "open"


async def test_deleted_instance_awaits_its_last_webhook(sim, shop, call):
    answer = await call.delete("/instance/delete/shop")
    right_after = (await call.get("/instance/connectionState/shop")).json()
    again = await create(call)

    await sim.drain()

    assert answer.status_code == 200
    assert right_after["instance"]["state"] == "open"
    assert again.status_code == 403
    assert not sim.exists(shop)


async def test_failing_receiver_keeps_deleted_instance(sim, shop, call, receiver):
    receiver.answers = lambda body: 500

    await call.delete("/instance/delete/shop")
    await sim.drain()

    assert sim.exists(shop)
    assert (await call.delete("/instance/delete/shop")).status_code == 200


async def test_delete_without_webhook_is_quick(sim, call):
    await call.post("/instance/create", json={"instanceName": "a", "integration": "EVOLUTION"})
    await call.delete("/instance/delete/a")

    await sim.drain()

    assert sim.names() == []


async def test_webhooks_base64_waits_for_next_restart(sim, shop, call, receiver):
    hook = {"enabled": True, "url": "http://receiver/hook", "events": [], "base64": True}
    await call.post(f"/webhook/set/{shop}", json={"webhook": hook})
    await sim.receive_media(shop, "5511988887777", "image", "iVBORw0KGgo=")
    await sim.drain()
    before = "base64" in receiver.last("messages.upsert")["data"]["message"]

    await call.post(f"/instance/restart/{shop}")
    await sim.drain()
    await sim.receive_media(shop, "5511988887777", "image", "iVBORw0KGgo=")
    await sim.drain()

    after = "base64" in receiver.last("messages.upsert")["data"]["message"]
    assert (before, after) == (False, True)


async def test_messages_after_pairing_again_are_lost(sim, shop, call, receiver):
    await call.delete(f"/instance/logout/{shop}")
    await call.get(f"/instance/connect/{shop}")
    await sim.scan(shop, "5511999990001")
    receiver.posts.clear()

    await sim.receive(shop, "5511988887777", "anybody there?")

    await sim.drain()
    events = [event for event in receiver.events if event != "connection.update"]
    assert sorted(events) == ["chats.update", "contacts.update"]
    page = (await call.post(f"/chat/findMessages/{shop}", json={})).json()["messages"]
    assert page["total"] == 0


async def test_messages_arrive_after_unpairing_on_phone(sim, shop, call, receiver):
    await sim.unpair(shop)
    await call.get(f"/instance/connect/{shop}")
    await sim.scan(shop, "5511999990001")

    await sim.receive(shop, "5511988887777", "here I am")

    await sim.drain()
    assert "messages.upsert" in receiver.events


async def test_creates_in_flight_are_counted(sim, call):
    await asyncio.gather(*[create(call, "one") for _ in range(4)], create(call, "other"))

    assert sim.creates_in_flight_peak == {"one": 4, "other": 1}
    assert len([request for request in sim.calls if request.path == "/instance/create"]) == 5


async def test_cancelled_call_still_takes_effect(sim, call):
    sim.faults.turn_on("slow", milliseconds=0)
    creating = asyncio.create_task(create(call))
    while not sim.creates_in_flight_peak:
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)

    creating.cancel()
    await asyncio.gather(creating, return_exceptions=True)

    await sim.drain()
    assert sim.exists("shop")


async def test_codes_follow_each_other_by_themselves(sim, call, monkeypatch):
    monkeypatch.setattr(qr, "LIFETIME", 0.02)
    await create(call, qrcode=False)
    sim.world.options.quick = False
    connecting = asyncio.create_task(call.get("/instance/connect/shop"))
    await asyncio.sleep(0.01)
    await sim.expire_code("shop")

    await asyncio.sleep(0.05)

    assert sim.world.sessions["shop"].code.count >= 3
    connecting.cancel()
    await asyncio.gather(connecting, return_exceptions=True)


async def test_reset_cuts_requests_in_flight(sim, call):
    creating = asyncio.create_task(create(call))
    while not sim.creates_in_flight_peak:
        await asyncio.sleep(0)
    await asyncio.sleep(0.001)

    sim.reset()

    with pytest.raises(ConnectionCut):
        await creating


async def test_reset_forgets_everything(sim, shop):
    sim.faults.turn_on("down")

    sim.reset()

    assert sim.names() == []
    assert list(sim.faults.as_json()["on"]) == ["destructive_race"]
