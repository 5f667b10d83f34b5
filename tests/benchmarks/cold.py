"""Measure the time from a function's start to its first answer, its CPU, and its memory by then.

Functions are started as the platform does, with compiled files. Just before each start, a bare
function starts: without our logic, with as many calls of Firestore and a server as the first
request of the function makes. Times depend on the machine, the ratio to the bare function hardly
does.
"""

import asyncio
import compileall
import json
import os
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import jwt

from infra import deployment
from shared import auth, webhook_token
from tests.adapters import posted
from tests.benchmarks import load, send, served
from tests.benchmarks.report import Cell, Table
from tests.benchmarks.served import BARE_START, ROOT
from tests.perene import name_of, token
from tests.proofs.stage import Stage, open_stage

ROUNDS = int(os.environ.get("ROUNDS", "15" if os.environ.get("FULL") else "5"))
SETTINGS = {
    "AUTH_OPERATOR_CLAIM": "operator",
    "TENANT_FEED_SECRET": "the feed's secret of the benchmarks",
    "MEDIA_BUCKET": "bucket-of-the-benchmarks",
}


class Calls(NamedTuple):
    """How often a function's first request calls Firestore, and whether it calls a server."""

    reads: int = 0
    queries: int = 0
    commits: int = 0
    server: bool = False

    @property
    def round_trips(self) -> int:
        return self.reads + self.queries + self.commits

    @property
    def bare(self) -> str:
        """Return the name of the bare function that makes the same calls."""
        if self.server:
            return "bare_with_server"
        return "bare_with_documents" if self.round_trips else "bare"

    @property
    def path(self) -> str:
        """Return the path and query at which it makes them."""
        return f"/bare?reads={self.reads}&queries={self.queries}&commits={self.commits}"

    def __str__(self) -> str:
        counts = {"read": self.reads, "query": self.queries, "commit": self.commits}
        parts = [f"{name} {count}" for name, count in counts.items() if count]
        return ", ".join([*parts, *(["server"] if self.server else [])])


class Work(NamedTuple):
    """The first request of a function by a tenant, and the calls that it makes.

    `{conversation}` in `body` stands for a conversation to answer in, `{id}` for a new id.
    """

    calls: Calls
    method: str
    path: str = ""
    body: str = ""
    tenant: str = "acme"


QUIET = "quiet"
"""A tenant of which other functions' requests tell no more: its log doesn't grow from round to
round."""

SAID = posted.an_event(
    "messages.upsert", posted.a_message(key=posted.a_key(id="{id}")), instance=name_of("acme")
)
ROW = {"id": "acme", "status": "active", "updated_at": "2026-01-01T00:00:00Z"}
CHANGE = {"type": "UPDATE", "table": "tenants", "record": ROW}
WORK = {
    "ensure_instance": Work(Calls(reads=1, server=True), "POST", body="{}"),
    "receive_webhook": Work(Calls(commits=1), "POST", body=json.dumps(SAID)),
    "instances": Work(Calls(reads=1, queries=1), "GET"),
    "conversations": Work(Calls(reads=1, queries=1), "GET"),
    "send_message": Work(
        Calls(reads=2, commits=2, server=True),
        "POST",
        body='{"conversation": "{conversation}", "text": "oi"}',
    ),
    "events": Work(Calls(reads=1, queries=4), "GET", tenant=QUIET),
    "endpoints": Work(Calls(reads=1, queries=1), "GET"),
    "deliver_events": Work(Calls(queries=1), "POST"),
    "store_media": Work(Calls(queries=2), "POST"),
    "fleet": Work(Calls(reads=3, queries=7), "GET"),
    "openapi": Work(Calls(), "GET"),
    "sweep_capacity": Work(Calls(reads=5, queries=9, commits=5, server=True), "POST"),
    "sweep_orphans": Work(Calls(reads=1, queries=6, server=True), "POST", "?dry=1"),
    "console": Work(Calls(), "GET", "/"),
    "tenant_feed": Work(
        Calls(reads=1),
        "POST",
        body=json.dumps(CHANGE),
    ),
}

IMPORTS = {
    "the framework and its server": "functions_framework.aio, uvicorn_worker",
    "Firestore's client": "google.cloud.firestore",
    "Pydantic": "pydantic.main, pydantic.networks",
    "msgspec": "msgspec",
    "PyJWT": "jwt",
    "our settings": "shared.config",
    "what messages can say": "shared.domain.content",
    "all others of ours": "functions.receive_webhook",
}


class Start(NamedTuple):
    """Milliseconds to the first answer of any kind, and to one that did its work.

    And what its processes had used by then: CPU in milliseconds, memory in MiB.
    """

    answered: float
    worked: float
    cpu: float
    mib: float


class Pair(NamedTuple):
    """A start of a function, and one of its bare function just before."""

    ours: Start
    bare: Start


async def run(place: Path) -> Sequence[Table]:
    """Start every function next to its bare one, in rounds."""
    for folder in ("functions", "shared", "tests/benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    pairs: dict[str, list[Pair]] = {name: [] for name in WORK}
    async with open_stage(place, 1) as stage:
        await send.start_conversation(stage, QUIET, "5511999990002")
        conversation = await send.start_conversation(stage)
        await stage.set_faults(webhook_lost=True)  # the echo of what is sent
        for _ in range(ROUNDS):  # the machine's pace changes within minutes: all meet all of it
            for name, work in WORK.items():
                bare = await _measure_bare(stage, work.calls)
                pairs[name].append(Pair(await _measure_ours(stage, name, conversation), bare))
    title = (
        "From the start of a function's process to its first answer, and to the first that did its"
        f" work, medians of {ROUNDS} starts; bare: of a function without our logic that makes the"
        " same calls"
    )
    columns = (
        "function", "its calls", "first answer ms", "first that worked ms", "bare ms", "× bare",
        "CPU ms", "CPU × bare", "memory MiB",
    )  # fmt: skip
    return [Table(title, columns, summarize_pairs(pairs)), _measure_imports()]


def _measure_imports() -> Table:
    """Measure what the imports of a function take, one after the other in one process."""
    steps = list(zip(*(_time_imports() for _ in range(ROUNDS)), strict=True))
    middles = [statistics.median(step) for step in steps]
    rows = [
        [title, round(middle), round(sum(middles[: at + 1]))]
        for at, (title, middle) in enumerate(zip(IMPORTS, middles, strict=True))
    ]
    title = f"What receive_webhook imports at its start, medians of {ROUNDS} starts"
    return Table(title, ("import", "CPU ms", "so far"), rows)


def _time_imports() -> list[float]:
    """Return the CPU milliseconds of each import in a new process."""
    imports = (f"import {modules}; print(process_time() * 1000)" for modules in IMPORTS.values())
    code = "\n".join(("from time import process_time", "print(process_time() * 1000)", *imports))
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    return [after - before for before, after in pairwise(map(float, run.stdout.split()))]


def summarize_pairs(pairs: Mapping[str, Sequence[Pair]]) -> list[list[Cell]]:
    """Summarize each function's starts, and those of bare ones: medians, also of ratios."""
    return [_summarize(name, several) for name, several in pairs.items()]


def _summarize(name: str, pairs: Sequence[Pair]) -> list[Cell]:
    def compare(read: Callable[[Start], float]) -> float:
        return round(statistics.median(read(pair.ours) / read(pair.bare) for pair in pairs), 2)

    answered, worked, cpu = (
        round(statistics.median(pair.ours[at] for pair in pairs)) for at in range(3)
    )
    bare = round(statistics.median(pair.bare.worked for pair in pairs))
    return [
        name, str(WORK[name].calls), answered, worked, bare, compare(lambda start: start.worked),
        cpu, compare(lambda start: start.cpu), round(max(pair.ours.mib for pair in pairs)),
    ]  # fmt: skip


async def _measure_bare(stage: Stage, calls: Calls) -> Start:
    def build(port: int) -> bytes:
        return load.build_request(port, "GET", calls.path, b"")

    return await _measure_start(stage, calls.bare, BARE_START, "/bare", build)


async def _measure_ours(stage: Stage, name: str, conversation: str) -> Start:
    def build(port: int) -> bytes:
        secret = stage.environment()["WEBHOOK_SECRET"]
        request = describe_work(name, secret, conversation)
        return load.build_request(
            port, request["method"], request["url"], request["content"], **request["headers"]
        )

    path = _find_path(name)
    return await _measure_start(stage, name, f"functions/{name}.py", path, build)


async def _measure_start(
    stage: Stage, target: str, source: str, path: str, build: Callable[[int], bytes]
) -> Start:
    began = time.perf_counter()
    with served.serve_function(stage, target, source, **SETTINGS) as process:
        unknown = load.build_request(process.port, "GET", f"{path}/nowhere/at/all/of/it", b"")
        await _wait_for_status(process.port, unknown)  # only a loaded function can refuse it
        answered = time.perf_counter() - began
        status = await _wait_for_status(process.port, build(process.port))
        worked = time.perf_counter() - began
        assert status < 300, (target, status)
        return Start(answered * 1000, worked * 1000, process.cpu * 1000, process.peak_mib)


async def _wait_for_status(port: int, message: bytes) -> int:
    while True:
        try:
            return await load.send_once(port, message)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.002)


def describe_work(name: str, secret: str, conversation: str) -> dict[str, Any]:
    """Describe a function's first request: method, url, headers, content."""
    work, serial = WORK[name], uuid.uuid4().hex
    body = work.body.replace("{conversation}", conversation).replace("{id}", serial)
    headers = {
        "authorization": f"Bearer {token(work.tenant, operator=True)}",
        "idempotency-key": serial,
        webhook_token.HEADER: jwt.encode({"sub": name_of("acme"), "born": 0}, secret, "HS256"),
        auth.FEED_HEADER: SETTINGS["TENANT_FEED_SECRET"],
    }
    url = _find_path(name) + work.path
    return {"method": work.method, "url": url, "headers": headers, "content": body.encode()}


def _find_path(name: str) -> str:
    return deployment.load_function_map().functions[name].path
