"""Read what surrounds a content: wrappers, quotations, mentions, and noise."""

import json

from shared.domain.content import Kind
from shared.domain.content.cards import Card
from shared.domain.content.unreadable import RAW_LIMIT, UnsupportedContent
from shared.domain.events import Ignored
from shared.domain.messages import Quoted
from shared.evolution.contents import message_object
from tests.adapters import posted
from tests.adapters.posted import GROUP, LID, MARIA, a_key, read_events, read_message, upsert
from tests.cases import in_each

FILE = {"mimetype": "image/jpeg", "mediaKey": {"0": 1}}


def wrapped(content: dict, *wrappers: str) -> dict:
    for wrapper in wrappers:
        content = {wrapper: {"message": content}}
    return content


@in_each(
    "wrappers",
    [
        (),
        ("ephemeralMessage",),
        ("editedMessage",),
        ("deviceSentMessage",),
        ("documentWithCaptionMessage",),
        ("botInvokeMessage",),
        ("somethingNobodyKnowsYet",),
        ("viewOnceMessageV2Extension", "ephemeralMessage", "deviceSentMessage", "a", "b"),
    ],
)
def test_wrappers_leave_the_text(wrappers):
    content = wrapped({"extendedTextMessage": {"text": "oi"}}, *wrappers)

    assert read_message({**content, "messageContextInfo": {"deviceListMetadata": {}}}).text == "oi"


def test_a_wrapper_too_many_isnt_opened():
    message = read_message(wrapped({"conversation": "oi"}, *"abcdef"), messageType="f")

    assert (message.kind, message.content.original) == (Kind.UNSUPPORTED, "a")


@in_each("wrapper", ["viewOnceMessage", "viewOnceMessageV2"])
def test_only_file_can_be_seen_once(wrapper: str):
    assert read_message(wrapped({"imageMessage": FILE}, wrapper)).content.view_once
    assert read_message({"imageMessage": {**FILE, "viewOnce": True}}).content.view_once
    assert read_message(wrapped({"conversation": "oi"}, wrapper)).kind is Kind.TEXT
    assert not read_message({"imageMessage": FILE}).content.view_once


def test_unsupported_kind_keeps_name_and_text():
    novelty = {"hologramMessage": {"caption": "Promoção", "contextInfo": {"isForwarded": True}}}

    plain = read_message(novelty, messageType="hologram").content
    inner = read_message(wrapped(novelty, "viewOnceMessage"), messageType="x").content

    assert (plain.kind, plain.original, plain.text) == (Kind.UNSUPPORTED, "hologram", "Promoção")
    assert (inner.original, inner.text) == ("hologramMessage", "Promoção")
    assert json.loads(inner.raw) == {"hologramMessage": {"caption": "Promoção"}}


def test_raw_content_is_short_without_secrets():
    rows = [{"title": "a" * 50, "mediaKey": "KEY", "url": "https://x/?sig=1"}] * 400

    content = read_message({"hologramMessage": {"rows": rows, "jpegThumbnail": "PIC"}}).content

    assert len(content.raw) <= RAW_LIMIT
    assert not any(secret in content.raw for secret in ("KEY", "sig", "PIC"))
    assert json.loads(content.raw)["hologramMessage"]["rows"][0] == {"title": "a" * 50}


def test_newly_supported_content_is_read_again():
    raw = json.dumps({"contactMessage": {"displayName": "Ana"}})
    before = UnsupportedContent(kind=Kind.UNSUPPORTED, original="contactMessage", raw=raw)

    assert message_object.read_raw(before.raw).cards == (Card(name="Ana"),)
    assert message_object.read_raw('{"hologram": {}}') is None
    assert message_object.read_raw("{") is None


@in_each(
    ("content", "message_type", "original"),
    [
        ({}, "unknown", "unknown"),
        ({}, None, "unknown"),
        ({"imageMessage": 7}, None, "imageMessage"),
    ],
)
def test_message_of_unknown_content_is_stored(content, message_type, original):
    message = read_message(content, messageType=message_type)

    assert (message.kind, message.text, message.content.original) == (
        Kind.UNSUPPORTED,
        None,
        original,
    )


def test_an_empty_text_is_a_text():
    assert (read_message({"conversation": ""}).kind, read_message({"conversation": ""}).text) == (
        Kind.TEXT,
        "",
    )
    assert read_message({"extendedTextMessage": {}}).text == ""


def test_group_keys_may_accompany_text():
    content = {"senderKeyDistributionMessage": {"groupId": GROUP}, "conversation": "oi"}

    assert read_message(content).text == "oi"
    assert read_message({"senderKeyDistributionMessage": {}, "new": {}}).kind is Kind.UNSUPPORTED


@in_each("noise", ["pollUpdateMessage", "senderKeyDistributionMessage", "call"])
def test_silent_content_is_ignored_by_name(noise: str):
    (ignored,) = upsert({noise: {}, "messageContextInfo": {}})

    assert isinstance(ignored, Ignored)


def test_notice_of_whatsapps_own_is_ignored():
    notice = posted.a_message({}, messageStubType="GROUP_CREATE")

    assert read_events(posted.an_event("messages.upsert", notice)) == (
        Ignored("a notice of WhatsApp's own"),
    )


QUOTING = {
    "stanzaId": "3A0",
    "participant": MARIA,
    "quotedMessage": wrapped({"imageMessage": {**FILE, "caption": "foto"}}, "ephemeralMessage"),
    "mentionedJid": [MARIA, LID, MARIA, "nobody", 7],
    "isForwarded": True,
}


@in_each("where", ["beside", "inside", "in the content's context"])
def test_reference_has_three_places(where: str):
    empty = {"mentionedJid": [], "stanzaId": ""}
    inside = {"text": "oi", "contextInfo": QUOTING if where == "inside" else empty}
    content = {"extendedTextMessage": inside}
    if where == "in the content's context":
        content["messageContextInfo"] = {"contextInfo": QUOTING}

    message = read_message(content, contextInfo=QUOTING if where == "beside" else None)

    author = "551188887777"
    assert message.quoted == Quoted(id="3A0", author=author, kind=Kind.IMAGE, preview="foto")
    assert message.mentions == (author, "lid-111222333444555")
    assert message.forwarded


@in_each("score", [1, "3", {"low": 127, "high": 0}])
def test_forwarding_score_means_forwarded(score):
    assert read_message(contextInfo={"forwardingScore": score}).forwarded
    assert not read_message(contextInfo={"forwardingScore": 0, "isForwarded": False}).forwarded


def test_answer_keeps_its_hidden_reference():
    assert read_message(contextInfo={"stanzaId": "3A0"}).quoted == Quoted(id="3A0")
    assert read_message(contextInfo={"stanzaId": 7, "mentionedJid": "x"}).quoted is None


def test_mention_in_group_is_contact():
    (event,) = read_events(posted.body("send.message.sendText-group.json"))

    assert event.message.mentions == ("551199990001", "551188887777")
    assert read_message(None, a_key(GROUP)).mentions == ()
