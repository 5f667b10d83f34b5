"""How full every server is: counted, corrected, kept, foreseen, and alerted of."""

from datetime import timedelta
from typing import Any

from tests.perene import Perene

DAY = timedelta(days=1)


async def counted(perene: Perene) -> dict[str, Any]:
    return await perene.sweep("/sweep-capacity")


async def test_every_instance_is_counted_once(on_2: Perene):
    await on_2.pair("open")
    await on_2.ensure("pairing")
    await on_2.ensure("shy")
    await on_2.evolution.reach_qr_limit("instance_shy")
    out = await on_2.pair("out", "5511999990002")
    await on_2.evolution.unpair(out)
    await on_2.evolution.drain()
    await on_2.evolution.plant("theirs")
    await on_2.plant_orphan("instance_ghost")
    await on_2.sweep()
    await on_2.sweep()

    census = (await counted(on_2))["censuses"]["main"]

    names = ("open", "pairing", "never_paired", "closed", "quarantined", "foreign")
    assert [census[name] for name in names] == [1] * 6
    assert (census["reserved"], census["limit"]) == (4, 100)


async def test_slot_of_no_line_is_freed(perene: Perene):
    await perene.ensure("acme")
    perene.write("servers/main/slots/57", instance="instance_nobody")

    report = await counted(perene)

    census = report["censuses"]["main"]
    assert (census["corrected"], census["reserved"], report["counts"]["seated"]) == (1, 1, 1)
    assert perene.taken("main") == 1
    assert (await counted(perene))["censuses"]["main"]["corrected"] == 0


async def test_unused_server_is_counted(firestore_emulator: str):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.ensure("acme")

        report = await counted(perene)

        assert sorted(census["reserved"] for census in report["censuses"].values()) == [0, 1]


async def test_silent_server_is_reported(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        perene.servers["two"].faults.turn_on("down")

        report = await counted(perene)

        assert list(report["censuses"]) == ["one"]
        assert report["silent"] == ["two: evolution-unreachable"]
        since = perene.documents("servers")["two"]["failed_since"]
        perene.clock.advance(DAY)
        await counted(perene)
        assert perene.documents("servers")["two"]["failed_since"] == since
        perene.servers["two"].faults.clear()
        await counted(perene)
        assert perene.documents("servers")["two"]["failed_since"] is None


async def test_forecast_follows_last_weeks(on_2: Perene):
    for day in range(10):
        for at in range(2):
            await on_2.ensure(f"t{day}-{at}")
        on_2.clock.advance(DAY)
        report = await counted(on_2)

    forecast = report["forecasts"]["main"]
    assert forecast["trend"]["a_day"] == 2
    assert (forecast["days"], forecast["earliest"], forecast["latest"]) == (40, 40, 40)
    assert len(on_2.documents("sweeps/capacity/days")) == 10


async def test_without_enough_history_nothing_is_foreseen(perene: Perene):
    assert (await counted(perene))["forecasts"]["main"] == {}


async def test_reclaimable_slots_are_ranked(perene: Perene):
    await perene.ensure("shy")
    out = await perene.pair("out", "5511999990002")
    await perene.evolution.unpair(out)
    await perene.evolution.drain()
    await perene.pair("acme")

    report = await counted(perene)

    ranked = [(slot["instance"], slot["why"]) for slot in report["reclaimable"]]
    assert ranked == [("instance_shy", "never_paired"), ("instance_out", "logged_out")]


async def test_server_that_fills_up_is_alerted(firestore_emulator: str):
    async with Perene(instance_max=10, main="2.3.6") as perene:
        causes = {}
        for lines in range(1, 11):
            await perene.ensure(f"t{lines}")
            if lines >= 8:
                await counted(perene)
                incidents = perene.documents("incidents").values()
                causes[lines] = {incident["cause"] for incident in incidents}

        assert causes == {8: set(), 9: {"server_filling"}, 10: {"server_filling", "server_full"}}


async def test_drained_server_takes_no_line(firestore_emulator: str):
    async with Perene(one="2.3.6", two="2.3.6") as perene:
        await perene.operate("PUT", "/fleet/servers/one", json={"accepting": False})
        for at in range(3):
            await perene.ensure(f"t{at}")
        drained = (await perene.operate("GET", "/fleet")).json()["servers"]
        await perene.operate("PUT", "/fleet/servers/one", json={"accepting": True})
        await perene.ensure("late")

        assert {server["server"]: server["accepting"] for server in drained} == {
            "one": False,
            "two": True,
        }
        assert perene.servers["one"].names() == ["instance_late"]
