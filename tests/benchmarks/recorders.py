"""Run what records webhooks, in worker processes, and let webhooks come to it."""

import asyncio
import contextlib
import json
import operator
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from shared import webhook_token
from tests.benchmarks import cpu, load
from tests.benchmarks.arrivals import Arrival
from tests.benchmarks.bare import ARRIVAL
from tests.benchmarks.load import Figures
from tests.benchmarks.mix import Webhook
from tests.benchmarks.served import ROOT, serve_function, wait_until_answered
from tests.proofs.stage import Stage


class Pace(NamedTuple):
    """How webhooks come, for so many seconds: `rate` a second, or one after the other.

    `in_flight`: how many are under way at once; where there is a rate, at most.
    """

    seconds: float
    in_flight: int = load.MOST_IN_FLIGHT
    rate: float | None = None


class Recorder(Protocol):
    """What records webhooks, while it is running."""

    @property
    def pids(self) -> list[int]:
        """List its worker processes."""
        ...

    async def run(self, pace: Pace) -> tuple[Figures, Sequence[Arrival]]:
        """Let the webhooks come, from the first one on; return what came."""
        ...


@dataclass(frozen=True)
class Target:
    """A function that records webhooks, and how it is started.

    `sign`: makes the token that it expects of an instance.
    """

    source: str
    sign: Callable[[str], str]
    settings: Mapping[str, str] = field(default_factory=dict)


@contextlib.asynccontextmanager
async def serve_target(
    stage: Stage, name: str, target: Target, webhooks: Sequence[Webhook], processes: int
) -> AsyncIterator[Recorder]:
    """Serve the function with so many processes until the end of the `with`."""
    requests = [build_request(target, webhook) for webhook in webhooks]
    with contextlib.ExitStack() as running:
        served = [
            running.enter_context(serve_function(stage, name, target.source, **target.settings))
            for _ in range(processes)
        ]
        for process in served:
            await wait_until_answered(process.port, requests[0])
        masters = [process.master for process in served]
        arrivals = [webhook.arrival for webhook in webhooks]
        yield _ServedFunction([process.port for process in served], masters, requests, arrivals)


@contextlib.asynccontextmanager
async def start_client(
    environment: Mapping[str, str], arrivals: Sequence[Arrival], processes: int
) -> AsyncIterator[Recorder]:
    """Start so many processes that make the commits with the client alone."""
    command = [sys.executable, "-m", "tests.benchmarks.commit"]
    started = [
        await asyncio.create_subprocess_exec(
            *command, cwd=ROOT, env=environment, stdin=PIPE, stdout=PIPE, limit=2**26
        )
        for _ in range(processes)
    ]
    try:
        for turn, process in enumerate(started):
            _tell(process, arrivals[turn::processes])
        for process in started:
            await _hear(process)
        yield _Client(started, arrivals)
    finally:
        for process in started:
            process.kill()
            await process.wait()


def build_request(target: Target, webhook: Webhook) -> bytes:
    """Build the request of a webhook; it tells a bare function what the webhook says."""
    headers = {
        webhook_token.HEADER: target.sign(webhook.instance),
        ARRIVAL: json.dumps(webhook.arrival),
    }
    return load.build_request(0, "POST", "/", webhook.body, **headers)


class _ServedFunction:
    """Processes of a function; the webhooks come in their order, to the next connection of any."""

    def __init__(
        self,
        ports: Sequence[int],
        masters: Sequence[int],
        requests: Sequence[bytes],
        arrivals: Sequence[Arrival],
    ) -> None:
        self.ports, self.masters = ports, masters
        self.requests, self.arrivals = requests, arrivals

    @property
    def pids(self) -> list[int]:
        return [child for master in self.masters for child in cpu.list_children(master)]

    async def run(self, pace: Pace) -> tuple[Figures, Sequence[Arrival]]:
        remaining = iter(self.requests)
        if pace.rate is None:
            figures = await load.measure(
                self.ports, remaining.__next__, pace.in_flight, pace.seconds
            )
        else:
            figures = await load.measure_paced(
                self.ports, remaining.__next__, pace.rate, pace.seconds
            )
        posted = len(self.requests) - operator.length_hint(remaining)
        return figures, self.arrivals[:posted]


class _Client:
    """Processes of the client, which take the arrivals in turn."""

    def __init__(self, processes: Sequence[Process], arrivals: Sequence[Arrival]) -> None:
        self.processes, self.arrivals = processes, arrivals

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes]

    async def run(self, pace: Pace) -> tuple[Figures, Sequence[Arrival]]:
        busy = self.processes[: pace.in_flight]
        number, started = len(busy), time.monotonic()
        how: dict[str, object] = {"in_flight": pace.in_flight // number}
        due = load.list_due(started, pace.rate, pace.seconds) if pace.rate else None
        for turn, process in enumerate(busy):
            times = {"due": due[turn::number]} if due else {"deadline": started + pace.seconds}
            _tell(process, how | times)
        results = [json.loads(await _hear(process)) for process in busy]
        took = [latency for result in results for latency in result["took"]]
        ended = max(result["ended"] for result in results)
        shares = zip(self._list_shares(), results, strict=False)
        posted = [arrival for share, result in shares for arrival in share[: len(result["took"])]]
        return load.summarize(took, ended - started), posted

    def _list_shares(self) -> Iterator[Sequence[Arrival]]:
        number = len(self.processes)
        return (self.arrivals[turn::number] for turn in range(number))


def _tell(process: Process, words: object) -> None:
    assert process.stdin
    process.stdin.write(json.dumps(words).encode() + b"\n")


async def _hear(process: Process) -> bytes:
    assert process.stdout
    return await process.stdout.readline()
