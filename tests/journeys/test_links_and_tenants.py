"""A link outlives a suspension of its tenant, and nothing that it gives tells who the tenant is."""

import base64
import json
import re
from typing import Any

import httpx
import pytest

from tests.perene import Perene

TENANT = "padaria-aurora"


async def make_link(perene: Perene) -> str:
    await perene.ensure(TENANT, label="Vendas")
    answer = await perene.call("POST", "/instances/default/link", TENANT)
    token: str = answer.json()["url"].partition("#")[2]
    return token


async def follow(perene: Perene, **body: Any) -> httpx.Response:
    return await perene.http.post("/ensure-instance/link", json=body)


async def set_status(perene: Perene, status: str) -> None:
    body = {"status": status}
    await perene.operate("PUT", f"/fleet/tenants/{TENANT}", json=body)


@pytest.mark.parametrize("status", ["suspended", "cancelled"])
async def test_link_opens_after_suspension(on_2: Perene, status: str):
    token = await make_link(on_2)
    await set_status(on_2, status)

    barred = await follow(on_2, link=token)
    await set_status(on_2, "active")
    opened = await follow(on_2, link=token)

    assert (barred.status_code, opened.status_code) == (403, 200)
    assert (await follow(on_2, link=token)).json()["type"] == "urn:perene:problem:link-used"


async def test_session_is_barred_with_its_tenant(on_2: Perene):
    session = (await follow(on_2, link=await make_link(on_2))).json()["session"]
    await set_status(on_2, "suspended")

    answers = [await follow(on_2, session=session, look=look) for look in (True, False)]

    assert [answer.status_code for answer in answers] == [403, 403]


async def test_link_reveals_nothing_of_tenant(on_2: Perene):
    token = await make_link(on_2)

    answers = [await follow(on_2, link=token)]
    session = answers[0].json()["session"]
    answers.append(await follow(on_2, session=session, look=True))

    for answer in answers:
        for text in (answer.text, *decode_tokens(answer.text), *decode_tokens(token)):
            assert TENANT not in text
            assert "default" not in text


def decode_tokens(text: str) -> list[str]:
    """Return every part of every signed token in a text as whoever holds it can read it."""
    parts = re.findall(r"[A-Za-z0-9_-]{16,}(?=\.)", text)
    decoded = [base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in parts]
    readable = [part.decode(errors="replace") for part in decoded]
    assert any("jti" in json.loads(part) for part in readable if part.startswith('{"'))
    return readable
