"""P9: tenants can't see each other, on any endpoint there is."""

import itertools
import time
from typing import Any

import httpx
import jwt
import pytest

from infra import openapi
from shared.domain.contacts import ContactKey, conversation_id, fold
from shared.domain.names import LineId
from tests.perene import A_DAY, AUDIENCE, ISSUER, SECRET, Perene, token

LINE, NUMBER, MARIA = "default", "5511999990001", "5511988887777"
MESSAGE = "3A1"
CONVERSATION = conversation_id(LineId(LINE), NUMBER, ContactKey(fold(MARIA)))
TENANT_EDGES = ("ensure_instance", "instances", "conversations")
WITH_A_LINK = "/link"
"""Who has a link needs no token; what it opens is one line (tests/journeys/test_links.py)."""

KNOWN = {"line": LINE, "id": CONVERSATION, "message": MESSAGE, "note": "a-note-of-nobody"}
KNOWN |= {"name": "pix", "label": "vip", "assignee": "Bia"}
NEEDED = {
    f"POST /conversations/{CONVERSATION}/messages": {"text": "oi"},
    f"POST /conversations/{CONVERSATION}/notes": {"text": "oi"},
    "PUT /conversations/desk/replies/pix": {"text": "oi"},
    f"PATCH /instances/{LINE}": {"label": "Loja"},
}
"""Bodies of the routes that take no empty one."""

ROUTES = [
    (route.method, (edge.path + route.path.rstrip("/")).format(**KNOWN))
    for edge in openapi.load_edges()
    if edge.function in TENANT_EDGES
    for route in edge.routes
    if (edge.function, route.path) != ("ensure_instance", WITH_A_LINK)
]
CLAIMS = {"iss": ISSUER, "aud": AUDIENCE, "sub": "acme", "exp": int(time.time()) + A_DAY}

FORGED = {
    "no token": None,
    "an empty token": "Bearer ",
    "another scheme": "Basic YWNtZTphY21l",
    "garbage": "Bearer garbage",
    "another secret": f"Bearer {token(secret='a secret that nobody here ever signed with')}",
    "no signature": "Bearer " + jwt.encode(CLAIMS, "", "none"),
    "expired": f"Bearer {token(exp=int(time.time()) - 60)}",
    "another issuer": f"Bearer {token(iss='https://evil.test')}",
    "another audience": f"Bearer {token(aud='another')}",
    "not valid yet": f"Bearer {token(nbf=int(time.time()) + A_DAY // 2)}",
    "no expiry": "Bearer " + jwt.encode({**CLAIMS, "exp": None}, SECRET, "HS256"),
    "another algorithm": "Bearer " + jwt.encode(CLAIMS, SECRET * 2, "HS512"),
}


async def test_only_a_good_token_opens(perene: Perene, subtests: pytest.Subtests):
    await lived(perene)
    before = world(perene)

    for case, (method, path) in itertools.product(FORGED, ROUTES):
        with subtests.test(f"{method} {path} with {case}"):
            headers = {"authorization": FORGED[case]} if FORGED[case] else {}
            answer = await perene.http.request(method, path, headers=headers, json={})

            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["type"].startswith("urn:perene:problem:token-")
    assert world(perene) == before


async def test_another_tenant_reaches_no_line(perene: Perene, subtests: pytest.Subtests):
    name = await lived(perene)
    before = perene.documents("instances")[name], talk(perene)

    for method, path in ROUTES:
        with subtests.test(f"{method} {path}"):
            answer = await perene.call(method, path, "intruder", json={})

            for secret in (NUMBER, name, MARIA, "segredo"):
                assert secret not in answer.text
    assert (perene.documents("instances")[name], talk(perene)) == before
    assert perene.evolution.state(name) == "open"


async def test_without_sign_in_all_is_closed(
    perene: Perene, monkeypatch: pytest.MonkeyPatch, subtests: pytest.Subtests
):
    monkeypatch.delenv("AUTH_HS256_SECRET")
    perene.set()

    for method, path in ROUTES:
        with subtests.test(f"{method} {path}"):
            answer = await perene.call(method, path, json={})

            assert answer.status_code == 503
            assert answer.json()["type"] == "urn:perene:problem:auth-not-configured"


@pytest.mark.parametrize("status", ["suspended", "cancelled"])
async def test_unusable_tenant_reaches_no_line(
    perene: Perene, status: str, subtests: pytest.Subtests
):
    await lived(perene)
    perene.write("tenants/acme", status=status)
    before = world(perene)

    for method, path in ROUTES:
        with subtests.test(f"{method} {path}"):
            content = NEEDED.get(f"{method} {path}", {})
            headers = {"idempotency-key": "k1"}
            answer = await perene.call(method, path, json=content, headers=headers)

            assert answer.status_code == 403
    assert world(perene) == before


async def test_a_query_cannot_name_another_instance(perene: Perene):
    await perene.pair("acme")
    await perene.pair("victim", number="5511999990002")

    answers: list[httpx.Response] = [
        await perene.call("POST", "/instances/default/restart?instanceName=instance_victim"),
        await perene.call("DELETE", "/instances/default?instanceName=instance_victim"),
        await perene.call("DELETE", "/instances/default?without_media=true"),
    ]

    assert [answer.status_code for answer in answers] == [200, 422, 204]
    assert perene.evolution.names() == ["instance_victim"]


async def test_webhook_speaks_for_its_instance_only(perene: Perene):
    name, victim = await perene.pair("acme"), await perene.pair("victim", "5511999990002")
    before = perene.documents("instances")[victim]
    headers = perene.webhook_headers(name)
    closed = {"instance": victim, "state": "close", "statusReason": 401}
    forged = {"event": "connection.update", "instance": victim, "data": closed}

    answer = await perene.http.post("/webhook", json=forged, headers=headers)

    assert answer.status_code == 401
    assert perene.documents("instances")[victim] == before


async def test_same_message_is_separate_per_line(perene: Perene):
    perene.write("tenants/acme", max_lines=2)
    worlds = {
        ("acme", "default"): await perene.pair("acme", NUMBER),
        ("acme", "suporte"): await perene.pair("acme", "5511999990002", line="suporte"),
        ("other", "default"): await perene.pair("other", "5511999990003"),
    }
    for (tenant, line), name in worlds.items():
        text = f"{tenant}/{line}"
        await perene.evolution.receive(name, MARIA, text, id=MESSAGE)
    await perene.evolution.drain()
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "fromMe": False, "id": MESSAGE}
    await perene.evolution.emit(worlds["acme", "suporte"], "messages.delete", key)
    await perene.evolution.drain()

    seen = {}
    for tenant in ("acme", "other"):
        inbox = (await perene.call("GET", "/conversations", tenant)).json()["conversations"]
        for conversation in inbox:
            path = f"/conversations/{conversation['id']}/messages"
            (message,) = (await perene.call("GET", path, tenant)).json()["messages"]
            read = (message["id"], message.get("text"), conversation["unread"])
            seen[tenant, conversation["line"]] = read

    assert seen == {
        ("acme", "default"): (MESSAGE, "acme/default", 1),
        ("acme", "suporte"): (MESSAGE, None, 1),
        ("other", "default"): (MESSAGE, "other/default", 1),
    }


async def test_conversations_of_another_tenant_are_unknown(perene: Perene):
    await lived(perene)
    await perene.pair("other", "5511999990003")

    for path in ("", "/messages", f"/messages/{MESSAGE}/media"):
        answer = await perene.call("GET", f"/conversations/{CONVERSATION}{path}", "other")
        assert answer.json()["type"] == "urn:perene:problem:conversation-unknown"


async def lived(perene: Perene) -> str:
    """Acme's line is open and Maria sent a picture; the line's instance."""
    name = await perene.pair("acme", NUMBER)
    key = {"remoteJid": f"{MARIA}@s.whatsapp.net", "id": MESSAGE}
    content = {"imageMessage": {"caption": "segredo", "mimetype": "image/png"}}
    await perene.evolution.receive_message(name, {"key": key, "message": content})
    await perene.evolution.drain()
    assert set(perene.documents("tenants/acme/conversations")) == {CONVERSATION}
    return name


def talk(perene: Perene) -> list[Any]:
    """Read all that is stored of conversations and messages."""
    return [
        perene.documents(f"tenants/acme/{collection}")
        for collection in ("conversations", "messages")
    ]


def world(perene: Perene) -> tuple[Any, ...]:
    """Read everything there is."""
    collections = ("instances", "tenants", "servers", "numbers")
    documents = [perene.documents(collection) for collection in collections]
    return (perene.evolution.names(), talk(perene), *documents)
