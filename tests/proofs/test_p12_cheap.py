"""P12: a refusal costs no more than its request deserves, on every route, however it is crafted."""

import asyncio
import base64
import functools
import itertools
import math
import time
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytest

from infra import openapi
from shared import webhook_token
from shared.domain.names import InstanceName
from shared.web import Edge, Route
from tests.perene import Perene, token
from tests.proofs.pace import measure_pace

MIB = 2**20
LONGEST_ANSWER = 64 * 1024
MOST_CPU = 0.1
"""Seconds, at `measure_pace`."""
MOST_MEMORY = 64 * MIB
TURNS = 10
PIECE = 64 * 1024
FEED_SECRET = "the feed's secret of the tests, long enough"

ROUTES = [(edge, route) for edge in openapi.load_edges() for route in edge.routes]
NAMES = [f"{edge.function} {route.method} {route.path}" for edge, route in ROUTES]


class Crafted(NamedTuple):
    """A request that somebody thought about."""

    what: str
    path: str
    query: bytes = b""
    body: bytes = b""
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it


class Answer(NamedTuple):
    """Hold what came back, and the seconds of CPU that it took."""

    status: int
    body: bytes
    seconds: float


# What is sent --------------------------------------------------------------------------------


def crafted(edge: Edge, route: Route, large: list[tuple[str, bytes]]) -> Iterator[Crafted]:
    """Everything that one may put into a request of this route."""
    for place in ("x" * 40, "x" * 30_000, "%5B" * 10_000, "~5b" * 10_000):
        path = openapi.format_path(edge, route)
        for name in _places(path):
            path = path.replace(f"{{{name}}}", place)
        yield Crafted(f"path {place[:3]}", path)
    plain = openapi.format_path(edge, route).replace("{", "").replace("}", "")
    for what, query in _queries(route):
        yield Crafted(f"query {what}", plain, query)
    for what, headers in _headers(route):
        yield Crafted(f"header {what}", plain, headers=headers, body=b"{}" if route.takes else b"")
    if route.takes:
        bodies = itertools.chain(_bodies(route), large)
        yield from (Crafted(f"body {what}", plain, body=body) for what, body in bodies)


@pytest.fixture(scope="module")
def large_bodies() -> list[tuple[str, bytes]]:
    """Build them once for all routes: 200 MB, which go again after the module."""
    return list(_large_bodies())


def _places(path: str) -> Iterable[str]:
    return [part.partition("}")[0] for part in path.split("{")[1:]]


def _queries(route: Route) -> Iterator[tuple[str, bytes]]:
    yield "of many fields", b"&".join(b"%x=1" % number for number in range(8_000))
    yield "of many short fields", b"&".join(b"%x" % number for number in range(2_000))
    yield "of one long name", b"x" * 50_000 + b"=1"
    for name in (*(route.asks.model_fields if route.asks else ()), "other"):
        for what, value in {
            "brackets": base64.urlsafe_b64encode(b"[" * 2_900),
            "long": b"x" * 14_000,
            "digits": b"9" * 14_000,
        }.items():
            yield f"{name} of {what}", name.encode() + b"=" + value


def _headers(route: Route) -> Iterator[tuple[str, dict[str, str]]]:
    nested = base64.urlsafe_b64encode(b"[" * 30_000).decode()
    yield "nested token", {"authorization": f"Bearer {nested}.e30.x"}
    yield "nested webhook token", {webhook_token.HEADER: f"{nested}.e30.x"}
    for name in route.needs:
        yield f"long {name}", {name: "x" * 60_000}


def _bodies(route: Route) -> Iterator[tuple[str, bytes]]:
    assert route.takes
    yield from _bodies_of_any_route()
    for name in _fields(route.takes.model_json_schema()):
        for what, value in _values(30_000):
            yield f"{name} of {what}", b'{"%s":%s}' % (name.encode(), value)


@functools.cache
def _bodies_of_any_route() -> list[tuple[str, bytes]]:
    return [body for size in (60_000, 800_000) for body in _bodies_of_size(size)]


def _bodies_of_size(size: int) -> Iterator[tuple[str, bytes]]:
    yield f"brackets, {size}", b"[" * size
    yield f"levels, {size}", b"[" * (size // 2) + b"]" * (size // 2)
    yield f"objects, {size}", b'{"":' * (size // 5) + b"{}" + b"}" * (size // 5)
    yield f"unknown fields, {size}", _object(b'"%x":0', size // 10)
    yield f"one long unknown field, {size}", b'{"%s":0}' % (b"x" * size)
    for what, value in _values(size):
        for where in (b'{"x":%s}', b'{"poll":{"options":%s}}', b'{"mentions":%s,"text":"x"}'):
            yield f"{what} in {where!r}, {size}", where % value


@functools.cache
def _values(size: int) -> list[tuple[str, bytes]]:
    return [
        ("numbers", b"[" + b"0," * (size // 2) + b"0]"),
        ("lists", b"[" + b"[]," * (size // 3) + b"0]"),
        ("levels", b"[" + (b"[" * 90 + b"]" * 90 + b",") * (size // 181) + b"0]"),
        ("objects", b"[" + b'{"":{}},' * (size // 8) + b"0]"),
        ("texts", b"[" + b'"",' * (size // 3) + b"0]"),
        ("a text", b'"%s"' % (b"+" * size)),
        ("a number", b"9" * size),
    ]


def _large_bodies() -> Iterator[tuple[str, bytes]]:
    """Build bodies as large as a file makes them."""
    file = b"A" * (4 * (16 * MIB // 3))
    yield "a poll with a million options", b'{"poll":{"options":[%s""]}}' % (b"0," * 10**6)
    yield "a whole file to nobody", b'{"image":{"base64":"%s"},"to":"1"}' % file
    yield "a file with a blank", b'{"image":{"base64":"%s "},"to":"1"}' % file[:-1]
    yield "a file with an escape", b'{"image":{"base64":"%s\\/A"}}' % file[:-3]
    yield "a file of accents", b'{"image":{"base64":"%s"}}' % ("é".encode() * (11 * MIB))
    yield "a file and an unknown field", b'{"x":0,"image":{"base64":"%s"}}' % file
    yield "a file and junk", b'{"x":[%s0],"image":{"base64":"%s"}}' % (b'{"":{}},' * 90_000, file)
    yield "many files", b'{%s"x":0}' % (b'"base64":"x",' * 1_500_000)
    yield "files half open", b'"base64" ' * (2 * MIB)
    yield "a file without end", b'{"base64":"%s' % file
    yield "commas", b"[" + b"0," * (12 * MIB - 8)


def _object(member: bytes, count: int) -> bytes:
    return b"{" + b",".join(member % number for number in range(count)) + b"}"


def _fields(schema: dict[str, Any]) -> list[str]:
    """Names of all fields of a model, or of those that it may be."""
    models = [schema, *schema.get("$defs", {}).values()]
    top = models if "oneOf" in schema else models[:1]
    return sorted({name for model in top for name in model.get("properties", {})})


# How it is sent ------------------------------------------------------------------------------


async def send(perene: Perene, route: Route, request: Crafted) -> Answer:
    """Send one request as the platform hands it over: piece by piece."""
    starts = iter(range(0, max(len(request.body), 1), PIECE))

    async def receive() -> dict[str, Any]:
        start = next(starts, None)
        if start is None:
            await asyncio.Event().wait()  # nobody hangs up
        end = start + PIECE
        piece, more = request.body[start:end], end < len(request.body)
        return {"type": "http.request", "body": piece, "more_body": more}

    messages: list[dict[str, Any]] = []

    async def answered(message: Any) -> None:
        messages.append(message)

    headers = allowed() | request.headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": route.method,
        "scheme": "http",
        "server": ("perene.test", 80),
        "client": ("127.0.0.1", 1),
        "path": request.path,
        "raw_path": request.path.encode(),
        "root_path": "",
        "query_string": request.query,
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "state": {},
    }
    before = time.process_time()
    await perene.app(scope, receive, answered)
    seconds = time.process_time() - before
    body = b"".join(message.get("body", b"") for message in messages)
    return Answer(messages[0]["status"], body, seconds)


def allowed() -> dict[str, str]:
    """The headers of somebody who may do anything."""
    return {
        "authorization": f"Bearer {token('acme', operator=True)}",
        "content-type": "application/json",
        "idempotency-key": "a-key",
        "x-feed-secret": FEED_SECRET,
        webhook_token.HEADER: webhook_token.sign(InstanceName("instance_acme"), 1),
    }


@pytest.fixture
async def open_to_all(on_2: Perene) -> Perene:
    on_2.set(TENANT_FEED_SECRET=FEED_SECRET)
    return on_2


@pytest.mark.parametrize(("edge", "route"), ROUTES, ids=NAMES)
async def test_refusals_are_short_and_cheap(
    open_to_all: Perene, large_bodies: list[tuple[str, bytes]], edge: Edge, route: Route
):
    faults = list[str]()
    for request in crafted(edge, route, large_bodies):
        answer = await send(open_to_all, route, request)
        if answer.status < 400:
            continue
        if answer.status >= 500:
            faults.append(f"{request.what}: {answer.status}")
        if len(answer.body) > LONGEST_ANSWER:
            faults.append(f"{request.what}: {len(answer.body)} bytes")
        if answer.seconds > MOST_CPU and (least := await _least(open_to_all, route, request)):
            faults.append(f"{request.what}: {least:.3f} s")
        if (memory := await _memory(open_to_all, route, request)) > MOST_MEMORY:
            faults.append(f"{request.what}: {memory // MIB} MiB")

    assert faults == []


async def _least(perene: Perene, route: Route, request: Crafted) -> float:
    """The CPU time it really needs, if that is too much: what else runs only adds to it."""
    least = math.inf
    for _ in range(TURNS):
        pace = measure_pace()
        least = min(least, (await send(perene, route, request)).seconds / pace)
        if least <= MOST_CPU:
            return 0
    return least


async def _memory(perene: Perene, route: Route, request: Crafted) -> int:
    """Bytes that are allocated at once. (Small requests aren't worth the wait.)"""
    if len(request.body) < MIB // 2:
        return 0
    tracemalloc.start()
    try:
        await send(perene, route, request)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return peak
