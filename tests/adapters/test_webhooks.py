"""Envelopes of webhooks, with events that are unused, unknown or unreadable."""

import json
from datetime import UTC, datetime

import pytest

from shared.domain import events
from shared.domain.events import Ignored
from shared.evolution.events.envelope import READERS, UNUSED, Envelope, read_envelope
from tests.adapters.posted import a_message, an_event, read_events
from tests.cases import in_each

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@in_each(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"{", id="no JSON"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"null", id="null"),
        pytest.param(b'{"event": "messages.upsert"}', id="of no instance"),
        pytest.param(b'{"event": 1, "instance": "wa1"}', id="no name"),
        pytest.param(b"[" * 100_000, id="too deep"),
        pytest.param(b"9" * 5_000, id="too long a number"),
    ],
)
def test_invalid_webhook_reads_as_none(body: bytes):
    assert read_envelope(body) is None


@in_each(
    ("sender", "number"),
    [
        ("5511999990001@s.whatsapp.net", "5511999990001"),
        ("5511999990001:12@s.whatsapp.net", "5511999990001"),
        ("111222333444555@lid", None),
        ("", None),
        (None, None),
        (5511999990001, None),
        ({"a": 1}, None),
    ],
)
def test_envelope_may_name_our_number(sender, number):
    envelope = read_envelope(json.dumps(an_event("messages.upsert", {}, sender=sender)).encode())

    assert envelope.own_number == number


def test_event_happened_when_its_server_says():
    envelope = Envelope.model_validate(an_event("x", None, date_time="2026-11-21T12:00:01.5Z"))

    assert envelope.occurred_at(NOON) == NOON.timestamp() * 1000 + 1_500


@in_each("date", ["yesterday", None, {"low": 1}, 1e300, "2026-11-21T12:00:00"])
def test_undated_event_happened_on_receipt(date):
    envelope = Envelope.model_validate(an_event("x", None, date_time=date))

    assert envelope.occurred_at(NOON) == NOON.timestamp() * 1000


@in_each("event", sorted(UNUSED))
def test_unused_events_are_ignored_by_name(event: str):
    assert read_events(an_event(event, {"id": 1})) == (Ignored(f"no use for {event}"),)


@in_each("event", ["messages.reactions", "", "Messages.Upsert"])
def test_unknown_event_is_ignored_unquoted(event: str):
    assert read_events(an_event(event, {"secret": 1})) == (Ignored("unknown event"),)


@in_each("event", sorted(set(READERS) - {"remove.instance"}))
@in_each("data", [None, "nonsense", 7, True, {"nonsense": 1}, ["nonsense", None]])
def test_unreadable_event_is_stored_for_replay(event: str, data):
    reported = read_events(an_event(event, data))

    if event == "qrcode.updated" and isinstance(data, dict):
        assert reported == (events.CodesExhausted(),)
    else:
        assert {type(event) for event in reported} == {events.Unreadable}


@in_each("event", ["messages.set", "contacts.upsert", "groups.upsert"])
def test_empty_list_is_ignored(event: str):
    assert read_events(an_event(event, [])) == (Ignored("nothing in it"),)


def test_a_state_nobody_knows_is_ignored():
    assert read_events(an_event("connection.update", {"state": "thinking"})) == (
        Ignored("unknown state"),
    )


def test_connection_lost_isnt_log_out():
    data = {"state": "close", "statusReason": 428}

    assert read_events(an_event("connection.update", data)) == (events.ConnectionLost(),)


def test_opening_uses_the_envelopes_number():
    data = {"state": "open"}

    assert read_events(an_event("connection.update", data)) == (events.Opened("5511999990001"),)


def test_lone_surrogates_never_reach_the_store():
    text = json.dumps(an_event("messages.upsert", a_message({"conversation": "a\ud83d"})))
    envelope = read_envelope(text.replace('"fromMe": false', '"fromMe": NaN').encode())

    (event,) = envelope.events()

    assert event.message.text == "a?"


def test_escaped_emoji_is_read_whole():
    text = json.dumps(an_event("messages.upsert", a_message({"conversation": "oi 👍"})))
    assert "\\ud83d\\udc4d" in text

    (event,) = read_envelope(text.encode()).events()

    assert event.message.text == "oi 👍"


def test_envelope_shows_neither_data_nor_key():
    envelope = Envelope.model_validate(an_event("x", {"text": "private"}, apikey="tok-1"))

    assert "private" not in repr(envelope)
    assert "tok-1" not in repr(envelope)
