"""Bad input gets a clear problem and changes nothing."""

import json
from typing import Any

from tests.cases import in_each
from tests.perene import Perene, name_of, token

GOOD = {"authorization": f"Bearer {token()}", "content-type": "application/json"}

BODIES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"{line:", 400, "body-malformed"),
    "cut JSON": (b'{"line": "def', 400, "body-malformed"),
    "bytes": (b"\xff\xfe\x00", 400, "body-malformed"),
    "a list": (b"[]", 422, "request-invalid"),
    "a string": (b'"default"', 422, "request-invalid"),
    "null": (b"null", 422, "request-invalid"),
    "an unknown field": (b'{"lines": "x"}', 422, "request-invalid"),
    "a line in capitals": (b'{"line": "Vendas"}', 422, "request-invalid"),
    "an empty line": (b'{"line": ""}', 422, "request-invalid"),
    "a line with a slash": (b'{"line": "a/b"}', 422, "request-invalid"),
    "a line with a tilde": (b'{"line": "a~~b"}', 422, "request-invalid"),
    "a line of emoji": ('{"line": "💥"}'.encode(), 422, "request-invalid"),
    "an over-long line": (json.dumps({"line": "x" * 33}).encode(), 422, "request-invalid"),
    "a line that is a number": (b'{"line": 1}', 422, "request-invalid"),
    "an empty label": (b'{"label": ""}', 422, "request-invalid"),
    "an over-long label": (json.dumps({"label": "x" * 81}).encode(), 422, "request-invalid"),
    "a number in words": (b'{"number": "five five"}', 422, "request-invalid"),
    "a number too short": (b'{"number": "5511"}', 422, "request-invalid"),
    "deep nesting": (b'{"line": ' + b"[" * 30_000, 400, "body-malformed"),
    "1 MB": (b'{"label": "' + b"x" * 1_000_000 + b'"}', 413, "body-too-large"),
}


@in_each("case", BODIES)
async def test_bad_body_makes_nothing(perene: Perene, case: str):
    body, status, slug = BODIES[case]

    answer = await perene.http.post("/ensure-instance", content=body, headers=GOOD)

    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:perene:problem:{slug}")
    assert answer.headers["content-type"] == "application/problem+json"
    await nothing_was_made(perene)


@in_each("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_only_json_is_read(perene: Perene, kind: str):
    headers = GOOD | {"content-type": kind}

    answer = await perene.http.post("/ensure-instance", content=b"{}", headers=headers)

    assert answer.status_code == 415
    await nothing_was_made(perene)


@in_each("method", ["GET", "PUT", "PATCH", "DELETE"])
async def test_a_wrong_method_is_named(perene: Perene, method: str):
    answer = await perene.call(method, "/ensure-instance")

    assert answer.status_code == 405
    assert "POST" in answer.json()["detail"]
    await nothing_was_made(perene)


async def test_subpath_is_not_found(perene: Perene):
    answer = await perene.call("POST", "/ensure-instance/now", json={})

    assert answer.status_code == 404
    await nothing_was_made(perene)


TENANTS = {
    "of Auth0": "auth0|64fd0a1b2c3d4e5f60718293",
    "of Google": "google-oauth2|103547991597142817347",
    "an e-mail address": "joão.silva+zap@padaria-são-josé.com.br",
    "a UUID": "550e8400-e29b-41d4-a716-446655440000",
    "of Firebase": "Xk29fjLQpeRtW0aZ81mNbVcYh3d2",
    "200 characters": "a" * 200,
    "with a slash": "acme/vendas",
    "with two tildes": "acme~~vendas",
    "two dots": "..",
    "reserved by Firestore": "__acme__",
    "a query": "acme?instanceName=other",
    "percent-encoded": "a%2Fb",
    "with spaces": " acme ",
    "an emoji": "💥",
    "a null byte": "a\0b",
    "like another's name": "instance_acme",
}


@in_each("case", TENANTS)
async def test_any_tenant_id_has_one_instance(perene: Perene, case: str):
    tenant = TENANTS[case]

    name = await perene.pair(tenant)

    assert (await perene.ensure(tenant)).json()["state"] == "open"
    assert perene.evolution.names() == [name]
    assert (await perene.call("GET", "/instances", tenant)).json()["open"] == 1
    assert (await perene.call("DELETE", "/instances/default", tenant)).status_code == 204
    assert perene.evolution.names() == []


UNUSABLE: dict[str, Any] = {
    "too long": "a" * 300,
    "too long once written": "💥" * 60,
    "empty": "",
    "a number": 7,
    "absent": None,
    "a list": ["acme"],
    "an object": {"id": "acme"},
    "true": True,
    "half a character": "\ud83d",
}


@in_each("case", UNUSABLE)
async def test_unusable_tenant_id_is_a_problem(perene: Perene, case: str):
    perene.set(AUTH_TENANT_CLAIM="tenant")
    headers = {"authorization": f"Bearer {token(tenant=UNUSABLE[case])}"}

    answer = await perene.http.post("/ensure-instance", json={}, headers=headers)

    assert answer.status_code == 403
    assert answer.json()["type"] == "urn:perene:problem:tenant-unusable"
    await nothing_was_made(perene)


async def test_similar_tenant_ids_stay_apart(perene: Perene):
    perene.write("tenants/acme", tenant="acme", max_lines=2)

    await perene.ensure("acme", line="vendas")
    await perene.ensure("acme~~vendas")

    assert sorted(perene.evolution.names()) == [
        "instance_acme~7e~7evendas",
        "instance_acme~~vendas",
    ]
    assert (await perene.call("GET", "/instances", "acme~~vendas")).json()["lines"][0][
        "instance"
    ] == name_of("acme~~vendas")


async def nothing_was_made(perene: Perene) -> None:
    """Neither upstream nor in the store."""
    assert perene.evolution.names() == []
    for collection in ("instances", "tenants", "servers", "numbers"):
        assert perene.documents(collection) == {}
