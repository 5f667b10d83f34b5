"""Break what is around a deployment, and parts of it, again and again."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol
from unittest import mock

from infra.local import emulator
from infra.local.emulator import HOST_VARIABLE, Emulator
from tests.proofs.soak.load import RESIDENTS, Load
from tests.proofs.soak.neighbours import Bucket, Door, Endpoint, Issuer
from tests.proofs.soak.workers import Workers
from tests.proofs.stage import Stage, paused

SENDS = {"route": "message/*", "probability": 0.4}
FAULTS: tuple[dict[str, dict[str, Any]], ...] = (
    {},
    {"no_answer_after": SENDS},
    {"no_answer_before": SENDS},
    {"error_500_after": SENDS},
    {"error_500_before": {"probability": 0.4}},
    {"cut_after": SENDS, "cut_before": {"probability": 0.2}},
    {"slow": {"milliseconds": 300}},
    {"webhook_duplicated": {"times": 3}, "webhook_reordered": {"seconds": 0.5}},
    {"webhook_delayed": {"seconds": 1.0}, "no_answer_after": SENDS},
    {"bad_gateway": {"probability": 0.4}, "webhook_duplicated": {"times": 2}},
)
LATER_FAULTS: tuple[dict[str, dict[str, Any]], ...] = (
    {"webhook_lost": {"probability": 0.2}},
    {"down": {}},
    {"upload_fails": {"probability": 0.5}, "webhook_reordered": {"seconds": 1.0}},
)
"""What only sweeps or a person's patience mend, and a short soak doesn't wait for."""

JUMP = (5.0, 15.0)
MOST_AHEAD = 90.0
"""Seconds by which the clocks run ahead in the end: below what tells an echo from another send's
(`evidence.SKEW`), as is each jump below what leases have to spare."""


class Surroundings(Protocol):
    """What can be broken, and who has to know before it is."""

    stage: Stage
    workers: Workers
    database: Emulator
    load: Load
    door: Door
    bucket: Bucket
    issuer: Issuer | None
    endpoints: list[Endpoint]

    async def remember_posts(self) -> None:
        """Note what only the server's memory tells, before it ends."""

    async def remember_late(self) -> None:
        """Note what a restarted database doesn't know any more."""


class Kind(NamedTuple):
    """A kind of disturbance: its seconds between two of them, and what it does.

    `act` returns False if it did nothing.
    """

    shortest: float
    longest: float
    act: Callable[[], Awaitable[bool | None]]


class Chaos:
    """All that goes wrong. `pace`: by how much a short run has shorter pauses; at most 1."""

    def __init__(self, place: "Surroundings", chance: random.Random, pace: float) -> None:
        self.place, self.stage, self.workers = place, place.stage, place.workers
        self.chance, self.pace = chance, pace
        self.happened: Counter[str] = Counter()
        self.ahead = 0.0
        self.using_database, self.using_server = asyncio.Lock(), asyncio.Lock()
        self.faults = FAULTS

    def list_kinds(self, *, everything: bool) -> dict[str, Kind]:
        """List the kinds that take little time, or all."""
        few = {
            "worker killed": Kind(3, 12, self.workers.kill),
            "database stood still": Kind(4, 15, self._stand_still),
            "server failed": Kind(0.5, 3, self._fail),
        }
        if not everything:
            return few
        self.faults = FAULTS + LATER_FAULTS
        return few | {
            "database restarted": Kind(40, 80, self._restart_database),
            "server died": Kind(30, 60, self._crash_server),
            "clock jumped": Kind(20, 60, self._jump),
            "deployed": Kind(30, 60, self._deploy),
            "endpoint's secret rotated": Kind(10, 30, self._rotate_secret),
            "issuer's key rotated": Kind(20, 40, self._rotate_key),
            "bucket out of order": Kind(15, 40, self._break_bucket),
            "sweep started": Kind(10, 30, self._sweep),
        }

    async def repeat(self, name: str, kind: Kind, is_over: Callable[[], bool]) -> None:
        """Do it again and again."""
        while not is_over():
            await self._wait(kind.shortest, kind.longest)
            if await kind.act() is not False:
                self.happened[name] += 1

    async def _stand_still(self) -> None:
        async with self.using_database:
            with paused(self.place.database):
                await self._wait(1, 5)

    async def _restart_database(self) -> None:
        """Save the database's content while no worker writes, end it, and start it with that."""
        async with self.using_database, self.workers.changing:
            with self.workers.frozen():
                await asyncio.sleep(0.3)  # what left before arrives
                await self.place.remember_late()
                await asyncio.to_thread(self.place.database.stop)
            await self._wait(0.5, 2)
            self.place.database = await asyncio.to_thread(restart, self.place.database)

    async def _fail(self) -> None:
        async with self.using_server:
            await self.stage.set_faults(**self.chance.choice(self.faults))
        await self._wait(0.5, 3)

    async def _crash_server(self) -> None:
        async with self.using_server:
            await self.place.remember_posts()
            await self.stage.crash_simulator()
            await self._wait(0.5, 4)
            await self.stage.start_simulator()

    async def _jump(self) -> bool:
        seconds = self.chance.uniform(*JUMP)
        if self.ahead + seconds > MOST_AHEAD:
            return False
        self.ahead += seconds
        self.stage.pass_time(seconds)
        return True

    async def _deploy(self) -> None:
        """Deploy anew; every second time with another secret for webhooks, which lines get then."""
        rotate = self.happened["deployed"] % 2 == 0
        await self.workers.deploy(rotate=rotate)
        self.happened["webhooks' secret rotated"] += rotate
        for tenant in RESIDENTS:
            await self.place.load.call("POST", "/ensure-instance", tenant, json={})

    async def _rotate_secret(self) -> bool:
        return await self.chance.choice(self.place.endpoints).rotate_secret()

    async def _rotate_key(self) -> None:
        assert self.place.issuer
        self.place.issuer.rotate()

    async def _break_bucket(self) -> None:
        self.place.bucket.is_broken = True
        await self._wait(1, 5)
        self.place.bucket.is_broken = False

    async def _sweep(self) -> None:
        """Start a sweep; after one that was killed others are refused for a while."""
        await self.place.door.sweep(self.chance.choice(["/sweep-capacity", "/sweep-orphans"]))

    async def _wait(self, shortest: float, longest: float) -> None:
        await asyncio.sleep(self.pace * self.chance.uniform(shortest, longest))


def restart(database: Emulator) -> Emulator:
    """Start a database that was stopped again where it was, with what it saved."""
    assert database.child
    assert database.child.log
    port = int(database.host.rpartition(":")[2])
    with mock.patch.dict(os.environ):
        del os.environ[HOST_VARIABLE]  # it would be taken for one that runs
        return emulator.start(database.child.log, port, database.data, database.project)
