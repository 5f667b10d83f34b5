"""How fast a line may speak: a token bucket that is one number.

A bucket is kept as the moment (epoch milliseconds) at which it is full again: every token taken
puts that off by what one token takes to come back. 0 is a full bucket.
"""

from dataclasses import dataclass
from typing import NamedTuple

DAY_MS = 24 * 60 * 60 * 1000
MINUTE_MS = 60 * 1000


class Rate(NamedTuple):
    """A bucket that holds `burst` tokens, one of which comes back every `every_ms`."""

    burst: int
    every_ms: int


def per_minute(count: int, burst: int) -> Rate:
    """So many a minute, after a burst of so many at once."""
    return Rate(burst, MINUTE_MS // count)


def per_day(count: int) -> Rate:
    """So many a day, all at once if need be; nobody at all if it is 0."""
    return Rate(count, DAY_MS // count if count else DAY_MS)


@dataclass(frozen=True)
class Taken:
    """The tokens are there, and this is the bucket without them."""

    full_at: int


@dataclass(frozen=True)
class TooFast:
    """They aren't; at `again_at` (epoch milliseconds) they are."""

    again_at: int


def take(full_at: int, rate: Rate, now: int, tokens: int = 1) -> Taken | TooFast:
    """Tokens out of a bucket, all or none."""
    later = max(full_at, now) + tokens * rate.every_ms
    over = later - now - rate.burst * rate.every_ms
    return Taken(later) if over <= 0 else TooFast(now + over)


class Unnoted:
    """What one process sent from full buckets without noting it, line by line.

    A line that speaks more slowly than its rate always finds its bucket full, so its sends need
    not be written down; the next one that comes sooner pays for the one before it. Of a bucket
    that nobody wrote, each process can owe one token.
    """

    def __init__(self) -> None:
        self._owed: dict[str, int] = {}

    def owed(self, line: str, rate: Rate, now: int) -> int:
        """How many tokens of the line's have to be paid with the next one."""
        since = self._owed.get(line)
        return int(since is not None and now - since < rate.every_ms)

    def owe(self, line: str, rate: Rate, now: int) -> None:
        """One token was spent, and nobody else knows."""
        self._owed[line] = now
        if len(self._owed) > MOST_OWED:
            self._owed = {each: at for each, at in self._owed.items() if now - at < rate.every_ms}

    def paid(self, line: str) -> None:
        """The bucket knows."""
        self._owed.pop(line, None)


MOST_OWED = 1_000
