"""P2: an instance is reused, adopted or healed, and a release is never raced."""

import asyncio
from pathlib import Path

import httpx

from tests.perene import Perene, in_both_dialects, name_of
from tests.proofs.stage import Stage, open_stage, times

NUMBER = "5511999990001"


@in_both_dialects
async def test_open_line_is_reused_unchanged(perene: Perene):
    name = await perene.pair(number=NUMBER)
    before = perene.documents("instances")
    calls = len(perene.evolution.calls)

    answers = await asyncio.gather(*(perene.ensure() for _ in range(30)))

    assert {(answer.status_code, answer.json()["state"]) for answer in answers} == {(200, "open")}
    assert perene.documents("instances") == before
    assert {call.path for call in perene.evolution.calls[calls:]} == {
        f"/instance/connectionState/{name}"
    }


@in_both_dialects
async def test_unrecorded_instance_is_adopted_once(perene: Perene):
    name = name_of("acme")
    await perene.evolution.plant(name, number=NUMBER, open=True)

    answers = await asyncio.gather(*(perene.ensure() for _ in range(30)))

    assert {answer.status_code for answer in answers} <= {200, 202}
    assert (await perene.ensure()).json()["state"] == "open"
    assert perene.evolution.names() == [name]
    assert "/instance/create" not in {call.path for call in perene.evolution.calls}
    assert perene.taken("main") == 1


@in_both_dialects
async def test_a_403_on_create_means_connect(perene: Perene):
    name = name_of("acme")
    perene.hosts.before["/instance/create"] = lambda: perene.evolution.plant(name)

    line = (await perene.ensure()).json()

    creates = [call for call in perene.evolution.calls if call.path == "/instance/create"]
    assert [call.status for call in creates] == [403]
    assert (line["instance"], line["state"]) == (name, "pairing")
    assert "/webhook" in perene.evolution.webhook(name)["url"]


@in_both_dialects
async def test_vanished_instance_is_healed_once(perene: Perene):
    name = await perene.pair(number=NUMBER)
    await perene.evolution.vanish(name)

    answers = await asyncio.gather(*(perene.ensure() for _ in range(30)))

    assert {answer.status_code for answer in answers} <= {200, 202}
    assert perene.evolution.names() == [name]
    assert perene.evolution.creates_in_flight_peak[name] == 1
    assert perene.taken("main") == 1


async def test_ensure_never_races_late_delete(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 2) as stage:
        await stage.set_faults(late_delete={"seconds": 0.3})
        for number in range(times(2, 30)):
            tenant = f"tenant-{number}"
            await stage.wait_for_line(tenant)

            answers = await _ensure_and_release_at_once(stage, tenant)

            assert {answer.status_code for answer in answers} <= {200, 202, 204, 404, 409}
            await _one_of_each_or_none(stage, tenant)


async def test_release_killed_at_any_step(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 1) as stage:
        killed = await _kill_releases_at_every_step(stage)

        assert killed >= 8, "the flow has fewer steps than it must have"
        assert stage.documents("instances") == {}
        assert (await stage.read_simulator_state())["instances"] == []
        assert stage.taken("main") == 0


async def _ensure_and_release_at_once(stage: Stage, tenant: str):
    return await asyncio.gather(
        *(stage.ensure(tenant) for _ in range(6)),
        *(stage.call("DELETE", "/instances/default", tenant) for _ in range(3)),
    )


async def _one_of_each_or_none(stage: Stage, tenant: str) -> None:
    line = await stage.wait_for_line(tenant)
    carried = {instance["name"] for instance in (await stage.read_simulator_state())["instances"]}
    assert line["instance"] in carried
    assert carried == set(stage.documents("instances"))
    assert stage.taken("main") == len(carried)


async def _kill_releases_at_every_step(stage: Stage) -> int:
    (survivor,) = stage.ports
    for step in range(1, 60):
        tenant = f"tenant-{step}"
        await stage.wait_for_line(tenant)
        port, process = await stage.start_caller("--die-at", str(step))
        stage.ports = [survivor]
        try:
            await stage.call("DELETE", "/instances/default", tenant, port)
            return step - 1
        except httpx.HTTPError:
            process.join(10)
            assert process.exitcode == -9
        await _released(stage, tenant)
    raise AssertionError("a caller was never done")


async def _released(stage: Stage, tenant: str) -> None:
    for _ in range(2):
        answer = await stage.call("DELETE", "/instances/default", tenant)
        if answer.status_code in (204, 404):
            return
        stage.expire_leases()
    answer = await stage.call("DELETE", "/instances/default", tenant)
    assert answer.status_code in (204, 404), answer.text
