"""Test what the local stack opens to callers from elsewhere, through a tunnel."""

import asyncio

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from infra.local import children
from infra.local.guard import Guard

HERE = "http://127.0.0.1:8080"
TUNNEL = "https://d3ad-beef.ngrok.test"
PATHS = (
    "/", "/webhook", "/webhook/messages-upsert", "/instances", "/console", "/fleet",
    "/local/token", "/local/authorize", "/local/clock", "/local/.well-known/openid-configuration",
    "//local/clock",
)  # fmt: skip
WEBHOOKS = {"/webhook", "/webhook/messages-upsert"}
OWN = {path for path in PATHS if path.lstrip("/").startswith("local")}


def reachable_paths(public_url, host="localhost:8080", client="127.0.0.1", **headers):
    """Return the paths that a caller reaches."""
    guarded = Guard(Starlette(routes=[Route("/{path:path}", answer)]), public_url)

    async def ask():
        transport = httpx.ASGITransport(guarded, client=(client, 1))
        async with httpx.AsyncClient(transport=transport) as http:
            sent_headers = {"host": host}
            sent_headers |= {key.replace("_", "-"): value for key, value in headers.items()}
            return {
                path: (await http.get(f"http://x{path}", headers=sent_headers)).status_code
                for path in PATHS
            }

    statuses = asyncio.run(ask())
    assert set(statuses.values()) <= {200, 404}
    return {path for path, status in statuses.items() if status == 200}


async def answer(_):
    return PlainTextResponse("in")


@pytest.mark.parametrize("public_url", [HERE, TUNNEL])
@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1:8080", "[::1]:8080", "LOCALHOST"])
def test_this_machine_reaches_everything(public_url, host):
    assert reachable_paths(public_url, host) == set(PATHS)


FOREIGN = {
    "tunnel's name": {"host": "d3ad-beef.ngrok.test"},
    "rebound name": {"host": "evil.test:8080"},
    "name like ours": {"host": "localhost.evil.test"},
    "two names in one": {"host": "localhost:8080#.evil.test"},
    "user's name": {"host": "localhost@evil.test"},
    "no name": {"host": ""},
    "rewritten name": {"x_forwarded_for": "203.0.113.9"},
    "rewritten name, host told": {"x_forwarded_host": "d3ad-beef.ngrok.test"},
    "standard header": {"forwarded": "for=203.0.113.9"},
    "cloudflared": {"cf_connecting_ip": "203.0.113.9"},
    "claim to be here": {"x_forwarded_for": "127.0.0.1"},
    "another machine": {"client": "192.168.1.9"},
}


@pytest.mark.parametrize("caller", FOREIGN.values(), ids=FOREIGN.keys())
def test_stranger_reaches_only_public_webhook(caller):
    assert reachable_paths(TUNNEL, **caller) == WEBHOOKS


@pytest.mark.parametrize("caller", FOREIGN.values(), ids=FOREIGN.keys())
def test_stranger_never_reaches_sign_in(caller):
    assert reachable_paths(HERE, **caller) == set(PATHS) - OWN


@pytest.mark.parametrize("public_url", ["http://192.168.1.7:8080", "http://host.docker.internal"])
def test_address_of_a_network_is_public(public_url):
    assert reachable_paths(public_url, "host.docker.internal:8080") == WEBHOOKS


def test_two_host_headers_are_nobodys():
    messages = []

    async def ask():
        async def send(message):
            messages.append(message)

        scope = {
            "type": "http", "path": "/local/clock", "method": "GET", "client": ("127.0.0.1", 1),
            "headers": [(b"host", b"localhost"), (b"host", b"evil.test")],
        }  # fmt: skip
        await Guard(answer, TUNNEL)(scope, None, send)

    asyncio.run(ask())

    assert messages[0]["status"] == 404


def test_tunnel_signs_nobody_in(start):
    """Send through real sockets: no layer believes a header about the client."""
    stack = start(PUBLIC_URL=TUNNEL).wait_until_ready()
    tunnelled = {"host": "d3ad-beef.ngrok.test"}
    rewritten = {"x-forwarded-for": "127.0.0.1", "x-forwarded-proto": "https"}

    for headers, status in (({}, 200), (tunnelled, 404), (rewritten, 404)):
        for path in ("/local/.well-known/openid-configuration", "/settings"):
            url = f"http://{children.LOOPBACK}:{stack.port}{path}"
            answer = httpx.get(url, headers=headers, trust_env=False, timeout=60)
            assert answer.status_code == status, (headers, path)
