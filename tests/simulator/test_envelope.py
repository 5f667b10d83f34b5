"""Test the subscribers and the envelope of webhooks."""

import base64
import json

import pytest

from tests.simulator.conftest import create

pytestmark = pytest.mark.anyio


async def test_sender_is_unknown_until_first_open(sim, call, receiver):
    await create(call)
    await sim.drain()
    assert "sender" not in receiver.last("qrcode.updated")

    await sim.scan("shop", "5511999990001")

    await sim.drain()
    assert receiver.last("connection.update")["sender"] == "5511999990001@s.whatsapp.net"


async def test_webhook_gets_only_subscribed_events(sim, call, receiver):
    await create(call, webhook={"url": "http://receiver/hook", "events": ["QRCODE_UPDATED"]})

    await sim.drain()

    assert receiver.events == ["qrcode.updated"]


async def test_group_updates_never_arrive(sim, shop, receiver):
    await sim.emit(shop, "groups.update", [])

    await sim.drain()

    assert "groups.update" not in receiver.events


async def test_webhook_carries_custom_headers(sim, call, receiver):
    hook = {"url": "http://receiver/hook", "events": [], "headers": {"X-Token": "t1"}}
    await create(call, webhook=hook)

    await sim.drain()

    _, headers, _ = receiver.posts[0]
    assert headers["x-token"] == "t1"
    assert headers["user-agent"] == "axios/1.12.2"


async def test_jwt_key_becomes_signed_token(sim, call, receiver):
    hook = {"url": "http://receiver/hook", "events": [], "headers": {"jwt_key": "secret"}}
    await create(call, webhook=hook)

    await sim.drain()

    _, headers, _ = receiver.posts[0]
    claims = json.loads(base64.b64decode(headers["authorization"].split(".")[1] + "=="))
    assert claims["app"] == "evolution"
    assert claims["exp"] == claims["iat"] + 600
    assert "jwt_key" not in headers


async def test_by_events_adds_event_to_path(sim, call, receiver):
    await create(call, webhook={"url": "http://receiver/hook", "events": [], "byEvents": True})

    await sim.drain()

    path, _, body = next(post for post in receiver.posts if post[2]["event"] == "qrcode.updated")
    assert path == "/hook/qrcode-updated"
    assert body["destination"] == "http://receiver/hook"


async def test_date_time_is_the_wall_clock(sim, call, receiver):
    sim.world.options.timezone_offset_hours = -3
    await create(call)
    await sim.drain()

    there = receiver.last("qrcode.updated")["date_time"]

    assert there.endswith("Z")
    assert there < sim.world.rows["shop"].created_at


async def test_a_bad_url_never_fires(sim, call, receiver):
    await create(call, webhook={"url": "not a url", "events": []})

    await sim.drain()

    assert receiver.posts == []
