"""Calls to a failing server end in time, with an outcome or a problem, and disclose nothing."""

import asyncio
import socket
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import problems
from shared.domain.upstream import (
    Created,
    Doubtful,
    NameInUse,
    SendDoubtful,
    Sent,
)
from shared.evolution import limits
from shared.evolution.client import Evolution
from tests.adapters.evolution_calls import (
    EVERYTHING,
    TO,
    VERSIONS,
    download,
    every_call,
    everything,
)
from tests.adapters.evolution_wire import (
    WANTED,
    a_server,
    an_evolution,
    exchange,
    failing,
    saying,
    says,
)
from tests.cases import in_each

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(limits, "PAUSE", 0)


@every_call
async def test_cut_connection_is_unreachable_server(call):
    evolution, _ = an_evolution(failing(httpx.ReadError))

    with pytest.raises(problems.EvolutionUnreachable):
        await EVERYTHING[call](evolution)


@everything
@in_each("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_unsent_request_is_unreachable_server(call, error):
    evolution, _ = an_evolution(failing(error))

    with pytest.raises(problems.EvolutionUnreachable):
        await EVERYTHING[call](evolution)


@every_call
async def test_silence_is_server_that_timed_out(call):
    evolution, wire = an_evolution(failing(httpx.ReadTimeout))

    with pytest.raises(problems.EvolutionTimedOut):
        await EVERYTHING[call](evolution)
    assert len(wire.requests) == 1


@in_each(
    "error", [httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError, httpx.DecodingError]
)
async def test_possibly_sent_request_is_doubtful(error):
    evolution, wire = an_evolution(failing(error))

    assert isinstance(await evolution.send_message("wa1", TO), SendDoubtful)
    assert isinstance(await evolution.create_instance("wa1", WANTED), Doubtful)
    assert len(wire.requests) == 2


@everything
async def test_refused_key_is_its_own_problem(call):
    evolution, _ = an_evolution(saying(401, exchange("auth-missing-apikey")["response"]["body"]))

    if call == "verify":
        assert await evolution.accepts_key() is False
        return
    with pytest.raises(problems.EvolutionRefusedKey):
        await EVERYTHING[call](evolution)


ODD = {
    "nothing": b"",
    "HTML": "<html><h1>502 Bad Gateway</h1></html>",
    "half an object": '{"instance": {"state": "op',
    "not even Unicode": b"\xff\xfe\xfa",
    "an array": [1, [2]],
    "a number": 5,
    "a text": "open",
    "an empty object": {},
    "the wrong shapes": {
        "instance": 5,
        "code": [],
        "messages": 1,
        "key": "x",
        "webhook": 3,
        "name": {},
        "mimetype": 1,
    },
    "an error": {"error": True, "message": "[object Object]"},
    "nested without end": "[" * 100_000,
}


STATUSES = [200, 201, 302, 400, 403, 404, 409, 429, 500, 502, 503]


@everything
@in_each("body", ODD.values(), ids=ODD)
async def test_odd_answer_is_outcome_or_problem(call, body):
    for status in STATUSES:
        evolution, _ = an_evolution(saying(status, body))

        with suppress(problems.Problem):
            outcome = await EVERYTHING[call](evolution)
            assert not isinstance(outcome, Created | Sent | NameInUse)


@every_call
@in_each("status", [404, 500, 502])
async def test_only_evolution_reports_missing_instances(call, status):
    for body in ODD.values():
        evolution, _ = an_evolution(saying(status, body))

        with pytest.raises(problems.EvolutionFailed):
            await EVERYTHING[call](evolution)


@every_call
async def test_unknown_route_is_no_missing_instance(call):
    answer = exchange("unknown-route")["response"]["body"]
    evolution, _ = an_evolution(saying(404, answer))

    with pytest.raises(problems.EvolutionFailed):
        await EVERYTHING[call](evolution)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)
MESSAGES = st.one_of(
    JSON,
    st.fixed_dictionaries({"message": JSON}),
    st.fixed_dictionaries({"error": JSON, "response": st.fixed_dictionaries({"message": JSON})}),
)


@given(body=MESSAGES, status=st.sampled_from([200, 201, 400, 403, 404, 500]))
@settings(max_examples=60, deadline=None)
def test_any_json_is_outcome_or_problem(body, status):
    async def all_calls():
        for version in VERSIONS:
            evolution, _ = an_evolution(saying(status, body), version)
            for call in EVERYTHING.values():
                try:
                    await call(evolution)
                except problems.Problem as problem:
                    assert len(problem.detail) < 80  # noqa: PT017  many calls, one property

    pause, limits.PAUSE = limits.PAUSE, 0
    try:
        asyncio.run(all_calls())
    finally:
        limits.PAUSE = pause


async def test_cut_failure_of_a_file_is_repeated(mocker):
    class Cut(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield b"<html>"
            raise httpx.ReadError("cut")

    evolution, wire = an_evolution(lambda _: httpx.Response(502, stream=Cut()))
    mocker.patch.object(limits, "PAUSE", 0)

    with pytest.raises(problems.EvolutionUnreachable):
        await download(evolution, "wa1", "ABC")

    assert len(wire.requests) == limits.ATTEMPTS


REPEATED = {"connection", "configuration", "settings", "silence", "configure"}
NEVER_REPEATED = {"create", "connect", "restart", "delete", "send", "edit", "delete_message"}


@in_each("call", sorted(REPEATED))
async def test_safe_requests_are_retried_once(call):
    good = {"instance": {"state": "open"}}
    answers = iter([httpx.Response(502), httpx.Response(200, json=good)])
    evolution, _ = an_evolution(lambda request: next(answers, httpx.Response(200, json=good)))

    assert await EVERYTHING[call](evolution) is not None


@in_each("call", sorted(NEVER_REPEATED))
@in_each("answer", [saying(502, "<html>"), failing(httpx.ReadError)])
async def test_changing_requests_are_never_retried(call, answer):
    evolution, wire = an_evolution(answer)

    with suppress(problems.Problem):
        await EVERYTHING[call](evolution)

    assert len(wire.requests) == 1


async def test_1_8_logs_out_before_delete():
    connected = says('The "wa1" instance needs to be disconnected')
    logged_out = exchange("logout-baileys-open")["response"]["body"]
    deleted = exchange("delete-evolution-open")["response"]["body"]
    answers = iter([(400, connected), (200, logged_out), (400, connected), (200, deleted)])
    evolution, wire = an_evolution(lambda request: saying(*next(answers))(request), "1.8.2")

    assert await evolution.delete_instance("wa1") is True
    assert wire.paths == [
        "DELETE /instance/delete/wa1",
        "DELETE /instance/logout/wa1",
        "DELETE /instance/delete/wa1",
        "DELETE /instance/delete/wa1",
    ]


async def test_connected_instance_fails_to_be_deleted():
    evolution, _ = an_evolution(saying(400, says("needs to be disconnected")), "1.8.2")

    with pytest.raises(problems.EvolutionFailed):
        await evolution.delete_instance("wa1")


async def test_refused_connection_is_unreachable(unused_port):
    async with httpx.AsyncClient() as http:
        evolution = Evolution(a_server(url=f"http://127.0.0.1:{unused_port}"), http)

        with pytest.raises(problems.EvolutionUnreachable):
            await evolution.create_instance("wa1", WANTED)
        with pytest.raises(problems.EvolutionUnreachable):
            await evolution.send_message("wa1", TO)


@in_each("failure", [saying(502, "<html>"), failing(httpx.ReadError), failing(httpx.ReadTimeout)])
async def test_ailing_server_is_asked_before_a_send(failure):
    evolution, wire = an_evolution(failure)

    first = await evolution.send_message("wa1", TO)
    with pytest.raises(problems.EvolutionUnreachable):
        await evolution.send_message("wa1", TO)
    wire.answer = saying(200, None)
    await evolution.send_message("wa1", TO)
    await evolution.send_message("wa1", TO)

    assert isinstance(first, SendDoubtful)
    asks, sends = "GET /webhook/find/wa1", "POST /message/sendText/wa1"
    assert wire.paths == [sends, asks, asks, sends, sends]


async def test_dropped_connection_leaves_doubt(unused_port):
    async def hang_up(reader, writer):
        await reader.readline()
        writer.transport.abort()

    async with (
        await asyncio.start_server(hang_up, "127.0.0.1", unused_port),
        httpx.AsyncClient() as http,
    ):
        evolution = Evolution(a_server(url=f"http://127.0.0.1:{unused_port}"), http)

        assert isinstance(await evolution.send_message("wa1", TO), SendDoubtful)
        assert isinstance(await evolution.create_instance("wa1", WANTED), Doubtful)
        with pytest.raises(problems.EvolutionUnreachable):
            await evolution.find_connection("wa1")


@pytest.fixture
def unused_port():
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        return bound.getsockname()[1]
