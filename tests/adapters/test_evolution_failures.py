"""Whatever a server does, our calls end in time, with an outcome or a problem, and tell nothing."""

import asyncio
import time
import traceback
from contextlib import suppress

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import problems
from shared.domain.outgoing import Audio, Media, MediaKind, Outgoing, Text
from shared.domain.upstream import (
    Created,
    Doubtful,
    MessageKey,
    NameInUse,
    NotSent,
    Reason,
    Refused,
    SendDoubtful,
    Sent,
)
from shared.evolution import errors, limits
from shared.evolution.client import LONGEST_CALL, Evolution
from tests.adapters.evolution_wire import (
    KEY,
    WANTED,
    a_server,
    an_evolution,
    exchange,
    failing,
    saying,
)
from tests.adapters.test_evolution_recordings import NIGHT, NOON

pytestmark = pytest.mark.anyio

TO = Outgoing("5511988887777", Text("o texto de alguém"))
AT = MessageKey("3EB0", "5511988887777@s.whatsapp.net", True)


async def census(evolution):
    return [sighting async for sighting in evolution.census()]


CALLS = {
    "connection": lambda e: e.connection("wa1"),
    "connect": lambda e: e.connect("wa1"),
    "restart": lambda e: e.restart("wa1"),
    "configure": lambda e: e.configure("wa1", WANTED),
    "configuration": lambda e: e.configuration("wa1"),
    "settings": lambda e: e.settings("wa1"),
    "silence": lambda e: e.silence("wa1"),
    "delete": lambda e: e.delete("wa1"),
    "census": census,
    "version": lambda e: e.version(),
    "verify": lambda e: e.verify(),
    "mark_read": lambda e: e.mark_read("wa1", [AT]),
    "numbers_on_whatsapp": lambda e: e.numbers_on_whatsapp("wa1", ["5511988887777"]),
    "messages": lambda e: e.messages("wa1", NOON, NIGHT),
    "media": lambda e: e.media("wa1", "3EB0"),
    "profile_picture": lambda e: e.profile_picture("wa1", "5511988887777"),
}
CREATE = {"create": lambda e: e.create("wa1", WANTED)}
SENDS = {
    "send": lambda e: e.send("wa1", TO),
    "edit": lambda e: e.edit("wa1", AT, "outro texto"),
    "delete_message": lambda e: e.delete_message("wa1", AT),
}
EVERYTHING = {**CALLS, **CREATE, **SENDS}
VERSIONS = ["2.3.6", "1.8.2"]

every_call = pytest.mark.parametrize("call", CALLS)
every_send = pytest.mark.parametrize("call", SENDS)
everything = pytest.mark.parametrize("call", EVERYTHING)


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(limits, "PAUSE", 0)


@every_call
async def test_a_cut_connection_is_an_unreachable_server(call):
    evolution, _ = an_evolution(failing(httpx.ReadError))

    with pytest.raises(problems.EvolutionUnreachable):
        await EVERYTHING[call](evolution)


@everything
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout])
async def test_what_never_left_is_an_unreachable_server_whatever_was_asked(call, error):
    evolution, _ = an_evolution(failing(error))

    with pytest.raises(problems.EvolutionUnreachable):
        await EVERYTHING[call](evolution)


@every_call
async def test_silence_is_a_server_that_timed_out(call):
    evolution, wire = an_evolution(failing(httpx.ReadTimeout))

    with pytest.raises(problems.EvolutionTimedOut):
        await EVERYTHING[call](evolution)
    assert len(wire.requests) == 1


@pytest.mark.parametrize(
    "error", [httpx.ReadTimeout, httpx.WriteError, httpx.RemoteProtocolError, httpx.DecodingError]
)
async def test_what_may_have_left_is_in_doubt(error):
    evolution, wire = an_evolution(failing(error))

    assert isinstance(await evolution.create("wa1", WANTED), Doubtful)
    assert isinstance(await evolution.send("wa1", TO), SendDoubtful)
    assert len(wire.requests) == 2


@everything
async def test_a_refused_key_is_said_so_whatever_was_asked(call):
    evolution, _ = an_evolution(saying(401, exchange("auth-missing-apikey")["response"]["body"]))

    if call == "verify":
        assert await evolution.verify() is False
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
@pytest.mark.parametrize("body", ODD.values(), ids=ODD)
async def test_an_odd_answer_is_an_outcome_or_a_problem(call, body):
    for status in STATUSES:
        evolution, _ = an_evolution(saying(status, body))

        with suppress(problems.Problem):
            outcome = await EVERYTHING[call](evolution)
            assert not isinstance(outcome, Created | Sent | NameInUse)


@every_call
@pytest.mark.parametrize("status", [404, 500, 502])
async def test_only_evolution_itself_can_say_that_an_instance_is_missing(call, status):
    for body in ODD.values():
        evolution, _ = an_evolution(saying(status, body))

        with pytest.raises(problems.EvolutionFailed):
            await EVERYTHING[call](evolution)


@every_call
async def test_an_unknown_route_is_no_missing_instance(call):
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
def test_any_json_is_an_outcome_or_a_problem(body, status):
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


@given(MESSAGES)
def test_the_texts_of_any_json_are_few_and_short(body):
    texts = errors.texts(body)

    assert len(texts) <= errors.MOST_TEXTS
    assert all(isinstance(text, str) and len(text) <= errors.LONGEST_TEXT for text in texts)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        ({"response": {"message": "Unauthorized"}}, ["Unauthorized"]),
        ({"response": {"message": ["a", "b"]}}, ["a", "b"]),
        ({"response": {"message": [["a"], ["b"]]}}, ["a", "b"]),
        ({"response": {"message": [{"why": "a", "exists": False}]}}, ["a"]),
        ({"message": ["a"]}, ["a"]),
        ({"error": True, "message": "a"}, ["a"]),
        ({"response": "a"}, ["a"]),
        ({}, []),
        ([{"message": "a"}], []),
    ],
)
def test_texts_are_found_in_every_shape(body, texts):
    assert errors.texts(body) == texts


def test_huge_texts_are_cut():
    body = {"response": {"message": ["x" * 1_000_000] * 1_000}}

    assert sum(map(len, errors.texts(body))) == errors.MOST_TEXTS * errors.LONGEST_TEXT


def says(text):
    return {"status": 400, "error": "Bad Request", "response": {"message": [text]}}


@pytest.mark.parametrize(
    ("status", "body", "outcome"),
    [
        (400, says("Foreign key constraint violated: `Setting_instanceId_fkey`"), Doubtful),
        (400, says("Invalid `prisma.instance.create()` invocation"), Doubtful),
        (500, says("anything"), Doubtful),
        (502, "<html>", Doubtful),
        (408, says("anything"), Doubtful),
        (400, {}, Doubtful),
        (403, "<html>Forbidden</html>", Doubtful),
        (201, "<html>", Doubtful),
        (201, {"instance": {}, "error": True}, Doubtful),
        (302, "", Doubtful),
        (403, says('This name "wa1" is already in use.'), NameInUse),
        (403, says("Maximum instances reached"), Refused),
        (400, says("Invalid integration"), Refused),
        (429, {"message": "Too many requests"}, Refused),
        (201, {"instance": {"instanceName": "wa1"}, "hash": "token"}, Created),
    ],
)
async def test_a_create_ends_in_one_of_four_ways(status, body, outcome):
    evolution, wire = an_evolution(saying(status, body))

    assert isinstance(await evolution.create("wa1", WANTED), outcome)
    assert len(wire.requests) == 1


async def test_only_a_limit_is_taken_for_a_full_server():
    full, _ = an_evolution(saying(403, says("Maximum instances reached")))
    strict, _ = an_evolution(saying(400, says(["instanceName does not meet maximum length"])))

    assert (await full.create("wa1", WANTED)).full
    assert not (await strict.create("wa1", WANTED)).full


PICTURE = Outgoing("5511988887777", Media(MediaKind.IMAGE, "https://x.example/p.png"))
VOICE = Outgoing("5511988887777", Audio("https://x.example/p.mp3"))


@pytest.mark.parametrize(
    ("outgoing", "status", "text", "reason"),
    [
        (PICTURE, 500, "AxiosError: getaddrinfo ENOTFOUND", Reason.MEDIA_UNREACHABLE),
        (VOICE, 500, "Media upload failed on all hosts", Reason.MEDIA_UNREACHABLE),
        (PICTURE, 400, "request entity too large", Reason.TOO_BIG),
        (TO, 400, "SessionError: No sessions", Reason.NOT_CONNECTED),
        (TO, 400, "Error: Connection Closed", Reason.NOT_CONNECTED),
        (TO, 404, "Cannot POST /message/sendPoll/wa1", Reason.UNSUPPORTED),
        (TO, 500, "AxiosError: Request failed with status code 500", None),
        (TO, 400, "[object Object]", None),
        (TO, 400, "Invalid `prisma.message.create()` invocation", None),
        (TO, 500, "Timed Out", None),
        (TO, 503, "no idea", None),
    ],
)
async def test_a_failed_send_surely_sent_nothing_only_when_its_text_says_so(
    outgoing, status, text, reason
):
    evolution, wire = an_evolution(saying(status, says(text)))

    outcome = await evolution.send("wa1", outgoing)

    assert len(wire.requests) == 1
    if reason is None:
        assert isinstance(outcome, SendDoubtful)
    else:
        assert isinstance(outcome, NotSent)
        assert outcome.reason is reason


async def test_a_body_too_big_for_a_proxy_was_not_sent():
    evolution, _ = an_evolution(saying(413, "<html>413 Request Entity Too Large</html>"))

    assert (await evolution.send("wa1", PICTURE)).reason is Reason.TOO_BIG


async def test_a_success_that_names_no_message_is_in_doubt():
    evolution, _ = an_evolution(saying(201, {"key": {"remoteJid": "x"}, "status": "PENDING"}))

    assert isinstance(await evolution.send("wa1", TO), SendDoubtful)


async def test_a_success_whose_text_sounds_like_a_failure_is_in_doubt():
    evolution, _ = an_evolution(saying(200, {"error": True, "message": "Connection Closed"}))

    assert isinstance(await evolution.send("wa1", TO), SendDoubtful)


@every_send
async def test_an_instance_that_is_missing_sent_nothing(call):
    answer = exchange("sendText-unknown-instance")["response"]["body"]
    evolution, _ = an_evolution(saying(404, answer))

    assert (await EVERYTHING[call](evolution)).reason is Reason.INSTANCE_MISSING


async def test_a_line_that_is_not_connected_looks_nobody_up():
    evolution, _ = an_evolution(saying(500, says("Connection Closed")))

    with pytest.raises(problems.LineNotOpen):
        await evolution.numbers_on_whatsapp("wa1", ["5511988887777"])


REPEATED = {"connection", "configuration", "settings", "silence", "configure"}
NEVER_REPEATED = {"create", "connect", "restart", "delete", "send", "edit", "delete_message"}


@pytest.mark.parametrize("call", sorted(REPEATED))
async def test_what_is_harmless_is_asked_once_more(call):
    good = {"instance": {"state": "open"}}
    answers = iter([httpx.Response(502), httpx.Response(200, json=good)])
    evolution, _ = an_evolution(lambda request: next(answers, httpx.Response(200, json=good)))

    assert await EVERYTHING[call](evolution) is not None


@pytest.mark.parametrize("call", sorted(NEVER_REPEATED))
@pytest.mark.parametrize("answer", [saying(502, "<html>"), failing(httpx.ReadError)])
async def test_what_does_something_is_never_asked_again(call, answer):
    evolution, wire = an_evolution(answer)

    with suppress(problems.Problem):
        await EVERYTHING[call](evolution)

    assert len(wire.requests) == 1


async def test_1_8_logs_a_connected_instance_out_before_it_is_deleted():
    connected = says('The "wa1" instance needs to be disconnected')
    logged_out = exchange("logout-baileys-open")["response"]["body"]
    deleted = exchange("delete-evolution-open")["response"]["body"]
    answers = iter([(400, connected), (200, logged_out), (400, connected), (200, deleted)])
    evolution, wire = an_evolution(lambda request: saying(*next(answers))(request), "1.8.2")

    assert await evolution.delete("wa1") is True
    assert wire.paths == [
        "DELETE /instance/delete/wa1",
        "DELETE /instance/logout/wa1",
        "DELETE /instance/delete/wa1",
        "DELETE /instance/delete/wa1",
    ]


async def test_an_instance_that_never_disconnects_fails_to_be_deleted():
    evolution, _ = an_evolution(saying(400, says("needs to be disconnected")), "1.8.2")

    with pytest.raises(problems.EvolutionFailed):
        await evolution.delete("wa1")


async def never(request):
    await asyncio.sleep(3600)


MUTATING = ["create", "connect", "restart", "silence", "configure", "delete"]


@everything
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_server_that_never_answers_is_given_up_in_time(call, version, monkeypatch):
    for limit in [name for name, value in vars(limits).items() if isinstance(value, float)]:
        monkeypatch.setattr(limits, limit, 0.02)
    evolution, _ = an_evolution(never, version)
    started = time.monotonic()

    try:
        outcome = await EVERYTHING[call](evolution)
    except problems.EvolutionTimedOut:
        outcome = None

    assert time.monotonic() - started < 0.3
    assert outcome is None or isinstance(outcome, Doubtful | SendDoubtful)


@pytest.mark.parametrize("call", ["configure", "delete"])
async def test_calls_that_are_several_requests_end_in_time_as_a_whole(call, monkeypatch):
    for limit in ("CONFIGURE", "DELETE"):
        monkeypatch.setattr(limits, limit, 0.1)

    async def slowly(request):
        await asyncio.sleep(0.07)
        return saying(400 if call == "delete" else 201, says("needs to be disconnected"))(request)

    evolution, wire = an_evolution(slowly, "1.8.2")
    started = time.monotonic()

    with pytest.raises(problems.EvolutionTimedOut):
        await EVERYTHING[call](evolution)
    assert time.monotonic() - started < 0.3
    assert len(wire.requests) == 2


def test_no_call_that_changes_an_instance_may_outlast_the_longest():
    named = [limits.CREATE, limits.CONNECT, limits.RESTART, limits.CONFIGURE, limits.DELETE]

    assert max(named) < LONGEST_CALL == limits.LONGEST_CALL


async def test_a_send_that_shows_us_typing_has_that_much_more_time(monkeypatch):
    monkeypatch.setattr(limits, "SEND", 0.02)

    async def after_typing(request):
        await asyncio.sleep(0.05)
        return httpx.Response(201, json=exchange("baileys-sendText")["response"]["body"])

    evolution, _ = an_evolution(after_typing)
    options = type(TO.options)(typing_ms=200)

    assert isinstance(await evolution.send("wa1", Outgoing(TO.to, TO.content, options)), Sent)


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
@pytest.mark.parametrize("leak", LEAKS)
async def test_what_the_server_says_is_never_repeated(call, leak):
    evolution, _ = an_evolution(saying(*LEAKS[leak]))

    told = await all_that_is_told(evolution, call)

    assert not any(secret in told for secret in (*SECRETS, KEY))


@everything
@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadError, httpx.ReadTimeout])
async def test_our_key_is_in_no_problem_and_no_outcome(call, error):
    evolution, _ = an_evolution(failing(error))

    assert KEY not in await all_that_is_told(evolution, call)


async def all_that_is_told(evolution, call):
    try:
        return repr(await EVERYTHING[call](evolution))
    except problems.Problem as problem:
        trace = "".join(traceback.format_exception(problem))
        return f"{problem.body()} {problem!r} {trace} {evolution!r} {vars(evolution)}"


@everything
@pytest.mark.parametrize("key", ["chave-secreta\n-em-duas-linhas", "chave-secreta-ação-😀"])
async def test_a_key_that_can_not_be_sent_is_not_shown_either(call, key):
    class Picky(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            value = request.headers.raw[-1][1] if request.headers else b""
            raise httpx.LocalProtocolError(f"Illegal header value {value!r} {key}")

    evolution = Evolution(a_server(key=key), httpx.AsyncClient(transport=Picky()))

    assert "secreta" not in await all_that_is_told(evolution, call)
