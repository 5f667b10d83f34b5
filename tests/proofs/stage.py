"""Run real processes for the proofs: callers, a simulated server, and their shared clock."""

import asyncio
import contextlib
import functools
import itertools
import multiprocessing
import os
import signal
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import timedelta
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any, TypeVar
from unittest import mock

import httpx
from google.cloud import firestore

from infra.local import emulator
from infra.local.children import IDLE_SECONDS, find_free_port
from infra.local.emulator import HOST_VARIABLE, Emulator
from shared.domain.instances import LEASE
from tests.perene import AUDIENCE, ISSUER, SECRET, token
from tests.proofs.caller import serve, simulate
from tests.stack import processes

KEY = "key-of-the-proofs"
READY_WITHIN = 120.0
CRASHES_WITHIN = 5.0
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.proofs.caller"])
T = TypeVar("T")
DUTY = 0.05
"""Seconds for which throttled processes run, and then stand still."""


def times(few: T, full: T) -> T:
    """Return how often a proof is repeated: `make prove` asks for the full count."""
    return full if os.environ.get("PROOF") == "full" else few


class Stage:
    """A deployment in several processes."""

    def __init__(self, place: Path, version: str, instance_max: int = 100, **settings: str) -> None:
        self.place = place
        self.instance_max = instance_max
        self.version = version
        self.project = f"p-{uuid.uuid4().hex[:20]}"
        self.evolution_port = find_free_port()
        self.ports: list[int] = []
        self.simulator: ForkServerProcess | None = None
        self.callers: list[ForkServerProcess] = []
        self.clock = place / "clock"
        self.clock.write_text("0")
        self.settings = settings
        limits = httpx.Limits(max_connections=400, keepalive_expiry=IDLE_SECONDS - 15)
        self.http = httpx.AsyncClient(timeout=60, limits=limits, verify=False)
        self.serial = itertools.count()
        self.sign: Callable[..., str] = token
        """Signs a token, of a subject and with more claims."""

    # Processes -------------------------------------------------------------------------------

    async def start(self, callers: int, *options: str) -> None:
        """Start a simulated server and that many callers, with these options, and await them."""
        await self.start_simulator()
        first = find_free_port()
        self.public_port = first
        await asyncio.gather(
            *(
                self.start_caller(*options, port=first if index == 0 else None)
                for index in range(callers)
            )
        )

    async def start_simulator(self) -> None:
        """Start the simulated server, with the database that one before it left when it crashed."""
        arguments = [
            "--port", str(self.evolution_port), "--api-key", KEY, "--version", self.version,
            "--quick", "--data", str(self.place / "simulator"), "--save-at-crash",
        ]  # fmt: skip
        self.simulator = self._fork(simulate, arguments, self.place / "simulator.log")
        await self.wait_until_ready(self.evolution_port, "/simulator/state")

    async def crash_simulator(self) -> None:
        """Let the simulated server die: connections break, and only its database is left."""
        assert self.simulator
        while self.simulator.is_alive():  # a request may be lost
            with contextlib.suppress(httpx.HTTPError):
                await self.call_simulator("POST", "/crash")
            await asyncio.to_thread(self.simulator.join, CRASHES_WITHIN)

    async def start_caller(
        self, *options: str, port: int | None = None
    ) -> tuple[int, ForkServerProcess]:
        """Start one more process that serves the functions; return its port and itself."""
        port = port or find_free_port()
        arguments = ("--port", str(port), "--clock", str(self.clock), *options)
        log = self.place / f"caller-{len(self.callers)}.log"
        process = self._fork(serve, arguments, self.environment(), log)
        self.callers.append(process)
        await self.wait_until_ready(port, "/openapi.json")
        self.ports.append(port)
        return port, process

    async def wait_until_ready(self, port: int, path: str) -> None:
        """Wait until a process answers at this port of the machine, whatever it answers."""
        deadline = time.monotonic() + READY_WITHIN
        while time.monotonic() < deadline:
            with contextlib.suppress(httpx.HTTPError):
                await self.http.get(f"http://127.0.0.1:{port}{path}")
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"nothing answers on port {port}")

    def stop(self) -> None:
        """Kill every process of the stage, and wait for its end."""
        for process in self._processes():
            process.kill()
        for process in self._processes():
            process.join()

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
        """Make every caller, and the emulator, do once all that a line takes.

        What comes then tells how long it takes, not how long a start does.
        """
        for number, port in enumerate(self.ports):
            await self.ensure(f"warm-{number}", port)
            await self.call("DELETE", "/instances/default", f"warm-{number}", port)

    @contextlib.contextmanager
    def throttled(self) -> Iterator[None]:
        """Give all processes half of the time of one core, if the system can pin them to it."""
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

    def _processes(self) -> list[ForkServerProcess]:
        """List the simulated server's process, if it was started, and the callers'."""
        return [*([self.simulator] if self.simulator else []), *self.callers]

    def _pids(self) -> list[int]:
        return [process.pid for process in self._processes() if process.pid]

    def _halve(self, over: threading.Event) -> None:
        while not over.wait(DUTY):
            for sign, seconds in ((signal.SIGSTOP, DUTY), (signal.SIGCONT, 0)):
                for process in self._pids():
                    os.kill(process, sign)
                time.sleep(seconds)

    # Actions ---------------------------------------------------------------------------------

    async def call(
        self, method: str, path: str, tenant: str, port: int | None = None, **more: Any
    ) -> httpx.Response:
        """Send a request to the callers in turn, or to the one at `port`."""
        port = port or self.ports[next(self.serial) % len(self.ports)]
        headers = {"authorization": f"Bearer {self.sign(tenant)}", **more.pop("headers", {})}
        url = f"http://127.0.0.1:{port}{path}"
        return await self.http.request(method, url, headers=headers, **more)

    async def ensure(self, tenant: str, port: int | None = None) -> httpx.Response:
        return await self.call("POST", "/ensure-instance", tenant, port, json={})

    async def ensure_many(self, tenants: Sequence[str]) -> list[httpx.Response]:
        """Ensure the lines of all tenants at once, spread over all callers."""
        return await asyncio.gather(*map(self.ensure, tenants))

    async def wait_for_line(self, tenant: str, looks: int = 40) -> dict[str, Any]:
        """Return the line once no caller is changing it; expire leases after that many looks."""
        for _ in range(looks):
            answer = await self.ensure(tenant)
            if answer.status_code == 200:
                line: dict[str, Any] = answer.json()
                return line
            await asyncio.sleep(0.05)
        self.expire_leases()
        answer = await self.ensure(tenant)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def expire_leases(self, lease: timedelta = LEASE) -> None:
        """Let every lease that was granted until now expire."""
        self.pass_time(lease.total_seconds() + 1)

    def pass_time(self, seconds: float) -> None:
        """Move the callers' clock forwards."""
        ahead = float(self.clock.read_text()) + seconds
        draft = self.clock.with_suffix(".new")
        draft.write_text(str(ahead))
        draft.rename(self.clock)

    async def set_faults(self, **switches: Any) -> None:
        """Turn on these faults of the simulated server and no others; the create race stays on."""
        off = dict.fromkeys((await self.call_simulator("GET", "/faults"))["on"], False)
        await self.call_simulator("PUT", "/faults", off | {"destructive_race": True} | switches)

    async def read_simulator_state(self) -> dict[str, Any]:
        """Return the state of the simulated server."""
        return await self.call_simulator("GET", "/state")

    async def wait_until_posted(self) -> None:
        """Wait until the simulated server has no delivery under way."""
        for _ in range(600):
            state = await self.read_simulator_state()
            if not state["deliveries"]["outcomes"].get("pending"):
                return
            await asyncio.sleep(0.05)
        raise AssertionError("the server never finished its deliveries")

    async def receive_text(self, name: str, sender: str, text: str) -> None:
        """Let a contact write to an instance."""
        body = {"from": sender, "text": text}
        await self.call_simulator("POST", f"/instances/{name}/receive", body)

    async def scan(self, name: str, number: str) -> None:
        await self.call_simulator("POST", f"/instances/{name}/scan", {"number": number})

    @functools.cached_property
    def database(self) -> firestore.Client:
        return firestore.Client(project=self.project)

    def documents(self, collection: str) -> dict[str, dict[str, Any]]:
        return {
            document.id: document.to_dict()
            for document in self.database.collection(collection).stream()
        }

    def taken(self, server: str) -> int:
        """Count the occupied slots of a server."""
        return len(self.documents(f"servers/{server}/slots"))

    # Internals -------------------------------------------------------------------------------

    async def call_simulator(self, method: str, path: str, body: Any = None) -> Any:
        url = f"http://127.0.0.1:{self.evolution_port}/simulator{path}"
        answer = await self.http.request(method, url, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def _fork(self, target: Callable[..., None], *arguments: Any) -> ForkServerProcess:
        process = FORKS.Process(target=target, args=arguments, daemon=True)
        process.start()
        return process


@contextlib.asynccontextmanager
async def open_stage(
    place: Path,
    callers: int = 4,
    version: str = "2.3.6",
    *,
    instance_max: int = 100,
    options: Sequence[str] = (),
    **settings: str,
) -> AsyncIterator[Stage]:
    """Start a stage, and stop it after the `with`."""
    stage = Stage(place, version, instance_max, **settings)
    try:
        await stage.start(callers, *options)
        yield stage
    finally:
        stage.stop()
        await stage.http.aclose()


@contextlib.contextmanager
def paused(database: Emulator) -> Iterator[None]:
    """Stop the emulator's processes during the `with`; its keeper, which must end it, runs on."""
    assert database.child
    keeper = database.child.process.pid
    pids = [pid for pid in processes.list_session(keeper) if pid != keeper]
    try:
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


@contextlib.contextmanager
def open_database(place: Path, data: Path | None = None) -> Iterator[Emulator]:
    """Start an emulator for one run, because one that others share must not be paused."""
    with mock.patch.dict(os.environ):
        os.environ.pop(HOST_VARIABLE, None)
        database = emulator.start(place / "emulator.log", data=data)
        os.environ[HOST_VARIABLE] = database.host
        try:
            yield database
        finally:
            database.stop()
