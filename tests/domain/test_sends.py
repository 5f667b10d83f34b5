"""What became of a send, and which message it was."""

from typing import Any

from shared.domain import sends
from shared.domain.contacts import ConversationId, contact_of
from shared.domain.content import Kind
from shared.domain.instances import State
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import LineId, TenantId
from shared.domain.sends import Send, SendState, WhyUncertain
from shared.domain.upstream import WhyNotSent
from tests.builders import LATER, NOON, NUMBER, SECOND, a_content, a_line
from tests.cases import in_each

MARIA = contact_of("5511988887777@s.whatsapp.net")
AT = int(NOON.timestamp() * 1000)
TEXT = a_content(Kind.TEXT, text="oi")


def a_send(key: str = "k1", state: SendState = SendState.UNCERTAIN, **change: Any) -> Send:
    """Build a send that was asked to say "oi" at noon."""
    fields = {
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
    return Send(**{**fields, **change})


def a_message(name: str = "3EB01", content: Any = TEXT, **change: Any) -> KeptMessage:
    """Build a message of ours, sent at noon."""
    fields = {"id": name, "contact": MARIA, "from_me": True, "at": AT}
    where = {"conversation": "c", "line": "default", "number": NUMBER}
    return KeptMessage.model_validate({**content.model_dump(), **fields, **where, **change})


# May it be sent? -----------------------------------------------------------------------------


@in_each(
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
def test_only_open_line_with_number_sends(line, number, speech):
    assert isinstance(sends.decide_speech(line, number, NOON), speech)


def test_passing_refusal_says_soon():
    assert sends.decide_speech(a_line(open=True, held_by="x"), None, NOON).soon
    assert sends.decide_speech(a_line(State.OPEN), None, NOON).soon
    assert not sends.decide_speech(a_line(State.CLOSED), None, NOON).soon


# Asked again ---------------------------------------------------------------------------------


@in_each(
    ("send", "now", "again"),
    [
        (a_send(state=SendState.SENDING), NOON + SECOND, sends.UnderWay),
        (a_send(state=SendState.SENDING), NOON + sends.LEASE, sends.Abandoned),
        (a_send(state=SendState.UNCERTAIN), LATER, sends.UnderWay),
        (a_send(state=SendState.SENT), LATER, sends.Done),
        (a_send(state=SendState.FAILED), LATER, sends.Retry),
    ],
)
def test_only_surely_unsent_is_sent_again(send, now, again):
    assert isinstance(sends.decide_again(send, "r", now), again)
    assert isinstance(sends.decide_again(send, None, now), again)
    assert isinstance(sends.decide_again(send, "another", now), sends.Other)


def test_abandoned_send_is_uncertain():
    left = sends.abandoned(a_send(state=SendState.SENDING))
    again = a_send(state=SendState.FAILED, why=WhyNotSent.NOT_CONNECTED).again("h2", LATER)

    assert (left.state, left.why) == (SendState.UNCERTAIN, WhyUncertain.ABANDONED)
    assert (again.state, again.why, again.attempt, again.holder) == (
        SendState.SENDING, None, 2, "h2",
    )  # fmt: skip
    assert again.until == LATER + sends.LEASE
    assert again.expires_at == LATER + sends.KEPT_FOR


def test_doubted_send_is_uncertain_with_reason():
    doubted = sends.doubted(a_send(state=SendState.SENT, message="3EB01"))

    assert (doubted.state, doubted.why, doubted.message) == (
        SendState.UNCERTAIN, WhyUncertain.NO_ANSWER, None,
    )  # fmt: skip


# By which number it left ---------------------------------------------------------------------


def test_another_spelling_is_no_other_number():
    assert sends.other_number("5511988887777", "551188887777") is None
    assert sends.other_number(None, NUMBER) is None
    assert sends.other_number(NUMBER, None) is None
    assert sends.other_number(NUMBER, "5511999990002") == "5511999990002"


def test_early_echo_gives_its_number():
    done = a_send(state=SendState.SENT, message="3EB01")

    same = sends.as_echoed(done, {"number": NUMBER, "conversation": "c"})
    other = sends.as_echoed(done, {"number": "5511999990002", "conversation": "d"})

    assert same == done
    assert (other.left_through, other.conversation) == ("5511999990002", "d")


AFTER = NOON + sends.LEASE


@in_each(
    ("state", "now", "sent", "decision"),
    [
        (SendState.SENT, AFTER, False, sends.Settled()),
        (SendState.FAILED, AFTER, True, sends.Settled()),
        (SendState.UNCERTAIN, AFTER - SECOND, False, sends.TooEarly(1)),
        (SendState.SENDING, NOON, True, sends.TooEarly(120)),
    ],
)
def test_word_of_person_waits_for_evidence(state, now, sent, decision):
    assert sends.decide_answer(a_send(state=state), now, sent=sent) == decision


def test_word_of_person_settles_uncertain_send():
    uncertain = a_send(why=WhyUncertain.NO_ANSWER)

    vouched = sends.decide_answer(uncertain, AFTER, sent=True)
    denied = sends.decide_answer(uncertain, AFTER, sent=False)

    assert isinstance(vouched, sends.Answered)
    assert isinstance(denied, sends.Answered)
    assert (vouched.send.state, vouched.send.is_vouched_for) == (SendState.UNCERTAIN, True)
    assert (denied.send.state, denied.send.why) == (SendState.FAILED, sends.PersonSaid.NOT_SENT)
    assert not vouched.send.settled(SendState.SENT).is_vouched_for
