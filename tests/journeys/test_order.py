"""Messages of one second stand as they were said, in thread, preview and pages."""

import asyncio
import base64
import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.perene import Perene

NUMBER, MARIA = "5511999990001", "5511911110031"
NOW = int(time.time())
FORWARDED = ["3AF0C31A", "3A11C31B", "3AB7C31C", "3A02C31D", "3AE9C31E", "3A5DC31F"]
FAR = 17_258_854_688
"""Seconds with a digit too many."""


async def post(perene: Perene, name: str, data: Any, clock: float, event: str = "messages.upsert"):
    """Post a webhook that its server emitted at that time (seconds)."""
    moment = datetime.fromtimestamp(clock, UTC).isoformat(timespec="milliseconds")
    body = {"event": event, "instance": name, "data": data, "date_time": moment}
    body["sender"] = f"{NUMBER}@s.whatsapp.net"
    headers = perene.webhook_headers(name)
    answer = await perene.http.post("/webhook", content=json.dumps(body).encode(), headers=headers)
    assert answer.status_code == 204


def build(message: str, text: str, at: int, *, from_me: bool = False) -> dict[str, Any]:
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": from_me, "id": message}
    return {"key": key, "message": {"conversation": text}, "messageTimestamp": at}


async def read(perene: Perene, limit: int = 30) -> tuple[list[str], str]:
    """Read the texts of the only conversation, oldest first, and its preview."""
    (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
    path = f"/conversations/{conversation['id']}/messages?limit={limit}"
    messages, cursor = list[dict[str, Any]](), ""
    while cursor is not None:
        page = (await perene.call("GET", f"{path}{cursor}")).json()
        messages += page["messages"]
        cursor = f"&cursor={page['next']}" if "next" in page else None
    assert messages == sorted(messages, key=lambda message: -message["position"])
    return [message["text"] for message in messages[::-1]], conversation["last"]["text"]


@pytest.mark.parametrize("apart", [0.02, 0])
async def test_six_forwarded_in_one_second(on_2: Perene, apart: float):
    name = await on_2.pair(number=NUMBER)

    for n, message in enumerate(FORWARDED):
        await post(on_2, name, build(message, f"{n + 1} de 6", NOW - 60), NOW + n * apart)

    assert await read(on_2) == ([f"{n} de 6" for n in range(1, 7)], "6 de 6")


async def test_far_future_time_becomes_arrival_time(on_2: Perene):
    name = await on_2.pair(number=NUMBER)
    moment = int(on_2.clock().timestamp())

    await post(on_2, name, build("3A21FAR", "vi o anúncio", FAR), moment)
    await post(on_2, name, build("3A21NOW", "alguém aí?", moment + 1), moment + 1)

    assert await read(on_2) == (["vi o anúncio", "alguém aí?"], "alguém aí?")


async def test_messages_of_one_webhook_keep_order(on_2: Perene):
    name = await on_2.pair(number=NUMBER)
    listed = [build(f"3A{9 - n}", str(n), NOW - 60) for n in range(8)]

    await post(on_2, name, listed, NOW)

    assert await read(on_2, 3) == (list("01234567"), "7")


@pytest.mark.parametrize("newest_first", [True, False])
async def test_history_stands_as_listed(on_2: Perene, newest_first: bool):
    name = await on_2.pair(number=NUMBER)
    past = [build(f"3A{9 - n}", str(n), NOW - 9000 + n // 3) for n in range(8)]

    await post(on_2, name, past[:: -1 if newest_first else 1], NOW, "messages.set")

    assert await read(on_2, 3) == (list("01234567"), "7")


async def test_sends_stand_as_asked(on_2: Perene):
    name = await on_2.pair(number=NUMBER)
    await post(on_2, name, build("3A1", "oi", NOW - 60), NOW)
    (conversation,) = (await on_2.call("GET", "/conversations")).json()["conversations"]
    path = f"/conversations/{conversation['id']}/messages"

    for n in range(9):
        key = {"idempotency-key": f"k{n}"}
        answer = await on_2.call("POST", path, json={"text": str(n)}, headers=key)
        assert answer.status_code == 201
    await on_2.evolution.drain()

    assert await read(on_2) == (["oi", *"012345678"], "8")


async def test_cursor_of_earlier_version_works(on_2: Perene):
    name = await on_2.pair(number=NUMBER)
    for n in range(4):
        await post(on_2, name, build(f"3A{n}", str(n), NOW - 60), NOW + n / 100)
    for n in range(2):  # as earlier versions stored them, and wrote their cursors
        document = on_2.database.document(f"tenants/acme/messages/default~3A{n}")
        document.update({"at": (NOW - 61 + n) * 1000})
    (conversation,) = (await on_2.call("GET", "/conversations")).json()["conversations"]
    cursor = encode([(NOW - 60) * 1000, "default~3A1"])

    path = f"/conversations/{conversation['id']}/messages?cursor={cursor}"
    page = (await on_2.call("GET", path)).json()

    assert [message["text"] for message in page["messages"]] == ["0"]
    assert await read(on_2, 1) == (["0", "1", "2", "3"], "3")


def encode(cursor: list[Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(cursor).encode()).decode().rstrip("=")


async def test_poll_gives_positions(on_2: Perene):
    name = await on_2.pair(number=NUMBER)
    await post(on_2, name, build("3A2", "dois", NOW - 60), NOW + 0.2)
    (conversation,) = (await on_2.call("GET", "/conversations")).json()["conversations"]
    path = f"/conversations/{conversation['id']}/messages"
    since = (await on_2.call("GET", path)).json()["since"]

    await asyncio.gather(
        post(on_2, name, build("3A9", "um", NOW - 60), NOW + 0.1),
        post(on_2, name, build("3A0", "três", NOW - 60), NOW + 0.3),
    )
    changes = (await on_2.call("GET", f"{path}?since={since}")).json()["messages"]

    positions = {message["text"]: message["position"] for message in changes}
    assert sorted(positions, key=lambda text: positions[text]) == ["um", "dois", "três"]
    assert {message["at"] for message in changes} == {(NOW - 60) * 1000}
