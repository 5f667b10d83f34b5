"""What sweeps and the operators' page cost, in billed document operations and upstream calls."""

from collections import Counter
from datetime import timedelta

import pytest

from shared.sweeps.orphans import STEPS
from tests.adapters.counting import Counted, counting
from tests.perene import Perene

DAY = timedelta(days=1)


async def a_fleet(perene: Perene, lines: int) -> None:
    """Open so many lines that nothing is wrong with, and sweep once."""
    for at in range(lines):
        await perene.pair(f"t{at}", f"55119999{at:05}")
    await perene.sweep("/sweep-capacity")
    await perene.sweep()


async def counted(perene: Perene, path: str) -> Counted:
    with counting(perene.store.db.client) as calls:
        await perene.sweep(path)
    return calls


@pytest.mark.parametrize("lines", [2, 6])
async def test_quiet_orphan_sweep_costs_per_line(perene: Perene, lines: int):
    await a_fleet(perene, lines)
    perene.clock.advance(DAY)

    perene.evolution.world.calls.clear()

    measured = await counted(perene, "/sweep-orphans")

    per_line = {
        "tenant": 1,
        "line": 1,
        "slot": 1,
        "number": 1,
        "look for gaps": 1,
        "conversations": 3,
    }
    overhead = {"sweep": 2, "no candidate": 1, "no incidents": 2, "no unsettled": 1}
    overhead["no quotes"] = 1
    overhead["when each kind of sweep ended last"] = 2
    overhead["which step begins"] = len(STEPS)
    assert measured.reads == sum(per_line.values()) * lines + sum(overhead.values())
    assert (measured.writes, measured.deletes) == (lines + 3 + len(STEPS), 0)
    calls = Counter(call.path.split("/")[2] for call in perene.evolution.calls)
    assert calls == {"fetchInstances": 1, "find": 2 * lines, "findMessages": lines}


@pytest.mark.parametrize("lines", [2, 6])
async def test_capacity_sweep_reads_each_line_once(perene: Perene, lines: int):
    await a_fleet(perene, lines)
    perene.clock.advance(DAY)

    calls = await counted(perene, "/sweep-capacity")

    overhead = {
        "sweep": 2,
        "server and its slots counted": 2,
        "days": 2,
        "nobody away, quarantined, wrong": 4,
    }
    overhead["when each kind of sweep ended last"] = 2
    overhead["no late endpoint"] = 1
    assert calls.reads == lines + sum(overhead.values())
    assert (calls.writes, calls.deletes) == (5, 1)


@pytest.mark.parametrize("lines", [2, 6])
async def test_fleet_overview_cost_is_constant(perene: Perene, lines: int):
    await a_fleet(perene, lines)

    with counting(perene.store.db.client) as calls:
        await perene.operate("GET", "/fleet")

    found_out = {
        "server and its slots counted": 2,
        "reports": 2,
        "incidents": 1,
        "proposals counted": 1,
        "overdue": 2,
    }
    assert (calls.reads, calls.writes) == (sum(found_out.values()), 0)
