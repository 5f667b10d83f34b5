"""A delete that nobody answered may still be running: nothing new is made under it."""

import asyncio
from datetime import timedelta

import pytest

from shared.domain import steps
from shared.domain.instances import LEASE
from tests.perene import Perene, in_both_dialects


async def until_gone(perene: Perene, name: str) -> None:
    """Wait until the delete has its effect, if it has one."""
    for _ in range(40):
        if not perene.evolution.exists(name):
            return
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("ask", [("DELETE", ""), ("POST", "/disconnect")])
@in_both_dialects
async def test_doubtful_delete_spares_next_instance(perene: Perene, ask: tuple[str, str]):
    method, action = ask
    name = await perene.pair()
    perene.evolution.faults.turn_on("late_delete", seconds=0.2, count=1)
    perene.evolution.faults.turn_on("no_answer_after", route="*delete*", seconds=0.02, count=1)
    await perene.call(method, f"/instances/default{action}")

    await perene.call(method, f"/instances/default{action}")
    meanwhile = await perene.ensure()
    await until_gone(perene, name)
    perene.clock.advance(LEASE + timedelta(seconds=1))
    for _ in range(100):
        line = await perene.ensure()
        if line.status_code == 200:
            break
        await asyncio.sleep(0.02)

    assert (meanwhile.status_code, meanwhile.json()["state"]) == (202, "releasing")
    assert line.json()["state"] == "pairing"
    assert perene.evolution.exists(name)


@in_both_dialects
async def test_doubtful_delete_is_not_repeated_on_another_instance(perene: Perene):
    name = (await perene.ensure()).json()["instance"]
    perene.evolution.faults.turn_on("no_answer_after", route="*delete*", seconds=0.02, count=1)
    await perene.call("DELETE", "/instances/default")
    await until_gone(perene, name)
    await perene.plant_orphan(name, open=False)
    perene.evolution.world.rows[name].webhook = None
    perene.clock.advance(LEASE + timedelta(seconds=1))

    answer = await perene.call("DELETE", "/instances/default")

    assert answer.status_code == 204
    assert perene.evolution.exists(name)


@in_both_dialects
async def test_slow_server_is_asked_once(
    perene: Perene,
):
    await perene.pair()
    perene.evolution.faults.turn_on("delete_never_finishes")

    for _ in range(3):
        await perene.call("DELETE", "/instances/default")
    perene.clock.advance(steps.REMOVAL_PATIENCE + timedelta(seconds=1))
    await perene.call("DELETE", "/instances/default")

    calls = [call for call in perene.evolution.calls if "/instance/delete/" in call.path]
    deletes = [call for call in calls if call.status == 200]
    assert len(deletes) == 2
