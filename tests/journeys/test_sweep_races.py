"""What happens while a sweep is about to delete: whoever comes in time is spared."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest

from infra.local.simulator import instance_settings
from tests.perene import Perene, name_of

DAY = timedelta(days=1)
NUMBER, OTHER = "5511999990001", "5511999990002"


def told(report: dict[str, Any], what: str) -> list[str]:
    return [note["instance"] for note in report["notes"] if note["what"] == what]


async def swept(perene: Perene, times: int = 1) -> dict[str, Any]:
    for _ in range(times):
        perene.clock.advance(8 * DAY)
        report = await perene.sweep()
    return report


async def cancelled(perene: Perene, tenant: str, number: str) -> str:
    """A line of a cancelled tenant, whose time is over; its instance's name."""
    name = await perene.pair(tenant, number)
    await perene.operate("PUT", f"/fleet/tenants/{tenant}", json={"status": "cancelled"})
    await swept(perene, 2)
    return name


async def called_back(perene: Perene, tenant: str) -> None:
    await perene.operate("PUT", f"/fleet/tenants/{tenant}", json={"status": "active"})


async def said(perene: Perene, verb: str, name: str) -> None:
    answer = await perene.operate("POST", f"/fleet/candidates/main~{name}/{verb}")
    assert answer.status_code == 200, answer.text


def just_before_the_end(perene: Perene, name: str, happens: Callable[[], Awaitable[Any]]) -> None:
    """When everything was read and looked at, and nothing is written yet."""
    perene.hosts.before[f"/instance/connectionState/{name}"] = happens


async def test_tenant_reactivated_last_keeps_line(perene: Perene):
    await perene.pair("acme", OTHER)
    name = await cancelled(perene, "gone", NUMBER)
    just_before_the_end(perene, name, partial(called_back, perene, "gone"))

    report = await swept(perene)

    assert (told(report, "spared"), told(report, "deleted")) == ([name], [])
    assert perene.evolution.state(name) == "open"
    assert told(await swept(perene), "cleared") == [name]


async def test_tenant_reactivated_meanwhile_keeps_line(perene: Perene):
    first = await cancelled(perene, "a-gone", NUMBER)
    second = await perene.pair("b-gone", OTHER)
    await perene.operate("PUT", "/fleet/tenants/b-gone", json={"status": "cancelled"})
    perene.set(SWEEP_MAX_DELETES="0")
    await swept(perene, 2)
    perene.set(SWEEP_MAX_DELETES="9")
    perene.hosts.before[f"/instance/delete/{first}"] = partial(called_back, perene, "b-gone")

    report = await swept(perene)

    assert (told(report, "deleted"), told(report, "spared")) == ([first], [second])
    assert perene.evolution.state(second) == "open"
    assert (await perene.operate("GET", "/fleet/candidates?stage=quarantined")).json() == {
        "candidates": []
    }


@pytest.mark.parametrize("verb", ["undo", "keep"])
async def test_late_refusal_counts(perene: Perene, verb: str):
    await perene.pair("acme", OTHER)
    name = await cancelled(perene, "gone", NUMBER)
    just_before_the_end(perene, name, partial(said, perene, verb, name))

    report = await swept(perene)

    assert told(report, "deleted") == []
    assert perene.evolution.state(name) == "open"


async def test_orphan_adopted_last_stays(perene: Perene):
    await perene.pair("acme", OTHER)
    name = name_of("late")
    await perene.plant_orphan(name)
    await swept(perene, 2)
    await said(perene, "approve", name)
    just_before_the_end(perene, name, partial(perene.ensure, "late"))

    report = await swept(perene)

    assert told(report, "deleted") == []
    assert perene.evolution.exists(name)
    assert perene.documents("instances")[name]["state"] == "pairing"


async def idle(perene: Perene) -> str:
    """A line that nobody used for long, and that a person gave up; its instance's name."""
    name = await perene.pair("acme", NUMBER)
    await perene.evolution.unpair(name)
    await perene.evolution.drain()
    await swept(perene, 6)
    await said(perene, "approve", name)
    return name


async def test_line_paired_last_stays(perene: Perene):
    name = await idle(perene)
    just_before_the_end(perene, name, partial(perene.pair, "acme", NUMBER))

    report = await swept(perene)

    assert told(report, "deleted") == []
    assert perene.evolution.state(name) == "open"
    assert perene.documents("instances")[name]["state"] == "open"


async def test_line_paired_during_deletion_returns(on_2: Perene):
    name = await idle(on_2)
    await on_2.ensure()
    look = f"/instance/connectionState/{name}"

    async def first() -> None:
        on_2.hosts.before[look] = second

    async def second() -> None:
        on_2.evolution.faults.turn_on("webhook_lost")
        await on_2.evolution.scan(name, NUMBER)

    on_2.hosts.before[look] = first
    report = await swept(on_2)

    assert (told(report, "spared"), told(report, "deleted")) == ([name], [])
    assert on_2.evolution.state(name) == "open"
    record = on_2.documents("instances")[name]
    assert (record["state"], record["lease"]) == ("open", None)
    assert (record["number"], record["claimed"]) == (NUMBER, NUMBER)


async def test_late_stranger_is_not_touched(on_2: Perene):
    await on_2.pair("acme", OTHER)
    name = name_of("ghost")
    await on_2.plant_orphan(name)
    await swept(on_2, 2)

    async def taken() -> None:
        await on_2.evolution.vanish(name)
        await on_2.plant_orphan(name)
        theirs = {"enabled": True, "url": "https://other.test", "headers": {}, "events": ["CALL"]}
        instance_settings.store_webhook(on_2.evolution.world.rows[name], theirs)

    just_before_the_end(on_2, name, taken)

    assert told(await swept(on_2), "deleted") == []
    assert on_2.evolution.exists(name)


@pytest.mark.parametrize("fault", ["cut_after", "error_500_before", "cut_before"])
async def test_failed_deletion_is_finished_later(perene: Perene, fault: str):
    await perene.pair("acme", OTHER)
    name = await cancelled(perene, "gone", NUMBER)
    perene.evolution.faults.turn_on(fault, route="delete", count=1)

    await swept(perene)
    await swept(perene)

    assert not perene.evolution.exists(name)
    assert list(perene.documents("instances")) == [name_of("acme")]
    stages = {
        candidate["stage"] for candidate in perene.documents("sweeps/orphans/candidates").values()
    }
    assert stages == {"deleted"}
