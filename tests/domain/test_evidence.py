"""Which message a send was."""

from datetime import timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import evidence
from shared.domain.content import Kind
from shared.domain.content.cards import Card
from shared.domain.content.media_files import Media
from shared.domain.content.places import Place
from shared.domain.content.polls import Poll
from shared.domain.kept_messages import Reaction
from shared.domain.sends import Reacting, SendState
from tests.builders import LATER, NOON, SECOND, a_content
from tests.cases import in_each
from tests.domain.test_sends import AT, TEXT, a_message, a_send

PLACE = a_content(Kind.LOCATION, place=Place(latitude=-23.5, longitude=-46.6, name="Loja"))
FILE = a_content(Kind.DOCUMENT, text="veja", media=Media(name="a.pdf"))


@in_each(
    ("wanted", "stored", "same"),
    [
        (TEXT, a_content(Kind.TEXT, text="oi "), True),
        (TEXT, a_content(Kind.TEXT, text="olá"), False),
        (TEXT, a_content(Kind.IMAGE, text="oi"), False),
        (FILE, a_content(Kind.DOCUMENT, text="veja", media=Media(name="a.pdf", size=9)), True),
        (FILE, a_content(Kind.DOCUMENT, text="veja", media=Media(name="b.pdf")), False),
        (
            a_content(Kind.VOICE, media=Media()),
            a_content(Kind.VOICE, media=Media(mimetype="audio/ogg", seconds=3)),
            True,
        ),
        (PLACE, a_content(Kind.LOCATION, place=Place(latitude=-23.5, longitude=-46.6)), True),
        (PLACE, a_content(Kind.LOCATION, place=Place(latitude=-23.4, longitude=-46.6)), False),
        (
            a_content(Kind.POLL, poll=Poll(question="q", options=("a", "b"), selectable=1)),
            a_content(Kind.POLL, poll=Poll(question="q", options=("a", "b"))),
            True,
        ),
        (
            a_content(Kind.CONTACTS, cards=(Card(name="Ana", numbers=("55",)),)),
            a_content(Kind.CONTACTS, cards=(Card(name="Ana"),)),
            True,
        ),
        (None, TEXT, False),
    ],
)
def test_same_content_matches_the_send(wanted, stored, same):
    assert evidence.matches(a_send(content=wanted), a_message(content=stored)) is same


@in_each(
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
def test_only_our_timely_message_is_evidence(change: dict[str, Any], same: bool):
    assert evidence.matches(a_send(), a_message(**change)) is same


def test_message_pairs_with_one_send():
    two = [a_send("k1"), a_send("k2", asked_at=NOON + SECOND)]

    assert evidence.pair(two, [a_message("3EB01")], LATER) == {"k1": "3EB01"}
    assert evidence.pair(two, [a_message("3EB02", at=AT + 1), a_message("3EB01")], LATER) == {
        "k1": "3EB01", "k2": "3EB02",
    }  # fmt: skip
    assert evidence.pair(two, [a_message("3EB01", send="k0")], LATER) == {}


def test_running_send_keeps_its_message():
    live = a_send("k2", SendState.SENDING)

    assert evidence.pair([a_send("k1"), live], [a_message()], NOON + SECOND) == {}
    assert evidence.pair([a_send("k1"), live], [a_message()], LATER) == {"k1": "3EB01"}


@given(st.permutations(["a", "b", "c"]), st.permutations(["x", "y", "z"]))
def test_pairs_ignore_the_order_found(keys, names):
    several = [a_send(key, asked_at=NOON + SECOND * ord(key)) for key in keys]
    messages = [a_message(f"3EB0{name}", at=AT + ord(name) * 1000) for name in names]

    assert evidence.pair(several, messages, LATER) == {"a": "3EB0x", "b": "3EB0y", "c": "3EB0z"}


@in_each(
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
def test_later_reaction_is_evidence(emoji, given_, reacted):
    send = a_send(content=None, reaction=Reacting(message="3EB01", emoji=emoji))

    assert evidence.reacted(send, a_message(reactions={"me": given_})) is reacted


def test_look_is_due_after_echo_time():
    send = a_send()

    assert not evidence.look_due(send, NOON + timedelta(seconds=9))
    assert evidence.look_due(send, NOON + timedelta(seconds=10))
    looked = a_send(looked_at=NOON + timedelta(seconds=10))
    assert not evidence.look_due(looked, NOON + timedelta(seconds=29))
    assert evidence.look_due(looked, NOON + timedelta(seconds=30))
