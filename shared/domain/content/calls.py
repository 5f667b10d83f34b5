"""Hold a call: one line in the conversation, however many events report it."""

from enum import StrEnum
from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece


class CallOutcome(StrEnum):
    """What became of a call. Of several that are reported the last in this list counts."""

    RINGING = "ringing"
    MISSED = "missed"
    REJECTED = "rejected"
    ANSWERED = "answered"

    @property
    def rank(self) -> int:
        """Return its place in the list, from 1."""
        return list(CallOutcome).index(self) + 1


def outcome_of_rank(rank: int) -> CallOutcome:
    """Return the outcome at a place in the list, from 1."""
    outcomes = list(CallOutcome)
    return outcomes[min(max(rank, 1), len(outcomes)) - 1]


class PhoneCall(Piece):
    """A call, of so many seconds if it was answered.

    `logged`: no event told it, but a message of WhatsApp's log of calls.
    """

    outcome: CallOutcome = CallOutcome.RINGING
    video: bool = False
    group: bool = False
    seconds: int | None = None
    logged: bool = False


class CallContent(BaseContent):
    """A call; `text` is what was written with it."""

    kind: Literal[Kind.CALL]
    call: PhoneCall | None = None
