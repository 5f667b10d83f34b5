"""Test the faults of the server itself, one by one."""

import asyncio

import httpx
import pytest

from infra.local.simulator import ConnectionCut, NoAnswer
from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio
CONTACT = "5511988887777"


def send_text(call, name, text="oi"):
    return call.post(f"/message/sendText/{name}", json={"number": CONTACT, "text": text})


async def test_concurrent_creates_may_destroy_each_other(sim, call):
    sim.faults.turn_on("destructive_race", certain=True)

    answers = await asyncio.gather(create(call), create(call))

    await sim.drain()
    assert [answer.status_code for answer in answers] == [400, 400]
    assert not sim.exists("shop")


async def test_no_answer_before_hangs_without_effect(sim, call):
    sim.faults.turn_on("no_answer_before", count=1)

    with pytest.raises(httpx.ReadTimeout):
        await create(call)

    assert not sim.exists("shop")
    assert (await create(call)).status_code == 201


async def test_no_answer_after_takes_effect(sim, call):
    sim.faults.turn_on("no_answer_after", count=1)

    with pytest.raises(NoAnswer):
        await create(call)

    assert sim.exists("shop")
    assert (await create(call)).status_code == 403


async def test_a_hanging_request_can_be_left(sim, call):
    sim.faults.turn_on("no_answer_after", seconds=3600)

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await create(call)

    assert sim.exists("shop")


@pytest.mark.parametrize(("kind", "effect"), [("error_500_before", False),
                                              ("error_500_after", True)])  # fmt: skip
async def test_error_fault_may_take_effect(kind, effect, sim, call):
    sim.faults.turn_on(kind, route="create", count=1)

    assert (await create(call)).status_code == 500

    assert sim.exists("shop") is effect


@pytest.mark.parametrize(("kind", "effect"), [("cut_before", False), ("cut_after", True)])
async def test_cut_connection_has_effect_or_not(kind, effect, sim, call):
    sim.faults.turn_on(kind, route="create", count=1)

    with pytest.raises(ConnectionCut):
        await create(call)

    assert sim.exists("shop") is effect
    assert sim.calls[-1].status == 0


async def test_a_proxy_answers_html(sim, call):
    sim.faults.turn_on("bad_gateway")

    answer = await create(call)

    assert answer.status_code == 502
    assert answer.text.startswith("<html>")


async def test_an_error_may_come_as_200(sim, shop, call):
    sim.faults.turn_on("error_true", route="instance/connect")

    answer = await call.get("/instance/connect/shop")

    assert (answer.status_code, answer.json()["error"]) == (200, True)


async def test_answers_may_be_slow(sim, shop, call):
    sim.faults.turn_on("slow", milliseconds=100, route="connectionState")

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await call.get("/instance/connectionState/shop")


async def test_the_whole_server_may_be_down(sim, shop, call):
    sim.faults.turn_on("down")

    with pytest.raises(httpx.TransportError):
        await call.get("/")


async def test_the_key_may_have_been_rotated(sim, shop, call):
    sim.faults.turn_on("key_rotated")

    assert (await call.get("/instance/connectionState/shop")).status_code == 401


async def test_a_proxy_may_refuse_more_instances(sim, call):
    sim.faults.turn_on("full", limit=1)

    first, second = await create(call, "one"), await create(call, "two")

    assert (first.status_code, second.status_code) == (201, 400)
    assert second.json()["message"] == "Maximum instances reached"
    assert not sim.exists("two")


async def test_no_code_may_come(sim, call):
    sim.faults.turn_on("no_code", count=1)

    assert (await create(call)).json()["qrcode"] == {"count": 0}

    assert (await call.get("/instance/connect/shop")).json() == {"count": 0}
    await sim.expire_code("shop")
    assert (await call.get("/instance/connect/shop")).json()["count"] == 1


async def test_instance_may_vanish_right_after_create(sim, call):
    sim.faults.turn_on("vanish_after_create")

    assert (await create(call)).status_code == 201

    assert not sim.exists("shop")


async def test_deleted_instance_may_stay_for_while(sim, shop, call):
    sim.faults.turn_on("late_delete", seconds=0.2)

    await call.delete("/instance/delete/shop")
    await sim.drain()

    assert (await create(call)).status_code == 403
    await asyncio.sleep(0.25)
    assert (await create(call)).status_code == 201


async def test_deleted_instance_may_stay_for_ever(sim, shop, call):
    sim.faults.turn_on("delete_never_finishes")

    await call.delete("/instance/delete/shop")
    await sim.drain()

    assert sim.exists(shop)


async def test_open_may_be_a_lie(sim, shop, call, receiver):
    sim.faults.turn_on("open_lies")
    receiver.posts.clear()

    sent = await send_text(call, shop)
    await sim.receive(shop, CONTACT, "anybody?")
    await sim.drain()

    state = (await call.get("/instance/connectionState/shop")).json()
    assert state["instance"]["state"] == "open"
    assert sent.status_code == 201
    assert sim.sent_messages() == []
    assert receiver.events == ["send.message"]


async def test_number_may_never_be_looked_up(sim, shop, call):
    sim.faults.turn_on("lookup_stalls")

    assert (await send_text(call, shop)).status_code == 500


async def test_media_may_be_out_of_reach(sim, shop, call):
    sim.faults.turn_on("media_unreachable")

    answer = await call.post("/message/sendMedia/shop", json={
        "number": CONTACT, "mediatype": "image", "media": "https://files.example/a.png",
    })  # fmt: skip

    assert answer.status_code == 500


async def test_an_upload_may_fail(sim, shop, call):
    sim.faults.turn_on("upload_fails")

    answer = await call.post("/message/sendMedia/shop", json={
        "number": CONTACT, "mediatype": "image", "media": "iVBORw0KGgo=",
    })  # fmt: skip

    assert (answer.status_code, sim.sent_messages()) == (500, [])


async def test_group_may_read_like_number(sim, shop, call):
    sim.faults.turn_on("group_not_found")
    body = {"number": "120363000000000099@g.us", "text": "oi"}

    answer = await call.post("/message/sendText/shop", json=body)

    assert (answer.status_code, answer.json()["response"]["message"][0]["exists"]) == (400, False)


@pytest.mark.parametrize("reaction", ["ok", "👍👍", "7"])
async def test_a_reaction_is_one_emoji(sim, shop, call, reaction):
    key = {"id": "A", "remoteJid": f"{CONTACT}@s.whatsapp.net", "fromMe": False}

    answer = await call.post("/message/sendReaction/shop", json={"key": key, "reaction": reaction})

    assert (answer.status_code, sim.sent_messages()) == (400, [])


async def test_a_send_may_never_be_acknowledged(sim, shop, call, receiver):
    sim.faults.turn_on("send_unacknowledged")

    await send_text(call, shop)

    await sim.drain()
    assert "messages.update" not in receiver.events


async def test_send_may_be_refused_after_fact(sim, shop, call, receiver):
    sim.faults.turn_on("send_refused")

    await send_text(call, shop)

    await sim.drain()
    assert receiver.last("messages.update")["data"]["status"] == "ERROR"
