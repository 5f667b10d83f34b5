"""Lost records and interrupted deletions cost nobody an instance that is needed."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.simulator import outside_events
from infra.local.simulator.instance_settings import store_webhook
from shared.evolution.client import Evolution
from shared.lines import leases
from tests.perene import ORIGIN, Perene

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
NUMBER, OTHER = "5511999990001", "5511999990002"


async def swept(perene: Perene, times: int = 1) -> dict[str, Any]:
    """Sweep so many times, each when every quarantine is over, and return the last report."""
    for _ in range(times):
        perene.clock.advance(8 * DAY)
        report = await perene.sweep()
    return report


def braked(report: dict[str, Any]) -> set[str]:
    return {brake["why"] for brake in report["brakes"]}


async def candidates(perene: Perene) -> dict[str, dict[str, Any]]:
    answer = await perene.operate("GET", "/fleet/candidates")
    return {candidate["instance"]: candidate for candidate in answer.json()["candidates"]}


# Records that are lost -----------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.8.2", "2.3.6"])
@pytest.mark.parametrize("state", ["disconnected", "unpaired"])
async def test_lost_database_deletes_nothing_paired(
    firestore_emulator: str, version: str, state: str
):
    async with Perene(main=version) as perene:
        names = [await perene.pair(f"c{at}", f"55119999900{at:02}") for at in range(3)]
        for name in names:
            if state == "unpaired":
                await perene.evolution.unpair(name)
            else:
                await perene.evolution.drop(name, back=False)
        await perene.evolution.drain()
        perene.set(GOOGLE_CLOUD_PROJECT=f"{perene.project}-x")
        perene.services.objects.clear()
        await perene.pair("acme", "5511999990099")

        await swept(perene, 4)

        assert set(names) < set(perene.evolution.names())


async def test_1_8_orphan_awaits_approval(
    firestore_emulator: str,
):
    async with Perene(main="1.8.2") as perene:
        await perene.pair("globex", OTHER)
        name = await perene.pair("acme")
        await perene.sweep()
        await perene.evolution.drop(name, back=False)
        await perene.evolution.drain()
        perene.database.document(f"instances/{name}").delete()
        perene.write("tenants/acme", lines=[])

        await swept(perene, 4)
        candidate = (await candidates(perene))[name]
        approved = await perene.operate("POST", f"/fleet/candidates/main~{name}/approve")

        assert (candidate["stage"], candidate["awaits_approval"]) == ("quarantined", True)
        assert candidate.get("paired") is None
        assert approved.status_code == 200
        await swept(perene)
        assert not perene.evolution.exists(name)


@pytest.mark.parametrize("how", ["odd", "gone"])
async def test_lost_baseline_brakes_until_accepted(on_2: Perene, how: str):
    tenants = [f"t{at}" for at in range(6)]
    for at, tenant in enumerate(tenants):
        await on_2.pair(tenant, f"55119999900{at:02}")
    await on_2.sweep()
    if how == "odd":
        on_2.write("sweeps/orphans", carried="odd")
    else:
        on_2.database.document("sweeps/orphans").delete()
    for tenant in tenants[1:]:
        on_2.write(f"tenants/{tenant}", status="cancelled", cancelled_at=on_2.clock())

    reports = [await swept(on_2) for _ in range(5)]

    assert all("forgotten" in braked(report) for report in reports)
    assert len(on_2.evolution.names()) == 6
    accepted = await on_2.operate("POST", "/fleet/sweeps/orphans/accept-loss")
    assert accepted.status_code == 204
    assert braked(await swept(on_2)) == set()


async def test_sibling_deployments_instances_await_approval(on_2: Perene):
    await on_2.pair("acme")
    await on_2.plant_orphan("instance_staging")
    webhook = on_2.evolution.webhook("instance_staging")
    theirs = {
        "enabled": True,
        "url": webhook["url"].replace(ORIGIN, f"{ORIGIN}/staging"),
        "headers": webhook["headers"],
        "events": webhook["events"],
    }
    store_webhook(on_2.evolution.world.rows["instance_staging"], theirs)

    await swept(on_2, 4)

    assert on_2.evolution.exists("instance_staging")
    assert (await candidates(on_2))["instance_staging"]["stranger"]


# Deletions of copies that were interrupted ---------------------------------------------------


async def begun(perene: Perene) -> tuple[str, str]:
    """The deletion of a line's copy has begun and its server failed: its name, and that server."""
    name = await perene.pair("acme")
    (other,) = set(perene.servers) - {home_of(perene, name)}
    await perene.plant_orphan(name, server=other)
    await swept(perene, 2)
    perene.servers[other].faults.turn_on("error_500_before", route="delete")
    await swept(perene)
    perene.servers[other].faults.clear()
    perene.clock.advance(HOUR)
    assert stage_of(perene, name, other) == "deleting"
    return name, other


def home_of(perene: Perene, name: str) -> str:
    server: str = perene.documents("instances")[name]["server"]
    return server


def stage_of(perene: Perene, name: str, server: str) -> str | None:
    """Find the candidate's stage, or None if there is no candidate."""
    candidate = perene.documents("sweeps/orphans/candidates").get(f"{server}~{name}", {})
    stage: str | None = candidate.get("stage")
    return stage


async def test_only_remaining_copy_is_spared(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        name, other = await begun(perene)
        await perene.servers[home_of(perene, name)].vanish(name)
        world = perene.servers[other].world
        outside_events.pair(world, world.sessions[name], NUMBER, None)

        report = await perene.sweep()

        spared = [note["why"] for note in report["notes"] if note["what"] == "spared"]
        assert spared == ["the line may need it"]
        assert perene.servers[other].state(name) == "open"
        await swept(perene, 3)
        assert perene.servers[other].exists(name)
        assert stage_of(perene, name, other) != "deleting"


async def test_released_lines_copy_is_spared(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        name, other = await begun(perene)
        await perene.call("DELETE", "/instances/default")

        await perene.sweep()

        assert stage_of(perene, name, other) != "deleting"
        await swept(perene, 3)
        assert stage_of(perene, name, other) != "deleting"


@pytest.mark.parametrize("connected", [False, True], ids=["pairing", "connected"])
async def test_moved_lines_copy_is_spared(firestore_emulator: str, connected: bool):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        name, other = await begun(perene)
        await perene.call("DELETE", "/instances/default")
        await perene.ensure("acme")
        assert home_of(perene, name) == other
        if connected:
            world = perene.servers[other].world
            outside_events.pair(world, world.sessions[name], NUMBER, None)

        await swept(perene, 3)

        assert stage_of(perene, name, other) != "deleting"
        assert perene.servers[other].exists(name)


async def test_next_copy_of_the_name_is_spared(firestore_emulator: str):
    """The removal had succeeded without our knowing; what has the name now is quarantined anew."""
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        name, other = await begun(perene)
        await perene.servers[other].vanish(name)
        await perene.plant_orphan(name, server=other)

        await perene.sweep()

        assert perene.servers[other].exists(name)
        assert stage_of(perene, name, other) == "deleted"


async def test_lease_outlasts_the_delete_of_a_copy(
    firestore_emulator: str, monkeypatch: pytest.MonkeyPatch
):
    """Also on a server that takes nearly as long as it may for what comes before."""
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        name, other = await begun(perene)
        silence, delete = Evolution.silence_instance, Evolution.delete_instance
        left = list[timedelta]()

        async def silence_slowly(evolution: Evolution, name: str) -> bool:
            perene.clock.advance(timedelta(seconds=50))
            return await silence(evolution, name)

        async def look_before_delete(evolution: Evolution, name: str) -> bool:
            lease = perene.documents("instances")[name]["lease"]
            left.append(lease["until"] - perene.clock())
            return await delete(evolution, name)

        monkeypatch.setattr(Evolution, "silence_instance", silence_slowly)
        monkeypatch.setattr(Evolution, "delete_instance", look_before_delete)

        await perene.sweep()

        assert [rest > leases.ENOUGH for rest in left] == [True]
        assert not perene.servers[other].exists(name)


@pytest.mark.parametrize("cause", ["orphan", "duplicate"])
async def test_removed_server_costs_no_sweep(on_2: Perene, cause: str):
    await on_2.pair("acme")
    await on_2.plant_orphan("instance_ghost")
    await swept(on_2, 2)
    (candidate,) = on_2.documents("sweeps/orphans/candidates").values()
    gone = {"server": "gone", "name": "instance_acme", "stage": "deleting", "cause": cause}
    on_2.write("sweeps/orphans/candidates/gone~instance_acme", **{**candidate, **gone})

    await swept(on_2)

    assert on_2.evolution.state("instance_acme") == "open"
