"""P1: a line never has two instances, and no create is ever in flight twice for one name."""

from pathlib import Path

import httpx
import pytest

from tests.perene import name_of
from tests.proofs.stage import Stage, open_stage, times

CALLERS, CALLS = 4, 25
GOOD = {200, 202}
VERSIONS = ("2.3.6", "1.8.2")

FAULTS = {
    "time-outs after the effect": {"no_answer_after": {"route": "create", "count": 1}},
    "time-outs without effect": {"no_answer_before": {"route": "create", "count": 1}},
    "500 after the effect": {"error_500_after": {"route": "create", "count": 1}},
    "500 without effect": {"error_500_before": {"route": "create", "count": 1}},
    "500 now and then": {"error_500_after": {"probability": 0.2}},
}


@pytest.mark.parametrize("version", VERSIONS)
async def test_many_processes_make_one_instance(
    firestore_emulator: str, tmp_path: Path, version: str
):
    rounds = times(1, 50)
    async with open_stage(tmp_path, CALLERS, version, options=["--unhurried"]) as stage:
        for number in range(rounds):
            tenant = f"tenant-{number}"
            answers = await stage.ensure_many([tenant] * CALLERS * CALLS)

            assert {answer.status_code for answer in answers} <= GOOD
            line = await stage.wait_for_line(tenant)
            assert (line["state"], line["instance"]) == ("pairing", name_of(tenant))
        await assert_one_instance_each(stage, rounds)


async def test_failing_creates_leave_one_instance(
    firestore_emulator: str, tmp_path: Path, subtests: pytest.Subtests
):
    rounds = times(1, 10)
    async with open_stage(tmp_path, CALLERS, options=["--patience", "0.4"]) as stage:
        for fault, number in ((fault, number) for fault in FAULTS for number in range(rounds)):
            with subtests.test(fault):
                tenant = f"{fault.replace(' ', '-')}-{number}"
                await stage.set_faults(**FAULTS[fault])
                answers = await stage.ensure_many([tenant] * CALLERS * 5)
                await stage.set_faults()

                if "500 now" not in fault:
                    assert {answer.status_code for answer in answers} <= GOOD | {502}
                line = await stage.wait_for_line(tenant)
                assert line["instance"] == name_of(tenant)
        await assert_one_instance_each(stage, len(FAULTS) * rounds)


async def test_ensure_killed_at_any_step(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 1) as stage:
        kills = await kill_at_every_step(stage)

        assert kills >= 10, "the flow has fewer steps than it must have"
        await assert_one_instance_each(stage, kills + 1)


async def kill_at_every_step(stage: Stage) -> int:
    """Ensure a new line each time, by a caller killed one step later; return the kills."""
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
        line = await stage.wait_for_line(tenant, looks=1)
        assert (line["state"], line["instance"]) == ("pairing", name_of(tenant))
    raise AssertionError("a caller was never done")


async def assert_one_instance_each(stage: Stage, lines: int) -> None:
    """Check that there are as many instances as lines, and never were two creates at once."""
    simulator = await stage.read_simulator_state()
    names = sorted(instance["name"] for instance in simulator["instances"])
    assert names == sorted(stage.documents("instances"))
    assert len(names) == lines
    assert set(simulator["creates_in_flight_peak"].values()) == {1}
    assert stage.taken("main") == lines
