"""Where messages may be lost for good it is said so, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.journeys.test_odd_intake import MARIA, inbox, kept
from tests.journeys.test_who_changed_it import thread
from tests.perene import Perene

NUMBER = "5511999990001"
MINUTES = timedelta(minutes=1)
INCIDENT = "messages_may_be_lost~main"


@contextmanager
def unreachable(perene: Perene) -> Iterator[None]:
    """Answer 503 to every webhook."""
    world = perene.evolution.world
    client, refusing = world.client, httpx.MockTransport(lambda _: httpx.Response(503))
    world.client = httpx.AsyncClient(transport=refusing)
    yield
    world.client = client


async def watched(perene: Perene) -> str:
    """A line that was looked at every five minutes, and a message."""
    name = await perene.pair("acme", NUMBER)
    await perene.evolution.receive(name, MARIA, "antes", id="3A00000000000000000A")
    await perene.evolution.drain()
    for _ in range(3):
        await perene.sweep("/sweep-capacity")
        perene.clock.advance(5 * MINUTES)
    return name


async def be_away(perene: Perene, name: str, *, restart: bool) -> None:
    """An edit, then a message come while we aren't reachable for an hour."""
    perene.clock.advance(20 * MINUTES)
    with unreachable(perene):
        await perene.evolution.edit(name, "3A00000000000000000A", "depois")
        await perene.evolution.receive(name, MARIA, "segunda")
        await perene.evolution.drain()
        if restart:
            await perene.evolution.restart()
            perene.evolution.world.rows[name].updated_at = perene.clock().isoformat()
        await perene.evolution.drain()
    perene.clock.advance(40 * MINUTES)


def texts(perene: Perene) -> set[Any]:
    return {message["text"] for message in kept(perene).values()}


async def test_restart_loses_messages_behind_edit(on_2: Perene):
    name = await watched(on_2)
    row = on_2.evolution.world.rows[name]

    await be_away(on_2, name, restart=True)

    assert "segunda" not in str(row.messages)


@pytest.mark.parametrize("sweep", ["/sweep-capacity", "/sweep-orphans"])
async def test_outage_with_restart_is_reported(on_2: Perene, sweep: str):
    name = await watched(on_2)
    await be_away(on_2, name, restart=True)

    report = await on_2.sweep(sweep)

    assert "segunda" not in texts(on_2)
    assert report["counts"]["gap_possibly_incomplete"] == 1
    (gap,) = on_2.documents("tenants/acme/gaps").values()
    assert gap["possibly_incomplete"] is True
    incident = on_2.documents("incidents")[INCIDENT]
    assert (incident["open"], incident["count"]) == (True, 1)


async def test_examined_window_is_not_reported_again(on_2: Perene):
    name = await watched(on_2)
    await be_away(on_2, name, restart=True)
    await on_2.sweep("/sweep-capacity")
    on_2.clock.advance(5 * MINUTES)

    for sweep in ("/sweep-capacity", "/sweep-orphans"):
        assert "gap_possibly_incomplete" not in (await on_2.sweep(sweep))["counts"]

    assert on_2.documents("incidents")[INCIDENT]["open"]


async def test_incident_closes_after_a_week(on_2: Perene):
    name = await watched(on_2)
    await be_away(on_2, name, restart=True)
    await on_2.sweep("/sweep-capacity")

    on_2.clock.advance(timedelta(days=8))
    await on_2.sweep("/sweep-orphans")

    assert not on_2.documents("incidents")[INCIDENT]["open"]


async def test_outage_without_restart_loses_nothing(on_2: Perene):
    name = await watched(on_2)
    await be_away(on_2, name, restart=False)

    report = await on_2.sweep("/sweep-capacity")

    assert "gap_possibly_incomplete" not in report["counts"]
    assert INCIDENT not in on_2.documents("incidents")


async def test_closed_line_may_be_incomplete(on_2: Perene):
    name = await watched(on_2)
    await be_away(on_2, name, restart=False)
    await on_2.evolution.drop(name, back=False)

    report = await on_2.sweep("/sweep-capacity")

    assert report["counts"]["gap_possibly_incomplete"] == 1


async def test_earlier_closed_line_missed_nothing(on_2: Perene):
    name = await watched(on_2)
    await on_2.evolution.unpair(name)
    await on_2.evolution.drain()
    await on_2.sweep("/sweep-orphans")
    on_2.clock.advance(60 * MINUTES)

    report = await on_2.sweep("/sweep-capacity")

    assert "gap_possibly_incomplete" not in report["counts"]


@pytest.mark.parametrize("reopened", [True, False])
async def test_backfilled_message_says_possibly_incomplete(on_2: Perene, reopened: bool):
    name = await watched(on_2)
    on_2.evolution.faults.turn_on("webhook_lost")
    await on_2.evolution.receive(name, MARIA, "perdida")
    on_2.evolution.faults.turn_off("webhook_lost")
    if reopened:
        on_2.evolution.world.rows[name].updated_at = on_2.clock().isoformat()

    report = await on_2.sweep()

    messages = [message for message in (await thread(on_2))["messages"] if message["recovered"]]
    assert [message["possibly_incomplete"] for message in messages] == [reopened]
    assert report["counts"].get("gap_possibly_incomplete", 0) == int(reopened)
    (gap,) = on_2.documents("tenants/acme/gaps").values()
    assert gap.get("possibly_incomplete", False) is reopened
    assert len(await inbox(on_2)) == 1


async def test_1_8_holds_nothing_back():
    async with Perene(main="1.8.2") as perene:
        name = await perene.pair("acme", NUMBER)
        perene.evolution.faults.turn_on("webhook_lost")
        await perene.evolution.receive(name, MARIA, "perdida")

        report = await perene.sweep()

        assert report["counts"]["recovered"] == 1
        assert "gap_possibly_incomplete" not in report["counts"]
