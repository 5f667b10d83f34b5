"""Measure the intake of messages, against a bare function and the client with the same commit."""

import asyncio
import contextlib
import itertools
import json
import sys
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import jwt

from infra.local import emulator
from shared import webhook_token
from tests.adapters import posted
from tests.benchmarks import load
from tests.benchmarks.commit import PEOPLE, STAMP, VARIABLE
from tests.benchmarks.load import Figures
from tests.benchmarks.served import BARE, ROOT, Served, serve_function, wait_until_answered
from tests.perene import name_of
from tests.proofs.stage import Stage

ROUNDS, SECONDS, WARM = 3, 3.0, 3.0
IN_FLIGHT = (1, 16, 64)
PROCESSES = (1, 2)
RATE, RATE_SECONDS = 200, 10.0
SIZE = 2_900
"""Bytes of a webhook: a picture's, with a thumbnail as WhatsApp makes them."""

FUNCTIONS = {"receive_webhook": "functions/receive_webhook.py", "same_commit": BARE}
OURS, BARE_FUNCTION = FUNCTIONS
CLIENT = "client alone"


async def _part(place: Path, measure: Callable[..., Coroutine[Any, Any, None]]) -> None:
    stage = Stage(place, "2.3.6")
    stage.public_port = stage.evolution_port  # neither is called
    ask = Webhooks(stage)
    try:
        await measure(stage, ask, await _record_commit(stage, ask))
    finally:
        await stage.http.aclose()


class Webhooks:
    """Webhooks of one line: every message is new, from one person after the other."""

    def __init__(self, stage: Stage) -> None:
        name, secret = name_of("acme"), stage.environment()["WEBHOOK_SECRET"]
        self.token = jwt.encode({"sub": name, "born": 0}, secret, "HS256")
        self.serial = itertools.count()
        body = posted.body("messages.upsert.in-image.json") | {"instance": name}
        image = body["data"]["message"]["imageMessage"]
        body["data"]["key"] |= {"id": "{id}", "remoteJid": "{jid}"}
        image["jpegThumbnail"] = ""
        left = SIZE + len("{id}{jid}") - 32 - 28 - len(json.dumps(body))
        image["jpegThumbnail"] = "/9j/" * (left // 4)
        self.before, _, rest = json.dumps(body).partition("{jid}")
        self.between, _, self.after = rest.partition("{id}")

    def __call__(self) -> bytes:
        """Build the next request."""
        person = 551180000000 + next(self.serial) % PEOPLE
        jid = f"{person}@s.whatsapp.net"
        body = f"{self.before}{jid}{self.between}{uuid.uuid4().hex}{self.after}".encode()
        return load.build_request(0, "POST", "/", body, **{webhook_token.HEADER: self.token})


async def _record_commit(stage: Stage, ask: Webhooks) -> str:
    """Return what our function stores of one message, as JSON for the other targets."""
    with serve_function(stage, OURS, FUNCTIONS[OURS]) as process:
        await wait_until_answered(process.port, ask())
    stored = {}
    for kind in ("message", "conversation"):
        documents = stage.documents(f"tenants/acme/{kind}s").values()
        stored[kind] = {
            field: STAMP if isinstance(value, datetime) else value
            for field, value in next(iter(documents)).items()
        }
    return json.dumps(stored)


async def _throughput(processes: int, stage: Stage, ask: Webhooks, commit: str) -> None:
    print(f"\nnew messages of {SIZE} bytes, best of {ROUNDS} × {SECONDS:.1f} s, by {processes}")
    print(f"{'':24}{'in flight':>10}{'msg/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'of bare':>10}")
    async with _all_served(stage, ask, commit, processes) as running:
        for in_flight in IN_FLIGHT:
            rounds = [await _round(stage, ask, commit, running, in_flight) for _ in range(ROUNDS)]
            _print(
                {name: _choose_best(figures[name] for figures in rounds) for name in rounds[0]},
                in_flight,
            )
            emulator.reset(stage.environment()["FIRESTORE_EMULATOR_HOST"], stage.project)
        for name, group in running.items():
            peak = max(process.peak_mib for process in group)
            print(f"{name:24} peak memory of a worker {peak:.0f} MiB")


async def _round(
    stage: Stage, ask: Webhooks, commit: str, running: dict[str, list[Served]], in_flight: int
) -> dict[str, Figures]:
    """Measure every target once in turn, so that a slow moment of the machine meets all."""
    figures = {
        name: await load.measure([process.port for process in group], ask, in_flight, SECONDS)
        for name, group in running.items()
    }
    return figures | {CLIENT: await _measure_client(stage, commit, in_flight, len(running[OURS]))}


async def _latency(stage: Stage, ask: Webhooks, commit: str) -> None:
    print(f"\none process, {RATE} messages a second for {RATE_SECONDS:.0f} s")
    async with _all_served(stage, ask, commit, 1) as running:
        for name, (process,) in running.items():
            figures = await load.measure_paced([process.port], ask, RATE, RATE_SECONDS)
            latency = f"p50 {figures.p50:.1f} p99 {figures.p99:.1f}"
            print(f"{name:24}{figures.per_second:>10.0f}/s {latency}")


@contextlib.asynccontextmanager
async def _all_served(
    stage: Stage, ask: Webhooks, commit: str, processes: int
) -> AsyncIterator[dict[str, list[Served]]]:
    """Serve each function with so many processes, and warm them up."""
    with contextlib.ExitStack() as running:
        groups = {
            name: [
                running.enter_context(serve_function(stage, name, source, **{VARIABLE: commit}))
                for _ in range(processes)
            ]
            for name, source in FUNCTIONS.items()
        }
        for group in groups.values():
            for process in group:
                await wait_until_answered(process.port, ask())
            await load.measure([process.port for process in group], ask, 8, WARM)
        yield groups


async def _measure_client(stage: Stage, commit: str, in_flight: int, processes: int) -> Figures:
    """Measure the client alone, in so many processes that share the requests in flight."""
    share = max(1, in_flight // processes)
    counts = [share] * min(processes, in_flight)
    parts = await asyncio.gather(*(_run_client(stage, commit, count) for count in counts))
    slowest = max(parts, key=lambda figures: figures.p99)
    return Figures(sum(part.per_second for part in parts), slowest.p50, slowest.p99)


async def _run_client(stage: Stage, commit: str, in_flight: int) -> Figures:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.commit", str(in_flight), str(SECONDS),
        cwd=ROOT, env={**stage.environment(), VARIABLE: commit}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()
    return Figures(*map(float, printed.split()))


def _choose_best(rounds: Iterable[Figures]) -> Figures:
    return max(rounds, key=lambda figures: figures.per_second)


def _print(best: dict[str, Figures], in_flight: int) -> None:
    for name, figures in best.items():
        share = figures.per_second / best[BARE_FUNCTION].per_second
        print(
            f"{name:24}{in_flight:>10}{figures.per_second:>10.0f}"
            f"{figures.p50:>10.1f}{figures.p99:>10.1f}{share:>10.2f}",
            flush=True,
        )


PARTS = (
    partial(_part, measure=_latency),
    *(partial(_part, measure=partial(_throughput, processes)) for processes in PROCESSES),
)
"""Parts of the benchmark; each prints its figures."""
