"""Which messages a line may have missed: what its server keeps since we last knew of everything."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec import Struct

from shared.domain.instances import Instance, State, epoch_ms
from shared.domain.record import Moment, Record

OVERLAP = timedelta(hours=1)
"""Messages come late, and servers' clocks differ: so far back is looked at again."""

LONGEST = timedelta(days=7)
"""Of a line that was never looked at, no more than this is fetched."""

TOLD = (State.OPEN, State.CLOSED)


class Window(Struct, frozen=True):
    """From when to when, in epoch milliseconds, and under which number."""

    since: int
    until: int
    number: str


class Doubt(Record):
    """How many lines of a server may have lost messages, told last at that time."""

    lines: int
    at: Moment


DOUBT_SHOWN = timedelta(days=7)
"""How long that stays an incident: it can't be mended, only known."""


def add_doubts(
    known: Mapping[str, Doubt], found: Mapping[str, int], now: datetime
) -> dict[str, Doubt]:
    """Add the lines found by server to those that are still shown."""
    recent = {server: doubt for server, doubt in known.items() if now - doubt.at < DOUBT_SHOWN}
    for server, lines in found.items():
        before = recent[server].lines if server in recent else 0
        recent[server] = Doubt(lines=before + lines, at=now)
    return recent


class Outage(Record):
    """A time in which we may not have been reachable, in epoch milliseconds."""

    since: int
    until: int


def outage_in(window: Window, line: Instance, outages: Iterable[Outage]) -> int | None:
    """Find when the first outage began of which the window is the first look; None: there is none.

    Epoch milliseconds.
    """
    looked = line.heard_until if line.heard_number == window.number else 0
    missed = [
        outage.since
        for outage in outages
        if outage.until > max(looked, window.since) and outage.since < window.until
    ]
    return min(missed, default=None)


def ran_through(running_since: int | None, moment: float) -> bool:
    """Tell whether the server surely ran at that moment as it runs now: no restart since.

    A restart loses webhooks that wait, and with them whatever an edit held back, which is stored
    nowhere (EVOLUTION.md §4, Delivery). Epoch milliseconds; messages have whole seconds.
    `running_since` None: unknown.
    """
    return running_since is not None and running_since // 1000 * 1000 <= moment


def window_of(line: Instance, now: datetime) -> Window | None:
    """Return the window to look at; None where nothing can be missing, or the number is unknown.

    Of a closed line only until it closed: what WhatsApp keeps for it comes when it is back.
    What was said before the number became this line's was said under another one (P7).
    """
    if line.number is None or line.state not in TOLD:
        return None
    own = epoch_ms(line.claimed_at or line.since) // 1000 * 1000
    looked = line.heard_number == line.number and _plausible(line, now)
    start = line.heard_until - _ms(OVERLAP) if looked else epoch_ms(now - LONGEST)
    until = epoch_ms(line.idle_since) if line.state is State.CLOSED else epoch_ms(now)
    if looked and line.state is State.CLOSED:
        ahead = line.heard_until - until  # up to OVERLAP: only a part was fetched (resumed_at)
        if ahead == 0 or ahead > _ms(OVERLAP):
            return None
    return Window(max(start, own), until, line.number)


def came_back(line: Instance, now: datetime) -> bool:
    """Tell whether it opened since it was last looked at: then messages may be missing."""
    looked = line.heard_until if _plausible(line, now) else 0
    return line.state is State.OPEN and epoch_ms(line.since) > looked


def _plausible(line: Instance, now: datetime) -> bool:
    """Tell whether the mark can be true: one that lies ahead was made by a wrong clock."""
    return line.heard_until <= epoch_ms(now + OVERLAP)


def note_window(line: Instance, window: Window, until: int) -> Instance | None:
    """Return the record of a line that is known until then; None if it changed its number."""
    if line.number != window.number:
        return None
    same = line.heard_number == window.number and line.heard_until <= window.until + _ms(OVERLAP)
    earlier = min(line.heard_until, window.until) if same else 0
    change = {"heard_until": max(earlier, until), "heard_number": window.number}
    return line.model_copy(update=change)


def resumed_at(newest: int) -> int:
    """Return the mark of a line that was looked at only up to a message: there it goes on."""
    return newest + _ms(OVERLAP)


def _ms(span: timedelta) -> int:
    return int(span.total_seconds() * 1000)
