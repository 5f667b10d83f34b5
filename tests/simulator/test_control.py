"""/simulator: the page, and the same verbs for other processes."""

import re

import pytest

from infra.local.simulator import control
from infra.local.simulator.faults import KINDS
from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio


def do(call, name, verb, **body):
    return call.post(f"/simulator/instances/{name}/{verb}", json=body)


async def test_everything_can_be_done_over_http(sim, call, receiver):
    await do(call, "theirs", "plant", number="5511999990009", open=True)
    await create(call)
    await do(call, "shop", "expire-code")
    await do(call, "shop", "scan", number="5511999990001")
    said = (await do(call, "shop", "receive", **{"from": "5511988887777", "text": "oi"})).json()
    await do(call, "shop", "revise", id=said["id"], text="olá")
    await do(call, "shop", "revise", id=said["id"])
    sent = await call.post("/message/sendText/shop", json={"number": "5511988887777", "text": "x"})
    await do(call, "shop", "acknowledge", id=sent.json()["key"]["id"], status="READ")
    await do(call, "shop", "storm")
    await do(call, "shop", "drop")
    await do(call, "theirs", "vanish")

    await sim.settled()
    seen = (await call.get("/simulator/state")).json()

    (shop,) = seen["instances"]
    assert (shop["state"], shop["number"]) == ("open", "5511999990001")
    assert [message["text"] for message in shop["messages"]] == ["oi", "x"]
    assert shop["messages"][1]["status"] == "READ"
    assert [message["text"] for message in seen["sent"]] == ["x"]
    assert seen["creates_in_flight_peak"] == {"shop": 1}
    assert seen["calls"]["POST /message/sendText"] == 1
    assert seen["deliveries"]["outcomes"] == {"delivered": len(receiver.posts)}


async def test_a_code_and_its_limit_are_seen(sim, call):
    await create(call)
    before = (await call.get("/simulator/state")).json()["instances"][0]

    await do(call, "shop", "qr-limit")

    after = (await call.get("/simulator/state")).json()["instances"][0]
    assert before["code"] == before["code"] is not None
    assert before["picture"].startswith("data:image/png;base64,")
    assert (after["code"], after["state"]) == (None, "close")


async def test_media_and_raw_messages_can_be_received(sim, shop, call):
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


async def test_another_sites_page_can_not_change_anything(sim, shop, call):
    answer = await call.post("/simulator/reset", headers={"origin": "https://evil.example"})

    assert answer.status_code == 403
    assert sim.names() == [shop]


async def test_its_own_page_can(sim, shop, call):
    answer = await call.post("/simulator/reset", headers={"origin": "http://evolution"})

    assert answer.status_code == 200


async def test_control_requests_are_not_among_the_calls(sim, call):
    await call.get("/simulator/state")

    assert sim.calls == []


@pytest.mark.parametrize("path", ["/simulator", "/simulator/"])
async def test_the_page_is_served_and_loads_nothing_from_elsewhere(path, call):
    page = await call.get(path)

    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for asset in re.findall(r'(?:href|src)="([^"]+)"', page.text):
        assert (await call.get(asset)).status_code == 200


def test_the_page_has_no_inline_script_and_puts_texts_in_as_texts():
    html = (control.PAGE / "page.html").read_text(encoding="utf-8")
    script = (control.PAGE / "page.js").read_text(encoding="utf-8")

    assert re.findall(r"<script(?![^>]*src=)|\son\w+=|style=", html) == []
    for dangerous in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert dangerous not in script


def test_the_page_describes_every_fault_in_portuguese():
    script = (control.PAGE / "page.js").read_text(encoding="utf-8")

    assert [kind for kind in KINDS if f"  {kind}: " not in script] == []


async def test_markup_in_names_and_texts_stays_text_on_the_way_to_the_page(sim, call):
    name = "<img src=x onerror=alert(1)>"
    await create(call, name)
    await sim.scan(name, "5511999990001", profile="<b>Loja</b>")
    await sim.receive(name, "5511988887777", "<script>alert(1)</script>")

    answer = await call.get("/simulator/state")

    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["instances"][0]["name"] == name
