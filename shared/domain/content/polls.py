"""Hold a poll, and its results as far as they are known."""

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


class PollContent(BaseContent):
    """A poll, or what came of it."""

    kind: Literal[Kind.POLL]
    poll: Poll | None = None

    def fingerprint(self) -> tuple[object, ...]:
        """Add question and options."""
        question = (self.poll.question, self.poll.options) if self.poll else None
        return (*super().fingerprint(), question)
