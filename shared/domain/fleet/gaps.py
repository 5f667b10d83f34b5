"""Which messages a line may have missed: what its server keeps since we last knew of everything."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.instances import Instance, State, epoch_ms

OVERLAP = timedelta(hours=1)
"""Messages come late, and servers' clocks differ: so far back is looked at again."""

LONGEST = timedelta(days=7)
"""Of a line that was never looked at, no more than this is fetched."""

TOLD = (State.OPEN, State.CLOSED)


@dataclass(frozen=True)
class Window:
    """From when to when, in epoch milliseconds, and under which number."""

    since: int
    until: int
    number: str


def window_of(line: Instance, now: datetime) -> Window | None:
    """What to look at; None where nothing can be missing, or nobody knows under which number.

    Of a closed line only until it closed: what WhatsApp keeps for it comes when it is back.
    What was said before the number became this line's was said under another one (P7).
    """
    if line.number is None or line.state not in TOLD:
        return None
    own = epoch_ms(line.claimed_at or line.since) // 1000 * 1000
    looked = line.heard_number == line.number and _plausible(line, now)
    known = line.heard_until - _ms(OVERLAP) if looked else epoch_ms(now - LONGEST)
    until = epoch_ms(line.idle_since) if line.state is State.CLOSED else epoch_ms(now)
    if looked and line.state is State.CLOSED and until <= line.heard_until:
        return None
    return Window(max(known, own), until, line.number)


def came_back(line: Instance, now: datetime) -> bool:
    """It opened since it was last looked at: then something may well be missing."""
    looked = line.heard_until if _plausible(line, now) else 0
    return line.state is State.OPEN and epoch_ms(line.since) > looked


def _plausible(line: Instance, now: datetime) -> bool:
    """A mark that lies ahead was made by a clock that was wrong."""
    return line.heard_until <= epoch_ms(now + OVERLAP)


def heard(line: Instance, window: Window, until: int) -> Instance | None:
    """The record of a line of which all is known until then; None if it changed its number."""
    if line.number != window.number:
        return None
    same = line.heard_number == window.number and line.heard_until <= window.until + _ms(OVERLAP)
    known = line.heard_until if same else 0
    change = {"heard_until": max(known, until), "heard_number": window.number}
    return line.model_copy(update=change)


def resumed_at(newest: int) -> int:
    """The mark of a line that was looked at only up to a message: there it goes on."""
    return newest + _ms(OVERLAP)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
