"""Describe what a check saw: a verdict, one sentence, and the remedy."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """The mark that is printed before a diagnosis."""

    GOOD = "✓"
    DOUBTFUL = "!"
    BAD = "✗"
    UNSEEN = "?"
    """It can't be seen from this machine."""


@dataclass(frozen=True)
class Diagnosis:
    """The result of one check: its subject, what was seen in one sentence, and the remedy."""

    verdict: Verdict
    subject: str
    statement: str
    remedy: str = ""

    def __str__(self) -> str:
        line = f"{self.verdict} {self.subject}: {self.statement}"
        return f"{line}\n    → {self.remedy}" if self.remedy else line


def report_good(subject: str, statement: str) -> Diagnosis:
    """Report something that is as it must be."""
    return Diagnosis(Verdict.GOOD, subject, statement)


def report_bad(subject: str, statement: str, remedy: str) -> Diagnosis:
    """Report a fault with which Perene doesn't work, or not safely."""
    return Diagnosis(Verdict.BAD, subject, statement, remedy)


def report_doubtful(subject: str, statement: str, remedy: str) -> Diagnosis:
    """Report something that works and may be regretted."""
    return Diagnosis(Verdict.DOUBTFUL, subject, statement, remedy)


def report_unseen(subject: str, statement: str, remedy: str = "") -> Diagnosis:
    """Report something that can't be seen from this machine."""
    return Diagnosis(Verdict.UNSEEN, subject, statement, remedy)
