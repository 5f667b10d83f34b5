"""A function on the framework's own server, as the platform starts it."""

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

from infra.local.children import free_port
from tests.benchmarks import load
from tests.proofs.stage import KEY, Stage

ROOT = Path(__file__).parent.parent.parent
BARE = "tests/benchmarks/bare.py"


@dataclass(frozen=True)
class Served:
    """One process of it: a master, and the worker that answers."""

    port: int
    master: int

    @property
    def peak_mib(self) -> float:
        """The most memory that its worker has held."""
        children = Path(f"/proc/{self.master}/task/{self.master}/children").read_text().split()
        held = [Path(f"/proc/{child}/status").read_text() for child in children]
        return max(int(re.findall(r"VmHWM:\s*(\d+)", each)[0]) for each in held) / 1024


@contextlib.contextmanager
def served(stage: Stage, target: str, source: str, **settings: str) -> Iterator[Served]:
    """One process that serves the function, until the end of the `with`."""
    port = free_port()
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


async def until_answered(port: int, message: bytes) -> None:
    """The function has said yes."""
    while True:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await load.once(port, message) < 300:
                return
        await asyncio.sleep(0.005)
