"""How long each function takes from its start to its first answer, and what memory it holds then.

Each is started as the platform does, with its files compiled. Beside it, in the same run, a
function that only answers: the machine decides the times, the ratio says what is ours.
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
from tests.proofs.stage import Stage, staged

ROUNDS = 5
SAID = b'{"event": "connection.update", "instance": "instance_acme", "data": {"state": "open"}}'


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
    "receive_webhook": ("POST", "", SAID),
    "fleet": ("GET", "", b""),
    "sweep_capacity": ("POST", "", b""),
    "sweep_orphans": ("POST", "?dry=1", b""),
}
"""What makes each do its work; the others have nothing but their first answer."""


async def run(place: Path) -> None:
    """Prints a line for each function."""
    for folder in ("functions", "shared", "tests/benchmarks"):
        compileall.compile_dir(ROOT / folder, quiet=1)
    sources = {"bare": BARE}
    sources |= {name: f"functions/{name}.py" for name in deployment.deployed().functions}
    async with staged(place, 1) as stage:
        line = await stage.converged("acme")
        await stage.scan(line["instance"], "5511999990001")
        rounds = [
            {name: await _start(stage, name, source) for name, source in sources.items()}
            for _ in range(ROUNDS)
        ]
    print(f"from the start of the process, medians of {ROUNDS} rounds")
    print(f"{'':18}{'first answer':>20}{'first that worked':>20}{'memory':>12}")
    for name in sources:
        _tell(name, [each[name] for each in rounds], [each["bare"] for each in rounds])


def _tell(name: str, starts: list[Start], bare: list[Start]) -> None:
    """The ratios are of each round's own bare start."""
    told = f"{name:18}"
    for field in ("answered", "worked"):
        took = [getattr(each, field) for each in starts]
        ratios = [one / other.answered for one, other in zip(took, bare, strict=True)]
        told += f"{statistics.median(took) * 1000:11.0f} ms {statistics.median(ratios):4.1f}x"
    print(f"{told}{max(each.mib for each in starts):8.0f} MiB")


async def _start(stage: Stage, name: str, source: str) -> Start:
    began = time.perf_counter()
    with served.served(stage, name, source, AUTH_OPERATOR_CLAIM="operator") as process:
        await _until(process.port, _nothing(name, process.port))
        answered = time.perf_counter() - began
        if name in REQUESTS:
            status = await _until(process.port, _work(stage, name, process.port))
            assert status not in (401, 403, 405), (name, status)
        worked = time.perf_counter() - began
        return Start(answered, worked, process.peak_mib)


async def _until(port: int, message: bytes) -> int:
    while True:
        try:
            status = await load.once(port, message)
        except (OSError, asyncio.IncompleteReadError):
            await asyncio.sleep(0.002)
            continue
        assert status < 500, status
        return status


def _nothing(name: str, port: int) -> bytes:
    """A path of nobody's: the function has to be there to say so."""
    return load.request(port, "GET", f"{_path(name)}/nowhere/at/all/of/it", b"")


def _work(stage: Stage, name: str, port: int) -> bytes:
    method, path, said = REQUESTS[name]
    secret = stage.environment()["WEBHOOK_SECRET"]
    signed = jwt.encode({"sub": "instance_acme", "born": 1}, secret, "HS256")
    bearer = f"Bearer {token('acme', operator=True)}"
    headers = {"authorization": bearer, "x_webhook_token": signed}
    return load.request(port, method, _path(name) + path, said, **headers)


def _path(name: str) -> str:
    return deployment.deployed().functions[name].path if name != "bare" else ""
