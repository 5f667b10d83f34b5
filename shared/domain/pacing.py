"""How fast a line may speak: a token bucket that is one number.

A bucket is kept as the moment (epoch milliseconds) at which it is full again: every token taken
puts that off by what one token takes to come back. 0 is a full bucket.
"""

from typing import NamedTuple

from msgspec import Struct

DAY_MS = 24 * 60 * 60 * 1000
MINUTE_MS = 60 * 1000


class Rate(NamedTuple):
    """A bucket that holds `burst` tokens, one of which comes back every `every_ms`."""

    burst: int
    every_ms: int


def per_minute(count: int, burst: int) -> Rate:
    """Allow so many a minute, after a burst of so many at once."""
    return Rate(burst, MINUTE_MS // count)


def per_day(count: int) -> Rate:
    """Allow so many a day, all at once if need be; none if it is 0."""
    return Rate(count, DAY_MS // count if count else DAY_MS)


class Taken(Struct, frozen=True):
    """The tokens are there, and this is the bucket without them."""

    full_at: int


class TooFast(Struct, frozen=True):
    """They aren't; at `again_at` (epoch milliseconds) they are."""

    again_at: int


def take(full_at: int, rate: Rate, now: int, tokens: int = 1) -> Taken | TooFast:
    """Take tokens out of a bucket, all or none."""
    later = max(full_at, now) + tokens * rate.every_ms
    over = later - now - rate.burst * rate.every_ms
    return Taken(later) if over <= 0 else TooFast(now + over)
