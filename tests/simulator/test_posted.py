"""Test /simulator/posted: the posts about messages with their outcomes."""

import pytest

from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio


async def test_message_posts_show_their_outcome(sim, call, receiver):
    await create(call)
    await call.post("/simulator/instances/shop/scan", json={"number": "5511999990001"})
    receiver.answers = lambda body: 400 if "bad" in str(body["data"]) else 200

    for name in ("good", "bad"):
        body = {"from": "5511988887777", "text": name, "id": name}
        await call.post("/simulator/instances/shop/receive", json=body)
    await sim.drain()
    posts = (await call.get("/simulator/posted")).json()

    common = {"instance": "shop", "event": "messages.upsert", "status": "DELIVERY_ACK"}
    assert posts == [
        common | {"id": "good", "outcome": "delivered"},
        common | {"id": "bad", "outcome": "given up"},
    ]
