"""Count what is wrong in stored conversations, compared with what was really said."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

KEPT = "kept"
Faults = Counter[str]
"""How much is wrong, by kind; empty if nothing is."""


class Message(NamedTuple):
    """A message by its text, which names it; the delivery of one of ours, in Perene's words."""

    text: str
    delivery: str | None = None


class Thread(NamedTuple):
    """A conversation: its messages, oldest first, and its summary in the list."""

    messages: Sequence[Message]
    unread: int
    last: str | None
    id: str = ""


def count_faults(threads: Sequence[Thread], truth: Sequence[Thread]) -> Faults:
    """Compare the threads of a tenant with the truth, whose texts are unique."""
    stored = Counter(message.text for thread in threads for message in thread.messages)
    said = {message.text for thread in truth for message in thread.messages}
    faults = Faults()
    faults["lost"] = len(said - stored.keys())
    faults["doubled"] = stored.total() - len(stored)
    faults["conversations too many"] = max(0, len(threads) - len(truth))
    for thread in truth:
        faults += _count_faults_of_thread(threads, thread)
    return +faults


def render_faults(faults: Faults) -> str:
    """Render the faults as a cell of a table."""
    return ", ".join(f"{count} {kind}" for kind, count in sorted(faults.items())) or KEPT


def _count_faults_of_thread(threads: Sequence[Thread], truth: Thread) -> Faults:
    """Compare a thread with what is stored of it, even if that is in several conversations."""
    said = {message.text for message in truth.messages}
    pieces = [thread for thread in threads if any(one.text in said for one in thread.messages)]
    deliveries = {message.text: message.delivery for piece in pieces for message in piece.messages}
    longest = max(pieces, key=lambda piece: len(piece.messages), default=truth)
    faults = Faults()
    faults["unread miscounted"] = abs(truth.unread - sum(piece.unread for piece in pieces))
    faults["statuses wrong"] = sum(
        message.delivery is not None and deliveries[message.text] != message.delivery
        for message in truth.messages
        if message.text in deliveries
    )
    faults["out of place"] = _count_misplaced(longest, truth)
    faults["previews wrong"] = int(longest.last != truth.last)
    return faults


def _count_misplaced(thread: Thread, truth: Thread) -> int:
    """Count the messages that don't stand where they belong among those that are stored."""
    texts = list(dict.fromkeys(message.text for message in thread.messages))
    right = [message.text for message in truth.messages if message.text in texts]
    return sum(text != other for text, other in zip(texts, right, strict=False))
