"""How facts about a message add up, in whatever order they were told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import threads
from shared.domain.contacts import ContactKey, ConversationId, contact_of
from shared.domain.messages import Delivery, Kind, Message
from shared.domain.names import LineId
from shared.domain.threads import Conversation, Edit, KeptMessage, Preview, Reaction

SAID = Message(
    id="3A1",
    kind=Kind.TEXT,
    text="um",
    contact=contact_of("5511988887777@s.whatsapp.net"),
    from_me=False,
    at=7,
)


def kept(**change: Any) -> KeptMessage:
    """The message as it is kept."""
    where = {"conversation": "c", "line": "default", "number": "5511999990001"}
    return KeptMessage.model_validate({**SAID.model_dump(), **where, **change})


def a_conversation(**change: Any) -> Conversation:
    known = {"id": ConversationId("c"), "line": LineId("default"), "number": "5511999990001"}
    return Conversation(**known, contact=ContactKey("551188887777"), **change)


def test_an_edited_message_says_what_it_says_now_and_what_it_said_before():
    edits = {"b": Edit(text="três", at=9), "a": Edit(text="dois", at=8)}

    assert kept(edits=edits).text_now == "três"
    assert kept(edits=edits).texts_before == ("um", "dois")
    assert threads.preview_of(kept(edits=edits)).text == "três"


def test_a_message_that_was_never_edited_says_what_was_said():
    assert kept().text_now == "um"
    assert kept().texts_before == ()
    assert threads.preview_of(SAID) == threads.preview_of(kept())


def test_nothing_is_shown_of_what_was_taken_back():
    revoked = kept(edits={"a": Edit(text="dois", at=8)}, revoked_at=0)

    assert revoked.text_now is None
    assert threads.preview_of(revoked).text == ""


@given(st.permutations([("a", "👍", 1), ("b", "😂", 2), ("c", "🎉", 2)]))
def test_the_newest_reaction_counts_and_of_two_the_one_that_sorts_last(told: list[Any]):
    given_ = {key: Reaction(emoji=emoji, at=at) for key, emoji, at in told}

    assert kept(reactions={"me": given_, "x": {}}).reactions_now() == {"me": "🎉"}


def test_a_reaction_that_was_taken_back_is_none():
    given_ = {"a": Reaction(emoji="👍", at=1), "b": Reaction(emoji=None, at=2)}

    assert kept(reactions={"me": given_}).reactions_now() == {}


@pytest.mark.parametrize(
    ("from_me", "progress", "refused", "outcome", "failed"),
    [
        (False, 0, False, None, False),
        (False, 4, False, None, False),
        (True, 0, False, None, False),
        (True, 1, True, Delivery.PENDING, True),
        (True, 2, True, Delivery.SENT, True),
        (True, 3, True, Delivery.DELIVERED, False),
        (True, 5, False, Delivery.PLAYED, False),
    ],
)
def test_only_our_own_messages_get_anywhere(
    from_me: bool, progress: int, refused: bool, outcome: Delivery | None, failed: bool
):
    message = kept(from_me=from_me, progress=progress, refused=refused)

    assert (message.outcome, message.failed) == (outcome, failed)


def test_a_preview_is_stale_when_something_newer_was_said():
    preview = Preview(message="3A1", at=7, kind=Kind.TEXT)

    assert a_conversation(last_at=7).stale
    assert a_conversation(last_at=8, preview=preview).stale
    assert not a_conversation(last_at=7, preview=preview).stale


def test_only_a_person_of_whom_only_the_lid_is_known_is_nameless():
    assert a_conversation(lid="111").nameless_lid
    assert not a_conversation().nameless_lid
    assert not a_conversation(lid="111", contact_number="5511988887777").nameless_lid
    assert not a_conversation(lid="111", group=True).nameless_lid


def test_a_stub_knows_only_news():
    assert threads.is_stub({"progress": 3})
    assert not threads.is_stub(kept().model_dump())
