"""Browsers of allowed origins may call; and each request leaves one line, with ids only."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from functions_framework import aio
from starlette.requests import Request

from shared import web
from shared.domain.record import Record
from tests.cases import in_each
from tests.conventions.conftest import Deploy, Logged
from tests.conventions.test_web import ORIGIN, served

APP = "https://app.test"
FUNCTIONS = Path(__file__).parent.parent.parent / "functions"
ASKS = {"access-control-request-method": "POST", "access-control-request-headers": "authorization"}

EMBEDDER = "https://shop.test"

edge = web.Edge("things", "/things")


class Thing(Record):
    name: str


@edge.route("GET", "/{name}", answers={200: Thing})
async def one(request: Request) -> Thing:
    return Thing(name=request.path_params["name"])


@edge.route("POST", "/shown", answers={200: None}, embeddable=True)
async def show(_: Request) -> web.Reply:
    return web.Reply()


@pytest.fixture
async def things(deploy: Deploy) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of a function that one origin may share."""
    deploy(CORS_ORIGINS=APP, EMBED_ORIGINS=EMBEDDER, GOOGLE_CLOUD_PROJECT="p")
    through = httpx.ASGITransport(served(edge))
    async with httpx.AsyncClient(transport=through, base_url=ORIGIN) as client:
        yield client


# Browsers ------------------------------------------------------------------------------------


async def test_preflight_of_allowed_origin_succeeds(things: httpx.AsyncClient):
    answer = await things.options("/a", headers={"origin": APP, **ASKS})

    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == APP
    assert "POST" in answer.headers["access-control-allow-methods"]
    assert "authorization" in answer.headers["access-control-allow-headers"].lower()


async def test_preflight_of_other_origin_fails(things: httpx.AsyncClient):
    answer = await things.options("/a", headers={"origin": "https://evil.test", **ASKS})

    assert answer.status_code == 400
    assert "access-control-allow-origin" not in answer.headers


async def test_allowed_origin_reads_answer_and_headers(things: httpx.AsyncClient):
    answer = await things.get("/a", headers={"origin": APP})

    assert answer.json() == {"name": "a"}
    assert answer.headers["access-control-allow-origin"] == APP
    assert "retry-after" in answer.headers["access-control-expose-headers"]
    assert "Origin" in answer.headers["vary"]


async def test_browser_may_read_problem_too(things: httpx.AsyncClient):
    answer = await things.get("/a/b", headers={"origin": APP})

    assert answer.status_code == 404
    assert answer.headers["access-control-allow-origin"] == APP


async def test_other_origin_reads_no_answer(things: httpx.AsyncClient):
    answer = await things.get("/a", headers={"origin": "https://evil.test"})

    assert "access-control-allow-origin" not in answer.headers


@in_each("origin", ["null", f"{APP}.evil.test", "http://app.test", APP.upper()])
async def test_similar_origin_is_another(things: httpx.AsyncClient, origin: str):
    answer = await things.get("/a", headers={"origin": origin})

    assert "access-control-allow-origin" not in answer.headers


@in_each("origin", [APP, EMBEDDER])
async def test_embeddable_route_may_be_called(things: httpx.AsyncClient, origin: str):
    preflight = await things.options("/things/shown", headers={"origin": origin, **ASKS})
    answer = await things.post("/things/shown", headers={"origin": origin})

    assert preflight.headers["access-control-allow-origin"] == origin
    assert answer.headers["access-control-allow-origin"] == origin


@in_each("path", ["/a", "/shown/more", "/", "/ashown"])
async def test_embedder_may_call_nothing_else(things: httpx.AsyncClient, path: str):
    for method in ("OPTIONS", "GET", "POST"):
        answer = await things.request(method, path, headers={"origin": EMBEDDER, **ASKS})

        assert "access-control-allow-origin" not in answer.headers, method


async def test_default_allows_no_origin(things: httpx.AsyncClient, deploy: Deploy):
    deploy()

    preflight = await things.options("/a", headers={"origin": APP, **ASKS})
    answer = await things.get("/a", headers={"origin": APP})

    assert not [
        name for response in (preflight, answer) for name in response.headers if "access" in name
    ]


async def test_a_browser_never_sends_its_cookies(things: httpx.AsyncClient):
    answer = await things.get("/a", headers={"origin": APP})

    assert "access-control-allow-credentials" not in answer.headers


# The access log ------------------------------------------------------------------------------


async def test_request_logs_one_line(things: httpx.AsyncClient, logged: Logged):
    await things.get("/things/a")

    (line,) = logged()
    fields = {"severity": "INFO", "message": "request.answered", "function": "things"}
    assert fields.items() <= line.items()
    assert (line["status"], line["method"], line["route"]) == (200, "GET", "/things/{name}")
    assert line["ms"] >= 0


async def test_a_refused_request_leaves_its_problem(things: httpx.AsyncClient, logged: Logged):
    await things.get("/things/a/b")

    (line,) = logged()
    assert (line["severity"], line["problem"]) == ("NOTICE", "no-such-path")


async def test_log_never_quotes_the_request(
    things: httpx.AsyncClient, capsys: pytest.CaptureFixture[str]
):
    secret = {"authorization": "Bearer said", "cookie": "said"}

    await things.get("/things/said?said=said", headers=secret)
    await things.request("GET", "/things/said/said/said", content=b"said", headers=secret)

    assert "said" not in capsys.readouterr().out


TRACE = "105445aa7843bc8bf206b12000100000"


@in_each(
    ("header", "value"),
    [
        ("x-cloud-trace-context", f"{TRACE}/1;o=1"),
        ("x-cloud-trace-context", TRACE),
        ("traceparent", f"00-{TRACE}-00f067aa0ba902b7-01"),
    ],
    ids=["Google's", "Google's, short", "the standard's"],
)
async def test_line_belongs_to_its_requests_trace(
    things: httpx.AsyncClient, logged: Logged, header: str, value: str
):
    await things.get("/a", headers={header: value})

    (line,) = logged()
    assert line["logging.googleapis.com/trace"] == f"projects/p/traces/{TRACE}"


@in_each("value", ["", "/1", "a b", "a-b", "00-x", '"}'])
async def test_trace_that_is_none_is_ignored(things: httpx.AsyncClient, logged: Logged, value: str):
    await things.get("/a", headers={"traceparent": value, "x-cloud-trace-context": value})

    (line,) = logged()
    assert "logging.googleapis.com/trace" not in line


async def test_misconfigured_deployment_still_answers_and_logs(
    things: httpx.AsyncClient, deploy: Deploy, logged: Logged
):
    deploy(PUBLIC_URL="")

    answer = await things.get("/a", headers={"origin": APP, "x-cloud-trace-context": TRACE})

    assert answer.status_code == 200
    assert len(logged()) == 1


# As the platform serves it -------------------------------------------------------------------


@in_each("path", ["/", "/default", "/instances", "/instances/default"])
async def test_single_function_answers_at_root(deploy: Deploy, path: str):
    app = aio.create_asgi_app("instances", FUNCTIONS / "instances.py", "http")
    through = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=through, base_url=ORIGIN) as client:
        answer = await client.get(path)

    assert answer.json()["type"] == "urn:perene:problem:token-missing"
    assert answer.headers["www-authenticate"] == "Bearer"


async def test_browser_is_answered_through_platform_too(deploy: Deploy):
    deploy(CORS_ORIGINS=APP)
    app = aio.create_asgi_app("instances", FUNCTIONS / "instances.py", "http")
    through = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=through, base_url=ORIGIN) as client:
        answer = await client.options("/", headers={"origin": APP, **ASKS})

    assert answer.headers["access-control-allow-origin"] == APP
