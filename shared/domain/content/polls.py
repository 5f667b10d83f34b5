"""Hold a poll, and its results as far as they are known."""

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece


class Votes(Piece):
    """How many chose an option."""

    option: str
    count: int = 0


class Poll(Piece):
    """A question; `selectable` is how many answers one may choose (None or 0: any)."""

    question: str
    options: tuple[str, ...] = ()
    selectable: int | None = None
    results: tuple[Votes, ...] = ()


def mark_option(poll: str, option: str) -> str:
    """Return the mark of an option of the poll with this id: a digest, as WhatsApp names options.

    So votes hold no words, whether their poll is known yet or was taken back.
    """
    return hashlib.sha256(f"{poll}\n{option}".encode("utf-8", "replace")).hexdigest()[:16]


def count_votes(poll_id: str, poll: Poll, votes: Iterable[Iterable[str]]) -> Poll:
    """Return the poll with its results: each vote holds the marks of the options it is for."""
    counts = Counter(mark for vote in votes for mark in set(vote))
    results = tuple(
        Votes(option=option, count=counts[mark_option(poll_id, option)]) for option in poll.options
    )
    return poll.model_copy(update={"results": results})


class PollContent(BaseContent):
    """A poll, or what came of it."""

    kind: Literal[Kind.POLL]
    poll: Poll | None = None

    def fingerprint(self) -> tuple[object, ...]:
        """Add question and options."""
        question = (self.poll.question, self.poll.options) if self.poll else None
        return (*super().fingerprint(), question)
