"""Carry pokes from Pub/Sub to deliverers that are killed and replaced, as in a deployment."""

import asyncio
import json
import random
from typing import Any

import httpx

from tests.perene import token
from tests.proofs.stage import Stage
from tests.receiver import Delivery

LOST = 0.2
"""The share of pokes that get lost."""

MOST_PUSHES = 20
DEATHS = (4, 150)
"""The step of its work, at the earliest and at the latest, at which a deliverer kills itself."""


class Courier:
    """The deliverers, each a process of its own, and the way to whichever of them lives."""

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage, self.chance = stage, chance
        self.deliverers: dict[int, Any] = {}
        self.pushed = self.killed = 0
        self.tasks = set[asyncio.Task[Any]]()

    async def start_deliverer(self) -> None:
        """Start a deliverer, which kills itself at some step of its work."""
        intake = [*self.stage.ports]
        port, process = await self.stage.start_caller("--die-at", str(self.chance.randint(*DEATHS)))
        self.stage.ports = intake
        self.deliverers[port] = process

    async def replace_dead(self) -> None:
        """Start another deliverer for each that is dead."""
        for port, process in [*self.deliverers.items()]:
            if not process.is_alive():
                del self.deliverers[port]
                self.killed += 1
                await self.start_deliverer()

    async def kill_deliverer(self) -> None:
        """Kill a deliverer, whatever it is doing, and start another one."""
        process = self.deliverers[self.chance.choice([*self.deliverers])]
        process.kill()
        process.join()
        await self.replace_dead()

    async def tick(self) -> bool:
        """Ask a deliverer for what is due, as Scheduler does; return whether it answered."""
        return await self._call("", b"")

    async def answer_push(self, push: Delivery) -> str:
        """Pass on what Pub/Sub pushes: it pushes again what isn't answered with 2xx."""
        return "204 ok" if await self._call("/push", push.body) else "503 dead"

    def answer_publish(self, publish: Delivery) -> str:
        """Stand in for Pub/Sub: lose some pokes, and push the others until they are taken."""
        for message in publish.event["messages"]:
            if self.chance.random() > LOST:
                body = {"message": {**message, "messageId": "1"}, "subscription": "s"}
                task = asyncio.create_task(self._push(json.dumps(body).encode()))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
        return "200 ok"

    async def _push(self, body: bytes) -> None:
        for _ in range(MOST_PUSHES):
            if await self._call("/push", body):
                return
            await asyncio.sleep(0.1)

    async def _call(self, path: str, body: bytes) -> bool:
        if self.stage.http.is_closed:  # a push that comes while all is being stopped
            return False
        port = self.chance.choice([*self.deliverers])
        bearer = f"Bearer {token('olga', operator=True)}"
        headers = {"authorization": bearer, "content-type": "application/json"}
        url = f"http://127.0.0.1:{port}/deliver-events{path}"
        try:
            answer = await self.stage.http.post(url, content=body, headers=headers)
        except httpx.HTTPError:
            return False
        self.pushed += bool(path and answer.is_success)
        return answer.is_success
