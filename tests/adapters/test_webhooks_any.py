"""Any webhook is answered, never with an exception, and always in the same way."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.content import preview
from shared.domain.events import Event, Said, Unreadable
from shared.evolution.events.envelope import READERS, read_envelope
from tests.adapters import posted
from tests.adapters.posted import GROUP, LID, MARIA, a_key, a_message, an_event, read_events
from tests.cases import in_each

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters())
    | st.sampled_from([MARIA, LID, GROUP, "", "0", "READ", {"low": -1, "high": 2**40}])
)
names = st.text(max_size=3) | st.sampled_from(
    ["key", "id", "message", "contextInfo", "status", "type", "remoteJid", "0", "low", "high"]
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=20
)
events = st.sampled_from(sorted(READERS)) | st.text()
contents = st.dictionaries(
    st.sampled_from(
        [
            "conversation",
            "imageMessage",
            "locationMessage",
            "contactMessage",
            "contactsArrayMessage",
            "pollCreationMessageV3",
            "listResponseMessage",
            "reactionMessage",
            "protocolMessage",
            "ephemeralMessage",
            "messageContextInfo",
            "contextInfo",
            "jpegThumbnail",
        ]
    )
    | names,
    values,
)


def check_events(body: bytes) -> tuple[Event, ...] | None:
    """Return the events of a body: at least one, ours, storable, and the same again."""
    envelope = read_envelope(body)
    if envelope is None:
        return None
    reported = envelope.events()
    assert reported
    assert all(isinstance(event, get_args(Event)) for event in reported)
    assert reported == read_envelope(body).events()
    assert repr(reported).encode()
    for event in reported:
        if isinstance(event, Said):
            assert preview(event.message.content).encode() is not None
            assert json.loads(event.message.model_dump_json())["id"]
    return reported


@given(st.binary() | values.map(lambda value: json.dumps(value).encode()))
def test_any_body_is_read_or_none(body: bytes):
    check_events(body)


@given(events, values)
def test_any_data_is_events(event: str, data: Any):
    assert check_events(json.dumps(an_event(event, data)).encode())


@given(contents, values, values, values)
def test_any_content_of_message_is_events(content, context, status, name):
    message = a_message(content, contextInfo=context, status=status, pushName=name)

    assert check_events(json.dumps(an_event("messages.upsert", message)).encode())


@given(st.dictionaries(st.sampled_from(["remoteJid", "remoteJidAlt", "participant"]), values))
def test_any_key_of_message_is_events(addresses):
    message = a_message(None, {**a_key(), **addresses})

    assert check_events(json.dumps(an_event("messages.upsert", message)).encode())


@given(values)
def test_an_unreadable_element_hides_no_other(value: Any):
    reported = read_events(an_event("messages.upsert", [value, a_message(None, a_key(id="OURS"))]))

    assert reported[-1].message.id == "OURS"


def list_paths(value: Any, path: tuple = ()) -> list[tuple]:
    """List the paths to everything in a JSON value."""
    if not isinstance(value, dict | list):
        return [path]
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    return [path] + [deeper for name, item in inner for deeper in list_paths(item, (*path, name))]


def change_part(value: Any, path: tuple, change) -> Any:
    """Copy a JSON value, and change the part at a path."""
    if not path:
        return change(value)
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = change_part(copy[path[0]], path[1:], change)
    return copy


def drop_part(value: Any, path: tuple) -> Any:
    """Copy a JSON value without the part at a path."""
    if len(path) == 1:
        copy = dict(value) if isinstance(value, dict) else list(value)
        del copy[path[0]]
        return copy
    return change_part(value, path[:1], lambda inner: drop_part(inner, path[1:]))


def list_parts() -> dict[str, list[tuple[str, tuple]]]:
    """List, for each event, a recording and a path for every part that one of them has."""
    parts: dict[str, dict[tuple, tuple[str, tuple]]] = {}
    for name in posted.RECORDED:
        body = posted.body(name)
        for path in list_paths(body):
            place = tuple("#" if str(step).isdigit() else step for step in path)
            parts.setdefault(body["event"], {}).setdefault(place, (name, path))
    return {event: list(places.values()) for event, places in parts.items()}


PARTS = list_parts()


@in_each("event", PARTS)
def test_recording_without_any_part(event: str):
    for name, path in PARTS[event][1:]:
        check_events(json.dumps(drop_part(posted.body(name), path)).encode())


@in_each("event", PARTS)
@in_each(
    "change",
    [
        pytest.param(lambda value: None, id="null"),
        pytest.param(lambda value: [value], id="in a list"),
        pytest.param(lambda value: {"message": value}, id="in an object"),
        pytest.param(lambda value: json.dumps(value), id="as a text"),
        pytest.param(lambda value: -1, id="as a number"),
    ],
)
def test_recording_with_any_part_changed(event: str, change):
    for name, path in PARTS[event]:
        check_events(json.dumps(change_part(posted.body(name), path, change)).encode())


@settings(max_examples=100)
@given(st.sampled_from(list(posted.RECORDED)), st.data())
def test_recording_with_several_parts_changed(name: str, drawn):
    body = posted.body(name)

    for _ in range(3):
        path = drawn.draw(st.sampled_from(list_paths(body)))
        body = change_part(body, path, lambda _: drawn.draw(values))

    check_events(json.dumps(body).encode())


def test_deepest_content_is_read():
    content: Any = {"conversation": "oi"}
    for _ in range(150):
        content = {"x": {"message": content}}

    assert check_events(json.dumps(an_event("messages.upsert", a_message(content))).encode())


def test_an_unreadable_event_quotes_nothing():
    private = a_message(7, a_key(id="../private"), pushName="private", messageTimestamp="private")

    for event in read_events(an_event("messages.upsert", [private, "private"])):
        assert isinstance(event, Unreadable)
        assert "private" not in event.reason
