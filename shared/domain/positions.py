"""Positions: one number says where a message stands among the others of its conversation.

It is the second that WhatsApp dates the message to, in epoch milliseconds, plus less than a second
that tells nothing but the order: a double has 12 bits for parts of a millisecond, so that a second
has four million places. A message of earlier versions has the bare second, which is the first.
"""

from typing import Annotated, Final

from pydantic import PlainSerializer

ASKED: Final = 0
"""Stands for the emission of a message that we asked for: it was asked for before all others."""

SECOND_MS: Final = 1000

STEP: Final = 1 / 4096
"""The distance of two places. (A double holds it exactly until 2039, and then every other.)"""

A_MILLISECOND: Final = 4
"""Places of one millisecond: several messages of one webhook stand one place apart."""

ZONE_MS: Final = 15 * 60 * 1000
"""Time zones differ by multiples of it. A server writes its wall clock as if it were UTC
(EVOLUTION.md §4), so only the rest of a division by it means anything."""

BEHIND_MS: Final = 45_000
"""How far a server's clock may be behind WhatsApp's; the rest of ZONE_MS it may take to emit."""

FARTHEST_ZONE_MS: Final = 14 * 60 * 60 * 1000
"""How far the clocks of time zones are from UTC."""

HALF_AN_HOUR_MS: Final = 30 * 60 * 1000
"""Nearly all time zones differ by multiples of it, and no server retries for so long."""

LAST: Final = SECOND_MS - STEP


def second_of(position: float) -> int:
    """Return the second in which something was said (epoch milliseconds)."""
    return int(position // SECOND_MS) * SECOND_MS


def divide(position: float) -> tuple[int, int]:
    """Divide a position into its second (epoch milliseconds) and its place within that."""
    second = second_of(position)
    return second, int((position - second) / STEP)


def join(second: int, index: int) -> float:
    """Return the position that `divide` would divide so."""
    return second + index * STEP


Position = Annotated[float, PlainSerializer(second_of, return_type=int, when_used="json")]
"""A position; the API shows its second, like WhatsApp."""


def place(at: int, clock: int | None, index: int = 0) -> float:
    """Return the position of a message that was said at `at` (epoch milliseconds).

    `clock`: when it was reported or asked for (epoch milliseconds by a finer clock of any time
    zone), if that is known. `index`: how many others the same report lists before it.
    """
    second = at // SECOND_MS * SECOND_MS
    late = 0 if clock is None else (clock - second + BEHIND_MS) % ZONE_MS
    return second + min((late * A_MILLISECOND + index) * STEP, LAST)


def read_wall_clock(clock: int, now: int) -> int:
    """Return when a server's wall clock showed this (both in epoch milliseconds), in any time zone.

    It was so just before `now`; where that can't be, it is UTC (or `now`, for no clock at all).
    """
    zone = (now + BEHIND_MS - clock) // HALF_AN_HOUR_MS * HALF_AN_HOUR_MS
    return clock + zone if abs(zone) <= FARTHEST_ZONE_MS else clock or now


def follow(position: float, before: float | None) -> float:
    """Return the position, or the next after `before` if that is later in the same second."""
    if before is None or before < position or second_of(before) != second_of(position):
        return position
    return min(before + STEP, second_of(position) + LAST)


def is_earlier(clock: int | None, decisive: int | None) -> bool:
    """Tell whether a copy of a message decides its position, instead of the copy that did.

    Each was emitted at its clock (epoch milliseconds), or asked for (ASKED). What was asked for
    decides; else the copy that was emitted first; where that is unknown, the one stored first.
    """
    if clock is None or decisive is None:
        return clock == ASKED
    return clock < decisive
