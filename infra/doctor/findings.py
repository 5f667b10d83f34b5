"""What a check found: how bad it is, in one sentence, and the remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How bad it is."""

    GOOD = "✓"
    DOUBTFUL = "!"
    BAD = "✗"
    UNSEEN = "?"
    """Nobody can tell from here."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    verdict: Verdict
    what: str
    says: str
    remedy: str = ""

    def __str__(self) -> str:
        told = f"{self.verdict} {self.what}: {self.says}"
        return f"{told}\n    → {self.remedy}" if self.remedy else told


def good(what: str, says: str) -> Finding:
    """As it must be."""
    return Finding(Verdict.GOOD, what, says)


def bad(what: str, says: str, remedy: str) -> Finding:
    """Perene doesn't work so, or not safely."""
    return Finding(Verdict.BAD, what, says, remedy)


def doubtful(what: str, says: str, remedy: str) -> Finding:
    """It works, and somebody may regret it."""
    return Finding(Verdict.DOUBTFUL, what, says, remedy)


def unseen(what: str, says: str, remedy: str = "") -> Finding:
    """Not to be seen from here."""
    return Finding(Verdict.UNSEEN, what, says, remedy)
