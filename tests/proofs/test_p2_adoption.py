"""P2: a single-tenant set-up moves in, with its duplicates and orphans: one line, one instance."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from infra import adopt_instances
from infra.adopt_instances import read_tenants
from infra.adoption_plan import AdoptionPlan, SetUp, list_faults, plan_adoption
from tests.perene import ORIGIN, Perene, name_of
from tests.proofs.stage import times

pytestmark = pytest.mark.anyio

TENANTS = times(8, 100)
TWICE = TENANTS // 2
"""So many of them once created another instance, as in the old guide's bad scenario."""

ORPHANS = ["instance_ffffffff", "instance_gone-client"]
FOREIGN = "loja"


@pytest.fixture
async def old_world(
    firestore_emulator: str, anyio_backend: str, tmp_path: Path
) -> AsyncIterator[Perene]:
    """Carry more instances than INSTANCE_MAX: everybody's own, duplicates and orphans."""
    async with Perene(main="2.3.6", instance_max=TENANTS) as perene:
        for at in range(TENANTS):
            is_open = at % 4 != 3
            await perene.evolution.plant(name_of(user(at)), number(at), open=is_open)
        for at in range(TWICE):
            name = [f"{name_of(user(at))}_2", f"instance_{user(at)[:8]}", f"instance_new{at}"][
                at % 3
            ]
            await perene.evolution.plant(name, number(at), open=at % 2 == 0)
        for name in (*ORPHANS, FOREIGN):
            await perene.evolution.plant(name)
        rows = "".join(f"{user(at)},active\n" for at in range(TENANTS))
        (tmp_path / "tenants.csv").write_text(f"id,status\n{rows}never-connected,active\n")
        named = "".join(f"{user(at)},instance_new{at}\n" for at in range(2, TWICE, 3))
        (tmp_path / "config.csv").write_text(f"user_id,instance_name\n{named}")
        yield perene


def user(at: int) -> str:
    """Return a user's id, as Supabase makes them."""
    return f"{at + 0xA1B2C3D4:08x}-4e5f-4a6b-8c7d-{at:012x}"


def number(at: int) -> str:
    return f"551199999{at:04}"


async def look(place: Path) -> tuple[SetUp, AdoptionPlan]:
    rows = read_tenants(place / "tenants.csv")
    setup = await adopt_instances.take_setup(
        rows, adopt_instances.read_owners(place / "config.csv")
    )
    return setup, plan_adoption(setup)


def describe_world(perene: Perene) -> tuple[Any, ...]:
    return perene.documents("instances"), perene.documents("tenants"), perene.taken("main")


async def test_bad_scenario_ends_with_one_each(old_world: Perene, tmp_path: Path):
    before = {name: old_world.evolution.state(name) for name in old_world.evolution.names()}
    setup, plan = await look(tmp_path)
    report = "\n".join(adopt_instances.describe(setup, plan))
    assert describe_world(old_world) == ({}, {}, 0), "a dry run writes nothing"
    assert len(plan.adoptable) == TENANTS
    assert {tenant: len(places) for tenant, places in plan.duplicates.items()} == {
        user(at): 1 for at in range(TWICE)
    }
    assert sorted(place.name for place in plan.orphans) == ORPHANS

    assert await adopt_instances.adopt_all(setup, most=2) == []
    assert len(old_world.documents("instances")) == 2
    await crash_while_adopting(old_world, tmp_path)
    broken = user(TENANTS - 1)
    old_world.evolution.faults.turn_on("error_500_before", names=name_of(broken), route="connect")
    old_world.clock.advance(timedelta(minutes=2))
    setup, _ = await look(tmp_path)
    (failure,) = await adopt_instances.adopt_all(setup)
    assert failure.startswith(f"{broken}: ")
    old_world.evolution.faults.clear()
    setup, _ = await look(tmp_path)
    assert await adopt_instances.adopt_all(setup) == []
    await old_world.evolution.drain()
    setup, plan = await look(tmp_path)

    assert list_faults(setup) == []
    assert (len(plan.adopted), plan.absent) == (TENANTS, ["never-connected"])
    lines = old_world.documents("instances")
    assert lines.keys() == {name_of(user(at)) for at in range(TENANTS)}
    assert old_world.taken("main") == TENANTS
    assert len(plan.duplicates) == TWICE
    for places in plan.duplicates.values():
        for place in places:
            assert place.name in report
            assert old_world.evolution.webhook(place.name) is None, "a duplicate is left alone"
    for name, state in before.items():
        assert old_world.evolution.exists(name), "nothing is deleted"
        if state == "open":
            assert old_world.evolution.state(name) == "open", "nobody pairs again"
    assert old_world.evolution.names() == list(before), "nothing is created"
    for at in range(TENANTS):
        webhook: Any = old_world.evolution.webhook(name_of(user(at)))
        assert webhook["url"] == f"{ORIGIN}/webhook"


async def crash_while_adopting(perene: Perene, place: Path) -> None:
    """Stop in the middle of an adoption, as a closed laptop does."""
    setup, plan = await look(place)
    work = asyncio.create_task(adopt_instances.adopt_all(setup))
    victim = list(plan.adoptable)[1]

    async def stop() -> None:
        work.cancel()
        await asyncio.sleep(0)

    perene.hosts.before[f"/instance/connect/{name_of(victim)}"] = stop
    with pytest.raises(asyncio.CancelledError):
        await work
    assert len(perene.documents("instances")) < TENANTS


async def test_adopting_again_changes_nothing(
    old_world: Perene, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    setup, _ = await look(tmp_path)
    await adopt_instances.adopt_all(setup)
    await old_world.evolution.drain()
    await old_world.operate("PUT", f"/fleet/tenants/{user(0)}", json={"status": "suspended"})
    before = describe_world(old_world)
    arguments = ["adopt", str(tmp_path / "tenants.csv"), "--config", str(tmp_path / "config.csv")]

    code = await adopt_instances.run(adopt_instances.parse_arguments(arguments))

    assert describe_world(old_world) == before
    assert code == 0
    printed = capsys.readouterr()
    assert f"  {TENANTS} lines are adopted already" in printed.out
    assert number(0) not in printed.out + printed.err
