"""Edits, revocations and reactions."""

import pytest

from shared.domain.events import (
    EditedOutOfSight,
    Ignored,
    Reacted,
    Revoked,
    Unreadable,
)
from tests.adapters.posted import (
    AT,
    GROUP,
    LID,
    MARIA,
    OWN,
    a_key,
    an_event,
    read_events,
    upsert,
)
from tests.cases import in_each


def an_order(kind="MESSAGE_EDIT", key=None, **change):
    edited = {"conversation": "oi editado"}
    order = {"key": key or a_key(), "type": kind, "editedMessage": edited, "timestampMs": str(AT)}
    return {**order, **change}


def edit(**change):
    (event,) = read_events(an_event("messages.edited", an_order(**change)))
    return event


@in_each("kind", ["MESSAGE_EDIT", 14, "14"])
def test_edit_events_share_one_key(kind):
    order = an_order(kind)
    wrapped = {"editedMessage": {"message": {"protocolMessage": order}}}

    same = {
        *read_events(an_event("messages.edited", order)),
        *read_events(an_event("send.message.update", order)),
        *upsert({"protocolMessage": order}, a_key(id="3A9")),
        *upsert(wrapped, a_key(id="3A9"), messageTimestamp=AT // 1000 + 9),
    }

    assert {(event.id, event.text, event.at) for event in same} == {("3A1", "oi editado", AT)}
    assert len({event.edit_key for event in same}) == 1
    assert {event.by for event in same} == {("?",), ("me",), ("551188887777",)}


def test_two_edits_have_two_keys():
    one, other = edit(), edit(timestampMs=AT + 1)

    assert one.edit_key != other.edit_key


@in_each(
    ("content", "text"),
    [
        ({"extendedTextMessage": {"text": "a"}}, "a"),
        ({"imageMessage": {"caption": "a"}}, "a"),
        ({"imageMessage": {}}, ""),
        ({"ephemeralMessage": {"message": {"conversation": "a"}}}, "a"),
        ({"message": {"message": {"conversation": "a"}}}, "a"),
    ],
)
def test_an_edit_reads_like_a_message(content, text):
    assert edit(editedMessage=content).text == text


@in_each(
    "content",
    [
        {"pollCreationMessageV3": {"name": "Onde?", "options": [{"optionName": "aqui"}]}},
        {"eventMessage": {"name": "Festa"}},
    ],
)
def test_edit_of_more_than_text_is_seen_on_the_phone(content):
    first, again, later = (edit(editedMessage=content, timestampMs=AT + at) for at in (0, 0, 1))

    assert isinstance(first, EditedOutOfSight)
    assert (first.id, first.at, first.by) == ("3A1", AT, ("?",))
    assert (first == again, first.edit_key == later.edit_key) == (True, False)


@in_each("content", [None, "oi", {}, {"somethingNew": {}}])
def test_unreadable_edit_is_stored_for_replay(content):
    assert isinstance(edit(editedMessage=content), Unreadable)


@in_each("kind", ["REVOKE", 0, "0"])
def test_a_revocation_is_an_order_too(kind):
    by_maria = upsert({"protocolMessage": an_order(kind)}, a_key(id="3A9"))

    assert edit(kind=kind) == Revoked("3A1", AT, ("?",))
    assert by_maria == (Revoked("3A1", AT, ("551188887777",)),)


@in_each(
    "kind", ["EPHEMERAL_SETTING", "HISTORY_SYNC_NOTIFICATION", 3, 5, "APP_STATE_SYNC_KEY_SHARE"]
)
def test_housekeeping_is_ignored(kind):
    housekeeping = {"type": kind, "historySyncNotification": {"mediaKey": {"0": 1}}}

    assert read_events(an_event("messages.edited", housekeeping)) == upsert(
        {"protocolMessage": housekeeping}
    )
    assert isinstance(edit(kind=kind), Ignored)


@in_each("order", [{"type": None}, {"type": True}, {"key": {}}, {"key": None}])
def test_empty_order_is_stored_for_replay(order):
    assert isinstance(read_events(an_event("messages.edited", an_order() | order))[0], Unreadable)


@in_each(
    ("jid", "by"),
    [
        pytest.param(OWN, "?", id="we are the other side's chat"),
        pytest.param("status@broadcast", "?", id="nobody"),
        pytest.param(GROUP, "?", id="a group is one for everybody"),
        pytest.param(MARIA, "me@551188887777", id="our phone writes in a contact's chat"),
        pytest.param(LID, "me@lid-111222333444555", id="which may have a lid"),
    ],
)
def test_phones_edit_may_be_ours(jid, by):
    assert edit(key=a_key(jid, fromMe=True)).by[-1] == by
    assert edit(key=a_key(jid)).by == ("?",)


def test_group_edit_names_its_author():
    (event,) = upsert({"protocolMessage": an_order()}, a_key(GROUP, participant=MARIA))
    (nobody,) = upsert({"protocolMessage": an_order()}, a_key(GROUP))

    assert (event.by, nobody.by) == (("551188887777",), ("?",))


def test_an_order_of_ours_is_ours():
    assert upsert({"protocolMessage": an_order()}, a_key(fromMe=True))[0].by == ("me",)


def react(text="👍", by=None, **change):
    reaction = {"key": a_key(id="3A0"), "text": text, "senderTimestampMs": AT + 7, **change}
    return upsert({"reactionMessage": reaction}, by)[0]


def test_maria_reacts():
    assert react() == Reacted("3A0", "551188887777", "👍", AT + 7, "3A1")


def test_reaction_without_time_has_messages_time():
    assert react(senderTimestampMs=None).at == AT


@in_each("text", ["", None])
def test_a_reaction_can_be_taken_back(text):
    assert react(text).emoji is None


def test_we_react_wherever_we_are():
    assert react(by=a_key(fromMe=True)).actor == react(by=a_key(GROUP, fromMe=True)).actor == "me"


def test_in_a_group_somebody_reacts():
    assert react(by=a_key(GROUP, participant=MARIA)).actor == "551188887777"


def test_incomplete_reaction_is_stored_for_replay():
    events = [react(by=a_key(GROUP)), react(7), react(key=None), react(key={"id": 1})]

    assert {type(event) for event in events} == {Unreadable}
