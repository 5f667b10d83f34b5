"""A server without a licence is a problem of its own, and changes and deletes nothing."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.journeys.test_alerts import Hook
from tests.journeys.test_sending import outcome, send, talk
from tests.perene import Perene

OWN = "5511999990001"
CANDIDATES = "sweeps/orphans/candidates"


@pytest.fixture
async def on_4(firestore_emulator: str, anyio_backend: str):
    """Perene with one Evolution 2.4, licensed."""
    async with Perene(main="2.4.0") as perene:
        yield perene


def problem(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


NOT_LICENSED = (503, "server-not-licensed")


async def test_unlicensed_server_refuses_new_line(on_4: Perene):
    on_4.evolution.license(active=False)

    answer = await on_4.ensure()

    assert problem(answer) == NOT_LICENSED
    assert on_4.documents("instances") == {}


async def test_unlicensed_server_keeps_its_lines(on_4: Perene):
    await on_4.pair("acme", OWN)
    await on_4.ensure("pairing")
    before = on_4.documents("instances")
    on_4.evolution.license(active=False)

    answers = [await on_4.ensure(tenant) for tenant in ("acme", "pairing")]
    reports = [await on_4.sweep(), await on_4.sweep("/sweep-capacity")]

    assert [problem(answer) for answer in answers] == [NOT_LICENSED] * 2
    assert on_4.documents("instances") == before
    assert on_4.documents(CANDIDATES) == {}
    assert reports[1]["silent"] == ["main: server-not-licensed"]
    on_4.evolution.license()
    assert (await on_4.ensure()).json()["state"] == "open"


async def test_due_deletion_waits_for_licence(on_4: Perene):
    name = await on_4.pair("acme", OWN)
    await on_4.plant_orphan("instance_ghost")
    for _ in range(2):
        await on_4.sweep()
        on_4.clock.advance(timedelta(days=8))
    on_4.evolution.license(active=False)
    before = [on_4.documents(collection) for collection in (CANDIDATES, "instances")]

    report = await on_4.sweep()

    assert before[0]
    assert [on_4.documents(collection) for collection in (CANDIDATES, "instances")] == before
    assert report["counts"].get("deleting", 0) + report["counts"].get("deleted", 0) == 0
    assert on_4.evolution.names() == [name, "instance_ghost"]
    on_4.evolution.license()
    await on_4.sweep()
    assert on_4.evolution.names() == [name]


async def test_unlicensed_server_sent_nothing(on_4: Perene):
    await on_4.pair("acme", OWN)
    conversation = await talk(on_4)
    on_4.evolution.license(active=False)

    failed = await send(on_4, "k1", conversation=conversation, text="oi")

    assert problem(failed) == NOT_LICENSED
    assert (await outcome(on_4, "k1")).json()["state"] == "failed"
    assert problem(await send(on_4, "k1", conversation=conversation, text="oi")) == NOT_LICENSED
    on_4.evolution.license()
    assert (await send(on_4, "k1", conversation=conversation, text="oi")).status_code == 201
    assert len(on_4.evolution.sent_messages()) == 1


async def test_unlicensed_server_refuses_changes(on_4: Perene):
    await on_4.pair("acme", OWN)
    conversation = await talk(on_4)
    await send(on_4, "k1", conversation=conversation, text="oi")
    on_4.evolution.license(active=False)

    edited = await on_4.call("PATCH", "/send-message/k1", json={"text": "olá"})

    assert problem(edited) == NOT_LICENSED


async def test_unlicensed_server_is_called_once(on_4: Perene):
    await on_4.pair("acme", OWN)
    on_4.evolution.license(active=False)
    before = len(on_4.evolution.calls)

    await on_4.ensure()

    assert len(on_4.evolution.calls) - before == 1


@pytest.fixture
async def hook(on_4: Perene) -> Hook:
    """Alerts are posted here."""
    hook = Hook()
    on_4.hosts.transports["alerts.test"] = httpx.ASGITransport(hook.app)
    on_4.set(ALERT_WEBHOOK_URL="http://alerts.test/in", ALERT_LANGUAGE="en")
    return hook


async def test_unlicensed_server_is_an_incident(on_4: Perene, hook: Hook):
    on_4.evolution.license(active=False)
    await on_4.sweep("/sweep-capacity")
    attention: list[dict[str, Any]] = (await on_4.operate("GET", "/fleet")).json()["attention"]
    on_4.evolution.license()
    await on_4.sweep("/sweep-capacity")

    incidents = [
        (incident["cause"], incident["news"])
        for post in hook.said
        for incident in post["incidents"]
    ]
    assert incidents == [("server_not_licensed", "raised"), ("server_not_licensed", "resolved")]
    assert "http://main.test/manager" in hook.said[0]["text"]
    (trouble,) = attention
    assert (trouble["severity"], trouble["cause"]) == ("critical", "server_not_licensed")
    assert trouble["address"] == "http://main.test/manager"
