"""What a conversation shows of the messages that were merged into it."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import conversations
from shared.domain.contacts import ContactKey, ConversationId
from shared.domain.content import Kind
from shared.domain.conversations import Conversation, Preview
from shared.domain.names import LineId
from tests.cases import in_each


def a_conversation(**change: Any) -> Conversation:
    fields = {"id": ConversationId("c"), "line": LineId("default"), "number": "5511999990001"}
    return Conversation(**fields, contact=ContactKey("551188887777"), **change)


def test_newer_message_makes_preview_stale():
    preview = Preview(message="3A1", at=7, kind=Kind.TEXT)

    assert a_conversation(last_at=7).stale
    assert a_conversation(last_at=8, preview=preview).stale
    assert not a_conversation(last_at=7, preview=preview).stale


def test_only_unnumbered_lid_is_nameless():
    assert a_conversation(lid="111").nameless_lid
    assert not a_conversation().nameless_lid
    assert not a_conversation(lid="111", contact_number="5511988887777").nameless_lid
    assert not a_conversation(lid="111", group=True).nameless_lid


@in_each(
    ("change", "unread"),
    [
        ({"unread": 3, "unread_at": {"5": 2, "7": 1}}, 3),
        ({"unread": 3, "unread_at": {"5": 2, "7": 1}, "read_until": 5}, 1),
        ({"unread": 3, "unread_at": {"5": 2, "7": 1}, "read_until": 7}, 0),
        ({"unread": 3, "unread_at": {"7": 1}}, 3),
        ({"unread": 3, "unread_at": {"7": 1}, "read_until": 5}, 1),
        ({"marked_unread_at": 9, "read_until": 7}, 1),
        ({"marked_unread_at": 9, "read_until": 10}, 0),
        ({"unread": 2, "unread_at": {"7": 2}, "marked_unread_at": 9}, 2),
    ],
)
def test_unread_counts_messages_after_reading(change: dict[str, Any], unread: int):
    conversation = a_conversation(**change)

    assert conversation.unread_now == unread
    tidied = conversation.model_copy(update=conversations.tidy_unread(conversation))
    assert tidied.unread_now == unread
    assert conversation.has_wrong_flag is (unread > 0)


@given(st.dictionaries(st.integers(1, 10**13), st.integers(1, 9), max_size=300), st.integers(0))
def test_tidying_keeps_the_unread_count(counts: dict[int, int], before: int):
    unread_at = {str(at): count for at, count in counts.items()}
    conversation = a_conversation(unread=sum(counts.values()) + before, unread_at=unread_at)

    tidied = conversation.model_copy(update=conversations.tidy_unread(conversation))

    assert tidied.unread_now == conversation.unread_now
    assert len(tidied.unread_at) <= conversations.MOST_MOMENTS + 1
