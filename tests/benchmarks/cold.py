"""Measure the time from a function's start to its first answer, its CPU, and its memory by then.

Functions are started as the platform does, with compiled files. Just before each start, a bare
function starts: without our logic, with one read, and one call to a server where the first request
of the function makes one. Times depend on the machine, the ratio to the bare function hardly does.
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
from pathlib import Path
from typing import NamedTuple

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
}


class Work(NamedTuple):
    """The first request of a function, and the bare function that does as much I/O at least.

    `{conversation}` in `body` stands for a conversation to answer in, `{id}` for a new id.
    """

    bare: str
    method: str
    path: str = ""
    body: str = ""


SAID = posted.an_event(
    "messages.upsert", posted.a_message(key=posted.a_key(id="{id}")), instance=name_of("acme")
)
ROW = {"id": "acme", "status": "active", "updated_at": "2026-01-01T00:00:00Z"}
WORK = {
    "ensure_instance": Work("read_and_call", "POST", body="{}"),
    "instances": Work("one_read", "GET"),
    "conversations": Work("one_read", "GET"),
    "send_message": Work(
        "read_and_call", "POST", body='{"conversation": "{conversation}", "text": "oi"}'
    ),
    "events": Work("one_read", "GET"),
    "endpoints": Work("one_read", "GET"),
    "deliver_events": Work("one_read", "POST"),
    "store_media": Work("one_read", "POST"),
    "receive_webhook": Work("one_read", "POST", body=json.dumps(SAID)),
    "fleet": Work("one_read", "GET"),
    "openapi": Work("no_io", "GET"),
    "sweep_capacity": Work("read_and_call", "POST"),
    "sweep_orphans": Work("read_and_call", "POST", "?dry=1"),
    "console": Work("no_io", "GET", "/"),
    "tenant_feed": Work(
        "one_read", "POST", body=json.dumps({"type": "UPDATE", "table": "tenants", "record": ROW})
    ),
}
NEEDS = {
    "no_io": "no I/O",
    "one_read": "documents",
    "read_and_call": "documents and a server",
}
"""The bare functions, and what they need."""

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
        conversation = await send.start_conversation(stage)
        for name, work in WORK.items():
            for _ in range(ROUNDS):
                bare = await _measure_start(stage, work.bare, Work(work.bare, "GET"), conversation)
                pairs[name].append(
                    Pair(await _measure_start(stage, name, work, conversation), bare)
                )
    title = (
        "From the start of a function's process to its first answer, and to the first that did its"
        f" work, medians of {ROUNDS} starts; × bare is the ratio to a function without our logic"
        " that makes one read, and one call if the function's first request calls a server"
    )
    columns = (
        "function", "first request needs", "first answer ms", "first that worked ms", "× bare",
        "CPU ms", "CPU × bare", "memory MiB",
    )  # fmt: skip
    return [Table(title, columns, summarize_pairs(pairs)), _measure_imports()]


def _measure_imports() -> Table:
    """Measure what the imports of a function take, one after the other."""
    rows: list[list[Cell]] = []
    modules, before = [], 0.0
    for title, module in IMPORTS.items():
        modules.append(module)
        so_far = min(_measure_import(modules) for _ in range(ROUNDS))
        rows.append([title, round(so_far - before), round(so_far)])
        before = so_far
    title = f"What receive_webhook imports at its start, the least of {ROUNDS}"
    return Table(title, ("import", "CPU ms", "so far"), rows)


def _measure_import(modules: Sequence[str]) -> float:
    """Return the CPU milliseconds of a process that imports these modules."""
    code = f"import time, {', '.join(modules)}; print(time.process_time() * 1000)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True)
    return float(run.stdout)


def summarize_pairs(pairs: Mapping[str, Sequence[Pair]]) -> list[list[Cell]]:
    """Summarize each function's starts, after those of the bare ones: medians, also of ratios."""
    bares: dict[str, list[Pair]] = {bare: [] for bare in NEEDS}
    for name, several in pairs.items():
        bares[WORK[name].bare] += [Pair(pair.bare, pair.bare) for pair in several]
    return [
        *(_summarize(bare, NEEDS[bare], several) for bare, several in bares.items()),
        *(_summarize(name, NEEDS[WORK[name].bare], several) for name, several in pairs.items()),
    ]


def _summarize(name: str, needs: str, pairs: Sequence[Pair]) -> list[Cell]:
    def compare(read: Callable[[Start], float]) -> float:
        return round(statistics.median(read(pair.ours) / read(pair.bare) for pair in pairs), 2)

    answered, worked, cpu = (
        round(statistics.median(pair.ours[at] for pair in pairs)) for at in range(3)
    )
    return [
        name, needs, answered, worked, compare(lambda start: start.worked), cpu,
        compare(lambda start: start.cpu), round(max(pair.ours.mib for pair in pairs)),
    ]  # fmt: skip


async def _measure_start(stage: Stage, name: str, work: Work, conversation: str) -> Start:
    source = BARE_START if name in NEEDS else f"functions/{name}.py"
    began = time.perf_counter()
    with served.serve_function(stage, name, source, **SETTINGS) as process:
        await _wait_for_status(process.port, _build_unknown(name, process.port))
        answered = time.perf_counter() - began
        request = _build_work(stage, name, process.port, work, conversation)
        status = await _wait_for_status(process.port, request)
        worked = time.perf_counter() - began
        assert status < 300, (name, status)
        return Start(answered * 1000, worked * 1000, process.cpu * 1000, process.peak_mib)


async def _wait_for_status(port: int, message: bytes) -> int:
    while True:
        try:
            return await load.send_once(port, message)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.002)


def _build_unknown(name: str, port: int) -> bytes:
    """Build a request to an unknown path: only a loaded function can refuse it."""
    return load.build_request(port, "GET", f"{_find_path(name)}/nowhere/at/all/of/it", b"")


def _build_work(stage: Stage, name: str, port: int, work: Work, conversation: str) -> bytes:
    secret, serial = stage.environment()["WEBHOOK_SECRET"], uuid.uuid4().hex
    headers = {
        "authorization": f"Bearer {token('acme', operator=True)}",
        "idempotency-key": serial,
        webhook_token.HEADER: jwt.encode({"sub": name_of("acme"), "born": 0}, secret, "HS256"),
        auth.FEED_HEADER: SETTINGS["TENANT_FEED_SECRET"],
    }
    body = work.body.replace("{conversation}", conversation).replace("{id}", serial)
    path = _find_path(name) + work.path
    return load.build_request(port, work.method, path, body.encode(), **headers)


def _find_path(name: str) -> str:
    functions = deployment.load_function_map().functions
    return functions[name].path if name in functions else "/bare"
