"""Start, kill and replace the processes that serve the functions, and weigh them."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import NamedTuple

from tests.proofs.stage import Stage

PATIENCE = "1.5"
"""Seconds after which a send is given up: what hangs for longer than the soak shows no more."""

SKEW = 0.5
"""Seconds by which a worker's clock may be wrong: more than those of Google's machines."""

SECRETS = ("one secret of the soak's webhooks!", "another secret of its webhooks!!")
STOPS_WITHIN = 30.0
PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / 2**20


class Weight(NamedTuple):
    """The resident memory of a worker at a moment, in seconds and MiB."""

    at: float
    mib: float


class Workers:
    """The workers: each has a port of its own, and all listen where webhooks come.

    One of them, the veteran, is never killed or replaced. Whatever signs webhooks' tokens, all
    accept both secrets, so that a deployment may sign with the other one (operations.md).
    """

    def __init__(self, stage: Stage, chance: random.Random) -> None:
        self.stage, self.chance = stage, chance
        self.processes: dict[int, ForkServerProcess] = {}
        self.veteran = 0
        self.changing = asyncio.Lock()
        self.weights: dict[int, list[Weight]] = {}
        self.overstayed = 0
        """Workers that were asked to stop, and had to be killed."""
        self._choose_secrets(*SECRETS)

    async def start_all(self, count: int) -> None:
        for _ in range(count):
            await self.start()
        self.veteran = next(iter(self.processes))

    async def start(self) -> None:
        """Start one more worker, whose clock is a little wrong."""
        skew = self.chance.uniform(-SKEW, SKEW)
        options = f"--send-patience={PATIENCE}", f"--skew={skew:.2f}"
        shared_port = f"--shared-port={self.stage.public_port}"
        port, process = await self.stage.start_caller(*options, shared_port)
        self.processes[port] = process
        self._list_ports()

    async def kill(self) -> None:
        """Kill a worker, whatever it is doing, and start another one."""
        async with self.changing:
            port = self.chance.choice(self._list_mortals())
            process = self._forget(port)
            process.kill()
            await asyncio.to_thread(process.join)
            await self.start()

    async def deploy(self, *, rotate: bool) -> None:
        """Replace all workers but the veteran: new ones take over, and the old ones finish."""
        async with self.changing:
            if rotate:
                settings = self.stage.settings
                names = "WEBHOOK_SECRET_PREVIOUS", "WEBHOOK_SECRET"
                self._choose_secrets(*(settings[name] for name in names))
            old = self._list_mortals()
            for _ in old:
                await self.start()
            for port in old:
                await self._stop(self._forget(port))

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let no worker run during the `with`."""
        processes = [*self.processes.values()]
        try:
            _signal_all(processes, signal.SIGSTOP)
            yield
        finally:
            _signal_all(processes, signal.SIGCONT)

    def weigh(self) -> None:
        """Note how much memory each worker holds."""
        for port, process in self.processes.items():
            with contextlib.suppress(OSError):
                pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[1])
                weight = Weight(time.monotonic(), pages * PAGE_MIB)
                self.weights.setdefault(port, []).append(weight)

    async def _stop(self, process: ForkServerProcess) -> None:
        process.terminate()
        await asyncio.to_thread(process.join, STOPS_WITHIN)
        if process.is_alive():
            self.overstayed += 1
            process.kill()

    def _list_mortals(self) -> list[int]:
        return [port for port in self.processes if port != self.veteran]

    def _forget(self, port: int) -> ForkServerProcess:
        process = self.processes.pop(port)
        self._list_ports()
        return process

    def _list_ports(self) -> None:
        self.stage.ports = [*self.processes]

    def _choose_secrets(self, secret: str, previous: str) -> None:
        self.stage.settings |= {"WEBHOOK_SECRET": secret, "WEBHOOK_SECRET_PREVIOUS": previous}


def _signal_all(processes: list[ForkServerProcess], number: signal.Signals) -> None:
    for process in processes:
        if process.pid and process.is_alive():
            os.kill(process.pid, number)
