"""P10: nothing is deleted on a guess, whatever happens while sweeps run; in the end all agrees."""

import asyncio
import contextlib
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from hypothesis.stateful import run_state_machine_as_test as run

from tests.perene import Perene
from tests.proofs.stage import times
from tests.proofs.world import BLIND, CALM_NIGHTS, World, a_world

TENANTS = st.sampled_from([f"t{at}" for at in range(6)])
SERVERS = st.sampled_from(["one", "two"])
GHOSTS = st.sampled_from(["instance_ghost1", "instance_ghost2", "instance_t1", "instance_t5"])
WHOSE = st.sampled_from(["ours", "ours", "nobody's", "another deployment's"])
THEIRS = st.sampled_from(["evo1", "Instance_t1", "instance_", "instance_a b"])
STEP = st.integers(1, 60)
FAULTS = st.sampled_from(
    ["error_500_before", "error_500_after", "cut_before", "cut_after", "bad_gateway", "down"]
)
AWAIT = 60.0
MOST_BEHIND = timedelta(days=2)
EXAMPLES = times(3, 5)
"""In one batch, which has two minutes even on a slow machine."""


class Fleets(RuleBasedStateMachine):
    """A fleet to which anything happens."""

    loop: asyncio.AbstractEventLoop
    totals: dict[str, int]
    world: World

    def do(self, happens: Coroutine[Any, Any, Any]) -> Any:
        """In the tests' event loop, while Hypothesis waits in a thread of its own."""
        return asyncio.run_coroutine_threadsafe(happens, self.loop).result(AWAIT)

    @initialize()
    def a_fleet(self) -> None:
        self.perene = Perene(one="2.3.6", two="1.8.2")
        self.do(self.perene.__aenter__())
        self.world = self.do(a_world(self.perene))

    @rule(tenant=TENANTS)
    def somebody_asks_for_a_line(self, tenant: str) -> None:
        self.do(self.world.ensure(tenant))

    @rule(tenant=TENANTS)
    def somebody_pairs(self, tenant: str) -> None:
        self.do(self.world.pair(tenant))

    @rule(tenant=TENANTS)
    def somebody_unpairs(self, tenant: str) -> None:
        self.do(self.world.unpair(tenant))

    @rule(tenant=TENANTS, status=st.sampled_from(["cancelled", "active", "cancelled"]))
    def a_tenant_goes_or_comes_back(self, tenant: str, status: str) -> None:
        self.do(self.world.status(tenant, status))

    @rule(server=SERVERS, name=GHOSTS, opened=st.booleans(), whose=WHOSE)
    def an_instance_appears(self, server: str, name: str, opened: bool, whose: str) -> None:
        self.do(self.world.plant(server, name, open=opened, whose=whose))

    @rule(tenant=TENANTS)
    def records_are_lost(self, tenant: str) -> None:
        self.world.lose(tenant)

    @rule(server=SERVERS, name=THEIRS)
    def an_instance_of_somebody_else_appears(self, server: str, name: str) -> None:
        self.do(self.world.plant(server, name, open=False))

    @rule(server=SERVERS, tenant=TENANTS)
    def an_instance_vanishes(self, server: str, tenant: str) -> None:
        self.do(self.world.vanish(server, tenant))

    @rule(verb=st.sampled_from(["approve", "undo", "keep"]), chosen=st.integers(0, 20))
    def a_person_decides(self, verb: str, chosen: int) -> None:
        self.do(self.world.say(verb, chosen))

    @rule(hours=st.sampled_from([1, 25, 50, 150]))
    def time_passes(self, hours: int) -> None:
        self.perene.clock.advance(timedelta(hours=hours))

    @precondition(lambda self: self.world.behind < MOST_BEHIND)
    @rule(hours=st.sampled_from([1, 30]))
    def the_clock_is_set_back(self, hours: int) -> None:
        self.world.set_back(timedelta(hours=hours))

    @rule(days=st.sampled_from([0, 1, 3]))
    def a_sweep_runs(self, days: int) -> None:
        self.perene.clock.advance(timedelta(days=days, seconds=1))
        self.do(self.world.sweep())

    @rule(at=STEP)
    def a_sweep_crashes(self, at: int) -> None:
        self.perene.clock.advance(timedelta(days=1))
        self.do(self.world.sweep(at, self.world.die))

    @rule(at=STEP)
    def the_database_fails_once_in_a_sweep(self, at: int) -> None:
        self.perene.clock.advance(timedelta(days=1))
        self.do(self.world.sweep(at, self.world.fail))

    @rule(
        at=STEP,
        tenant=TENANTS,
        what=st.sampled_from(["ensure", "pair", "active", "undo", "keep", "unpair"]),
        chosen=st.integers(0, 5),
    )
    def something_happens_during_a_sweep(
        self, at: int, tenant: str, what: str, chosen: int
    ) -> None:
        world = self.world
        happens = {
            "ensure": lambda: world.ensure(tenant),
            "pair": lambda: world.pair(tenant),
            "unpair": lambda: world.unpair(tenant),
            "active": lambda: world.status(tenant, "active"),
            "undo": lambda: world.say("undo", chosen),
            "keep": lambda: world.say("keep", chosen),
        }[what]
        self.perene.clock.advance(timedelta(days=1))
        self.do(world.sweep(at, happens))

    @rule(how=st.sampled_from(sorted(BLIND)))
    def a_sweep_cannot_see_the_tenants(self, how: str) -> None:
        self.perene.clock.advance(timedelta(days=3))
        self.do(self.world.sweep(blindness=how))

    @rule(server=SERVERS)
    def a_sweep_is_told_one_server_under_two_names(self, server: str) -> None:
        self.perene.clock.advance(timedelta(days=3))
        self.do(self.world.sweep_two_names_of(server))

    @rule(server=SERVERS, kind=FAULTS, seed=st.integers(0, 99), likely=st.sampled_from([0.1, 0.5]))
    def a_server_begins_to_fail(self, server: str, kind: str, seed: int, likely: float) -> None:
        faults = self.perene.servers[server].faults
        faults.apply({"seed": seed, kind: {"probability": likely}})

    @rule(server=SERVERS)
    def a_server_is_well_again(self, server: str) -> None:
        self.perene.servers[server].faults.clear()

    @invariant()
    def nothing_was_deleted_that_might_not_be(self) -> None:
        world = getattr(self, "world", None)
        if world is None:
            return
        assert world.verdicts == []
        for server, name in world.foreign:
            assert self.perene.servers[server].exists(name)

    def is_settled(self) -> bool:
        """Tell whether all agrees."""
        with contextlib.suppress(AssertionError):
            assert_all_agrees(self.world)
            return True
        return False

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        try:
            self.do(self.world.converge(self.is_settled))
            self.nothing_was_deleted_that_might_not_be()
            assert_all_agrees(self.world)
            self.totals["sweeps"] += self.world.sweeps
            self.totals["deletions"] += self.world.deletions
        finally:
            self.do(self.perene.__aexit__(None, None, None))


def assert_all_agrees(world: World) -> None:
    """Check that nothing hangs half-way, and that what is still unclaimed waits for a person."""
    perene = world.perene
    records = perene.documents("instances")
    waiting = perene.documents("sweeps/orphans/candidates")
    assert {record["state"] for record in records.values()}.isdisjoint({"creating", "releasing"})
    assert [name for name, candidate in waiting.items() if candidate["stage"] == "deleting"] == []
    tenants = perene.documents("tenants")
    assert sorted((record["tenant"], record["line"]) for record in records.values()) == sorted(
        (name, line) for name, tenant in tenants.items() for line in tenant.get("lines", ())
    )
    for server, simulator in perene.servers.items():
        placed = [record for record in records.values() if record["server"] == server]
        assert perene.taken(server) == len(placed)
        for name in simulator.names():
            if (server, name) in world.foreign or records.get(name, {}).get("server") == server:
                continue
            candidate = waiting.get(f"{server}~{name}", {})
            needs_approval = candidate.get("stage") == "kept" or candidate.get("needs_approval")
            assert needs_approval or name in records, f"{server} {name} was forgotten"
    cancelled = {name for name, tenant in tenants.items() if tenant.get("status") == "cancelled"}
    for name, record in records.items():
        candidate = waiting.get(f"{record['server']}~{name}", {})
        if record["tenant"] in cancelled and perene.servers[record["server"]].exists(name):
            assert candidate.get("stage") == "kept", f"{name} stayed"


@pytest.mark.parametrize("batch", range(times(1, 40)))
async def test_nothing_is_deleted_on_a_guess(firestore_emulator: str, batch: int):
    totals = {"sweeps": 0, "deletions": 0}
    Fleets.loop, Fleets.totals = asyncio.get_running_loop(), totals
    how = settings(
        max_examples=EXAMPLES,
        stateful_step_count=times(30, 40),
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes longer than a test
        print_blob=True,
    )
    fleets = seed(batch)(type(f"Fleets{batch}", (Fleets,), {}))

    await asyncio.to_thread(run, fleets, settings=how)

    assert totals["sweeps"] > EXAMPLES * CALM_NIGHTS
    assert totals["deletions"] > 0
