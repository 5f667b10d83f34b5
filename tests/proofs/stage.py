"""Real processes for the proofs: callers, a simulated server, the emulator, and their clock."""

import asyncio
import contextlib
import functools
import itertools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import httpx
from google.cloud import firestore

from infra.local.children import free_port
from shared.domain.instances import LEASE
from tests.perene import AUDIENCE, ISSUER, SECRET, token
from tests.proofs.caller import serve

KEY = "key-of-the-proofs"
READY_WITHIN = 120.0
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.proofs.caller"])
DUTY = 0.05
"""Seconds in which throttled processes run, and in which they don't."""


def times(few: int, full: int) -> int:
    """How often a proof is repeated: `make prove` asks for the full count."""
    return full if os.environ.get("PROOF") == "full" else few


class Stage:
    """A deployment in several processes."""

    def __init__(self, place: Path, version: str, instance_max: int = 100, **settings: str) -> None:
        self.place = place
        self.instance_max = instance_max
        self.version = version
        self.project = f"p-{uuid.uuid4().hex[:20]}"
        self.evolution_port = free_port()
        self.ports: list[int] = []
        self.processes: list[subprocess.Popen[bytes]] = []
        self.callers: list[ForkServerProcess] = []
        self.clock = place / "clock"
        self.clock.write_text("0")
        self.settings = settings
        limits = httpx.Limits(max_connections=400)
        self.http = httpx.AsyncClient(timeout=60, limits=limits)
        self.serial = itertools.count()

    # Processes -------------------------------------------------------------------------------

    async def start(self, callers: int, *options: str) -> None:
        """A simulated server and so many callers (with these options) are ready."""
        port = str(self.evolution_port)
        self._run(
            "infra.local.simulator", "--port", port, "--api-key", KEY, "--version", self.version,
            "--quick",
        )  # fmt: skip
        await self._ready(self.evolution_port, "/simulator/state")
        first = free_port()
        self.public_port = first
        await asyncio.gather(
            *(self.caller(*options, port=first if index == 0 else None) for index in range(callers))
        )

    async def caller(self, *options: str, port: int | None = None) -> tuple[int, ForkServerProcess]:
        """One more process serves the functions; its port and itself."""
        port = port or free_port()
        given = ("--port", str(port), "--clock", str(self.clock), *options)
        log = self.place / f"caller-{len(self.callers)}.log"
        process = FORKS.Process(target=serve, args=(given, self.environment(), log), daemon=True)
        process.start()
        self.callers.append(process)
        await self._ready(port, "/openapi.json")
        self.ports.append(port)
        return port, process

    def stop(self) -> None:
        """Nothing of ours is left."""
        for process in (*self.processes, *self.callers):
            process.kill()
        for process in self.processes:
            process.wait()
        for caller in self.callers:
            caller.join()

    def environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "EVOLUTION_SERVERS": f'[{{"id": "main", "url": "http://127.0.0.1:{self.evolution_port}",'
            f' "api_key": "{KEY}", "version": "{self.version}", "instance_max":'
            f" {self.instance_max}}}]",
            "PUBLIC_URL": f"http://127.0.0.1:{self.public_port}",
            "WEBHOOK_SECRET": "the webhooks' secret of the proofs",
            "AUTH_ISSUER": ISSUER,
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_HS256_SECRET": SECRET,
            "GOOGLE_CLOUD_PROJECT": self.project,
            **self.settings,
        }

    async def warm(self) -> None:
        """Every caller, and the emulator, has done all that a line takes once.

        What comes then tells how long it takes, not how long a start does.
        """
        for number, port in enumerate(self.ports):
            await self.ensure(f"warm-{number}", port)
            await self.call("DELETE", "/instances/default", f"warm-{number}", port)

    @contextlib.contextmanager
    def throttled(self) -> Iterator[None]:
        """All processes share one core, if the system can say so, and get half of its time."""
        over = threading.Event()
        for process in self._pids():
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process, {min(os.sched_getaffinity(0))})
        throttle = threading.Thread(target=self._halve, args=[over])
        throttle.start()
        try:
            yield
        finally:
            over.set()
            throttle.join()

    def _pids(self) -> list[int]:
        """List the simulated server's and the callers' processes."""
        return [
            *(process.pid for process in self.processes),
            *(caller.pid for caller in self.callers if caller.pid),
        ]

    def _halve(self, over: threading.Event) -> None:
        while not over.wait(DUTY):
            for sign, seconds in ((signal.SIGSTOP, DUTY), (signal.SIGCONT, 0)):
                for process in self._pids():
                    os.kill(process, sign)
                time.sleep(seconds)

    # Verbs -----------------------------------------------------------------------------------

    async def call(
        self, method: str, path: str, tenant: str, port: int | None = None, **more: Any
    ) -> httpx.Response:
        """A request to one of the callers, each in turn unless a port is given."""
        port = port or self.ports[next(self.serial) % len(self.ports)]
        headers = {"authorization": f"Bearer {token(tenant)}", **more.pop("headers", {})}
        url = f"http://127.0.0.1:{port}{path}"
        return await self.http.request(method, url, headers=headers, **more)

    async def ensure(self, tenant: str, port: int | None = None) -> httpx.Response:
        return await self.call("POST", "/ensure-instance", tenant, port, json={})

    async def ensure_many(self, tenants: Sequence[str]) -> list[httpx.Response]:
        """All at once, spread over all callers."""
        return await asyncio.gather(*map(self.ensure, tenants))

    async def converged(self, tenant: str, looks: int = 40) -> dict[str, Any]:
        """What the line is once nobody is at it any more; after so many looks time passes."""
        for _ in range(looks):
            answer = await self.ensure(tenant)
            if answer.status_code == 200:
                line: dict[str, Any] = answer.json()
                return line
            await asyncio.sleep(0.05)
        self.pass_a_lease()
        answer = await self.ensure(tenant)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def pass_a_lease(self, lease: timedelta = LEASE) -> None:
        """Every lease given until now is over."""
        self.pass_time(lease.total_seconds() + 1)

    def pass_time(self, seconds: float) -> None:
        """So much later."""
        ahead = float(self.clock.read_text()) + seconds
        scratch = self.clock.with_suffix(".new")
        scratch.write_text(str(ahead))
        scratch.rename(self.clock)

    async def fault(self, **switches: Any) -> None:
        """The simulated server does wrong as said, and only so (the create race stays on)."""
        off = dict.fromkeys((await self._simulator("GET", "/faults"))["on"], False)
        await self._simulator("PUT", "/faults", off | {"destructive_race": True} | switches)

    async def simulated(self) -> dict[str, Any]:
        """The state of the simulated server."""
        return await self._simulator("GET", "/state")

    async def quiet(self) -> None:
        """Nothing that the simulated server has to post is under way."""
        for _ in range(600):
            state = await self.simulated()
            if not state["deliveries"]["outcomes"].get("pending"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the server never has posted everything")

    async def received(self, name: str, sender: str, text: str) -> None:
        """A contact wrote."""
        body = {"from": sender, "text": text}
        await self._simulator("POST", f"/instances/{name}/receive", body)

    async def scan(self, name: str, number: str) -> None:
        await self._simulator("POST", f"/instances/{name}/scan", {"number": number})

    @functools.cached_property
    def database(self) -> firestore.Client:
        return firestore.Client(project=self.project)

    def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        return {
            found.id: found.to_dict() for found in self.database.collection(collection).stream()
        }

    def taken(self, server: str) -> int:
        """How many slots of a server are taken."""
        return len(self.documents(f"servers/{server}/slots"))

    # How -------------------------------------------------------------------------------------

    async def _simulator(self, method: str, path: str, body: Any = None) -> Any:
        url = f"http://127.0.0.1:{self.evolution_port}/simulator{path}"
        answer = await self.http.request(method, url, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def _run(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        log = (self.place / f"{module}-{len(self.processes)}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdout=log,
                stderr=log,
            )
        self.processes.append(process)
        return process

    async def _ready(self, port: int, path: str) -> None:
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                await self.http.get(f"http://127.0.0.1:{port}{path}")
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing answers on port {port}")


@contextlib.asynccontextmanager
async def staged(
    place: Path,
    callers: int = 4,
    version: str = "2.3.6",
    *,
    instance_max: int = 100,
    options: Sequence[str] = (),
    **settings: str,
) -> AsyncIterator[Stage]:
    """A stage that is gone afterwards."""
    stage = Stage(place, version, instance_max, **settings)
    try:
        await stage.start(callers, *options)
        yield stage
    finally:
        stage.stop()
        await stage.http.aclose()
