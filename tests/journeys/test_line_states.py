"""Why a line went down is told as it is: removed upstream, unlinked on the phone, or blocked."""

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from tests.cases import in_each
from tests.perene import Perene

LANGUAGES = {"pt-BR": "bloqueou", "en": "blocked"}


@pytest.fixture(params=["2.3.6", "2.3.7", "2.4.0"])
async def removing(request: pytest.FixtureRequest, firestore_emulator: str, anyio_backend: str):
    """Perene with one server, of each order in which a removal is told."""
    async with Perene(main=request.param) as perene:
        yield perene


async def upstream(perene: Perene, method: str, path: str) -> httpx.Response:
    """Let somebody else who has its key call the server."""
    transport = httpx.ASGITransport(perene.evolution.app)
    headers = {"apikey": "key-of-main"}
    async with httpx.AsyncClient(transport=transport, base_url="http://main.test") as client:
        return await client.request(method, path, headers=headers)


async def shown(perene: Perene) -> tuple[str, str | None]:
    line = (await perene.call("GET", "/instances/default")).json()
    return line["state"], line.get("reason")


def told(name: str, event: str, data: Any, second: int) -> bytes:
    """A webhook's body, of so many seconds after some moment of the server's clock."""
    at = f"2099-01-01T00:00:{second:02}.000Z"
    return json.dumps({"event": event, "instance": name, "data": data, "date_time": at}).encode()


def closed(name: str, code: int = 401) -> dict[str, Any]:
    return {"instance": name, "state": "close", "statusReason": code}


# Removed upstream ----------------------------------------------------------------------------


async def test_open_instance_deleted_upstream_is_missing(removing: Perene):
    name = await removing.pair()

    await upstream(removing, "DELETE", f"/instance/delete/{name}")
    await removing.evolution.drain()

    assert await shown(removing) == ("missing", "vanished")
    assert (await removing.ensure()).json()["state"] == "pairing"


@pytest.mark.parametrize("order", ["as it happened", "the other way round"])
@pytest.mark.parametrize("first", ["close", "removal"])
async def test_removal_and_close_commute(on_2: Perene, first: str, order: str):
    name = await on_2.pair()
    headers = on_2.webhook_headers(name)
    on_2.evolution.faults.turn_on("down", route="connectionState")
    close, removal = (1, 2) if first == "close" else (2, 1)
    events = [
        (close, told(name, "connection.update", closed(name), close)),
        (removal, told(name, "remove.instance", None, removal)),
    ]

    for _, body in sorted(events, reverse=order != "as it happened"):
        await on_2.http.post("/webhook", content=body, headers=headers)

    assert await shown(on_2) == ("missing", "vanished")


async def test_close_of_missing_instance_is_removal(perene: Perene):
    name = await perene.pair()
    headers = perene.webhook_headers(name)
    await perene.evolution.vanish(name)

    body = told(name, "connection.update", closed(name), 1)
    await perene.http.post("/webhook", content=body, headers=headers)

    assert await shown(perene) == ("missing", "vanished")


async def test_removal_during_open_socket_counts(on_2: Perene):
    name = await on_2.pair()
    headers = on_2.webhook_headers(name)

    async def looked() -> None:
        on_2.evolution.world.sessions[name].state = "close"

    async def first_look() -> None:
        on_2.hosts.before[look] = looked

    look = f"/instance/connectionState/{name}"
    on_2.hosts.before[look] = first_look
    body = told(name, "remove.instance", None, 1)
    await on_2.http.post("/webhook", content=body, headers=headers)

    assert await shown(on_2) == ("missing", "vanished")


async def test_repeated_removal_closes_no_line(on_2: Perene):
    name = await on_2.pair()

    body = told(name, "remove.instance", None, 1)
    await on_2.http.post("/webhook", content=body, headers=on_2.webhook_headers(name))

    assert (await shown(on_2))[0] == "open"


# Blocked -------------------------------------------------------------------------------------


@in_each("code", [402, 403, 406])
async def test_blocked_number_is_not_unlinked(perene: Perene, code: int):
    name = await perene.pair()

    await perene.evolution.block(name, code)
    await perene.evolution.drain()

    assert await shown(perene) == ("closed", "banned")


async def test_blocked_line_shows_another_code(perene: Perene):
    name = await perene.pair()
    await perene.evolution.block(name)
    await perene.evolution.drain()

    line = (await perene.ensure()).json()

    assert (line["state"], line["reason"]) == ("pairing", "waiting_for_scan")
    await perene.evolution.scan(name, "5511999990002")
    await perene.evolution.drain()
    assert (await shown(perene))[0] == "open"


@pytest.mark.parametrize("language", LANGUAGES)
async def test_blocked_number_alerts_at_once(on_2: Perene, language: str):
    on_2.set(ALERT_LANGUAGE=language)
    name = await on_2.pair()
    await on_2.evolution.block(name)
    await on_2.evolution.drain()

    await on_2.sweep("/sweep-capacity")
    on_2.clock.advance(timedelta(hours=2))
    report = await on_2.sweep("/sweep-capacity")

    (trouble,) = (await on_2.operate("GET", "/fleet")).json()["attention"]
    assert (trouble["cause"], trouble["subject"], trouble["count"]) == ("lines_banned", "acme", 1)
    assert LANGUAGES[language] in trouble["sentence"]
    assert [slot["why"] for slot in report["reclaimable"]] == ["banned"]


async def test_silent_server_keeps_blocked_alert(on_2: Perene):
    name = await on_2.pair()
    await on_2.evolution.block(name)
    await on_2.evolution.drain()
    await on_2.sweep("/sweep-capacity")

    on_2.evolution.faults.turn_on("down")
    await on_2.sweep("/sweep-capacity")

    assert on_2.documents("incidents")["lines_banned~acme"]["open"]


# No code yet ---------------------------------------------------------------------------------


async def test_missing_code_has_retry_time(perene: Perene):
    perene.evolution.faults.turn_on("no_code")

    ensured = await perene.ensure()
    looked = await perene.call("GET", "/instances/default")

    for answer in (ensured, looked):
        assert (answer.status_code, answer.json()["reason"]) == (200, "no_code")
        assert int(answer.headers["retry-after"]) > 0


async def test_link_without_code_has_retry_time(perene: Perene):
    perene.evolution.faults.turn_on("no_code")
    await perene.ensure()
    link = (await perene.call("POST", "/instances/default/link")).json()["url"].partition("#")[2]

    answer = await perene.http.post("/ensure-instance/link", json={"link": link})

    assert (answer.status_code, answer.json()["reason"]) == (200, "no_code")
    assert int(answer.headers["retry-after"]) > 0


async def test_open_line_has_no_retry_time(perene: Perene):
    await perene.pair()

    answer = await perene.call("GET", "/instances/default")

    assert "retry-after" not in answer.headers
