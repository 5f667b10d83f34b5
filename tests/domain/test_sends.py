"""What became of a send, and which message it was."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import sends
from shared.domain.contacts import ConversationId, contact_of
from shared.domain.instances import State
from shared.domain.messages import Card, Content, Kind, Media, Place, Poll
from shared.domain.names import LineId, TenantId
from shared.domain.sends import Doubt, Reacting, Send, SendState
from shared.domain.threads import KeptMessage, Reaction
from shared.domain.upstream import WhyNotSent
from tests.builders import LATER, NOON, NUMBER, SECOND, a_line

MARIA = contact_of("5511988887777@s.whatsapp.net")
AT = int(NOON.timestamp() * 1000)
TEXT = Content(kind=Kind.TEXT, text="oi")


def a_send(key: str = "k1", state: SendState = SendState.UNCERTAIN, **change: Any) -> Send:
    """Somebody asked to say "oi" at noon."""
    known = {
        "key": key,
        "tenant": TenantId("acme"),
        "request": "r",
        "line": LineId("default"),
        "number": NUMBER,
        "conversation": ConversationId("c"),
        "contact": MARIA,
        "content": TEXT,
        "state": state,
        "holder": "h",
        "asked_at": NOON,
        "until": NOON + sends.LEASE,
        "expires_at": NOON + sends.KEPT_FOR,
    }
    return Send(**{**known, **change})


def a_message(name: str = "3EB01", content: Content = TEXT, **change: Any) -> KeptMessage:
    """One of ours, said at noon."""
    known = {"id": name, "contact": MARIA, "from_me": True, "at": AT}
    where = {"conversation": "c", "line": "default", "number": NUMBER}
    return KeptMessage.model_validate({**content.model_dump(), **known, **where, **change})


# May it be sent? -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "number", "speech"),
    [
        (a_line(open=True), NUMBER, sends.Speakable),
        (a_line(open=True), None, sends.Speakable),
        (a_line(open=True), "5511999990002", sends.AnotherNumber),
        (None, NUMBER, sends.Gone),
        (a_line(State.CONFLICT, number=NUMBER), NUMBER, sends.Conflicted),
        (a_line(State.OPEN), None, sends.NotOpen),
        (a_line(State.CLOSED, number=NUMBER), NUMBER, sends.NotOpen),
        (a_line(State.RELEASING, number=NUMBER), NUMBER, sends.NotOpen),
        (a_line(open=True, held_by="somebody"), NUMBER, sends.NotOpen),
    ],
)
def test_a_line_speaks_only_open_and_under_the_number_that_is_meant(line, number, speech):
    assert isinstance(sends.decide_speech(line, number, NOON), speech)


def test_what_may_pass_in_a_moment_says_so():
    assert sends.decide_speech(a_line(open=True, held_by="x"), None, NOON).soon
    assert sends.decide_speech(a_line(State.OPEN), None, NOON).soon
    assert not sends.decide_speech(a_line(State.CLOSED), None, NOON).soon


# Asked again ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("send", "now", "again"),
    [
        (a_send(state=SendState.SENDING), NOON + SECOND, sends.UnderWay),
        (a_send(state=SendState.SENDING), NOON + sends.LEASE, sends.Abandoned),
        (a_send(state=SendState.UNCERTAIN), LATER, sends.UnderWay),
        (a_send(state=SendState.SENT), LATER, sends.Done),
        (a_send(state=SendState.FAILED), LATER, sends.Retry),
    ],
)
def test_only_what_surely_was_not_sent_is_sent_again(send, now, again):
    assert isinstance(sends.decide_again(send, "r", now), again)
    assert isinstance(sends.decide_again(send, None, now), again)
    assert isinstance(sends.decide_again(send, "another", now), sends.Other)


def test_a_send_whose_holder_is_gone_is_uncertain_and_one_asked_again_has_a_new_holder():
    left = sends.abandoned(a_send(state=SendState.SENDING))
    again = a_send(state=SendState.FAILED, why=WhyNotSent.NOT_CONNECTED).again("h2", LATER)

    assert (left.state, left.why) == (SendState.UNCERTAIN, Doubt.ABANDONED)
    assert (again.state, again.why, again.attempt, again.holder) == (
        SendState.SENDING, None, 2, "h2",
    )  # fmt: skip
    assert again.until == LATER + sends.LEASE
    assert again.expires_at == LATER + sends.KEPT_FOR


def test_a_send_whose_evidence_was_anothers_is_uncertain_and_says_why():
    doubted = sends.doubted(a_send(state=SendState.SENT, message="3EB01"))

    assert (doubted.state, doubted.why, doubted.message) == (
        SendState.UNCERTAIN, Doubt.NO_ANSWER, None,
    )  # fmt: skip


# Which message was it? -----------------------------------------------------------------------


PLACE = Content(kind=Kind.LOCATION, place=Place(latitude=-23.5, longitude=-46.6, name="Loja"))
FILE = Content(kind=Kind.DOCUMENT, text="veja", media=Media(name="a.pdf"))


@pytest.mark.parametrize(
    ("asked", "told", "same"),
    [
        (TEXT, Content(kind=Kind.TEXT, text="oi "), True),
        (TEXT, Content(kind=Kind.TEXT, text="olá"), False),
        (TEXT, Content(kind=Kind.IMAGE, text="oi"), False),
        (FILE, Content(kind=Kind.DOCUMENT, text="veja", media=Media(name="a.pdf", size=9)), True),
        (FILE, Content(kind=Kind.DOCUMENT, text="veja", media=Media(name="b.pdf")), False),
        (
            Content(kind=Kind.VOICE, media=Media()),
            Content(kind=Kind.VOICE, media=Media(mimetype="audio/ogg", seconds=3)),
            True,
        ),
        (PLACE, Content(kind=Kind.LOCATION, place=Place(latitude=-23.5, longitude=-46.6)), True),
        (PLACE, Content(kind=Kind.LOCATION, place=Place(latitude=-23.4, longitude=-46.6)), False),
        (
            Content(kind=Kind.POLL, poll=Poll(question="q", options=("a", "b"), selectable=1)),
            Content(kind=Kind.POLL, poll=Poll(question="q", options=("a", "b"))),
            True,
        ),
        (
            Content(kind=Kind.CONTACTS, cards=(Card(name="Ana", numbers=("55",)),)),
            Content(kind=Kind.CONTACTS, cards=(Card(name="Ana"),)),
            True,
        ),
        (None, TEXT, False),
    ],
)
def test_a_message_is_a_send_if_it_says_the_same(asked, told, same):
    assert sends.matches(a_send(content=asked), a_message(content=told)) is same


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"from_me": False}, False),
        ({"at": AT - 121_000}, False),
        ({"at": AT - 119_000}, True),
        ({"at": AT + 239_000}, True),
        ({"at": AT + 241_000}, False),
        ({"id": "3A0123456789ABCDEF01"}, False),
        ({"changed": AT - 1}, False),
        ({"changed": AT + 1}, True),
    ],
)
def test_only_what_we_said_at_that_time_is_evidence(change: dict[str, Any], same: bool):
    assert sends.matches(a_send(), a_message(**change)) is same


def test_a_message_is_one_sends_only():
    two = [a_send("k1"), a_send("k2", asked_at=NOON + SECOND)]

    assert sends.pair(two, [a_message("3EB01")], LATER) == {"k1": "3EB01"}
    assert sends.pair(two, [a_message("3EB02", at=AT + 1), a_message("3EB01")], LATER) == {
        "k1": "3EB01", "k2": "3EB02",
    }  # fmt: skip
    assert sends.pair(two, [a_message("3EB01", send="k0")], LATER) == {}


def test_what_a_send_under_way_says_is_left_to_it():
    live = a_send("k2", SendState.SENDING)

    assert sends.pair([a_send("k1"), live], [a_message()], NOON + SECOND) == {}
    assert sends.pair([a_send("k1"), live], [a_message()], LATER) == {"k1": "3EB01"}


@given(st.permutations(["a", "b", "c"]), st.permutations(["x", "y", "z"]))
def test_whatever_order_they_are_found_in_the_pairs_are_the_same(keys, names):
    several = [a_send(key, asked_at=NOON + SECOND * ord(key)) for key in keys]
    found = [a_message(f"3EB0{name}", at=AT + ord(name) * 1000) for name in names]

    assert sends.pair(several, found, LATER) == {"a": "3EB0x", "b": "3EB0y", "c": "3EB0z"}


@pytest.mark.parametrize(
    ("emoji", "given_", "reacted"),
    [
        ("👍", {"a": Reaction(emoji="👍", at=AT)}, True),
        ("👍", {"a": Reaction(emoji="😂", at=AT)}, False),
        ("👍", {"a": Reaction(emoji="👍", at=AT), "b": Reaction(emoji=None, at=AT + 1)}, False),
        ("👍", {"a": Reaction(emoji="👍", at=AT - 999_000)}, False),
        ("👍", {}, False),
        ("", {"a": Reaction(emoji=None, at=AT)}, True),
    ],
)
def test_a_reaction_was_sent_if_it_is_there_since(emoji, given_, reacted):
    send = a_send(content=None, reaction=Reacting(message="3EB01", emoji=emoji))

    assert sends.reacted(send, a_message(reactions={"me": given_})) is reacted


def test_a_server_is_asked_after_the_echo_had_its_time_and_not_often():
    asked = a_send()

    assert not sends.look_due(asked, NOON + timedelta(seconds=9))
    assert sends.look_due(asked, NOON + timedelta(seconds=10))
    looked = a_send(looked_at=NOON + timedelta(seconds=10))
    assert not sends.look_due(looked, NOON + timedelta(seconds=29))
    assert sends.look_due(looked, NOON + timedelta(seconds=30))
