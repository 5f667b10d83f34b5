"""Serve a function on the framework's own server, as the platform starts it."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from infra.local.children import find_free_port
from tests.benchmarks import load
from tests.benchmarks.cpu import list_children, read_cpu
from tests.proofs.stage import KEY, Stage

ROOT = Path(__file__).parent.parent.parent
BARE, BARE_START = "tests/benchmarks/bare.py", "tests/benchmarks/bare_start.py"


@dataclass(frozen=True)
class Served:
    """A served function: its port, and its master process, whose child is the worker."""

    port: int
    master: int

    @property
    def cpu(self) -> float:
        """Return the seconds that both processes have computed."""
        return read_cpu([self.master, *list_children(self.master)])

    @property
    def peak_mib(self) -> float:
        """Return the most memory that its worker has held, in MiB."""
        workers = list_children(self.master)
        statuses = [Path(f"/proc/{worker}/status").read_text() for worker in workers]
        return max(int(re.findall(r"VmHWM:\s*(\d+)", status)[0]) for status in statuses) / 1024


@contextlib.contextmanager
def serve_function(
    stage: Stage, target: str, source: str, port: int | None = None, **settings: str
) -> Iterator[Served]:
    """Serve the function with one process until the end of the `with`; at a free port if None."""
    port = port or find_free_port()
    environment = {
        **stage.environment(),
        "FUNCTION_TARGET": target,
        "FUNCTION_SOURCE": source,
        "PYTHONPATH": str(ROOT),
        "PORT": str(port),
        "PYTHONDONTWRITEBYTECODE": "",  # the platform compiles at build time
        "EVOLUTION_URL": f"http://127.0.0.1:{stage.evolution_port}",
        "EVOLUTION_API_KEY": KEY,
        **settings,
    }
    command = [str(Path(sys.executable).parent / "functions-framework")]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield Served(port, process.pid)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


async def wait_until_answered(port: int, message: bytes) -> None:
    """Repeat the request until its status is a success."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await load.send_once(port, message) < 300:
                return
        await asyncio.sleep(0.005)
