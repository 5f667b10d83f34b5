"""Operators find lines and clients among many, start sweeps, and see who did what."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from google.cloud import firestore

from shared import problems
from tests.journeys.test_fleet import buried, get
from tests.perene import Perene

JOBS = "projects/p/locations/southamerica-east1/jobs"


def ids(page: dict[str, Any], of: str, field: str) -> list[str]:
    return [row[field] for row in page[of]]


async def test_lines_are_found_on_the_server(on_2: Perene):
    await on_2.pair("acme", number="5511988887777", label="Loja Centro")
    await on_2.pair("auth0|globex", number="5521977776666", label="Loja Sul")

    for query, tenants in (
        ({}, ["acme", "auth0|globex"]),
        ({"search": "loja cen"}, ["acme"]),
        ({"search": "loja sul", "limit": 1}, ["auth0|globex"]),
        ({"search": "globex"}, ["auth0|globex"]),
        ({"search": "97777-6666"}, ["auth0|globex"]),
        ({"search": "loja", "tenant": "acme", "state": "open"}, ["acme"]),
        ({"search": "loja", "state": "closed"}, []),
        ({"search": "?"}, []),
    ):
        page = await get(on_2, "/fleet/instances", **query)
        assert ids(page, "instances", "tenant") == tenants, query
    first = await get(on_2, "/fleet/instances", limit=1)
    second = await get(on_2, "/fleet/instances", limit=1, cursor=first["next"])
    assert (first["total"], second.get("total")) == (2, None)


async def test_lines_of_earlier_versions_are_found(on_2: Perene):
    name = await on_2.pair(label="Loja")
    await on_2.sweep()
    on_2.write(f"instances/{name}", tokens=firestore.DELETE_FIELD)
    on_2.write("sweeps/orphans", lines_searchable=False)

    before = await get(on_2, "/fleet/instances", search="loja")
    added = [await on_2.store.instances.add_tokens() for _ in range(2)]
    after = await get(on_2, "/fleet/instances", search="loja")
    await on_2.sweep()

    assert (len(before["instances"]), added, len(after["instances"])) == (0, [1, 0], 1)
    assert on_2.documents("sweeps")["orphans"]["lines_searchable"] is True


async def test_clients_are_found_and_shown(on_2: Perene):
    name = await on_2.pair("acme")
    await on_2.evolution.receive(name, "5511988887777", "oi")
    await on_2.evolution.drain()
    for tenant in ("acme 2", "globex"):
        await on_2.operate("PUT", f"/fleet/tenants/{tenant}", json={"status": "suspended"})

    for query, tenants in (
        ({}, ["acme", "acme 2", "globex"]),
        ({"search": "acme"}, ["acme", "acme 2"]),
        ({"search": "acme", "status": "suspended"}, ["acme 2"]),
        ({"search": "cme"}, []),
    ):
        page = await get(on_2, "/fleet/tenants", **query)
        assert ids(page, "tenants", "tenant") == tenants, query
    assert (await get(on_2, "/fleet/tenants", status="suspended", limit=1))["total"] == 2
    shown = await get(on_2, "/fleet/tenants/acme")
    assert ids(shown, "instances", "line") == ["default"]
    assert abs(shown["last_message_at"] / 1000 - on_2.clock().timestamp()) < 60
    assert "last_message_at" not in await get(on_2, "/fleet/tenants/globex")


async def test_dead_letter_shows_shape_without_words(perene: Perene):
    letter = await buried(perene, text="segredo")
    event = {
        "event": "messages.upsert",
        "5511988887777": {"number": 5511988887777, "words": ["segredo"], "count": 3},
    }
    perene.write(f"dead_letters/{letter}", raw=json.dumps(event))
    shown = await get(perene, f"/fleet/dead-letters/{letter}")
    perene.write(f"dead_letters/{letter}", raw="{segredo")
    broken = await get(perene, f"/fleet/dead-letters/{letter}")

    assert json.loads(shown["content"]) == {
        "event": "messages.upsert",
        "(13)": {"number": "(number)", "words": ["(7)"], "count": 3},
    }
    assert broken["content"] == "(8)"


# Sweeps --------------------------------------------------------------------------------------


async def test_sweep_is_started_and_followed(perene: Perene):
    perene.hosts.transports["perene.test"] = httpx.ASGITransport(perene.app)

    started = await perene.operate("POST", "/fleet/sweeps/orphans/run")
    async with asyncio.timeout(20):
        while "ended_at" not in (progress := await get(perene, "/fleet/sweeps/orphans/progress")):
            await asyncio.sleep(0.05)

    assert (started.status_code, started.json()["running"]) == (202, False)
    assert (progress["running"], progress.get("step")) == (False, None)
    assert (await get(perene, "/fleet/sweeps/orphans/latest"))["id"] == progress["run"]
    assert (await perene.operate("POST", "/fleet/sweeps/all/run")).status_code == 404


async def test_running_sweep_shows_its_step(perene: Perene):
    now = perene.clock()
    lease = {"holder": "somebody", "until": now + timedelta(minutes=5), "run": "r1"}
    perene.write("sweeps/capacity", **lease, began_at=now, step="drift")

    progress = await get(perene, "/fleet/sweeps/capacity/progress")
    again = await perene.operate("POST", "/fleet/sweeps/capacity/run")

    assert (progress["running"], progress["step"], progress["run"]) == (True, "drift", "r1")
    assert (again.status_code, again.json()["type"]) == (409, "urn:perene:problem:sweep-running")


@pytest.mark.parametrize("allowed", [True, False])
async def test_scheduler_runs_the_job(perene: Perene, allowed: bool):
    calls: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        is_token = request.url.host == "metadata.google.internal"
        return httpx.Response(200 if is_token or allowed else 403, json={"access_token": "t"})

    perene.set(SWEEP_JOBS=JOBS)
    for host in ("metadata.google.internal", "cloudscheduler.googleapis.com"):
        perene.hosts.transports[host] = httpx.MockTransport(answer)

    started = await perene.operate("POST", "/fleet/sweeps/orphans/run")

    assert started.status_code == (202 if allowed else 502)
    assert calls[-1].url.path == f"/v1/{JOBS}/sweep-orphans:run"
    assert calls[-1].headers["authorization"] == "Bearer t"


# Who did what --------------------------------------------------------------------------------


async def test_consequential_acts_are_recorded(on_2: Perene):
    await on_2.pair("acme")
    await on_2.operate("PUT", "/fleet/tenants/globex", json={"max_lines": 3})
    await on_2.operate("PUT", "/fleet/servers/main", json={"accepting": True})
    await on_2.operate("POST", "/fleet/tenants/acme/lines/default/link")
    await on_2.operate("DELETE", f"/fleet/dead-letters/{await buried(on_2)}")
    await on_2.call("POST", "/instances/default/disconnect")
    await on_2.call("DELETE", "/instances/default")

    acts = (await get(on_2, "/fleet/audit"))["acts"]

    assert [(act["by"], act["who"], act["action"]) for act in acts] == [
        ("tenant", "acme", "line.released"),
        ("tenant", "acme", "line.disconnected"),
        ("operator", "olga", "letter.discarded"),
        ("operator", "olga", "link.made"),
        ("operator", "olga", "server.accepting"),
        ("operator", "olga", "tenant.changed"),
    ]
    assert acts[-1]["facts"] == {"max_lines": 3}
    assert "5511999990001" not in json.dumps(acts)
    first = await get(on_2, "/fleet/audit", tenant="acme", limit=2)
    rest = await get(on_2, "/fleet/audit", tenant="acme", limit=2, cursor=first["next"])
    assert ids(rest, "acts", "action") == ["link.made"]


async def test_act_without_audit_is_done(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    async def fail(*_: Any) -> None:
        raise problems.StoreUnavailable()

    monkeypatch.setattr("shared.store.act_records.Acts.record", fail)

    changed = await on_2.operate("PUT", "/fleet/tenants/globex", json={"max_lines": 3})

    assert changed.status_code == 200
