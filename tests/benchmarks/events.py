"""Measure how soon an endpoint has an event: from the commit to its receipt, on the local stack.

With Pub/Sub's emulator, alone and beside an endpoint that never answers, and beside one with the
minute's tick alone.
"""

import asyncio
import contextlib
import json
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx

from infra.local import children, emulator
from infra.local.children import Child
from infra.local.run import StackRun
from tests.benchmarks import load
from tests.benchmarks.report import Cell, Table
from tests.perene import name_of
from tests.receiver import Delivery, Receiver

TENANT, NUMBER = "acme", "5511999990001"
SPACE = 100_000_000
RATE, SECONDS, WARM = 10, 30, 50
"""Messages a second, and for how long; the first ones warm everything up."""

TICKED_SECONDS = 65
"""How long messages come where only the minute's tick tells them."""

READY_SECONDS = 120.0
COLUMNS = ("told by", "beside a dead endpoint", "events", "p50 ms", "p99 ms", "longest ms")


@dataclass
class Receipts:
    """The seconds from the commit of each message to its first receipt, by its text."""

    took: dict[str, float] = field(default_factory=dict)

    def answer(self, delivery: Delivery) -> str:
        """Note when an event came; its time is that of the commit, by this machine's clock."""
        event = delivery.event
        committed = datetime.fromisoformat(event["timestamp"]).timestamp()
        self.took.setdefault(event["data"]["text"], time.time() - committed)
        return "204 ok"


async def _hang(_: Delivery) -> str:
    await asyncio.sleep(3600)
    return "204 late"


async def run(place: Path) -> Sequence[Table]:
    """Measure with Pub/Sub's emulator, also beside a dead endpoint, and without it."""
    rows = []
    for is_poked, is_dead in ((True, False), (True, True), (False, True)):
        emulator.reset(os.environ[emulator.HOST_VARIABLE], emulator.PROJECT)
        rows.append(await _measure(place, is_poked=is_poked, is_dead=is_dead))
    title = f"From the commit of a message to its receipt at an endpoint, {RATE} messages a second"
    return [Table(title, COLUMNS, rows)]


async def _measure(place: Path, *, is_poked: bool, is_dead: bool) -> list[Cell]:
    receipts = Receipts()
    async with (
        _open_stack(place, is_poked=is_poked) as stack,
        Receiver(receipts.answer) as living,
        Receiver(_hang) as dead,
    ):
        for url in [living.url, *([dead.url] if is_dead else [])]:
            await stack.call("POST", "/endpoints", {"url": url, "types": ["message.received"]})
        await stack.open_line()
        seconds = SECONDS if is_poked else TICKED_SECONDS
        count = RATE * seconds
        await stack.receive(count, receipts)
    took = [receipts.took[str(number)] for number in range(WARM, count)]
    figures = load.summarize(took, seconds)
    told_by = "Pub/Sub's emulator" if is_poked else "the minute's tick alone"
    return [told_by, is_dead, len(took), figures.p50, figures.p99, max(took) * 1000]


@dataclass
class _Stack:
    run: StackRun
    simulator: str
    http: httpx.AsyncClient

    async def call(self, method: str, path: str, body: object = None) -> httpx.Response:
        bearer = {"authorization": f"Bearer {self.run.sign_token(TENANT)}"}
        url = f"{self.run.origin}{path}"
        answer = await self.http.request(method, url, json=body, headers=bearer)
        assert answer.is_success, answer.text
        return answer

    async def open_line(self) -> None:
        await self.call("POST", "/ensure-instance", {})
        while (await self.call("GET", "/instances/default")).json()["state"] != "open":
            await self._simulate("scan", {"number": NUMBER})
            await asyncio.sleep(2)

    async def receive(self, count: int, receipts: Receipts) -> None:
        """Receive so many messages at an even pace, and wait until all were told."""
        started, people = time.monotonic(), 20
        for number in range(count):
            await asyncio.sleep(started + number / RATE - time.monotonic())
            sender = f"55119{SPACE // 2 + number % people:08}"
            await self._simulate("receive", {"from": sender, "text": str(number)})
        while len(receipts.took) < count:
            await asyncio.sleep(0.2)
            assert time.monotonic() < started + count / RATE + 150, "not all events were told"

    async def _simulate(self, act: str, body: object) -> None:
        path = f"/simulator/instances/{name_of(TENANT)}/{act}"
        with contextlib.suppress(httpx.HTTPStatusError):  # a code to scan isn't there at once
            (await self.http.post(f"{self.simulator}{path}", json=body)).raise_for_status()


@contextlib.asynccontextmanager
async def _open_stack(place: Path, *, is_poked: bool) -> AsyncIterator[_Stack]:
    """Start a local stack; without Pub/Sub's emulator, if it isn't to be poked."""
    port, simulator = children.find_free_port(), children.find_free_port()
    folder = place / uuid.uuid4().hex
    flags = [f"--port={port}", f"--simulator-port={simulator}", f"--place={folder}"]
    command = [
        sys.executable,
        "-m",
        "infra.local.stack",
        *flags,
        *([] if is_poked else ["--quick"]),
    ]
    with _started(children.start("local stack", command, {**os.environ}, place / "stack.log")):
        deadline = time.monotonic() + READY_SECONDS
        while not (folder / "run.json").exists():
            assert time.monotonic() < deadline, (place / "stack.log").read_text()
            await asyncio.sleep(0.1)
        settings = json.loads((folder / "run.json").read_text())["settings"]
        assert ("EVENTS_TOPIC" in settings) == is_poked, "Pub/Sub's emulator isn't installed"
        async with httpx.AsyncClient(timeout=60) as http:
            yield _Stack(StackRun.load_last(folder), f"http://127.0.0.1:{simulator}", http)


@contextlib.contextmanager
def _started(child: Child) -> Iterator[None]:
    try:
        yield
    finally:
        child.stop()
