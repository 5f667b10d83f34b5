"""P13: endpoints are told everything, signed and in order, while deliverers are killed at random
and the database stands still."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import WebhookVerificationError

from infra.local import pubsub_emulator
from infra.local.emulator import Emulator
from infra.local.pubsub_emulator import PubSub, name_topic
from shared.outbound.event_log import LATENESS
from tests.perene import name_of
from tests.proofs.event_courier import Courier
from tests.proofs.posting import AT, NUMBER, Poster, message_event
from tests.proofs.stage import Stage, open_stage, paused, times
from tests.receiver import Delivery, Receiver

TENANT = "acme"
CONVERSATIONS = 20
LENGTH = times(4, 50)
"""Messages of each conversation."""

KILLS, PAUSES = times(3, 40), times(1, 8)
STEP = 20.0
"""Seconds by which the clock moves between two ticks, so that leases and pauses end."""

REFUSED = 0.03
"""The share of attempts that the endpoint answers with a failure."""

ALL_WITHIN = 90.0
SETTINGS = {
    "AUTH_OPERATOR_CLAIM": "operator",
    "ENDPOINTS_ON_LOOPBACK": "true",
    "EVENTS_TOPIC": name_topic("events"),
}


class Listener:
    """An endpoint that fails now and then, and remembers what it took."""

    def __init__(self, chance: random.Random) -> None:
        self.chance, self.secret = chance, ""
        self.taken: list[Any] = []
        self.refused = self.forged = 0

    async def answer(self, delivery: Delivery) -> str:
        await asyncio.sleep(self.chance.uniform(0, 0.01))
        try:
            delivery.verify(self.secret)
        except WebhookVerificationError:
            self.forged += 1
        if self.chance.random() < REFUSED:
            self.refused += 1
            return "503 later"
        self.taken.append(delivery.event)
        return "204 ok"

    @property
    def texts(self) -> list[str]:
        """Return the texts of new messages, as they were taken first."""
        received = (one["data"] for one in self.taken if one["type"] == "message.received")
        return [*dict.fromkeys(data["text"] for data in received)]


@pytest.fixture(params=times(["courier"], ["courier", "emulator"]))
async def events(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[PubSub | None]:
    """Pub/Sub's emulator; None: the courier stands in for it, and loses some pokes."""
    if request.param == "courier":
        yield None
        return
    events = pubsub_emulator.start(tmp_path / "pubsub.log")
    if events is None:
        pytest.skip(pubsub_emulator.ABSENT)
    yield events
    events.child.stop()


async def test_killed_deliverers_lose_and_swap_nothing(
    database: Emulator, events: PubSub | None, tmp_path: Path
):
    chance = random.Random(16)
    listener = Listener(chance)
    async with Receiver(listener.answer) as endpoint, Receiver() as door:
        settings = SETTINGS | {"PUBSUB_EMULATOR_HOST": events.host if events else door.host}
        async with open_stage(tmp_path, 2, **settings) as stage:
            courier = Courier(stage, chance)
            door.answer = courier.answer_push if events else courier.answer_publish
            if events:
                assert await asyncio.to_thread(events.subscribe, door.url)
            for _ in range(2):
                await courier.start_deliverer()
            listener.secret = await create_endpoint(stage, endpoint.url)
            poster = await open_line(stage)
            async with ticking(courier):
                async with asyncio.TaskGroup() as group:
                    for number in range(CONVERSATIONS):
                        group.create_task(say_all(poster, number, chance))
                    group.create_task(kill_at_random(courier))
                    group.create_task(pause_at_random(database, chance))
                await wait_until_told(listener, courier)

            late = list_late(stage)

    assert first_out_of_order([text for text in listener.texts if text not in late]) is None
    assert len(late) < len(TEXTS) / 2
    assert listener.forged == 0
    assert courier.pushed
    assert courier.killed >= KILLS


def text_of(conversation: int, number: int) -> str:
    return f"C{conversation:02}M{number:03}"


TEXTS = {text_of(home, number) for home in range(CONVERSATIONS) for number in range(LENGTH)}


async def create_endpoint(stage: Stage, url: str) -> str:
    """Create an endpoint and return its secret.

    It isn't told of lines: their changes are dated by the clock that the proof moves.
    """
    types = ["message.received", "message.updated", "message.sent", "conversation.updated"]
    answer = await stage.call("POST", "/endpoints", TENANT, json={"url": url, "types": types})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["secret"])


async def open_line(stage: Stage) -> Poster:
    await stage.ensure(TENANT)
    await stage.scan(name_of(TENANT), NUMBER)
    await stage.wait_until_posted()
    return Poster(stage, name_of(TENANT), NUMBER)


async def say_all(poster: Poster, conversation: int, chance: random.Random) -> None:
    """Say the messages of one conversation; each begins when the one before it was taken."""
    jid = f"5511{970_000_000 + conversation}"
    for number in range(LENGTH):
        text = text_of(conversation, number)
        while await poster.post(message_event(text, text, AT + number, jid)) != 204:
            await asyncio.sleep(0.05)
        await asyncio.sleep(chance.uniform(0, 0.5))


async def kill_at_random(courier: Courier) -> None:
    while courier.killed < KILLS:
        await asyncio.sleep(courier.chance.uniform(0.1, 0.6))
        await courier.kill_deliverer()


async def pause_at_random(database: Emulator, chance: random.Random) -> None:
    for _ in range(PAUSES):
        await asyncio.sleep(chance.uniform(0.2, 1))
        with paused(database):
            await asyncio.sleep(chance.uniform(0.2, 1))


@asynccontextmanager
async def ticking(courier: Courier) -> AsyncIterator[None]:
    """Move the clock, and ask for what is due, again and again, whatever became of the last."""

    async def tick() -> None:
        while True:
            courier.stage.pass_time(STEP)
            tasks.add(asyncio.create_task(courier.tick()))
            await asyncio.sleep(0.2)

    tasks = set[asyncio.Task[Any]]()
    tasks.add(asyncio.create_task(tick()))
    try:
        yield
    finally:
        for task in tasks | courier.tasks:
            task.cancel()
        await asyncio.gather(*tasks, *courier.tasks, return_exceptions=True)


async def wait_until_told(listener: Listener, courier: Courier) -> None:
    deadline = time.monotonic() + ALL_WITHIN
    while missing := TEXTS - {*listener.texts}:
        assert time.monotonic() < deadline, f"never told: {sorted(missing)[:10]}"
        await asyncio.sleep(0.1)
        await courier.replace_dead()


def list_late(stage: Stage) -> set[str]:
    """List the messages that became visible later than the log waits for them.

    Only these may be told after later ones of their conversation (decision 0029).
    """
    messages = stage.database.collection(f"tenants/{TENANT}/messages").stream()
    late = timedelta(seconds=LATENESS)
    return {
        message.get("id")
        for message in messages
        if message.create_time - message.get("stored_at") > late
    }


def first_out_of_order(texts: list[str]) -> str | None:
    """Return the first text that was told after a later one of its conversation."""
    last = dict[str, str]()
    for text in texts:
        home = text[:3]
        if text < last.get(home, ""):
            return text
        last[home] = text
    return None
