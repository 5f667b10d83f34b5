"""Measure the time from a function's start to its first answer, and its memory by then.

Functions are started as the platform does, with compiled files. A function that only answers is
measured in the same run: times depend on the machine, the ratio to it doesn't.
"""

import asyncio
import compileall
import statistics
import time
from pathlib import Path
from typing import NamedTuple

import jwt

from infra import deployment
from tests.benchmarks import load, served
from tests.benchmarks.served import BARE, ROOT
from tests.perene import token
from tests.proofs.stage import Stage, open_stage

ROUNDS = 5
EVENT = b'{"event": "connection.update", "instance": "instance_acme", "data": {"state": "open"}}'


class Start(NamedTuple):
    """Seconds to the first answer of any kind, and to one that did its work; the memory then."""

    answered: float
    worked: float
    mib: float


REQUESTS = {
    "ensure_instance": ("POST", "", b"{}"),
    "instances": ("GET", "", b""),
    "conversations": ("GET", "", b""),
    "send_message": ("GET", "/a-key", b""),
    "receive_webhook": ("POST", "", EVENT),
    "fleet": ("GET", "", b""),
    "sweep_capacity": ("POST", "", b""),
    "sweep_orphans": ("POST", "?dry=1", b""),
}
"""A request with which each function does its work; the others only have a first answer."""


async def run(place: Path) -> None:
    """Print the figures."""
    for folder in ("functions", "shared", "tests/benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    sources = {"bare": BARE}
    sources |= {name: f"functions/{name}.py" for name in deployment.load_function_map().functions}
    async with open_stage(place, 1) as stage:
        line = await stage.wait_for_line("acme")
        await stage.scan(line["instance"], "5511999990001")
        rounds = [
            {name: await _measure_start(stage, name, source) for name, source in sources.items()}
            for _ in range(ROUNDS)
        ]
    print(f"from the start of the process, medians of {ROUNDS} rounds")
    print(f"{'':18}{'first answer':>20}{'first that worked':>20}{'memory':>12}")
    for name in sources:
        _print_row(name, [starts[name] for starts in rounds], [starts["bare"] for starts in rounds])


def _print_row(name: str, starts: list[Start], bare: list[Start]) -> None:
    """Print medians, and ratios to the bare start of the same round."""
    row = f"{name:18}"
    for field in ("answered", "worked"):
        took = [getattr(start, field) for start in starts]
        ratios = [seconds / other.answered for seconds, other in zip(took, bare, strict=True)]
        row += f"{statistics.median(took) * 1000:11.0f} ms {statistics.median(ratios):4.1f}x"
    print(f"{row}{max(start.mib for start in starts):8.0f} MiB")


async def _measure_start(stage: Stage, name: str, source: str) -> Start:
    began = time.perf_counter()
    with served.serve_function(stage, name, source, AUTH_OPERATOR_CLAIM="operator") as process:
        await _wait_for_status(process.port, _build_unknown(name, process.port))
        answered = time.perf_counter() - began
        if name in REQUESTS:
            status = await _wait_for_status(process.port, _build_work(stage, name, process.port))
            assert status not in (401, 403, 405), (name, status)
        worked = time.perf_counter() - began
        return Start(answered, worked, process.peak_mib)


async def _wait_for_status(port: int, message: bytes) -> int:
    while True:
        try:
            status = await load.send_once(port, message)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.002)
            continue
        assert status < 500, status
        return status


def _build_unknown(name: str, port: int) -> bytes:
    """Build a request to an unknown path: only a loaded function can refuse it."""
    return load.build_request(port, "GET", f"{_find_path(name)}/nowhere/at/all/of/it", b"")


def _build_work(stage: Stage, name: str, port: int) -> bytes:
    method, path, body = REQUESTS[name]
    secret = stage.environment()["WEBHOOK_SECRET"]
    signed = jwt.encode({"sub": "instance_acme", "born": 1}, secret, "HS256")
    bearer = f"Bearer {token('acme', operator=True)}"
    headers = {"authorization": bearer, "x_webhook_token": signed}
    return load.build_request(port, method, _find_path(name) + path, body, **headers)


def _find_path(name: str) -> str:
    return deployment.load_function_map().functions[name].path if name != "bare" else ""
