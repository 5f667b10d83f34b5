"""Judge whether everything promised to contacts and callers was kept."""

from collections import Counter
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """The messages that were written, promised and stored, each named by its unique text."""

    written: frozenset[str]
    acknowledged: frozenset[str]
    stored: Counter[str]
    counts: tuple[tuple[int, int], ...]
    """For every conversation: the counted unread messages, and the stored inbound ones."""
    delivered: Counter[str]
    outcomes: dict[str, str]


@dataclass(frozen=True)
class Verdict:
    """Counts of messages by their fate."""

    written: int
    acknowledged: int
    given_up: int
    asked: int
    sent: int
    uncertain: int
    stored: int
    doubled: int
    lost: int
    delivered_twice: int
    denied: int
    """Delivered, although the caller was told that the message surely wasn't sent."""

    @property
    def is_good(self) -> bool:
        """Tell whether messages flowed, and none was doubled, lost or denied."""
        wrong = self.doubled + self.lost + self.delivered_twice + self.denied
        return wrong == 0 and self.sent > 0 and self.acknowledged > 0

    def __str__(self) -> str:
        return (
            f"Contacts wrote {self.written}: acknowledged {self.acknowledged},"
            f" given up {self.given_up}.\n"
            f"Callers asked {self.asked}: sent {self.sent}, uncertain {self.uncertain}.\n"
            f"stored {self.stored}, doubled {self.doubled}, lost {self.lost},"
            f" delivered twice {self.delivered_twice}, delivered but denied {self.denied}"
        )


def judge(evidence: Evidence) -> Verdict:
    """Compare the promises with what is stored and delivered."""
    states = Counter(evidence.outcomes.values())
    sent = {text for text, state in evidence.outcomes.items() if state == "sent"}
    promised = evidence.acknowledged | sent
    unstored = sum(1 for text in promised if not evidence.stored[text])
    undelivered = sum(1 for text in sent if not evidence.delivered[text])
    return Verdict(
        written=len(evidence.written),
        acknowledged=len(evidence.acknowledged),
        given_up=len(evidence.written - evidence.acknowledged),
        asked=len(evidence.outcomes),
        sent=states["sent"],
        uncertain=states["uncertain"],
        stored=evidence.stored.total(),
        doubled=_surplus(evidence.stored)
        + sum(max(0, counted - stored) for counted, stored in evidence.counts),
        lost=unstored
        + undelivered
        + sum(max(0, stored - counted) for counted, stored in evidence.counts),
        delivered_twice=_surplus(evidence.delivered),
        denied=sum(
            1
            for text, state in evidence.outcomes.items()
            if state in ("failed", "unknown") and evidence.delivered[text]
        ),
    )


def _surplus(counts: Counter[str]) -> int:
    return sum(count - 1 for count in counts.values() if count > 1)
