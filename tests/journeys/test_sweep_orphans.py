"""Records and servers agree again: who has to go goes, after its time, and nobody else."""

from datetime import timedelta
from typing import Any

import pytest

from infra.local.simulator import instance_settings, outside_events
from shared import services
from tests.perene import Perene

DAY = timedelta(days=1)
WEEK = timedelta(days=7)


def told(report: dict[str, Any], what: str) -> list[str]:
    """The instances to which a sweep did that."""
    return [note["instance"] for note in report["notes"] if note["what"] == what]


async def candidates(perene: Perene, **query: str) -> dict[str, dict[str, Any]]:
    answer = await perene.operate("GET", "/fleet/candidates", params=query)
    assert answer.status_code == 200, answer.text
    return {candidate["instance"]: candidate for candidate in answer.json()["candidates"]}


async def swept(perene: Perene, times: int = 1, apart: timedelta = DAY) -> dict[str, Any]:
    """Sweep so many times, each a while after the other, and return the last report."""
    for _ in range(times):
        perene.clock.advance(apart)
        report = await perene.sweep()
    return report


async def quarantined(perene: Perene) -> dict[str, Any]:
    """Everything that can be is in quarantine, its time is over, and 1.8's orphans are given up."""
    await swept(perene, 2)
    perene.clock.advance(WEEK)
    shown = await candidates(perene)
    await given_up(perene)
    return shown


async def given_up(perene: Perene) -> None:
    """A person approves of orphans of which nobody can tell whether they were paired: 1.8's."""
    for name, candidate in (await candidates(perene, stage="quarantined")).items():
        strange = candidate["stranger"] or candidate["doubtful"]
        if candidate["cause"] == "orphan" and candidate.get("paired") is None and not strange:
            answer = await perene.operate("POST", f"/fleet/candidates/main~{name}/approve")
            assert answer.status_code == 200, answer.text


# Orphans -------------------------------------------------------------------------------------


async def test_orphan_is_deleted_after_quarantine(perene: Perene):
    await perene.pair("acme")
    await perene.plant_orphan("instance_ghost")

    first = await swept(perene)
    second = await swept(perene)
    waiting = await swept(perene)
    await given_up(perene)
    last = await swept(perene, apart=WEEK)

    assert told(first, "suspected") == ["instance_ghost"]
    assert told(second, "quarantined") == ["instance_ghost"]
    assert waiting["counts"].get("deleted") is None
    assert told(last, "deleted") == ["instance_ghost"]
    assert perene.evolution.names() == ["instance_acme"]
    deleted = await candidates(perene, stage="deleted")
    assert deleted["instance_ghost"]["cause"] == "orphan"


async def test_deletion_leaves_nothing(perene: Perene):
    await perene.pair("acme")
    await perene.plant_orphan("instance_ghost")
    await quarantined(perene)

    await swept(perene)

    assert list(perene.documents("instances")) == ["instance_acme"]
    assert list(perene.documents("tenants")) == ["acme"]
    assert perene.taken("main") == 1


async def test_foreign_names_are_never_suspected(perene: Perene):
    await perene.pair("acme")
    names = ("evo1", "Instance_acme", "INSTANCE_loja", "instance_", "instance_a b", "instance_a ")
    for name in (*names, "instance_x~~default"):
        await perene.plant_orphan(name)

    await swept(perene, 5, WEEK)

    assert await candidates(perene) == {}
    assert len(perene.evolution.names()) == 8


async def test_foreign_webhook_needs_approval(on_2: Perene):
    await on_2.pair("acme")
    await on_2.evolution.plant("instance_theirs")
    row = on_2.evolution.world.rows["instance_theirs"]
    theirs = {"enabled": True, "url": "https://other.test", "headers": {}, "events": ["CALL"]}
    instance_settings.store_webhook(row, theirs)
    waiting = await quarantined(on_2)
    spared = await swept(on_2)

    assert waiting["instance_theirs"]["stranger"]
    assert waiting["instance_theirs"]["awaits_approval"]
    assert told(spared, "deleted") == []

    await on_2.operate("POST", "/fleet/candidates/main~instance_theirs/approve")
    assert told(await swept(on_2), "deleted") == ["instance_theirs"]


async def test_claimed_orphan_is_cleared(perene: Perene):
    await perene.pair("acme")
    await perene.plant_orphan("instance_late")
    await quarantined(perene)

    await perene.ensure("late")
    report = await swept(perene)

    assert told(report, "cleared") == ["instance_late"]
    assert await candidates(perene) == {}
    assert perene.evolution.exists("instance_late")


async def test_kept_orphan_is_never_proposed(perene: Perene):
    await perene.pair("acme")
    await perene.plant_orphan("instance_one")
    await perene.plant_orphan("instance_two")
    await quarantined(perene)

    await perene.operate("POST", "/fleet/candidates/main~instance_one/undo")
    await perene.operate("POST", "/fleet/candidates/main~instance_two/keep")
    report = await swept(perene)

    assert told(report, "suspected") == ["instance_one"]
    assert told(report, "deleted") == []
    await quarantined(perene)
    await swept(perene, 4, WEEK)
    assert set(perene.evolution.names()) == {"instance_acme", "instance_two"}
    assert (await candidates(perene))["instance_two"]["stage"] == "kept"


async def test_deletion_takes_three_sweeps(perene: Perene):
    perene.set(QUARANTINE_DAYS="0")
    await perene.pair("acme")
    await perene.plant_orphan("instance_ghost")

    reports = [await swept(perene, apart=timedelta(seconds=1)) for _ in range(2)]
    await given_up(perene)
    reports.append(await swept(perene, apart=timedelta(seconds=1)))

    done = [next(iter(set(r["counts"]) & {"suspected", "quarantined", "deleted"})) for r in reports]
    assert done == ["suspected", "quarantined", "deleted"]


# Lines of tenants ----------------------------------------------------------------------------


async def test_cancelled_line_goes_after_quarantine(perene: Perene):
    await perene.pair("acme")
    await perene.pair("gone", "5511999990002")
    await perene.operate("PUT", "/fleet/tenants/gone", json={"status": "cancelled"})
    waiting = await quarantined(perene)

    report = await swept(perene)

    assert waiting["instance_gone"]["cause"] == "cancelled"
    assert waiting["instance_gone"]["warning"]
    assert told(report, "deleted") == ["instance_gone"]
    assert perene.evolution.names() == ["instance_acme"]
    assert "5511999990002" not in perene.documents("numbers")
    assert perene.documents("tenants")["gone"]["lines"] == []


async def test_reactivated_tenant_keeps_its_line(perene: Perene):
    await perene.pair("acme")
    await perene.pair("gone", "5511999990002")
    await perene.operate("PUT", "/fleet/tenants/gone", json={"status": "cancelled"})
    await quarantined(perene)

    await perene.operate("PUT", "/fleet/tenants/gone", json={"status": "active"})
    report = await swept(perene)

    assert told(report, "cleared") == ["instance_gone"]
    assert perene.evolution.state("instance_gone") == "open"


async def test_a_suspended_tenants_lines_stay(perene: Perene):
    await perene.pair("acme")
    await perene.operate("PUT", "/fleet/tenants/acme", json={"status": "suspended"})

    await swept(perene, 5, WEEK)

    assert perene.evolution.state("instance_acme") == "open"
    assert await candidates(perene) == {}


async def test_idle_line_awaits_approval(perene: Perene):
    await perene.pair("acme")
    name = await perene.pair("idle", "5511999990002")
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await swept(perene, 2)
    assert await candidates(perene) == {}

    await swept(perene, 3, timedelta(days=31))
    shown = await candidates(perene)
    assert (shown[name]["cause"], shown[name]["awaits_approval"]) == ("idle", True)
    assert perene.evolution.exists(name)

    approved = await perene.operate("POST", f"/fleet/candidates/main~{name}/approve")
    report = await swept(perene)

    assert approved.json()["approved_by"] == "olga"
    assert told(report, "deleted") == [name]
    assert not perene.evolution.exists(name)


async def test_line_paired_after_approval_stays(perene: Perene):
    name = await perene.pair("idle")
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await swept(perene, 4, timedelta(days=31))
    await perene.operate("POST", f"/fleet/candidates/main~{name}/approve")

    await perene.pair("idle")
    report = await swept(perene)

    assert told(report, "cleared") == [name]
    assert perene.evolution.state(name) == "open"


async def test_unpaired_line_is_proposed_sooner(perene: Perene):
    await perene.ensure("shy")
    await perene.evolution.reach_qr_limit("instance_shy")
    await perene.evolution.drain()

    await swept(perene, 2, timedelta(days=8))

    candidate = (await candidates(perene))["instance_shy"]
    assert (candidate["cause"], candidate["awaits_approval"]) == ("never_paired", True)
    assert candidate["paired"] is False


async def test_duplicate_goes_and_own_stays(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.pair("acme")
        own = perene.documents("instances")["instance_acme"]["server"]
        other = "two" if own == "one" else "one"
        await perene.plant_orphan("instance_acme", server=other)

        await quarantined(perene)
        report = await swept(perene)

        assert told(report, "deleted") == ["instance_acme"]
        assert perene.servers[other].names() == []
        assert perene.servers[own].state("instance_acme") == "open"
        assert perene.documents("instances")["instance_acme"]["lease"] is None


async def test_connected_copy_needs_approval(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.ensure("acme")
        own = perene.documents("instances")["instance_acme"]["server"]
        other = "two" if own == "one" else "one"
        await perene.plant_orphan("instance_acme", server=other, open=True)

        report = await swept(perene, 5, WEEK)

        assert perene.servers[other].state("instance_acme") == "open"
        rules = {violation["rule"] for violation in report["invariants"]["violations"]}
        assert "line_on_two_servers" in rules


# Repairs -------------------------------------------------------------------------------------


async def test_vanished_instance_is_healed_by_ensure(perene: Perene):
    name = await perene.pair("acme")
    await perene.evolution.vanish(name)

    report = await swept(perene)

    assert told(report, "missing") == [name]
    assert perene.documents("instances")[name]["state"] == "missing"
    assert (await perene.ensure("acme")).json()["state"] == "pairing"


async def test_liars_are_found_both_ways(on_2: Perene):
    gone, back = await on_2.pair("gone"), await on_2.pair("back", "5511999990002")
    await on_2.evolution.drop(gone, back=False)
    on_2.evolution.world.rows[gone].connection_status = "close"
    on_2.write(f"instances/{back}", state="closed", reason="connection_lost", number=None)

    report = await swept(on_2)

    assert set(told(report, "corrected")) == {gone, back}
    records = on_2.documents("instances")
    assert (records[gone]["state"], records[gone]["reason"]) == ("closed", "connection_lost")
    assert (records[back]["state"], records[back]["number"]) == ("open", "5511999990002")


async def test_database_that_lies_is_not_believed(on_2: Perene):
    name = await on_2.pair("acme")
    on_2.evolution.world.rows[name].connection_status = "close"

    report = await swept(on_2)

    assert told(report, "corrected") == []
    assert on_2.documents("instances")[name]["state"] == "open"


async def test_release_that_nobody_finished_is_finished(perene: Perene):
    name = await perene.pair("acme")
    perene.write(f"instances/{name}", state="releasing", reason="release_asked")

    report = await swept(perene)

    assert told(report, "left") == [name]
    assert perene.documents("instances") == {}
    assert not perene.evolution.exists(name)


async def test_unfinished_creation_can_begin_anew(perene: Perene):
    name = await perene.pair("acme")
    await perene.evolution.vanish(name)
    perene.write(f"instances/{name}", state="creating", reason="new")

    await swept(perene)

    assert perene.documents("instances")[name]["state"] == "missing"


async def test_deployment_that_moved_repairs_every_line(perene: Perene):
    names = [await perene.pair(f"t{at}", f"551199999000{at}") for at in range(3)]
    perene.set(PUBLIC_URL="https://moved.test")

    report = await swept(perene)
    again = await swept(perene)

    assert set(told(report, "repaired")) == set(names)
    assert told(again, "repaired") == []
    for name in names:
        assert perene.evolution.webhook(name)["url"].startswith("https://moved.test/webhook")


async def test_changed_settings_are_restored(perene: Perene):
    name = await perene.pair("acme")
    perene.evolution.world.rows[name].setting["readMessages"] = True

    report = await swept(perene)

    assert [(note["instance"], note["why"]) for note in report["notes"]] == [(name, "settings")]
    assert perene.evolution.settings(name)["readMessages"] is False


async def test_releasing_line_stays_silent(perene: Perene):
    name = await perene.pair("acme")
    perene.evolution.faults.turn_on("delete_never_finishes")
    await perene.call("DELETE", "/instances/default", "acme")

    report = await swept(perene, apart=timedelta(minutes=2))

    assert told(report, "repaired") == []
    assert not perene.evolution.webhook(name)["enabled"]


# Guards --------------------------------------------------------------------------------------


async def doomed(perene: Perene) -> None:
    """An orphan among ten tenants, and its time is over."""
    for at in range(10):
        await perene.ensure(f"t{at}")
    await perene.plant_orphan("instance_ghost")
    await quarantined(perene)


def braked(report: dict[str, Any]) -> set[str]:
    return {brake["why"] for brake in report["brakes"]}


async def test_silent_server_stops_deletions(firestore_emulator: str):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.ensure("acme")
        await perene.plant_orphan("instance_ghost", server="one")
        await quarantined(perene)
        perene.servers["two"].faults.turn_on("down")

        report = await swept(perene)

        assert braked(report) == {"census_failed"}
        assert perene.servers["one"].exists("instance_ghost")
        perene.servers["two"].faults.clear()
        assert told(await swept(perene), "deleted") == ["instance_ghost"]


async def test_lost_tenants_stop_deletions(perene: Perene):
    await doomed(perene)
    for name in list(perene.documents("tenants"))[:5]:
        perene.database.document(f"tenants/{name}").delete()

    report = await swept(perene)

    assert braked(report) == {"tenants_shrank"}
    assert perene.evolution.exists("instance_ghost")
    assert len(perene.evolution.names()) == 11


async def test_no_tenants_brake_the_sweep(perene: Perene):
    await doomed(perene)
    for name in perene.documents("tenants"):
        perene.database.document(f"tenants/{name}").delete()

    report = await swept(perene, 5)

    assert braked(report) == {"tenants_empty"}
    assert len(perene.evolution.names()) == 11


async def test_mass_cancellation_brakes_the_sweep(perene: Perene):
    await doomed(perene)
    for at in range(5):
        await perene.operate("PUT", f"/fleet/tenants/t{at}", json={"status": "cancelled"})

    assert braked(await swept(perene, 5)) == {"tenants_shrank"}
    assert len(perene.evolution.names()) == 11

    await perene.operate("POST", "/fleet/sweeps/orphans/accept-loss")
    assert told(await swept(perene), "deleted") == ["instance_ghost"]
    await swept(perene)
    assert len(told(await swept(perene, apart=2 * WEEK), "deleted")) == 5


async def test_accepted_loss_waits_for_sweep(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        for at in range(10):
            await perene.ensure(f"t{at}")
        await swept(perene)
        for at in range(5):
            await perene.operate("PUT", f"/fleet/tenants/t{at}", json={"status": "cancelled"})
        await perene.operate("POST", "/fleet/sweeps/orphans/accept-loss")
        perene.servers["one"].faults.turn_on("down")

        assert braked(await swept(perene)) == {"census_failed"}
        perene.servers["one"].faults.clear()
        assert braked(await swept(perene)) == set()


async def test_nothing_is_deleted_when_census_shrank(perene: Perene):
    await doomed(perene)
    for at in range(5):
        await perene.evolution.vanish(f"instance_t{at}")

    report = await swept(perene)

    assert braked(report) == {"census_shrank"}
    assert perene.evolution.exists("instance_ghost")
    assert len(told(report, "missing")) == 5


async def test_deletions_per_sweep_are_capped(perene: Perene):
    perene.set(SWEEP_MAX_DELETES="2", SWEEP_MAX_LOSS="0.9")
    await perene.ensure("acme")
    for at in range(5):
        await perene.plant_orphan(f"instance_ghost{at}")
    await quarantined(perene)

    reports = [await swept(perene) for _ in range(3)]

    assert [len(told(report, "deleted")) for report in reports] == [2, 2, 1]
    assert reports[0]["counts"]["held_back"] == 3


async def test_dry_run_changes_nothing(perene: Perene):
    await doomed(perene)
    before = perene.documents("instances"), await candidates(perene)

    answer = await perene.operate("POST", "/sweep-orphans?dry=1")

    assert told(answer.json(), "delete") == ["instance_ghost"]
    assert (perene.documents("instances"), await candidates(perene)) == before
    assert perene.evolution.exists("instance_ghost")


async def test_unreadable_record_is_left_alone(perene: Perene):
    await perene.pair("acme")
    await perene.pair("odd", "5511999990002")
    await perene.pair("old", "5511999990003")
    perene.write("tenants/odd", status="whatever")
    perene.write("tenants/old", created_at="yesterday")
    perene.write("instances/instance_acme", state="whatever")

    report = await swept(perene, 5, WEEK)

    assert {"instance_acme", "instance_odd", "instance_old"} == set(perene.evolution.names())
    rules = [violation["rule"] for violation in report["invariants"]["violations"]]
    assert rules.count("record_unreadable") == 3


# One at a time, and in time ------------------------------------------------------------------


async def test_one_sweep_at_a_time(perene: Perene):
    perene.write("sweeps/orphans", holder="somebody", until=perene.clock() + timedelta(minutes=4))

    answer = await perene.operate("POST", "/sweep-orphans")
    perene.clock.advance(timedelta(minutes=5))

    assert (answer.status_code, answer.headers["retry-after"]) == (409, "60")
    assert (await perene.operate("POST", "/sweep-orphans")).status_code == 200


async def test_interrupted_sweep_goes_on_there(perene: Perene, monkeypatch: pytest.MonkeyPatch):
    names = [await perene.pair(f"t{at}", f"551199999000{at}") for at in range(4)]
    perene.set(PUBLIC_URL="https://moved.test", SWEEP_SECONDS="100")
    monkeypatch.setattr("shared.sweeps.runs.AT_ONCE", 1)

    async def slowly() -> None:
        perene.clock.advance(timedelta(seconds=60))

    for name in names:
        perene.hosts.before[f"/webhook/find/{name}"] = slowly

    first, second = await perene.sweep(), await perene.sweep()

    assert told(first, "repaired") == names[:2]
    assert first["stopped_at"]["drift"] == names[2]
    assert told(second, "repaired") == names[2:]


# Records that are lost -----------------------------------------------------------------------


async def test_empty_database_deletes_nothing_paired(on_2: Perene):
    for at in range(4):
        await on_2.pair(f"client{at}", f"551199999000{at}")
    on_2.set(GOOGLE_CLOUD_PROJECT=f"{on_2.project}-x")
    on_2.services.objects.clear()
    on_2.project += "-x"
    await on_2.pair("acme", "5511999990099")

    await quarantined(on_2)
    await swept(on_2, 2)

    assert len(on_2.evolution.names()) == 5


async def test_many_lost_records_need_approval(
    on_2: Perene,
):
    for at in range(4):
        await on_2.ensure(f"client{at}")
    on_2.set(GOOGLE_CLOUD_PROJECT=f"{on_2.project}-x")
    on_2.services.objects.clear()
    on_2.project += "-x"
    await on_2.pair("acme", "5511999990099")

    assert all(candidate["doubtful"] for candidate in (await quarantined(on_2)).values())
    report = await swept(on_2, 2)

    assert braked(report) == {"many_unclaimed"}
    assert len(on_2.evolution.names()) == 5
    await on_2.operate("POST", "/fleet/candidates/main~instance_client0/approve")
    assert told(await swept(on_2), "deleted") == ["instance_client0"]


async def test_lost_tenants_stop_everything(on_2: Perene):
    for at in range(3):
        await on_2.ensure(f"c{at}")
    await on_2.sweep()
    for at in range(2):
        on_2.database.document(f"tenants/c{at}").delete()
        on_2.database.document(f"instances/instance_c{at}").delete()

    await quarantined(on_2)
    report = await swept(on_2, 2)

    assert braked(report) == {"tenants_shrank"}
    assert len(on_2.evolution.names()) == 3


async def test_staging_instances_need_approval(on_2: Perene):
    for at in range(2):
        await on_2.ensure(f"client{at}")
    on_2.set(GOOGLE_CLOUD_PROJECT=f"{on_2.project}-x", PUBLIC_URL="https://staging.test")
    on_2.services.objects.clear()
    on_2.project += "-x"
    await on_2.ensure("qa")

    waiting = await quarantined(on_2)
    await swept(on_2, 2)

    assert [candidate["stranger"] for candidate in waiting.values()] == [True, True]
    assert len(on_2.evolution.names()) == 3


async def test_stranger_is_not_deleted_unasked(perene: Perene):
    await perene.pair("acme")
    await perene.evolution.plant("instance_dev")

    waiting = await quarantined(perene)
    await swept(perene, 2)

    assert waiting["instance_dev"]["stranger"]
    assert "instance_dev" in perene.evolution.names()


async def test_returned_instance_is_ours(perene: Perene):
    await perene.pair("acme")
    await perene.evolution.plant("instance_back")
    await services.evolution("main").silence_instance("instance_back")

    await quarantined(perene)

    assert told(await swept(perene), "deleted") == ["instance_back"]


async def test_server_with_two_names_stops_deletions(firestore_emulator: str):
    async with Perene(main="2.3.6", blue="2.3.6") as perene:
        await perene.ensure("acme")
        carrier = perene.documents("instances")["instance_acme"]["server"]

        with perene.alias_servers(carrier):
            await quarantined(perene)
            report = await swept(perene, 2)

        assert braked(report) == {"servers_alike"}
        assert perene.servers[carrier].names() == ["instance_acme"]


async def test_orphan_opened_last_needs_approval(on_2: Perene):
    await on_2.pair("acme")
    await on_2.plant_orphan("instance_ghost")
    await quarantined(on_2)

    async def opened() -> None:
        session = on_2.evolution.world.sessions["instance_ghost"]
        outside_events.pair(on_2.evolution.world, session, "5511977770000", None)

    on_2.hosts.before["/instance/connectionState/instance_ghost"] = opened
    await swept(on_2)
    await swept(on_2, 3, WEEK)

    assert on_2.evolution.state("instance_ghost") == "open"
    assert (await candidates(on_2))["instance_ghost"]["awaits_approval"]


async def test_unconnected_lines_copy_needs_approval(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.ensure("acme")
        own = perene.documents("instances")["instance_acme"]["server"]
        other = "two" if own == "one" else "one"
        await perene.plant_orphan("instance_acme", server=other)

        waiting = await quarantined(perene)
        await swept(perene, 2)

        assert waiting["instance_acme"]["doubtful"]
        assert perene.servers[other].names() == ["instance_acme"]


async def test_unclaimed_open_instance_needs_approval(on_2: Perene):
    await on_2.pair("acme")
    await on_2.evolution.plant("instance_dev_joao", "5511977770000", open=True)

    await quarantined(on_2)
    await swept(on_2, 2)

    assert "instance_dev_joao" in on_2.evolution.names()
