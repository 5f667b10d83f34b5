"""Disclose neither what a server answers nor what we send to it."""

import asyncio
import traceback

import httpx
import pytest
from msgspec.structs import replace

from shared import problems
from shared.evolution import limits
from shared.evolution.client import Evolution
from tests.adapters.evolution_calls import (
    EVERYTHING,
    everything,
)
from tests.adapters.evolution_wire import (
    KEY,
    a_server,
    an_evolution,
    failing,
    saying,
)
from tests.cases import in_each

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(limits, "PAUSE", 0)


SECRETS = ("segredo-do-servidor", "5511900001111", "Maria")
SAID = " ".join(SECRETS)
LEAKS = {
    "in a text": (500, {"response": {"message": [SAID]}}),
    "as the whole answer": (502, f"<html>{SAID}</html>"),
    "in a success": (200, {"token": SAID, "number": SAID, "error": True, "message": SAID}),
    "in a refusal": (400, {"response": {"message": [[SAID]]}}),
    "in a missing instance": (404, {"response": {"message": [f"instance {SAID} not found"]}}),
}


@everything
@in_each("leak", LEAKS)
async def test_what_server_says_is_never_repeated(call, leak):
    evolution, _ = an_evolution(saying(*LEAKS[leak]))

    disclosed = await all_that_is_disclosed(evolution, call)

    assert not any(secret in disclosed for secret in (*SECRETS, KEY))


@everything
@in_each("error", [httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout])
async def test_no_problem_or_outcome_shows_key(call, error):
    evolution, _ = an_evolution(failing(error))

    assert KEY not in await all_that_is_disclosed(evolution, call)


async def all_that_is_disclosed(evolution, call):
    try:
        return repr(await EVERYTHING[call](evolution))
    except problems.Problem as problem:
        trace = "".join(traceback.format_exception(problem))
        return f"{problem.body()} {problem!r} {trace} {evolution!r} {vars(evolution)}"


@everything
@in_each("key", ["chave-secreta\n-em-duas-linhas", "chave-secreta-ação-😀"])
async def test_unsendable_key_is_not_shown(call, key):
    class Picky(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            value = request.headers.raw[-1][1] if request.headers else b""
            raise httpx.LocalProtocolError(f"Illegal header value {value!r} {key}")

    evolution = Evolution(a_server(key=key), httpx.AsyncClient(transport=Picky()))

    assert "secreta" not in await all_that_is_disclosed(evolution, call)


async def test_real_client_hides_unsendable_key():
    server = a_server(key="chave-secreta\nem-duas-linhas", url="http://127.0.0.1:9")

    async def accept(reader, writer):
        await reader.read()
        writer.close()

    async with (
        await asyncio.start_server(accept, "127.0.0.1", 0) as listening,
        httpx.AsyncClient() as http,
    ):
        port = listening.sockets[0].getsockname()[1]
        server = replace(server, url=f"http://127.0.0.1:{port}")

        disclosed = await all_that_is_disclosed(Evolution(server, http), "connection")

    assert "can't be spoken to" in disclosed
    assert "secreta" not in disclosed
