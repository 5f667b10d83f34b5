"""P1: a line never has two instances, and no create is ever in flight twice for one name."""

from pathlib import Path

import httpx
import pytest

from tests.perene import name_of
from tests.proofs.stage import Stage, open_stage, times

CALLERS, EACH = 4, 25
GOOD = {200, 202}
DIALECTS = ("2.3.6", "1.8.2")

FAULTS = {
    "time-outs after the effect": {"no_answer_after": {"route": "create", "count": 1}},
    "time-outs without effect": {"no_answer_before": {"route": "create", "count": 1}},
    "500 after the effect": {"error_500_after": {"route": "create", "count": 1}},
    "500 without effect": {"error_500_before": {"route": "create", "count": 1}},
    "500 now and then": {"error_500_after": {"probability": 0.2}},
}


@pytest.mark.parametrize("version", DIALECTS)
async def test_any_number_of_callers_in_any_number_of_processes_make_one_instance(
    firestore_emulator: str, tmp_path: Path, version: str
):
    rounds = times(2, 50)
    async with open_stage(tmp_path, CALLERS, version, options=["--unhurried"]) as stage:
        for number in range(rounds):
            tenant = f"tenant-{number}"
            answers = await stage.ensure_many([tenant] * CALLERS * EACH)

            assert {answer.status_code for answer in answers} <= GOOD
            line = await stage.wait_for_line(tenant)
            assert (line["state"], line["instance"]) == ("pairing", name_of(tenant))
        await one_instance_each(stage, rounds)


@pytest.mark.parametrize("fault", FAULTS)
async def test_however_creates_fail_there_is_one_instance_within_a_lease(
    firestore_emulator: str, tmp_path: Path, fault: str
):
    rounds = times(2, 10)
    async with open_stage(tmp_path, 0) as stage:
        for _ in range(CALLERS):
            await stage.start_caller("--patience", "0.4")
        for number in range(rounds):
            tenant = f"tenant-{number}"
            await stage.set_faults(**FAULTS[fault])
            answers = await stage.ensure_many([tenant] * CALLERS * 5)
            await stage.set_faults()

            if "500 now" not in fault:
                assert {answer.status_code for answer in answers} <= GOOD | {502}
            line = await stage.wait_for_line(tenant)
            assert line["instance"] == name_of(tenant)
        await one_instance_each(stage, rounds)


async def test_a_caller_killed_at_any_step_leaves_what_the_next_one_finishes(
    firestore_emulator: str, tmp_path: Path
):
    async with open_stage(tmp_path, 1) as stage:
        killed = await kill_at_every_step(stage)

        assert killed >= 10, "the flow has fewer steps than it must have"
        await one_instance_each(stage, killed + 1)


async def kill_at_every_step(stage: Stage) -> int:
    """A new line each, its caller killed one step later every time; how many were killed."""
    (survivor,) = stage.ports
    for step in range(1, 60):
        tenant = f"tenant-{step}"
        port, process = await stage.start_caller("--die-at", str(step))
        try:
            await stage.ensure(tenant, port)
            return step - 1
        except httpx.HTTPError:
            process.join(10)
            assert process.exitcode == -9
        stage.ports = [survivor]
        line = await stage.wait_for_line(tenant, looks=3)
        assert (line["state"], line["instance"]) == ("pairing", name_of(tenant))
    raise AssertionError("a caller was never done")


async def one_instance_each(stage: Stage, lines: int) -> None:
    """As many instances as lines, upstream and in our records, and never two creates at once."""
    simulated = await stage.read_simulator_state()
    names = sorted(instance["name"] for instance in simulated["instances"])
    assert names == sorted(stage.documents("instances"))
    assert len(names) == lines
    assert set(simulated["creates_in_flight_peak"].values()) == {1}
    assert stage.taken("main") == lines
