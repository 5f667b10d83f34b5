"""P12: while one large webhook is read, stored or put away, other requests of the process go on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from shared.store.messages.all_messages import Messages
from tests.journeys.test_odd_intake import said
from tests.perene import Perene
from tests.proofs.pace import measure_pace
from tests.proofs.stage import times

LONGEST_TURN = 0.3
"""Seconds of the loop's own CPU between two turns, at `measure_pace`. It was 3 to 20 here."""

MESSAGES = times(9_000, 20_000)
ODD_ITEMS = times(90_000, 200_000)


class Turns:
    """Measure how long others wait for their turn, in CPU time of the loop's thread.

    `longest` is in seconds at this machine's pace.
    """

    longest = 0.0
    number = 0

    async def watch(self) -> None:
        before = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest, before = max(self.longest, now - before), now
            self.number += 1


@asynccontextmanager
async def watched() -> AsyncIterator[Turns]:
    turns, pace = Turns(), measure_pace()
    watch = asyncio.create_task(turns.watch())
    await asyncio.sleep(0)
    yield turns
    watch.cancel()
    turns.longest /= max(pace, measure_pace())


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """A store whose commits of history take no time: how many messages each held."""
    sizes = list[int]()

    async def recall(_: Any, __: Any, chunk: Sequence[Any], ___: int) -> int:
        sizes.append(len(chunk))
        await asyncio.sleep(0)
        return len(chunk)

    monkeypatch.setattr(Messages, "_record_chunk", recall)
    return sizes


def envelope(name: str, event: str, data: Any) -> bytes:
    webhook = {"event": event, "instance": name, "data": data}
    return json.dumps(webhook | {"sender": "5511999990001@s.whatsapp.net"}).encode()


async def post(perene: Perene, name: str, body: bytes) -> int:
    answer = await perene.http.post("/webhook", content=body, headers=perene.webhook_headers(name))
    return answer.status_code


async def test_long_history_holds_nobody_up(on_2: Perene, forgetful: list[int]):
    name = await on_2.pair()
    past = [said(f"H{at:05}", "y" * 300, jid=_person(at)) for at in range(MESSAGES)]
    body = envelope(name, "messages.set", past)

    async with watched() as turns:
        status = await post(on_2, name, body)

    assert status == 204
    assert sum(forgetful) == MESSAGES
    assert turns.longest < LONGEST_TURN


async def test_30_odd_mb_hold_nobody_up(on_2: Perene):
    name = await on_2.pair()
    odd = {"a": [{"n": at, "text": "z" * 100, "url": "x?y"} for at in range(200_000)]}
    body = envelope(name, "messages.upsert", odd)

    async with watched() as turns:
        status = await post(on_2, name, body)

    assert status == 204
    (letter,) = on_2.documents("dead_letters").values()
    assert letter["cut"]
    assert turns.longest < LONGEST_TURN


async def test_broken_json_holds_nobody_up(on_2: Perene):
    name = await on_2.pair()

    async with watched() as turns:
        status = await post(on_2, name, b'{"token":"s3cret' + b'"x" token ' * 2_500_000)

    assert status == 204
    (letter,) = on_2.documents("dead_letters").values()
    assert letter["cut"]
    assert "s3cret" not in letter["raw"]
    assert turns.longest < LONGEST_TURN


async def test_many_odd_items_are_few_letters(on_2: Perene):
    name = await on_2.pair()
    body = envelope(name, "messages.upsert", list(range(ODD_ITEMS)))

    async with watched() as turns:
        status = await post(on_2, name, body)

    assert status == 204
    letters = on_2.documents("dead_letters").values()
    assert 0 < len(letters) < 10
    assert not any(letter["cut"] for letter in letters)
    items = [item for letter in letters for item in json.loads(letter["raw"])["data"]]
    assert sorted(items) == list(range(ODD_ITEMS))
    assert turns.longest < LONGEST_TURN


async def test_small_requests_overtake_a_large_one(on_2: Perene, forgetful: list[int]):
    name = await on_2.pair()
    past = [said(f"H{at:05}", jid=_person(at)) for at in range(MESSAGES)]
    large = asyncio.create_task(post(on_2, name, envelope(name, "messages.set", past)))

    answered = 0
    while not large.done():
        answered += (await on_2.call("GET", "/instances")).status_code == 200

    assert await large == 204
    assert answered > 5


def _person(at: int) -> str:
    return f"55119{70_000_000 + at % 900:08}@s.whatsapp.net"
