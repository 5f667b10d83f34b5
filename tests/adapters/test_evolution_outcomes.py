"""Read from the server's texts how a create and a send ended."""

import pytest

from shared import problems
from shared.domain.outgoing import Audio, MediaKind, Outgoing, OutgoingMedia, OutgoingReaction, Text
from shared.domain.upstream import (
    Created,
    Doubtful,
    MessageKey,
    NameInUse,
    NotSent,
    Refused,
    SendDoubtful,
    WhyNotSent,
)
from shared.evolution import limits
from tests.adapters.evolution_calls import EVERYTHING, TO, every_send
from tests.adapters.evolution_wire import WANTED, an_evolution, exchange, saying, says
from tests.cases import in_each

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    monkeypatch.setattr(limits, "PAUSE", 0)


@in_each(
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
async def test_create_ends_in_known_outcome(status, body, outcome):
    evolution, wire = an_evolution(saying(status, body))

    assert isinstance(await evolution.create_instance("wa1", WANTED), outcome)
    assert len(wire.requests) == 1


async def test_only_the_limit_means_full_server():
    full, _ = an_evolution(saying(403, says("Maximum instances reached")))
    strict, _ = an_evolution(saying(400, says(["instanceName does not meet maximum length"])))

    assert (await full.create_instance("wa1", WANTED)).full
    assert not (await strict.create_instance("wa1", WANTED)).full


BASE64 = Outgoing("5511988887777", OutgoingMedia(MediaKind.IMAGE, "iVBORw0KGgo="))
GROUP = Outgoing("120363000000000001@g.us", Text("oi"))
THUMBS = Outgoing("5511988887777", OutgoingReaction(MessageKey("A", "5511988887777", True), "👍👍"))
PICTURE = Outgoing("5511988887777", OutgoingMedia(MediaKind.IMAGE, "https://x.example/p.png"))
VOICE = Outgoing("5511988887777", Audio("https://x.example/p.mp3"))


@in_each(
    ("outgoing", "status", "text", "reason"),
    [
        (PICTURE, 500, "AxiosError: getaddrinfo ENOTFOUND", WhyNotSent.MEDIA_UNREACHABLE),
        (VOICE, 404, "Request failed with status code 404", WhyNotSent.MEDIA_UNREACHABLE),
        (BASE64, 400, "Owned media must be a url or base64", WhyNotSent.INVALID),
        (BASE64, 500, "AxiosError: Request failed", WhyNotSent.UPLOAD_FAILED),
        (BASE64, 400, "Error: Media upload failed on all hosts", WhyNotSent.UPLOAD_FAILED),
        (VOICE, 500, "Media upload failed on all hosts", WhyNotSent.UPLOAD_FAILED),
        (THUMBS, 400, "Reaction must be a single emoji or empty string", WhyNotSent.INVALID),
        (TO, 400, "Some refusal of tomorrow", WhyNotSent.INVALID),
        (TO, 403, "Not for you", WhyNotSent.INVALID),
        (GROUP, 400, "[object Object]", WhyNotSent.GROUP_UNKNOWN),
        (GROUP, 400, {"jid": "1@g.us", "exists": False}, WhyNotSent.GROUP_UNKNOWN),
        (VOICE, 400, "AxiosError: Request failed with status code 429", None),
        (TO, 400, "TypeError: Cannot read properties of null (reading 'key')", None),
        (TO, 400, "Error: connect ECONNREFUSED 10.0.0.7:6379", None),
        (TO, 400, "connect ETIMEDOUT 10.0.0.7:5432", None),
        (TO, 400, "Boom: Timed Out", None),
        (TO, 408, "Some refusal of tomorrow", None),
        (PICTURE, 400, "request entity too large", WhyNotSent.TOO_BIG),
        (TO, 400, "SessionError: No sessions", WhyNotSent.NOT_CONNECTED),
        (TO, 400, "Error: Connection Closed", WhyNotSent.NOT_CONNECTED),
        (TO, 404, "Cannot POST /message/sendPoll/wa1", WhyNotSent.UNSUPPORTED),
        (TO, 500, "AxiosError: Request failed with status code 500", None),
        (TO, 400, "[object Object]", None),
        (TO, 400, "Invalid `prisma.message.create()` invocation", None),
        (TO, 500, "Timed Out", None),
        (TO, 503, "no idea", None),
    ],
)
async def test_only_known_texts_prove_unsent(outgoing, status, text, reason):
    evolution, wire = an_evolution(saying(status, says(text) | {"status": status}))

    outcome = await evolution.send_message("wa1", outgoing)

    assert len(wire.requests) == 1
    if reason is None:
        assert isinstance(outcome, SendDoubtful)
    else:
        assert isinstance(outcome, NotSent)
        assert outcome.reason is reason


async def test_oversized_body_was_not_sent():
    evolution, _ = an_evolution(saying(413, "<html>413 Request Entity Too Large</html>"))

    assert (await evolution.send_message("wa1", PICTURE)).reason is WhyNotSent.TOO_BIG


async def test_success_without_message_is_doubtful():
    evolution, _ = an_evolution(saying(201, {"key": {"remoteJid": "x"}, "status": "PENDING"}))

    assert isinstance(await evolution.send_message("wa1", TO), SendDoubtful)


async def test_success_with_failure_text_is_doubtful():
    evolution, _ = an_evolution(saying(200, {"error": True, "message": "Connection Closed"}))

    assert isinstance(await evolution.send_message("wa1", TO), SendDoubtful)


@every_send
async def test_instance_that_is_missing_sent_nothing(call):
    answer = exchange("sendText-unknown-instance")["response"]["body"]
    evolution, _ = an_evolution(saying(404, answer))

    assert (await EVERYTHING[call](evolution)).reason is WhyNotSent.INSTANCE_MISSING


async def test_foreign_refusal_is_doubtful():
    proxied, _ = an_evolution(saying(400, {"message": "Bad request"}))
    cut, _ = an_evolution(saying(400, "<html>"))

    assert isinstance(await proxied.send_message("wa1", TO), SendDoubtful)
    assert isinstance(await cut.send_message("wa1", TO), SendDoubtful)


async def test_refused_edit_is_doubtful():
    evolution, _ = an_evolution(saying(404, says("Message not found") | {"status": 404}))
    key = MessageKey("A", "5511988887777@s.whatsapp.net", from_me=True)

    assert isinstance(await evolution.edit_message("wa1", key, "oi"), SendDoubtful)


async def test_unconnected_line_looks_up_nothing():
    evolution, _ = an_evolution(saying(500, says("Connection Closed")))

    with pytest.raises(problems.LineNotOpen):
        await evolution.look_up_numbers("wa1", ["5511988887777"])
