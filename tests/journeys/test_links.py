"""A link connects one line, for the first browser that opens it, for a while, and nothing else."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import jwt
import pytest

from shared import config, webhook_token
from shared.domain.names import InstanceName
from tests.cases import in_each
from tests.perene import Perene, name_of

NUMBER = "5511999990001"


async def a_link(perene: Perene, tenant: str = "acme", line: str = "default") -> str:
    answer = await perene.call("POST", f"/instances/{line}/link", tenant)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["url"]
    assert url.startswith("http://perene.test/console/connect#")
    return url.partition("#")[2]


async def follow(perene: Perene, **body: Any) -> httpx.Response:
    """Follow a link in a browser that nobody signed in to."""
    return await perene.http.post("/ensure-instance/link", json=body)


async def test_link_opens_the_line(perene: Perene):
    await perene.ensure("acme", label="Vendas")
    token = await a_link(perene)

    opened = (await follow(perene, link=token)).json()
    await perene.evolution.scan(name_of("acme"), NUMBER)
    await perene.evolution.drain()
    seen = (await follow(perene, session=opened["session"], look=True)).json()

    assert (opened["label"], opened["state"]) == ("Vendas", "pairing")
    assert opened["code"]["png"].startswith("data:image/png")
    assert (seen["state"], seen.get("code")) == ("open", None)
    assert set(seen) <= {"label", "state", "reason", "since", "code", "session", "expires_at"}
    (link,) = perene.documents("links").values()
    assert link["made_by"] == "acme"
    assert link["made_at"] <= link["opened_at"] <= link["paired_at"]


async def test_a_code_can_be_typed_instead(on_2: Perene):
    await on_2.ensure("acme")
    session = (await follow(on_2, link=await a_link(on_2))).json()["session"]

    typed = await follow(on_2, session=session, number="+55 11 99999-0001")

    assert len(typed.json()["code"]["pairing_code"]) == 8


async def test_only_first_of_many_opens_it(on_2: Perene):
    await on_2.ensure("acme")
    token = await a_link(on_2)

    answers = await asyncio.gather(*(follow(on_2, link=token) for _ in range(8)))

    statuses = sorted(answer.status_code for answer in answers)
    assert statuses == [200] + [410] * 7
    assert {answer.json()["type"] for answer in answers if answer.status_code == 410} == {
        "urn:perene:problem:link-used"
    }


async def test_a_link_and_its_session_end(on_2: Perene):
    await on_2.ensure("acme")
    late, soon = await a_link(on_2), await a_link(on_2)
    session = (await follow(on_2, link=soon)).json()["session"]

    on_2.clock.advance(timedelta(minutes=31))
    ended = await follow(on_2, session=session, look=True)
    on_2.clock.advance(timedelta(hours=24))
    over = await follow(on_2, link=late)

    for answer in (ended, over):
        assert answer.status_code == 410
        assert answer.json()["type"] == "urn:perene:problem:link-expired"


async def test_foreign_signature_opens_nothing(on_2: Perene):
    name = await on_2.pair("acme")
    token = await a_link(on_2)
    session = (await follow(on_2, link=token)).json()["session"]
    secret = config.settings().webhook_secret.get_secret_value()
    claims = jwt.decode(token, options={"verify_signature": False})
    forged = [
        "",
        "nonsense",
        webhook_token.sign(InstanceName(name), 1),
        jwt.encode(claims, "another secret, long enough for HS256", "HS256"),
        jwt.encode(claims, "", "none"),
        jwt.encode({**claims, "jti": "../../instances/x"}, secret, "HS256"),
        jwt.encode({**claims, "jti": 7}, secret, "HS256"),
        session,
        token[:-2],
    ]

    for credential in forged:
        answer = await follow(on_2, link=credential)
        assert answer.status_code == 404, credential
        assert answer.json()["type"] == "urn:perene:problem:link-unknown"
    for credential in (token, webhook_token.sign(InstanceName(name), 1)):
        assert (await follow(on_2, session=credential)).status_code == 404
    for body in ({}, {"link": "a", "session": "b"}):
        assert (await follow(on_2, **body)).status_code == 422


async def test_link_token_opens_nothing_else(on_2: Perene):
    await on_2.ensure("acme")
    token = await a_link(on_2)

    headers = {webhook_token.HEADER: token, "authorization": f"Bearer {token}"}
    answer = await on_2.http.post("/webhook", json={"event": "x"}, headers=headers)
    seen = await on_2.http.get("/instances", headers=headers)

    assert (answer.status_code, seen.status_code) == (401, 401)


async def test_released_lines_link_connects_nothing(on_2: Perene):
    await on_2.pair("acme")
    token = await a_link(on_2)
    await on_2.call("DELETE", "/instances/default")

    answer = await follow(on_2, link=token)

    assert answer.status_code == 404
    assert on_2.evolution.names() == []


async def test_suspended_tenants_link_connects_nothing(on_2: Perene):
    await on_2.ensure("acme")
    token = await a_link(on_2)
    await on_2.operate("PUT", "/fleet/tenants/acme", json={"status": "suspended"})

    assert (await follow(on_2, link=token)).status_code == 403


@in_each("line", ["other", "Default", "..", "a b"])
async def test_unknown_line_has_no_link(on_2: Perene, line: str):
    await on_2.ensure("acme")

    mine = await on_2.call("POST", f"/instances/{line}/link")
    operators = await on_2.operate("POST", f"/fleet/tenants/acme/lines/{line}/link")

    assert {mine.status_code, operators.status_code} == {404}
    assert on_2.documents("links") == {}


async def test_operator_link_names_its_maker(on_2: Perene):
    await on_2.ensure("acme")

    answer = await on_2.operate("POST", "/fleet/tenants/acme/lines/default/link")
    token = answer.json()["url"].partition("#")[2]

    assert (await follow(on_2, link=token)).status_code == 200
    (link,) = on_2.documents("links").values()
    assert (link["made_by"], link["tenant"]) == ("olga", "acme")


async def test_nobodys_link_reaches_another_tenants_line(on_2: Perene):
    await on_2.ensure("acme")
    await on_2.ensure("globex")
    session = (await follow(on_2, link=await a_link(on_2, "globex"))).json()["session"]

    await follow(on_2, session=session)

    assert on_2.documents("instances")[name_of("acme")]["fence"] == 1


async def test_no_log_line_has_links_token(on_2: Perene, capsys: pytest.CaptureFixture[str]):
    await on_2.ensure("acme")
    token = await a_link(on_2)
    session = (await follow(on_2, link=token)).json()["session"]
    await follow(on_2, session=session, look=True)

    output = capsys.readouterr()
    assert token not in output.out + output.err
    assert session not in output.out + output.err
    assert "link.made" in output.out
    assert "link.opened" in output.out


async def test_outage_does_not_spend_the_link(on_2: Perene):
    await on_2.ensure("acme")
    token = await a_link(on_2)
    on_2.evolution.faults.turn_on("down")
    opened = await follow(on_2, link=token)
    on_2.evolution.faults.clear()

    went_on = await follow(on_2, session=opened.json()["session"])

    assert (opened.status_code, opened.json()["state"]) == (200, "pairing")
    assert went_on.status_code == 200
    assert went_on.json()["code"]["png"].startswith("data:image/png")
    assert (await follow(on_2, link=token)).status_code == 410


async def test_link_never_restores_a_line(on_2: Perene):
    name = await on_2.pair("acme")
    token = await a_link(on_2)
    on_2.evolution.faults.turn_on("error_500_before", route="delete")
    await on_2.call("DELETE", "/instances/default")
    on_2.evolution.faults.clear()
    on_2.clock.advance(timedelta(minutes=30))

    answer = await follow(on_2, link=token)

    assert answer.status_code == 404
    assert on_2.documents("instances")[name]["state"] == "releasing"


async def test_session_never_restores_a_line(on_2: Perene):
    name = await on_2.pair("acme")
    session = (await follow(on_2, link=await a_link(on_2))).json()["session"]
    on_2.write(f"instances/{name}", state="releasing", reason="release_asked")

    answers = [await follow(on_2, session=session) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert on_2.documents("instances")[name]["state"] == "releasing"


async def test_link_is_for_one_generation(on_2: Perene):
    await on_2.pair("acme")
    token, used = await a_link(on_2), await a_link(on_2)
    session = (await follow(on_2, link=used)).json()["session"]
    await on_2.call("DELETE", "/instances/default")
    await on_2.ensure("acme")

    answers = [await follow(on_2, link=token), await follow(on_2, session=session)]
    answers.append(await follow(on_2, session=session, look=True))

    assert [answer.status_code for answer in answers] == [404, 404, 404]


async def test_pairing_time_is_stored_once(on_2: Perene):
    await on_2.pair("acme")
    session = (await follow(on_2, link=await a_link(on_2))).json()["session"]
    await follow(on_2, session=session, look=True)
    (first,) = on_2.database.collection("links").stream()
    on_2.clock.advance(timedelta(minutes=10))

    await follow(on_2, session=session, look=True)

    (then,) = on_2.database.collection("links").stream()
    assert first.to_dict()["paired_at"]
    assert then.update_time == first.update_time
