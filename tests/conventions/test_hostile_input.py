"""What hostile callers send: addresses that lead inside, and bodies that never end."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from pydantic import ValidationError
from starlette.requests import Request

from shared import web
from shared.sending.files import Picture
from tests.cases import in_each
from tests.conventions.conftest import Deploy

INSIDE = [
    "http://cdn.perene.com/a",
    "ftp://cdn.perene.com/a",
    "file:///etc/passwd",
    "https:///etc/passwd",
    "//cdn.perene.com/a",
    "https://127.0.0.1/a",
    "https://127.1/a",
    "https://0177.0.0.1/a",
    "https://0x7f000001/a",
    "https://2130706433/a",
    "https://0/a",
    "https://[::1]/a",
    "https://[::ffff:127.0.0.1]/a",
    "https://[fd00:ec2::254]/a",
    "https://169.254.169.254/computeMetadata/v1/",
    "https://10.0.0.1:8080/a",
    "https://localhost/a",
    "https://LOCALHOST./a",
    "https://metadata/a",
    "https://metadata.google.internal/a",
    "https://metadata.google.internal./a",
    "https://evolution.local/a",
    "https://postgres:5432/a",
    "https://user@cdn.perene.com/a",
    "https://user:password@cdn.perene.com/a",
    "https://cdn.perene.com\\@127.0.0.1/a",
    "https://127.0.0.1\\.cdn.perene.com/a",
    "https://127.0.0.1#.cdn.perene.com/a",
    "https://127.0.0.1?.cdn.perene.com/a",
    "https://127.0.0.1\t.cdn.perene.com/a",
    "https://cdn.perene\n.com/a",
    " https://cdn.perene.com/a",
    "https://cdn.perene.com/a\r\nHost: 127.0.0.1",
    "https://①②⑦.⓪.⓪.①/a",
    "https://ⅼocalhost.perene.com/a",
    "https://cdn。perene。com/a",
    "https://cdn.perene.com:99999/a",
    "https://cdn.perene.com:x/a",
    "data:text/plain;base64,aGk=",
    "javascript:alert(1)",
    "",
]


@in_each("address", INSIDE, ids=ascii)
def test_internal_address_is_refused(address: str):
    with pytest.raises(ValidationError):
        Picture(url=address)


@in_each(
    "address",
    [
        "https://cdn.perene.com/a.jpg",
        "https://xn--mnchen-3ya.de/a.jpg?x=1&y=%20#z",
        "https://cdn.perene.com:8443/a",
        "https://s3.sa-east-1.amazonaws.com/bucket/fotos%20de%20hoje/a.jpg",
    ],
)
def test_public_address_is_kept(address: str):
    assert Picture(url=address).source == address


# Bodies --------------------------------------------------------------------------------------


@pytest.fixture
def edge(deploy: Deploy) -> web.Edge:
    """A function that reads what it is sent, up to 100 bytes."""
    edge = web.Edge("reader", "/reader")

    @edge.route("POST", "/", answers={204: None})
    async def read(request: Request) -> web.Reply:
        await web.read_body(request, 100)
        return web.Reply(status=204)

    return edge


@pytest.fixture
async def reader(edge: web.Edge) -> AsyncIterator[httpx.AsyncClient]:
    async def app(scope, receive, send):
        response = await edge.answer(Request(scope, receive))
        await response(scope, receive, send)

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://x") as http:
        yield http


async def test_stalled_body_is_given_up(reader: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(web, "PATIENCE", 0.01)

    async def drops() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.Event().wait()

    answer = await reader.post("/reader", content=drops())

    assert answer.status_code == 408
    assert answer.json()["type"] == "urn:perene:problem:body-too-slow"


async def test_caller_who_leaves_is_no_fault_of_ours(edge: web.Edge):
    async def leave() -> dict[str, str]:
        return {"type": "http.disconnect"}

    asked = {
        "type": "http",
        "method": "POST",
        "path": "/reader",
        "query_string": b"",
        "headers": [],
    }
    answer = await edge.answer(Request(asked, leave))

    assert answer.status_code == 408


async def test_endless_body_is_cut_off(reader: httpx.AsyncClient):
    sent = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 60
            yield b"x" * 60

    answer = await reader.post("/reader", content=flood())

    assert answer.status_code == 413
    assert sent < 1_000


async def test_slow_body_is_read(reader: httpx.AsyncClient):
    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(3):
            await asyncio.sleep(0)
            yield b"x"

    assert (await reader.post("/reader", content=slowly())).status_code == 204
