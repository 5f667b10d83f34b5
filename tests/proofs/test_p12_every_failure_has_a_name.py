"""P12: callers get problem JSON with a stable type; logs carry ids and never a person's data."""

import json

import pytest

from shared import config, problems, services
from tests.perene import Perene, token

NUMBER = "5511999990001"


async def test_log_of_a_life_is_clean(perene: Perene, capsys: pytest.CaptureFixture[str]):
    await perene.ensure(label="Maria da Silva", number=NUMBER)
    code = perene.evolution.code("instance_acme")
    await perene.evolution.scan("instance_acme", NUMBER)
    await perene.evolution.drain()
    (signed,) = perene.webhook_headers("instance_acme").values()
    await perene.ensure()
    perene.evolution.faults.turn_on("bad_gateway")
    await perene.ensure()
    perene.evolution.faults.clear()
    await perene.http.get("/instances", headers={"authorization": "Bearer forged"})
    await perene.http.post("/webhook/forged", content=b"{")
    await perene.call("DELETE", "/instances/default?secret=in-the-query")

    log = capsys.readouterr().out

    for secret in (NUMBER, "Maria", code, token(), signed, "key-of-main", "in-the-query"):
        assert secret not in log
    assert all("severity" in json.loads(line) for line in log.splitlines())


async def test_crash_is_a_problem_without_text(
    perene: Perene, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object) -> None:
        raise ZeroDivisionError(f"the line of {NUMBER} said hello")

    monkeypatch.setattr(services, "store", broken)

    answer = await perene.ensure()

    assert answer.status_code == 500
    assert answer.json()["type"] == "urn:perene:problem:unexpected"
    logged = capsys.readouterr().out
    assert NUMBER not in answer.text + logged
    assert "ZeroDivisionError" in logged


async def test_wrong_setting_is_only_logged(perene: Perene, capsys: pytest.CaptureFixture[str]):
    perene.set(PUBLIC_URL="not a url")

    answer = await perene.ensure()

    logged = capsys.readouterr().out
    assert answer.status_code == 500
    assert "PUBLIC_URL" in logged
    assert "PUBLIC_URL" not in answer.text
    config.settings.cache_clear()


async def test_unreachable_firestore_is_a_problem(perene: Perene, monkeypatch: pytest.MonkeyPatch):
    async def unreachable(*_: object) -> None:
        raise problems.StoreUnavailable(retry_after=2)

    monkeypatch.setattr(perene.store.instances, "find_with_tenant", unreachable)

    answer = await perene.ensure()

    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "2"
