"""Edits, revocations and reactions."""

import pytest

from shared.domain.contacts import contact_of
from shared.domain.events import (
    Edited,
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
    told,
    upsert,
)


def an_order(kind="MESSAGE_EDIT", key=None, **change):
    edited = {"conversation": "oi editado"}
    order = {"key": key or a_key(), "type": kind, "editedMessage": edited, "timestampMs": str(AT)}
    return {**order, **change}


def edit(**change):
    (event,) = told(an_event("messages.edited", an_order(**change)))
    return event


@pytest.mark.parametrize("kind", ["MESSAGE_EDIT", 14, "14"])
def test_an_edit_is_told_in_three_events_and_is_always_the_same(kind):
    order = an_order(kind)
    wrapped = {"editedMessage": {"message": {"protocolMessage": order}}}

    same = {
        *told(an_event("messages.edited", order)),
        *told(an_event("send.message.update", order)),
        *upsert({"protocolMessage": order}, a_key(id="3A9")),
        *upsert(wrapped, a_key(id="3A9"), messageTimestamp=AT // 1000 + 9),
    }

    (event,) = same
    assert (event.id, event.text, event.at) == ("3A1", "oi editado", AT)
    assert event.contact == contact_of(MARIA)


def test_two_edits_have_two_keys():
    one, other = edit(), edit(timestampMs=AT + 1)

    assert one.edit_key != other.edit_key


@pytest.mark.parametrize(
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


@pytest.mark.parametrize("content", [None, "oi", {}, {"somethingNew": {}}])
def test_an_edit_that_cant_be_read_is_kept_for_replay(content):
    assert isinstance(edit(editedMessage=content), Unreadable)


@pytest.mark.parametrize("kind", ["REVOKE", 0, "0"])
def test_a_revocation_is_an_order_too(kind):
    revoked = Revoked("3A1", contact_of(MARIA), AT)

    assert edit(kind=kind) == revoked
    assert upsert({"protocolMessage": an_order(kind)}, a_key(id="3A9")) == (revoked,)


@pytest.mark.parametrize(
    "kind", ["EPHEMERAL_SETTING", "HISTORY_SYNC_NOTIFICATION", 3, 5, "APP_STATE_SYNC_KEY_SHARE"]
)
def test_housekeeping_is_ignored(kind):
    housekeeping = {"type": kind, "historySyncNotification": {"mediaKey": {"0": 1}}}

    assert told(an_event("messages.edited", housekeeping)) == upsert(
        {"protocolMessage": housekeeping}
    )
    assert isinstance(edit(kind=kind), Ignored)


@pytest.mark.parametrize("order", [{"type": None}, {"type": True}, {"key": {}}, {"key": None}])
def test_an_order_that_orders_nothing_is_kept_for_replay(order):
    assert isinstance(told(an_event("messages.edited", an_order() | order))[0], Unreadable)


@pytest.mark.parametrize(
    ("jid", "contact"),
    [
        pytest.param(OWN, None, id="we are the other side's chat"),
        pytest.param(LID, None, id="a lid may be our own"),
        pytest.param("status@broadcast", None, id="nobody"),
        pytest.param(MARIA, contact_of(MARIA), id="somebody else's number is somebody else"),
        pytest.param(GROUP, contact_of(GROUP), id="a group is one for everybody"),
    ],
)
def test_the_key_of_an_edit_is_as_the_other_side_wrote_it(jid, contact):
    assert edit(key=a_key(jid)).contact == contact


def test_what_we_edited_is_in_the_chat_that_it_says():
    (event,) = told(an_event("send.message.update", an_order(key=a_key(LID, fromMe=True))))
    (nowhere,) = told(an_event("send.message.update", an_order(key=a_key("x@y"))))

    assert (event.contact, nowhere.contact) == (contact_of(LID), None)


def test_an_edit_before_our_number_is_known_says_no_contact():
    (event,) = told(an_event("messages.edited", an_order(), sender=None))

    assert isinstance(event, Edited)
    assert event.contact is None


def react(text="👍", by=None, **change):
    reaction = {"key": a_key(id="3A0"), "text": text, "senderTimestampMs": AT + 7, **change}
    return upsert({"reactionMessage": reaction}, by)[0]


def test_maria_reacts():
    assert react() == Reacted("3A0", "551188887777", "👍", AT + 7, "3A1")


def test_a_reaction_without_a_time_of_its_own_has_the_messages():
    assert react(senderTimestampMs=None).at == AT


@pytest.mark.parametrize("text", ["", None])
def test_a_reaction_can_be_taken_back(text):
    assert react(text).emoji is None


def test_we_react_wherever_we_are():
    assert react(by=a_key(fromMe=True)).actor == react(by=a_key(GROUP, fromMe=True)).actor == "me"


def test_in_a_group_somebody_reacts():
    assert react(by=a_key(GROUP, participant=MARIA)).actor == "551188887777"


def test_a_reaction_by_nobody_or_to_nothing_is_kept_for_replay():
    found = [react(by=a_key(GROUP)), react(7), react(key=None), react(key={"id": 1})]

    assert {type(event) for event in found} == {Unreadable}
