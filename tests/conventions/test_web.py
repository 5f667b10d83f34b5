"""The edge of every function: paths, methods, bodies and what went wrong."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.types import ASGIApp

from shared import problems, web
from shared.domain.record import Record
from tests.cases import in_each
from tests.conventions.conftest import Deploy, Logged

ORIGIN = "http://function.test"
SAID = "call me on 5511999990001"
FULL = web.BODY_LIMIT


class Thing(Record):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(default="", max_length=web.BODY_LIMIT)
    size: int = 0
    parts: tuple["Thing", ...] = ()


class Busy(problems.Problem):
    status = 409
    title = "Somebody is at it"


edge = web.Edge("things", "/things")


@edge.route("GET", "/", answers={200: Thing})
async def every(request: Request) -> Thing:
    return Thing(name="every")


@edge.route("POST", "/", takes=Thing, answers={200: Thing})
async def make(request: Request) -> Thing:
    return await web.parse_body(Thing, request)


@edge.route("GET", "/{name}", answers={200: Thing})
async def one(request: Request) -> Thing:
    return Thing(name=request.path_params["name"])


@edge.route("DELETE", "/{name}", answers={204: None})
async def remove(request: Request) -> web.Reply:
    return web.Reply(status=204, headers={"x-removed": request.path_params["name"]})


@edge.route("POST", "/{name}/break", answers={200: Thing})
async def break_down(request: Request) -> Thing:
    raise ValueError(SAID)


@edge.route("POST", "/{name}/refuse", answers={200: Thing})
async def refuse(request: Request) -> Thing:
    raise Busy("Not now.", retry_after=7)


@edge.route("POST", "/{name}/sign-in", answers={200: Thing})
async def sign_in(request: Request) -> Thing:
    raise problems.TokenMissing()


@pytest.fixture
async def things(deploy: Deploy) -> AsyncIterator[httpx.AsyncClient]:
    """A caller of the function."""
    through = httpx.ASGITransport(served(edge))
    async with httpx.AsyncClient(transport=through, base_url=ORIGIN) as client:
        yield client


def served(edge: web.Edge) -> ASGIApp:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        response = await edge.answer(Request(scope, receive))
        await response(scope, receive, send)

    return app


async def posted(things: httpx.AsyncClient, content: Any, kind: str = "application/json") -> Any:
    return await things.post("/", content=content, headers={"content-type": kind})


def slug(answer: httpx.Response) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["status"] == answer.status_code
    return answer.json()["type"].removeprefix("urn:perene:problem:")


# Paths and methods ---------------------------------------------------------------------------


@in_each("path", ["/", "", "/things", "/things/", "//"])
async def test_root_path_needs_no_prefix(things: httpx.AsyncClient, path: str):
    assert (await things.get(path)).json()["name"] == "every"


@in_each("path", ["/a", "/a/", "/things/a", "/things/a/"])
async def test_path_below_has_prefix_or_not(things: httpx.AsyncClient, path: str):
    assert (await things.get(path)).json()["name"] == "a"


async def test_longer_word_is_not_prefix(things: httpx.AsyncClient):
    assert (await things.get("/thingsandmore")).json()["name"] == "thingsandmore"


async def test_part_of_path_may_be_escaped(things: httpx.AsyncClient):
    assert (await things.get("/things/a%20b")).json()["name"] == "a b"


@in_each("path", ["/a/b", "/things/a/b", "/a/b/c"])
async def test_unknown_path_is_not_found(things: httpx.AsyncClient, path: str):
    answer = await things.get(path)

    assert (answer.status_code, slug(answer)) == (404, "no-such-path")


@in_each(
    ("method", "path", "named"),
    [("PUT", "/", "GET, POST"), ("POST", "/a", "DELETE, GET"), ("GET", "/a/break", "POST")],
    ids=["two at the top", "two below", "one"],
)
async def test_wrong_method_hears_right_ones(
    things: httpx.AsyncClient, method: str, path: str, named: str
):
    answer = await things.request(method, path)

    assert (answer.status_code, slug(answer)) == (405, "method-not-allowed")
    assert named in answer.json()["detail"]


async def test_wrong_method_gets_allow_header(things: httpx.AsyncClient):
    assert (await things.put("/")).headers.get("allow") == "GET, POST"


async def test_head_request_is_answered(things: httpx.AsyncClient):
    answer = await things.head("/a")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"


async def test_options_gets_an_empty_answer(things: httpx.AsyncClient):
    answer = await things.options("/a")

    assert (answer.status_code, answer.content) == (204, b"")


# Answers -------------------------------------------------------------------------------------


async def test_answer_is_uncached_json(things: httpx.AsyncClient):
    answer = await things.get("/a")

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"


async def test_empty_answer_may_have_headers(things: httpx.AsyncClient):
    answer = await things.delete("/a")

    assert (answer.status_code, answer.content) == (204, b"")
    assert answer.headers["x-removed"] == "a"


# Bodies --------------------------------------------------------------------------------------


@in_each(
    "kind", ["application/json", "Application/JSON; charset=utf-8", "application/merge-patch+json"]
)
async def test_a_body_of_json_is_read(things: httpx.AsyncClient, kind: str):
    assert (await posted(things, b'{"name": "a"}', kind)).json()["name"] == "a"


async def test_no_body_counts_as_empty_object(things: httpx.AsyncClient):
    assert (await things.post("/")).json()["size"] == 0


@in_each("kind", ["text/plain", "application/jsonp", "multipart/form-data", ""])
async def test_body_of_anything_else_is_not(things: httpx.AsyncClient, kind: str):
    answer = await posted(things, b"{}", kind)

    assert (answer.status_code, slug(answer)) == (415, "body-not-json")


@in_each(
    "content",
    [b"{", b"name=a", b"\xff\xfe", b'{"name": "\xff"}', b"[" * 30_000, b" "],
    ids=["half", "a form", "bytes", "bytes inside", "much too deep", "a blank"],
)
async def test_broken_json_is_malformed(things: httpx.AsyncClient, content: bytes):
    answer = await posted(things, content)

    assert (answer.status_code, slug(answer)) == (400, "body-malformed")


async def test_wrong_fields_are_named_unquoted(things: httpx.AsyncClient):
    body = {"size": SAID, "colour": SAID, "parts": [{}, {"name": [SAID]}]}

    answer = await posted(things, json.dumps(body))

    assert (answer.status_code, slug(answer)) == (422, "request-invalid")
    named = {error["field"] for error in answer.json()["errors"]}
    assert named == {"size", "colour", "parts.1.name"}
    assert "5511999990001" not in answer.text


async def in_pieces(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), 10_000):
        yield content[start : start + 10_000]


def a_body_of(size: int) -> bytes:
    return b'{"name":"' + b"x" * (size - 11) + b'"}'


async def test_largest_allowed_body_is_read(things: httpx.AsyncClient):
    assert (await posted(things, a_body_of(FULL))).status_code == 200
    assert (await posted(things, in_pieces(a_body_of(FULL)))).status_code == 200


@in_each("size", [FULL + 1, 1_000_000], ids=["one byte more", "a megabyte"])
async def test_a_larger_body_is_refused(things: httpx.AsyncClient, size: int):
    answer = await posted(things, a_body_of(size))

    assert (answer.status_code, slug(answer)) == (413, "body-too-large")
    assert str(FULL) in answer.json()["detail"]


async def test_oversized_pieces_are_refused_early(things: httpx.AsyncClient):
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 10_000
            yield b" " * 10_000

    answer = await posted(things, endless())

    assert answer.status_code == 413
    assert sent <= FULL + 20_000


# Failures ------------------------------------------------------------------------------------


async def test_problem_is_answered_uncached(things: httpx.AsyncClient):
    answer = await things.post("/a/refuse")

    assert answer.json() == Busy("Not now.", retry_after=7).body()
    assert answer.headers["cache-control"] == "no-store"


async def test_retry_after_header_matches_body(things: httpx.AsyncClient):
    answer = await things.post("/a/refuse")

    assert answer.headers["retry-after"] == str(answer.json()["retry_after"]) == "7"


async def test_sign_in_problem_names_scheme(things: httpx.AsyncClient):
    answer = await things.post("/a/sign-in")

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_unexpected_error_hides_its_text(things: httpx.AsyncClient, logged: Logged):
    answer = await things.post("/a/break")

    lines = logged()
    assert (answer.status_code, slug(answer)) == (500, "unexpected")
    assert "5511999990001" not in answer.text + json.dumps(lines)
    assert [line["message"] for line in lines] == ["request.broke", "request.answered"]
    assert lines[0]["error"] == "ValueError"


async def test_misconfiguration_is_only_logged(
    things: httpx.AsyncClient, deploy: Deploy, logged: Logged
):
    @edge.route("GET", "/x/settings", answers={200: Thing})
    async def settings(request: Request) -> Thing:
        return Thing(name=web.config.settings().public_url)

    deploy(PUBLIC_URL="")
    answer = await things.get("/x/settings")

    assert (answer.status_code, slug(answer)) == (500, "unexpected")
    assert "PUBLIC_URL" not in answer.text
    assert "PUBLIC_URL" in logged()[0]["settings"]


# Compression ---------------------------------------------------------------------------------


async def test_long_answer_is_compressed_if_accepted(things: httpx.AsyncClient):
    long, short = {"name": "x" * 2_000}, {"name": "x"}
    answers = [
        await things.post("/things", json=body, headers={"accept-encoding": encoding})
        for body, encoding in ((long, "gzip"), (long, "identity"), (short, "gzip"))
    ]

    assert [answer.headers.get("content-encoding") for answer in answers] == ["gzip", None, None]
    assert [answer.json()["name"] for answer in answers] == ["x" * 2_000, "x" * 2_000, "x"]
    assert answers[1].headers["vary"] == "accept-encoding"
