"""A month in seconds: how it should go, and how it goes where nobody looked before."""

from datetime import timedelta
from typing import Any

from tests.perene import Perene, name_of
from tests.proofs.stage import times

NIGHT = timedelta(days=1)


async def night(perene: Perene) -> dict[str, Any]:
    """A day is over, and both sweeps have run."""
    perene.clock.advance(NIGHT)
    await perene.sweep("/sweep-capacity")
    return await perene.sweep()


def swept(reports: list[dict[str, Any]], what: str) -> list[tuple[int, str]]:
    """In which nights that was done to which instances."""
    return [
        (at, note["instance"])
        for at, report in enumerate(reports, 1)
        for note in report["notes"]
        if note["what"] == what
    ]


def number(at: int) -> str:
    return f"55119999{at:05}"


async def clients(perene: Perene, count: int) -> None:
    for at in range(count):
        await perene.pair(f"c{at}", number(at))


async def test_good_month_keeps_every_instance(on_2: Perene):
    count, moved = times(10, 100), 3
    reconnected = count // 2
    on_2.instance_max = count
    on_2.set(EVOLUTION_SERVERS=on_2.environment()["EVOLUTION_SERVERS"])
    await clients(on_2, count)
    reports = [await night(on_2)]
    for at in range(reconnected):
        await on_2.evolution.unpair(name_of(f"c{at}"))
    await on_2.evolution.drain()
    reports.append(await night(on_2))
    for at in range(reconnected):
        await on_2.pair(f"c{at}", number(at))
    reports.append(await night(on_2))
    for at in range(reconnected, reconnected + moved):
        await on_2.call("DELETE", "/instances/default", f"c{at}")
        await on_2.pair(f"c{at}", number(200 + at))
    reports += [await night(on_2) for _ in range(5)]
    on_2.clock.advance(20 * NIGHT)
    reports.append(await night(on_2))

    assert len(on_2.evolution.names()) == count
    assert {on_2.evolution.state(name) for name in on_2.evolution.names()} == {"open"}
    assert on_2.taken("main") == count
    assert [report["invariants"]["count"] for report in reports] == [0] * len(reports)
    assert (await on_2.operate("GET", "/fleet/candidates")).json()["candidates"] == []
    seen = (await on_2.operate("GET", "/fleet")).json()
    assert seen["sentence"] == "Registros e servidores concordam"
    assert [incident["cause"] for incident in seen["attention"]] == ["server_full"]


async def test_bad_month_deletes_exactly_the_orphans(
    firestore_emulator: str,
):
    async with Perene(one="2.3.6", two="1.8.2") as perene:
        perene.set(ORPHAN_GRACE_DAYS="10")
        await clients(perene, 8)
        records = perene.documents("instances")
        one, two = perene.servers["one"], perene.servers["two"]
        await two.plant("somebody-elses")
        for at in range(3):
            await perene.plant_orphan(f"instance_orphan{at}", server="one")
        duplicated = next(name for name, record in records.items() if record["server"] == "one")
        await perene.plant_orphan(duplicated, server="two")
        await perene.operate("PUT", "/fleet/tenants/c3", json={"status": "cancelled"})
        await perene.operate("PUT", "/fleet/tenants/c4", json={"status": "cancelled"})
        vanished = perene.servers[records[name_of("c5")]["server"]]
        await vanished.vanish(name_of("c5"))
        idle = perene.servers[records[name_of("c6")]["server"]]
        await idle.unpair(name_of("c6"))
        await idle.drain()

        reports = [await night(perene), await night(perene)]
        decision = await perene.operate("POST", "/fleet/candidates/one~instance_orphan1/keep")
        undone = await perene.operate("POST", "/fleet/candidates/one~instance_orphan2/undo")
        agreed = await perene.operate("POST", f"/fleet/candidates/two~{duplicated}/approve")
        await perene.operate("PUT", "/fleet/tenants/c4", json={"status": "active"})
        reports += [await night(perene) for _ in range(12)]

        assert {answer.status_code for answer in (decision, undone, agreed)} == {200}
        suspected = {name for at, name in swept(reports, "suspected") if at == 1}
        assert suspected == {
            *(f"instance_orphan{at}" for at in range(3)),
            duplicated,
            name_of("c3"),
            name_of("c4"),
        }
        assert swept(reports, "missing") == [(1, name_of("c5"))]
        assert sorted(swept(reports, "deleted")) == sorted(
            [
                (9, name_of("c3")),
                (9, duplicated),
                (9, "instance_orphan0"),
                (11, "instance_orphan2"),
            ]
        )
        assert swept(reports, "cleared") == [(3, name_of("c4"))]
        (proposal,) = [
            candidate
            for candidate in (await perene.operate("GET", "/fleet/candidates")).json()["candidates"]
            if candidate["awaits_approval"]
        ]
        assert (proposal["instance"], proposal["cause"]) == (name_of("c6"), "idle")
        gone = {name_of("c3"), name_of("c5")}
        expected = {name_of(f"c{at}") for at in range(8)} - gone
        left = {*one.names(), *two.names()}
        assert left == expected | {"somebody-elses", "instance_orphan1"}
        assert len(one.names()) + len(two.names()) == len(left)
        healed = await perene.ensure("c5")
        assert healed.json()["state"] == "pairing"
