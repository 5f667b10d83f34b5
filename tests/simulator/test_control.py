"""Test /simulator as other processes use it."""

import pytest

from infra.local.simulator.outside_events import require_number
from infra.local.simulator.state import NotANumber
from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio


def do(call, name, verb, **body):
    return call.post(f"/simulator/instances/{name}/{verb}", json=body)


async def test_everything_can_be_done_over_http(sim, call, receiver):
    await do(call, "theirs", "plant", number="5511999990009", open=True)
    await create(call)
    await do(call, "shop", "expire-code")
    await do(call, "shop", "scan", number="5511999990001")
    message = (await do(call, "shop", "receive", **{"from": "5511988887777", "text": "oi"})).json()
    await do(call, "shop", "revise", id=message["id"], text="olá")
    await do(call, "shop", "revise", id=message["id"])
    sent = await call.post("/message/sendText/shop", json={"number": "5511988887777", "text": "x"})
    await do(call, "shop", "acknowledge", id=sent.json()["key"]["id"], status="READ")
    await do(call, "shop", "storm")
    await do(call, "shop", "drop")
    await do(call, "theirs", "vanish")

    await sim.drain()
    state = (await call.get("/simulator/state")).json()

    (shop,) = state["instances"]
    assert (shop["state"], shop["number"]) == ("open", "5511999990001")
    assert [message["text"] for message in shop["messages"]] == ["oi", "x"]
    assert shop["messages"][1]["status"] == "READ"
    assert [message["text"] for message in state["sent"]] == ["x"]
    assert state["creates_in_flight_peak"] == {"shop": 1}
    assert state["calls"]["POST /message/sendText"] == 1
    assert state["deliveries"]["outcomes"] == {"delivered": len(receiver.posts)}


async def test_code_and_its_limit_are_seen(sim, call):
    await create(call)
    before = (await call.get("/simulator/state")).json()["instances"][0]

    await do(call, "shop", "qr-limit")

    after = (await call.get("/simulator/state")).json()["instances"][0]
    assert before["code"] == before["code"] is not None
    assert before["picture"].startswith("data:image/png;base64,")
    assert (after["code"], after["state"]) == (None, "close")


async def test_code_that_changes_says_when(sim, call):
    await create(call)
    sim.world.options.quick = False

    (shop,) = (await call.get("/simulator/state")).json()["instances"]

    assert 40 < shop["expires_in"] <= 45


async def test_a_code_that_stays_does_not(sim, call):
    await create(call)

    (shop,) = (await call.get("/simulator/state")).json()["instances"]

    assert shop["expires_in"] is None


async def test_pairing_code_is_seen_and_typed(sim, call):
    await create(call, number="5511999990002")
    (before,) = (await call.get("/simulator/state")).json()["instances"]

    paired = await do(call, "shop", "pair")

    (after,) = (await call.get("/simulator/state")).json()["instances"]
    assert len(before["pairing_code"]) == 8
    assert before["pairing_number"] == paired.json()["number"] == "5511999990002"
    assert (after["state"], after["number"]) == ("open", "5511999990002")
    assert after["pairing_code"] is after["pairing_number"] is None


async def test_only_shown_pairing_code_is_accepted(sim, call):
    await create(call)

    answer = await do(call, "shop", "pair")

    assert (answer.status_code, answer.json()["why"]) == (409, "no_pairing_code")


@pytest.mark.parametrize("number", ["", "abc", "1234567", "1234567890123456", "0551199999", None])
async def test_invalid_number_is_refused(number, sim, call):
    await create(call)

    answers = [
        await do(call, "shop", "scan", number=number),
        await do(call, "shop", "receive", **{"from": number, "text": "oi"}),
    ]

    for answer in answers:
        assert (answer.status_code, answer.json()["why"]) == (400, "no_number")
        assert "8 to 15 digits" in answer.json()["detail"]
    assert sim.state("shop") == "connecting"


@pytest.mark.parametrize("number", ["+55 (11) 99999-0001", "55.11.99999.0001", "5511999990001"])
def test_a_number_may_be_punctuated(number):
    assert require_number(number) == "5511999990001"


def test_number_is_of_digits_of_ours():
    with pytest.raises(NotANumber):
        require_number("٥٥١١٩٩٩٩٩٠٠٠١")


async def test_delivery_shows_time_and_state(sim, shop, call):
    state = (await call.get("/simulator/state")).json()

    opened = state["deliveries"]["last"][-1]
    assert (opened["event"], opened["said"], opened["outcome"]) == (
        "connection.update", "open", "delivered",
    )  # fmt: skip
    assert opened["at"].endswith("Z")


async def test_media_and_raw_messages_are_received(sim, shop, call):
    await do(call, shop, "receive", **{
        "from": "5511988887777", "kind": "image", "media": "iVBORw0KGgo=", "text": "foto",
    })  # fmt: skip
    await do(call, shop, "receive", key={"remoteJid": "111@lid"}, message={"conversation": "oi"})

    kinds = [message["messageType"] for message in sim.world.rows[shop].messages]
    assert kinds == ["imageMessage", "conversation"]


async def test_faults_are_flipped_over_http(sim, call):
    await call.put("/simulator/faults", json={"down": True, "slow": {"milliseconds": 5}})

    on = (await call.get("/simulator/faults")).json()["on"]
    assert on["slow"]["milliseconds"] == 5
    assert (await call.get("/simulator/faults")).json()["defaults"]["slow"]["milliseconds"] == 1000

    await call.put("/simulator/faults", json={"down": False, "slow": None})
    assert (await call.get("/")).status_code == 200


async def test_reset_over_http(sim, shop, call):
    await call.post("/simulator/reset")

    assert sim.names() == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/simulator/instances/ghost/unpair", {}, 409),
        ("/simulator/instances/ghost/scan", {}, 400),
        ("/simulator/instances/ghost/dance", {}, 404),
        ("/simulator/instances/ghost/scan", [], 400),
    ],
)
async def test_what_is_impossible_is_explained(path, body, status, call):
    answer = await call.post(path, json=body)

    assert answer.status_code == status
    assert answer.json()["detail"]


async def test_an_unknown_fault_is_explained(call):
    answer = await call.put("/simulator/faults", json={"earthquake": True})

    assert answer.status_code == 400
    assert "earthquake" in answer.json()["detail"]


async def test_foreign_origin_changes_nothing(sim, shop, call):
    answer = await call.post("/simulator/reset", headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
    assert sim.names() == [shop]


async def test_its_own_page_can(sim, shop, call):
    answer = await call.post("/simulator/reset", headers={"origin": "http://evolution"})

    assert answer.status_code == 200


async def test_control_requests_are_not_among_calls(sim, call):
    await call.get("/simulator/state")

    assert sim.calls == []
