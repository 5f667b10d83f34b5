"""Every route and every kind of caller: who is let in, who is turned away, and with what."""

import re
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import httpx
import pytest

from infra import openapi
from infra.deployment import load_function_map
from shared import auth, webhook_token
from shared.domain.names import InstanceName
from tests.cases import in_each
from tests.conventions import issuer
from tests.perene import Perene, name_of, token

FEED = "of the table, long enough to be one"
SCHEDULER, AUDIENCE = "scheduler@perene.test", "https://sweep.perene.test"
GOOGLE = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "email_verified": True}
MARIA, WORDS = "5511977776666", "um segredo só da acme"


class Route(NamedTuple):
    """Describe one of the deployment's routes."""

    function: str
    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


ROUTES = [
    Route(edge.function, route.method, edge.path + route.path.rstrip("/"))
    for edge in openapi.load_edges()
    for route in edge.routes
]

IN, UNKNOWN, FORBIDDEN, NOBODY = "let in", "not theirs", 403, 401
UNFOUND = (401, 404, 422)

TENANTS = {
    **dict.fromkeys(("nobody", "forged", "expired", "webhook", "feed", "scheduler"), NOBODY),
    "acme": IN,
    "another tenant": UNKNOWN,
    "operator": UNKNOWN,
}
OPERATORS = {**TENANTS, "acme": FORBIDDEN, "another tenant": FORBIDDEN, "operator": IN}
SWEEPS = {**OPERATORS, "scheduler": IN, "another google account": FORBIDDEN}
WEBHOOKS = {**dict.fromkeys((*TENANTS, "another instance"), NOBODY), "webhook": IN}
FEEDS = {**dict.fromkeys(TENANTS, NOBODY), "feed": IN}
ANYBODY = dict.fromkeys(TENANTS, IN)
LINKS = dict.fromkeys(TENANTS, UNKNOWN)
"""Without a link of ours it opens nothing, whoever asks."""

RULES = {
    "ensure_instance": TENANTS,
    "instances": TENANTS,
    "conversations": TENANTS,
    "send_message": TENANTS,
    "endpoints": TENANTS,
    "events": TENANTS,
    "deliver_events": SWEEPS,
    "store_media": SWEEPS,
    "fleet": OPERATORS,
    "sweep_capacity": SWEEPS,
    "sweep_orphans": SWEEPS,
    "receive_webhook": WEBHOOKS,
    "tenant_feed": FEEDS,
    "openapi": ANYBODY,
    "console": ANYBODY,
}
EXCEPTIONS = {"POST /ensure-instance/link": LINKS}
WHOLE_TENANT = {
    "GET /conversations": "their own, which are none",
    "GET /conversations/news": "their own, which are none",
    "GET /conversations/desk": "their own, which is empty",
    "PUT /conversations/desk/replies/{name}": "their own desk",
    "DELETE /conversations/desk/replies/{name}": "their own desk",
    "DELETE /conversations/desk/labels/{label}": "their own desk",
    "DELETE /conversations/desk/assignees/{assignee}": "their own desk",
    "GET /instances": "their own, which are none",
    "GET /endpoints": "their own, which are none",
    "POST /endpoints": "their own endpoint",
    "GET /events": "their own, which are none",
    "POST /ensure-instance": "their own line",
    "POST /send-message": "through their own line",
}
"""Routes that name nobody's documents: another tenant is let in, and sees its own."""


def test_every_function_has_its_rules():
    assert {route.function for route in ROUTES} == set(RULES) == set(load_function_map().functions)


class World(NamedTuple):
    """Acme with all that a tenant has, and what routes call it."""

    perene: Perene
    places: dict[str, str]
    callers: dict[str, dict[str, str]]


@pytest.fixture(scope="module")
async def world(firestore_emulator: str, anyio_backend: str) -> AsyncIterator[World]:
    """Made once: whoever is turned away changes nothing, and who is let in is asked last."""
    with issuer.running() as google:
        async with Perene() as perene:
            perene.set(
                TENANT_FEED_SECRET=FEED,
                SCHEDULER_JWKS_URL=google.url,
                SCHEDULER_AUDIENCE=AUDIENCE,
                SCHEDULER_EMAIL=SCHEDULER,
                SWEEP_JOBS="projects/p/locations/l/jobs",
            )
            for host in ("metadata.google.internal", "cloudscheduler.googleapis.com"):
                perene.hosts.transports[host] = httpx.MockTransport(answer_token)
            yield World(perene, await _filled(perene), _callers())


def answer_token(request: httpx.Request) -> httpx.Response:
    """Let Google give a token, and start any sweep."""
    return httpx.Response(200, json={"access_token": "t"})


async def _filled(perene: Perene) -> dict[str, str]:
    """Acme has a line, a conversation, a message and a send; the fleet a letter."""
    await perene.operate("PUT", "/fleet/tenants/acme", json={"max_lines": 2})
    await perene.pair(line="vendas")
    await perene.evolution.receive(name_of("acme", "vendas"), MARIA, WORDS)
    await perene.evolution.drain()
    body = {"to": MARIA, "text": WORDS, "line": "vendas"}
    sent = await perene.call(
        "POST", "/send-message", json=body, headers={"idempotency-key": "acmes"}
    )
    assert sent.status_code == 201, sent.text
    (conversation,) = (await perene.call("GET", "/conversations")).json()["conversations"]
    endpoint = await perene.call("POST", "/endpoints", json={"url": "https://acme.test/events"})
    assert endpoint.status_code == 201, endpoint.text
    return {
        "line": "vendas",
        "message": sent.json()["message"]["id"],
        "key": "acmes",
        "server": "main",
        "kind": "orphans",
        "report": "latest",
        "first": "e30.e30.e30",
        "second": "messages-upsert",
        "version": "none",
        "file": "none.js",
        "address": "fleet",
        "id": conversation["id"],
        "endpoint": endpoint.json()["endpoint"]["id"],
        "name": "pix",
        "label": "vip",
        "assignee": "Bia",
        "note": "a-note-of-nobody",
    }


def _callers() -> dict[str, dict[str, str]]:
    """Build what each kind of caller sends along."""

    def bearer(value: str) -> dict[str, str]:
        return {"authorization": f"Bearer {value}"}

    def webhook(name: str, secret: str = "") -> dict[str, str]:
        signed = webhook_token.sign(InstanceName(name), 1)
        return {webhook_token.HEADER: signed} | bearer(signed)

    return {
        "nobody": {},
        "forged": bearer(token("acme", "a secret that is not the issuer's, long enough"))
        | {webhook_token.HEADER: token("instance_acme", "a secret that is not ours, long enough")},
        "expired": bearer(token("acme", exp=1)),
        "acme": bearer(token("acme")),
        "another tenant": bearer(token("beta")),
        "operator": bearer(token("olga", operator=True)),
        "webhook": webhook("instance_acme"),
        "another instance": webhook("instance_beta"),
        "feed": {auth.FEED_HEADER: FEED} | bearer(FEED),
        "scheduler": bearer(issuer.signed("rsa-1", **GOOGLE, email=SCHEDULER)),
        "another google account": bearer(issuer.signed("rsa-1", **GOOGLE, email="x@gmail.test")),
    }


async def ask(world: World, route: Route, caller: str) -> httpx.Response:
    places = world.places | ({"id": world.places["endpoint"]} if "endpoint" in route.path else {})
    path = re.sub(r"{(\w+)(?::\w+)?}", lambda match: places[match[1]], route.path)
    headers = {"idempotency-key": "anothers", **world.callers[caller]}
    return await world.perene.http.request(
        route.method, path, headers=headers, json=_body(route, world, caller)
    )


def _body(route: Route, world: World, caller: str) -> Any:
    if route.function == "receive_webhook":
        return {"event": "presence.update", "instance": "instance_acme", "data": {}}
    if str(route) in ("POST /send-message", "POST /conversations/{id}/messages"):
        to = {"to": MARIA} if route.function == "send_message" else {}
        return {"text": "olá", **to}
    if route.path == "/ensure-instance/link":
        return {"link": world.callers[caller].get("authorization", "x").removeprefix("Bearer ")}
    return {} if route.method in ("POST", "PUT", "PATCH") else None


@in_each("route", ROUTES, ids=str)
async def test_refused_callers_change_nothing(world: World, route: Route):
    before = of_acme(world)
    rules = {caller: rule for caller, rule in rules_of(route).items() if rule != IN}

    answers = {caller: await ask(world, route, caller) for caller in rules}

    assert of_acme(world) == before
    assert {
        caller: answer.text
        for caller, answer in answers.items()
        if not is_refused(answer, rules[caller], route)
    } == {}


@in_each("route", ROUTES, ids=str)
async def test_allowed_callers_are_let_in(world: World, route: Route):
    callers = [caller for caller, rule in rules_of(route).items() if rule == IN]

    answers = {caller: await ask(world, route, caller) for caller in callers}

    assert {caller: answer.text for caller, answer in answers.items() if not is_in(answer)} == {}
    assert all(answer.status_code < 500 for answer in answers.values())


def rules_of(route: Route) -> dict[str, Any]:
    """Return what each kind of caller is answered."""
    return EXCEPTIONS.get(str(route), RULES[route.function])


def is_in(answer: httpx.Response) -> bool:
    return answer.status_code not in (401, 403)


def is_refused(answer: httpx.Response, rule: Any, route: Route) -> bool:
    """Tell whether a caller got what the rule says, and nothing of acme's."""
    if WORDS in answer.text or "acme" in answer.text:
        return False
    if rule == UNKNOWN:
        return is_in(answer) if str(route) in WHOLE_TENANT else answer.status_code in UNFOUND
    is_problem = answer.headers["content-type"] == "application/problem+json"
    return is_problem and answer.status_code == rule


def of_acme(world: World) -> dict[str, Any]:
    """Everything that is acme's."""
    perene, collections = world.perene, ("conversations", "messages", "sends", "aliases")
    its = {name: perene.documents(f"tenants/acme/{name}") for name in collections}
    instances = perene.documents("instances")
    of_it = {name: instance for name, instance in instances.items() if instance["tenant"] == "acme"}
    endpoints = perene.documents("endpoints")
    return {
        **its,
        "instances": of_it,
        "tenant": perene.documents("tenants")["acme"],
        "endpoints": endpoints,
    }


@in_each("route", ROUTES, ids=str)
async def test_refusals_are_never_cached(world: World, route: Route):
    answer = await ask(world, route, "nobody")

    if answer.headers.get("content-type", "").endswith("json") and answer.status_code != 200:
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
