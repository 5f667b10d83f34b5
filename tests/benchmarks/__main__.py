"""`make bench`: ensure on an open line, and cold start, against bare functions in the same run."""

import asyncio
import contextlib
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.local import emulator
from infra.local.children import free_port
from tests.benchmarks import load
from tests.perene import token
from tests.proofs.stage import KEY, Stage, staged

ROOT = Path(__file__).parent.parent.parent
BARE = "tests/benchmarks/bare.py"
FUNCTIONS = {
    "bare": BARE,
    "same_io": BARE,
    "ensure_instance": "functions/ensure_instance.py",
}
ROUNDS, SECONDS = 3, 3.0
IN_FLIGHT = (1, 16)
STARTS = 7


def main() -> None:
    """Prints the figures."""
    with emulator.running() as host, TemporaryDirectory() as place:
        os.environ["FIRESTORE_EMULATOR_HOST"] = host
        asyncio.run(_benchmarks(Path(place)))


async def _benchmarks(place: Path) -> None:
    async with staged(place, 1) as stage:
        line = await stage.converged("acme")
        await stage.scan(line["instance"], "5511999990001")
        while (await stage.converged("acme"))["state"] != "open":
            await asyncio.sleep(0.05)
        await _throughput(stage)
        await _cold_starts(stage)


async def _throughput(stage: Stage) -> None:
    print(f"ensure on an open line, best of {ROUNDS} × {SECONDS:.0f} s, one process each")
    print(f"{'':24}{'in flight':>10}{'req/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'of same I/O':>14}")
    for in_flight in IN_FLIGHT:
        best = {target: await _best(stage, target, in_flight) for target in FUNCTIONS}
        for target, figures in best.items():
            share = figures.per_second / best["same_io"].per_second
            print(
                f"{target:24}{in_flight:>10}{figures.per_second:>10.0f}"
                f"{figures.p50:>10.1f}{figures.p99:>10.1f}{share:>14.2f}"
            )


async def _best(stage: Stage, target: str, in_flight: int) -> load.Figures:
    with _served(stage, target) as port:
        message = _message(port)
        await _until_answered(port, message)
        rounds = [await load.measure(port, message, in_flight, SECONDS) for _ in range(ROUNDS)]
    return max(rounds, key=lambda figures: figures.per_second)


async def _cold_starts(stage: Stage) -> None:
    print(f"\ncold start, process start to first answer, median of {STARTS}")
    bare = 0.0
    for target in FUNCTIONS:
        took = statistics.median([await _cold_start(stage, target) for _ in range(STARTS)])
        bare = bare or took
        print(f"{target:24}{took * 1000:>10.0f} ms{took / bare:>10.2f} × bare")


async def _cold_start(stage: Stage, target: str) -> float:
    started = time.monotonic()
    with _served(stage, target) as port:
        await _until_answered(port, _message(port))
        return time.monotonic() - started


def _message(port: int) -> bytes:
    return load.request(port, "POST", "/", token("acme"), b"{}")


@contextlib.contextmanager
def _served(stage: Stage, target: str) -> Iterator[int]:
    """The function, by the framework's own server, as the platform starts it."""
    port = free_port()
    environment = {
        **stage.environment(),
        "FUNCTION_TARGET": target,
        "FUNCTION_SOURCE": FUNCTIONS[target],
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "PYTHONDONTWRITEBYTECODE": "",  # the platform compiles at build time
        "EVOLUTION_URL": f"http://127.0.0.1:{stage.evolution_port}",
        "EVOLUTION_API_KEY": KEY,
    }
    command = [str(Path(sys.executable).parent / "functions-framework")]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield port
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def _until_answered(port: int, message: bytes) -> None:
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await load.once(port, message) == 200:
                return
        await asyncio.sleep(0.005)


if __name__ == "__main__":
    main()
