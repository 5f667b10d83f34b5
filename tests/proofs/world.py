"""A small fleet to be swept while anything happens to it, and a judge of every deletion.

What a sweep does to the world is counted in steps: at one of them it may crash, the database may
fail, or somebody may do something in between.
"""

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import unquote

import httpx

from infra.local.simulator.state import Impossible
from shared import problems
from shared.domain import names
from shared.domain.fleet.candidates import Candidate, CandidateCause, Stage
from shared.domain.instances import Instance, State
from shared.domain.names import TenantId
from shared.domain.tenants import Status, Tenant
from shared.store.base import Database
from shared.sweeps import measure_capacity, orphans
from tests.perene import ORIGIN, Perene, name_of
from tests.proofs.stage import times

QUARANTINE = timedelta(days=2)
MAX_DELETES = 2
CALM_NIGHTS = times(7, 18)
"""Sweeps in which nothing goes wrong: enough for what is suspected then to be deleted."""
MOST_NIGHTS = 18
"""The nights after which all has to agree."""

SETTINGS = {
    "QUARANTINE_DAYS": "2",
    "SWEEP_MAX_DELETES": str(MAX_DELETES),
    "ORPHAN_GRACE_DAYS": "5",
    "NEVER_PAIRED_DAYS": "3",
}


class Crashed(BaseException):
    """The process is gone: nothing of it runs any more."""


@dataclass
class Steps:
    """Counts what is done to the world; at one step something happens, and once it is `dead`, all
    that is left of the process fails."""

    at: int = 0
    happens: Callable[[], Awaitable[None]] | None = None
    count: int = 0
    dead: bool = False
    busy: bool = False

    async def step(self) -> None:
        if self.busy:
            return
        if self.dead:
            raise Crashed
        self.count += 1
        if self.count == self.at and self.happens:
            self.busy = True
            try:
                await self.happens()
            finally:
                self.busy = False
            if self.dead:
                raise Crashed


@dataclass
class World:
    """Know what is true, whatever any record says."""

    perene: Perene
    steps: Steps = field(default_factory=Steps)
    foreign: set[tuple[str, str]] = field(default_factory=set)
    unproven: set[tuple[str, str]] = field(default_factory=set)
    """They have our names, but nothing proves that we made them."""
    moment: int = 0
    """What happened in which order, whatever the clock says."""
    history: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """Candidates as sweeps found them that began: from when on, at which stage, for which cause,
    and when that suspicion began by the clock."""
    looked: int = 0
    approved: dict[str, int] = field(default_factory=dict)
    undone: dict[str, int] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    condemned: set[tuple[str, str]] = field(default_factory=set)
    in_this_sweep: int = 0
    blind: bool = False
    behind: timedelta = timedelta()
    verdicts: list[str] = field(default_factory=list)
    sweeps: int = 0
    deletions: int = 0

    def install(self) -> None:
        """Count every step, and judge every deletion."""
        store, hosts = self.perene.store, self.perene.hosts
        db, candidates = store.db, store.candidates
        commit, read, condemn = db.commit, db.read, candidates.begin_deletion
        call = hosts.handle_async_request

        async def committed(batch: Any) -> Any:
            await self.steps.step()
            done = await commit(batch)
            await self.steps.step()
            return done

        async def was_read(*references: Any) -> Any:
            await self.steps.step()
            return await read(*references)

        async def called(request: httpx.Request) -> httpx.Response:
            await self.steps.step()
            self._judge_call(request)
            answer = await call(request)
            await self.steps.step()
            return answer

        async def was_condemned(candidate: Candidate, old: Any, new: Any, tenant: Any, **more: Any):
            dead, self.steps.dead = self.steps.dead, False
            truth = await _truth(store, candidate)
            self.steps.dead = dead
            try:
                held = await condemn(candidate, old, new, tenant, **more)
            except (Crashed, problems.Problem):
                if await _begun(store, candidate):  # it was written, and only the answer got lost
                    self._judge(candidate, *truth)
                raise
            if held:
                self._judge(candidate, *truth)
            return held

        db.commit, db.read, candidates.begin_deletion = committed, was_read, was_condemned
        hosts.handle_async_request = called

    # What happens ----------------------------------------------------------------------------

    async def ensure(self, tenant: str) -> None:
        await self.perene.ensure(tenant)

    async def pair(self, tenant: str) -> None:
        answer = await self.perene.ensure(tenant)
        name, digits = name_of(tenant), f"55119999900{int(tenant[1:]):02}"
        if answer.status_code == 200:
            for server in self.perene.servers.values():
                try:
                    await server.scan(name, digits)
                except Impossible:
                    continue
            await self.drain()

    async def unpair(self, tenant: str) -> None:
        for server in self.perene.servers.values():
            try:
                await server.unpair(name_of(tenant))
            except Impossible:
                continue
        await self.drain()

    async def vanish(self, server: str, tenant: str) -> None:
        if self.perene.servers[server].exists(name_of(tenant)):
            await self.perene.servers[server].vanish(name_of(tenant))

    async def plant(self, server: str, name: str, *, open: bool, whose: str = "ours") -> None:
        if not self.perene.servers[server].exists(name):
            await self.perene.plant_orphan(name, open=open, server=server)
            self.condemned.discard((server, name))
            self.unproven.discard((server, name))
            row = self.perene.servers[server].world.rows[name]
            if whose == "nobody's":
                row.webhook = None
            if whose == "another deployment's":
                assert row.webhook
                row.webhook["url"] = row.webhook["url"].replace(ORIGIN, "https://staging.test")
            if whose != "ours":
                self.unproven.add((server, name))
        if names.line_key("instance_", name) is None:
            self.foreign.add((server, name))

    def lose(self, tenant: str) -> None:
        """Neither its record nor its line's is there any more."""
        self.perene.database.document(f"tenants/{tenant}").delete()
        self.perene.database.document(f"instances/{name_of(tenant)}").delete()

    def set_back(self, step: timedelta) -> None:
        """The clock shows less than before."""
        self.behind += step
        self.perene.clock.advance(-step)

    async def status(self, tenant: str, status: str) -> None:
        await self.perene.operate("PUT", f"/fleet/tenants/{tenant}", json={"status": status})

    async def say(self, verb: str, chosen: int) -> None:
        """A person says something to one of the candidates."""
        answer = await self.perene.operate("GET", "/fleet/candidates")
        listed = [candidate["id"] for candidate in answer.json()["candidates"]]
        if not listed:
            return
        name = listed[chosen % len(listed)]
        answer = await self.perene.operate("POST", f"/fleet/candidates/{name}/{verb}")
        if answer.status_code != 200:
            return
        moments = {"approve": self.approved, "undo": self.undone}.get(verb)
        if moments is not None:
            self.moment += 1
            moments[name] = self.moment
        if verb == "undo":
            self.kept.pop(name, None)
            self.approved.pop(name, None)
        if verb == "keep":
            self.kept[name] = answer.json()["cause"]
            self.approved.pop(name, None)

    async def sweep(self, at: int = 0, happens: Any = None, blindness: str | None = None) -> None:
        """Run one sweep with an accident at one step; a crash leaves it as it is."""
        self.steps.at, self.steps.count = at, 0
        self.steps.happens, self.steps.dead = happens, False
        self.in_this_sweep, self.blind = 0, blindness is not None
        self.sweeps += 1
        self._look()
        every = self.perene.store.tenants.iterate
        if blindness in BLIND:
            self.perene.store.tenants.iterate = BLIND[blindness](every)
        try:
            await orphans.sweep()
        except (Crashed, problems.Problem):
            pass
        finally:
            self.perene.store.tenants.iterate = every
            self.blind = False
            self.steps.at, self.steps.dead = 0, False
        await self.drain()

    async def sweep_two_names_of(self, server: str) -> None:
        """A sweep while the fleet's settings name one server twice."""
        with self.perene.alias_servers(server):
            await self.sweep(blindness="alike")

    async def die(self) -> None:
        self.steps.dead = True

    async def fail(self) -> None:
        raise problems.StoreUnavailable()

    async def drain(self) -> None:
        for server in self.perene.servers.values():
            await server.drain()

    async def converge(self, is_settled: Callable[[], bool]) -> None:
        """Sweep night after night, and let nothing go wrong, until all is settled.

        Activate a tenant and accept the loss first: of a fleet without tenants, or one that
        shrank, sweeps delete nothing.
        """
        for server in self.perene.servers.values():
            server.faults.clear()
        await self.status("t0", "active")
        await self.perene.operate("POST", "/fleet/sweeps/orphans/accept-loss")
        for night in range(1, MOST_NIGHTS + 1):
            self.perene.clock.advance(timedelta(days=1))
            await self.sweep()
            if night >= CALM_NIGHTS and is_settled():
                break
        await measure_capacity.sweep()

    # Whether it may --------------------------------------------------------------------------

    def _look(self) -> None:
        """Note what is suspected of whom now that a sweep begins."""
        before, self.looked = self.looked, self.moment
        self.moment += 1
        candidates = self.perene.documents("sweeps/orphans/candidates")
        now = {
            name: f"{one['stage']} {one['cause']} {one['suspected_at'].isoformat()}"
            for name, one in candidates.items()
            if one["stage"] in ("suspected", "quarantined", "deleting")
        }
        for name, seen in now.items():
            stages = self.history.get(name, [])
            same = stages and stages[-1][1].split()[1:] == seen.split()[1:]
            begun = max(before, self.undone.get(name, 0))  # undone in a sweep, which found it anew
            self.history[name] = [*stages, (self.looked, seen)] if same else [(begun, seen)]
        for name in self.history.keys() - now.keys():
            del self.history[name]

    def _judge_call(self, request: httpx.Request) -> None:
        path = unquote(request.url.path)
        if request.method != "DELETE" or not path.startswith("/instance/"):
            return
        server, name = request.url.host.removesuffix(".test"), path.rpartition("/")[2]
        if (server, name) in self.foreign:
            self.verdicts.append(f"foreign: {server} {name}")
        if (server, name) not in self.condemned:
            self.verdicts.append(f"never condemned: {server} {name}")

    def _judge(self, candidate: Candidate, record: Instance | None, tenant: Tenant | None) -> None:
        now, name = self.perene.clock(), candidate.id
        self.condemned.add((candidate.server, candidate.name))
        self.in_this_sweep += 1
        self.deletions += 1

        def must(true: bool, why: str) -> None:
            if not true:
                self.verdicts.append(f"{why}: {name} {candidate.cause}")

        must(re.fullmatch(r"instance_t?[a-z]*\d*", candidate.name) is not None, "not ours")
        must(not self.blind, "of a world that nobody could believe")
        must(self.in_this_sweep <= MAX_DELETES, "too many")
        must(self.kept.get(name) != candidate.cause, "kept")
        quarantined = candidate.quarantined_at
        stages = [stage.split()[0] for _, stage in self.history.get(name, ())]
        first = next(iter(self.history.get(name, ())), (self.moment, ""))[0]
        must(stages[-1:] == ["quarantined"] and "suspected" in stages, "one sighting")
        must(quarantined is not None and now - quarantined >= QUARANTINE, "too early")
        must(self.undone.get(name, 0) <= first, "undone")
        approved = self.approved.get(name, 0) >= first
        place = (candidate.server, candidate.name)
        must(approved or place not in self.unproven, "nothing proves that it is ours")
        unclaimed = record is None or record.server != candidate.server
        opened = self.perene.servers[candidate.server].state(candidate.name) == "open"
        must(approved or not (unclaimed and opened), "unclaimed and in use")
        if record is None:
            listed = tenant is not None and "default" in tenant.lines
            must(candidate.cause is CandidateCause.ORPHAN and not listed, "no orphan")
        elif record.server == candidate.server:
            cancelled = tenant is not None and tenant.status is Status.CANCELLED
            must(cancelled or approved, "a line of a tenant that isn't cancelled, unasked")
            must(record.state is not State.RELEASING, "twice")
        else:
            own = self.perene.servers[record.server]
            must(candidate.cause is CandidateCause.DUPLICATE, "elsewhere")
            must(own.exists(record.name), "the only one")


async def _begun(store: Any, candidate: Candidate) -> bool:
    (snapshot,) = await Database.read(store.db, store.db.candidates.document(candidate.id))
    return (snapshot.to_dict() or {}).get("stage") == Stage.DELETING


async def _truth(store: Any, candidate: Candidate) -> tuple[Instance | None, Tenant | None]:
    read, db = Database.read, store.db
    (snapshot,) = await read(db, db.instance(candidate.name))
    record = Instance.model_validate(snapshot.to_dict()) if snapshot.exists else None
    (owner,) = await read(db, db.tenant(TenantId(candidate.tenant)))
    tenant = Tenant.model_validate(owner.to_dict()) if owner.exists else None
    return record, tenant


def _failing(_: Any) -> Any:
    async def every() -> Any:
        raise problems.StoreUnavailable()
        yield  # pragma: no cover

    return every


def _empty(_: Any) -> Any:
    async def every() -> Any:
        for nobody in ():
            yield nobody

    return every


def _few(real: Any) -> Any:
    async def every() -> Any:
        async for tenant in real():
            yield tenant
            return

    return every


BLIND = {"failing": _failing, "empty": _empty, "few": _few}


async def a_world(perene: Perene) -> World:
    """Set up two servers and some tenants with lines.

    An orphan and a cancelled tenant's line have to go; an orphan that is in use, and one that
    perhaps isn't ours, may not go unless a person approves.
    """
    perene.set(**SETTINGS)
    world = World(perene)
    for at in range(6):
        await (world.pair if at < 4 else world.ensure)(f"t{at}")
    await world.plant("one", "instance_doomed1", open=False)
    await world.plant("two", "instance_ghost1", open=True)
    await world.plant("two", "instance_ghost2", open=False, whose="nobody's")
    await world.status("t4", "cancelled")
    await world.drain()
    await orphans.sweep()
    world.install()
    return world
