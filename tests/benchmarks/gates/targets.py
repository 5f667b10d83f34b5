"""Deploy what gates are run against: Perene, and the naive handler, in processes of their own."""

import asyncio
import contextlib
import os
import signal
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.benchmarks import naive, served
from tests.benchmarks.gates.thread_faults import Message, Thread
from tests.perene import name_of
from tests.proofs import posting
from tests.proofs.posting import Poster
from tests.proofs.stage import Stage, open_stage

NAIVE = "tests/benchmarks/naive.py"
TOKEN = "the webhooks' token of the benchmarks"
UNPACED = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000"}
WORDS = {
    "PENDING": "pending",
    "SERVER_ACK": "sent",
    "DELIVERY_ACK": "delivered",
    "READ": "read",
    "PLAYED": "played",
}


class Target(ABC):
    """A deployment with a simulated server of its own."""

    name: str
    stage: Stage

    @abstractmethod
    async def ensure(self, tenant: str) -> None:
        """Ask once for the tenant's line, whatever is answered."""

    @abstractmethod
    def open_poster(self, tenant: str) -> Poster:
        """Return a source of webhooks of the tenant's line, which was ensured."""

    @abstractmethod
    async def send(self, tenant: str, thread: Thread, text: str) -> None:
        """Send a text into a conversation, whatever is answered."""

    @abstractmethod
    async def read_threads(self, tenant: str) -> Sequence[Thread]:
        """Read all conversations of the tenant, as they are stored."""

    @abstractmethod
    def kill(self) -> None:
        """Kill the process to which the server posts its webhooks."""

    @abstractmethod
    async def revive(self) -> None:
        """Start that process anew."""

    async def pair(self, tenant: str, number: str) -> None:
        """Ensure the tenant's line, and scan its codes until it has the number."""
        name, stage = name_of(tenant), self.stage
        scan = f"http://127.0.0.1:{stage.evolution_port}/simulator/instances/{name}/scan"
        async with asyncio.timeout(60):
            while await self._find_number(name) != number:
                await self.ensure(tenant)
                await stage.http.post(scan, json={"number": number})  # perhaps without a code yet
        await stage.wait_until_posted()

    async def _find_number(self, name: str) -> str | None:
        instances = (await self.stage.read_simulator_state())["instances"]
        open_numbers = {
            instance["name"]: instance["number"]
            for instance in instances
            if instance["state"] == "open"
        }
        return open_numbers.get(name)


class PereneTarget(Target):
    """Perene, each process with all of its functions."""

    name = "Perene"

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.receiver = stage.callers[0]

    async def ensure(self, tenant: str) -> None:
        await self.stage.ensure(tenant)

    def open_poster(self, tenant: str) -> Poster:
        return Poster(self.stage, name_of(tenant))

    async def send(self, tenant: str, thread: Thread, text: str) -> None:
        body = {"conversation": thread.id, "text": text}
        headers = {"idempotency-key": text.replace(" ", "-")}
        await self.stage.call("POST", "/send-message", tenant, json=body, headers=headers)

    async def read_threads(self, tenant: str) -> Sequence[Thread]:
        return [
            await self._read_thread(tenant, conversation)
            for conversation in await posting.read_inbox(self.stage, tenant)
        ]

    async def _read_thread(self, tenant: str, conversation: Mapping[str, Any]) -> Thread:
        messages = await posting.read_thread(self.stage, tenant, conversation["id"])
        return Thread(
            [Message(message["text"], message.get("delivery")) for message in reversed(messages)],
            conversation["unread"],
            conversation["last"]["text"],
            conversation["id"],
        )

    def kill(self) -> None:
        self.receiver.kill()
        self.stage.ports.remove(self.stage.public_port)

    async def revive(self) -> None:
        _, self.receiver = await self.stage.start_caller(port=self.stage.public_port)


class NaiveTarget(Target):
    """The naive handler, each of its functions in a process."""

    name = "naive"

    def __init__(self, stage: Stage, processes: contextlib.ExitStack) -> None:
        self.stage = stage
        self.processes = processes
        self.receiver = self._serve("naive", stage.public_port)
        self.ensurer, self.sender = self._serve("naive_ensure"), self._serve("naive_send")
        stage.ports = [self.receiver.port]

    async def ensure(self, tenant: str) -> None:
        await self.stage.call("POST", "/", tenant, self.ensurer.port, json={})

    def open_poster(self, tenant: str) -> Poster:
        return Poster(self.stage, name_of(tenant), headers={naive.TOKEN_HEADER: TOKEN})

    async def send(self, tenant: str, thread: Thread, text: str) -> None:
        body = {"conversation": thread.id, "text": text}
        await self.stage.call("POST", "/", tenant, self.sender.port, json=body)

    async def read_threads(self, tenant: str) -> Sequence[Thread]:
        messages = defaultdict[str, list[dict[str, Any]]](list)
        for message in self.stage.documents(naive.MESSAGES).values():
            messages[message["conversation"]].append(message)
        conversations = self.stage.documents(naive.CONVERSATIONS).items()
        return [
            Thread(
                [
                    Message(message["text"], WORDS.get(message["status"]))
                    for message in sorted(messages[name], key=lambda one: one["timestamp"])
                ],
                conversation["unread"],
                conversation["last_message"],
                name,
            )
            for name, conversation in conversations
            if conversation["instance"] == name_of(tenant)
        ]

    def kill(self) -> None:
        os.killpg(self.receiver.master, signal.SIGKILL)

    async def revive(self) -> None:
        self.receiver = self._serve("naive", self.receiver.port)
        await self.stage.wait_until_ready(self.receiver.port, "/")

    async def wait_until_ready(self) -> None:
        """Wait until every function answers."""
        for function in (self.receiver, self.ensurer, self.sender):
            await self.stage.wait_until_ready(function.port, "/")

    def _serve(self, function: str, port: int | None = None) -> served.Served:
        url = f"http://127.0.0.1:{self.stage.public_port}/webhook"
        settings = {"WEBHOOK_TOKEN": TOKEN, "WEBHOOK_URL": url}
        serving = served.serve_function(self.stage, function, NAIVE, port, **settings)
        return self.processes.enter_context(serving)


@contextlib.asynccontextmanager
async def open_targets(place: Path) -> AsyncIterator[Sequence[Target]]:
    """Deploy both, and stop them after the `with`."""
    folders = [place / "perene", place / "naive"]
    for folder in folders:
        folder.mkdir()
    async with (
        open_stage(folders[0], 2, options=["--unhurried"], **UNPACED) as ours,
        open_stage(folders[1], 0) as theirs,
    ):
        with contextlib.ExitStack() as processes:
            other = NaiveTarget(theirs, processes)
            await other.wait_until_ready()
            yield PereneTarget(ours), other
