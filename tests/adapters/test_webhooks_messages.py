"""Read who wrote a message, to whom, when, and how far it got."""

import pytest

from shared.domain.events import Ignored, Reacted, Recalled, Said, SendRefused, Unreadable
from shared.domain.messages import Author, Delivery
from shared.domain.positions import second_of
from tests.adapters import posted
from tests.adapters.posted import (
    AT,
    GROUP,
    LID,
    MARIA,
    OWN,
    a_key,
    a_message,
    an_event,
    read_events,
    read_message,
    upsert,
)
from tests.cases import in_each

MARIAS_KEY = "551188887777"
LID_KEY = "lid-111222333444555"


def test_inbound_message_is_read():
    message = read_message()

    assert (message.id, message.contact.key, message.name) == ("3A1", MARIAS_KEY, "Maria")
    assert (message.from_me, message.author, message.delivery) == (False, None, None)


@in_each(
    "time",
    [AT // 1000, str(AT // 1000), AT, float(AT // 1000), {"low": AT // 1000, "high": 0}],
)
def test_time_is_read_in_any_shape(time):
    assert second_of(read_message(messageTimestamp=time).at) == AT


@in_each("name", ["Você", "", None, 7, "5511988887777", "  "])
def test_name_that_nobody_chose_is_none(name):
    assert read_message(pushName=name).name is None


@in_each(
    "alternative",
    ["remoteJidAlt", "senderPn", "previousRemoteJid", "participantPn", "participantAlt"],
)
def test_lid_is_resolved_by_any_alternative(alternative: str):
    contact = read_message(None, a_key(LID, **{alternative: MARIA})).contact

    assert (contact.key, contact.address, contact.lid) == (MARIAS_KEY, LID, LID.split("@")[0])


@in_each("alternative", ["remoteJidAlt", "senderLid", "previousRemoteJid"])
def test_a_number_learns_its_lid(alternative: str):
    contact = read_message(None, a_key(MARIA, **{alternative: LID})).contact

    assert (contact.key, contact.address, contact.lid) == (MARIAS_KEY, MARIA, LID.split("@")[0])


@in_each("alternative", [None, "", 7, LID, GROUP, OWN])
def test_lid_without_alternative_stays_lid(alternative):
    assert read_message(None, a_key(LID, remoteJidAlt=alternative)).contact.key == LID_KEY


@in_each("alternative", ["remoteJidAlt", "senderPn"])
def test_own_number_is_never_the_contact(alternative: str):
    message = read_message(None, a_key(LID, fromMe=True, **{alternative: OWN}))

    assert message.contact.key == LID_KEY


def test_our_own_lid_is_never_contacts():
    assert read_message(None, a_key(MARIA, fromMe=True, remoteJidAlt=LID)).contact.lid is None


def test_sent_lid_resolves_to_other_number():
    key = a_key(LID, fromMe=True, senderPn=OWN, remoteJidAlt=MARIA)

    assert read_message(None, key).contact.key == MARIAS_KEY


def test_unknown_own_number_resolves_nothing():
    message = a_message(None, a_key(LID, fromMe=True, remoteJidAlt=MARIA))

    (event,) = read_events(an_event("messages.upsert", message, sender=None))

    assert event.message.contact.key == LID_KEY


def test_replaced_lid_is_the_contact():
    key = a_key(OWN, fromMe=True, previousRemoteJid=LID)

    assert read_message(None, key).contact.key == LID_KEY


def test_note_to_self_is_a_conversation():
    assert read_message(None, a_key(OWN, fromMe=True)).contact.key == "551199990001"


def test_in_a_group_somebody_speaks():
    key = a_key(GROUP, participant=LID, participantAlt=MARIA)

    message = read_message(None, key)

    lid = LID.split("@")[0]
    assert message.author == Author(key=MARIAS_KEY, number="5511988887777", lid=lid, name="Maria")
    assert (message.contact.group, message.name) == (True, None)


@in_each(
    ("key", "author"),
    [
        ({"participant": MARIA}, MARIAS_KEY),
        ({"participant": LID}, LID_KEY),
        ({"participant": "", "participantPn": MARIA}, MARIAS_KEY),
        ({"participant": LID, "senderPn": MARIA}, MARIAS_KEY),
    ],
)
def test_group_author_has_several_places(key, author):
    assert read_message(None, a_key(GROUP, **key)).author.key == author


def test_a_group_may_hide_who_spoke():
    assert read_message(None, a_key(GROUP)).author is None


def test_we_are_no_author_of_group():
    message = read_message(None, a_key(GROUP, participant=OWN, fromMe=True))

    assert (message.author, message.name) == (None, None)


@in_each(
    ("status", "delivery"),
    [
        ("PENDING", Delivery.PENDING),
        ("SERVER_ACK", Delivery.SENT),
        (3, Delivery.DELIVERED),
        ("4", Delivery.READ),
        ("PLAYED", Delivery.PLAYED),
        (None, Delivery.SENT),
        ("unheard of", Delivery.SENT),
        (True, Delivery.SENT),
    ],
)
def test_phone_message_has_its_delivery(status, delivery):
    assert read_message(None, a_key(fromMe=True), status=status).delivery is delivery


def test_server_message_is_ours_and_pending():
    (event,) = read_events(an_event("send.message", a_message(None, a_key(), status=None)))

    assert (event.fresh, event.message.from_me) == (True, True)
    assert (event.message.delivery, event.message.name) == (Delivery.PENDING, None)


def test_refused_message_is_stored_as_refused():
    event, refused = upsert(None, a_key(fromMe=True), status="ERROR")

    assert (event.message.delivery, refused) == (Delivery.PENDING, SendRefused("3A1"))


def test_error_of_contacts_message_isnt_ours():
    assert [type(event) for event in upsert(status="ERROR")] == [Said]


@in_each(
    "element",
    [
        pytest.param(None, id="nothing"),
        pytest.param("oi", id="a text"),
        pytest.param(a_message(key=7), id="no key"),
        pytest.param(a_message(key=a_key(id=None)), id="no id"),
        pytest.param(a_message(key=a_key(id="../x")), id="an id that is a path"),
        pytest.param(a_message(key=a_key(id="a" * 200)), id="an endless id"),
        pytest.param(a_message(key=a_key(jid=None)), id="no address"),
        pytest.param(a_message(key=a_key("nobody@nowhere")), id="a wrong address"),
        pytest.param(a_message(messageTimestamp=None), id="no time"),
        pytest.param(a_message(messageTimestamp=0), id="the epoch"),
        pytest.param(a_message(messageTimestamp=-1), id="before it"),
        pytest.param(a_message(messageTimestamp=10**15), id="in microseconds"),
        pytest.param(a_message(message="oi"), id="content that is none"),
    ],
)
def test_unreadable_element_is_stored_for_replay(element):
    before, unreadable, after = read_events(
        an_event("messages.upsert", [a_message(), element, a_message(None, a_key(id="3A2"))])
    )

    assert isinstance(unreadable, Unreadable)
    assert (before.message.id, after.message.id) == ("3A1", "3A2")


@in_each("jid", ["status@broadcast", "1@broadcast", "120363@newsletter", "867051314767696@bot"])
def test_broadcasts_are_ignored(jid: str):
    ignored = Ignored("a status, a broadcast or a channel")

    assert upsert(None, a_key(jid)) == upsert(None, a_key(jid, id=None)) == (ignored,)


def test_repetition_in_one_event_is_one():
    assert len(read_events(an_event("messages.upsert", [a_message(), a_message()]))) == 1


def test_history_is_one_event():
    reaction = a_message({"reactionMessage": {"key": a_key(), "text": "👍"}}, a_key(id="3A2"))
    status = a_message(None, a_key("status@broadcast"))

    recalled, *others = read_events(
        an_event("messages.set", [reaction, a_message(), status, None, status])
    )

    assert [message.id for message in recalled.messages] == ["3A1"]
    assert [type(event) for event in others] == [Reacted, Ignored, Unreadable]


def test_history_without_a_message_recalls_none():
    assert read_events(an_event("messages.set", [None])) == (
        Unreadable("a message that is no object", "null"),
    )


def test_history_may_carry_progress():
    data = {"messages": [a_message()], "isLatest": False, "progress": 40}

    (recalled,) = read_events(an_event("messages.set", data))

    assert isinstance(recalled, Recalled)


def test_recorded_history_has_both_sides():
    (recalled,) = read_events(posted.body("messages.set.history.json"))

    theirs, ours = recalled.messages
    assert (theirs.text, theirs.name, theirs.delivery) == ("histórico", "Maria", None)
    assert (ours.text, ours.name, ours.delivery) == ("resposta", None, Delivery.READ)
