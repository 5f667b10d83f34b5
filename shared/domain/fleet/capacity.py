"""How full servers are, when they will be, what they need, and which slots could be had back."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from pydantic import AwareDatetime

from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineKey
from shared.domain.record import Record
from shared.domain.upstream import Connection, Sighting

ENOUGH_DAYS = 7
"""A trend of fewer days says nothing."""

TREND_DAYS = 28
LONGEST_FORECAST = 3650


class Standing(StrEnum):
    """What one instance of a server is to us."""

    OPEN = "open"
    PAIRING = "pairing"
    CLOSED = "closed"
    NEVER_PAIRED = "never_paired"
    QUARANTINED = "quarantined"
    FOREIGN = "foreign"


class Census(Record):
    """What a server carries, each instance counted once; `failed_at`: it didn't answer then."""

    at: AwareDatetime
    limit: int
    reserved: int = 0
    open: int = 0
    pairing: int = 0
    closed: int = 0
    never_paired: int = 0
    quarantined: int = 0
    foreign: int = 0
    corrected: int = 0
    """So many lines had no slot, or slots no line, before."""

    @property
    def ours(self) -> int:
        return self.open + self.pairing + self.closed + self.never_paired + self.quarantined

    @property
    def used(self) -> int:
        """Count the slots that are taken: reserved, or occupied without a record."""
        return max(self.reserved, self.ours)

    @property
    def free(self) -> int:
        return max(self.limit - self.used, 0)

    @property
    def share(self) -> float:
        """Return the share of INSTANCE_MAX that is taken; a server that may carry none is full."""
        return self.used / self.limit if self.limit else 1.0


def count(
    seen: Iterable[Sighting],
    lines: Mapping[InstanceName, Instance],
    keys: Mapping[InstanceName, LineKey],
    quarantined: frozenset[InstanceName],
) -> Counter[Standing]:
    """Count a server's instances by standing. `lines`: its records; `keys`: of our names."""
    return Counter(
        standing_of(sighting, lines.get(sighting.name), sighting.name in quarantined)
        if sighting.name in keys
        else Standing.FOREIGN
        for sighting in seen
    )


def standing_of(sighting: Sighting, line: Instance | None, quarantined: bool) -> Standing:
    """Return the standing of an instance of ours. A connected one is open, whatever its record.

    A census says `connecting` also of those that have given up (EVOLUTION.md §1.7): our record
    knows of those that were never paired.
    """
    if sighting.connection is Connection.OPEN:
        return Standing.OPEN
    if quarantined:
        return Standing.QUARANTINED
    if sighting.number is None and line is not None and line.surely_unpaired:
        return Standing.NEVER_PAIRED if line.state is State.CLOSED else Standing.PAIRING
    connecting = sighting.connection is Connection.CONNECTING
    return Standing.PAIRING if connecting else Standing.CLOSED


# When it will be full ------------------------------------------------------------------------


class Trend(Record):
    """How fast slots are taken, a day; between `low` and `high` with 95 % confidence."""

    a_day: float
    low: float
    high: float
    days: int


class Forecast(Record):
    """In how many days it is full: at the earliest, most likely, at the latest (None: never).

    Without a trend there is too little history to say anything.
    """

    trend: Trend | None = None
    days: int | None = None
    earliest: int | None = None
    latest: int | None = None


def forecast(used: Sequence[tuple[int, int]], limit: int) -> Forecast:
    """Forecast from the last weeks. `used`: (day, slots taken), one a day at most, in order."""
    trend = trend_of([(day, slots) for day, slots in used if day > used[-1][0] - TREND_DAYS])
    if trend is None:
        return Forecast()
    room = limit - used[-1][1]
    return Forecast(
        trend=trend,
        days=_days(room, trend.a_day),
        earliest=_days(room, trend.high),
        latest=_days(room, trend.low),
    )


def trend_of(used: Sequence[tuple[int, int]]) -> Trend | None:
    """Fit a straight line through the days, and tell how sure that is."""
    if len(used) < ENOUGH_DAYS:
        return None
    import statistics  # takes 4 ms at the start of a function

    days, slots = [day for day, _ in used], [slot_count for _, slot_count in used]
    slope, start = statistics.linear_regression(days, slots)
    off = sum((slot_count - start - slope * day) ** 2 for day, slot_count in used)
    spread = sum((day - statistics.fmean(days)) ** 2 for day in days)
    freedom = len(used) - 2
    margin = _student(freedom) * math.sqrt(off / freedom / spread)
    return Trend(
        a_day=round(slope, 3),
        low=round(slope - margin, 3),
        high=round(slope + margin, 3),
        days=len(used),
    )


def _days(room: int, a_day: float) -> int | None:
    if room <= 0:
        return 0
    days = room / a_day if a_day > 0 else LONGEST_FORECAST
    return math.ceil(days) if days < LONGEST_FORECAST else None


def _student(freedom: int) -> float:
    """Estimate the 97.5 % quantile of Student's distribution, from 5 degrees of freedom on."""
    return 1.96 + 3 / freedom


# What it needs -------------------------------------------------------------------------------


def memory_gb(instances: int, table: Mapping[int, float]) -> float:
    """Estimate the memory for so many instances: between the table's rows, a straight line."""
    rows = [(0, 0.0), *sorted(table.items())]
    if len(rows) == 1:
        return 0.0
    above = next((at for at, row in enumerate(rows) if row[0] >= instances), len(rows) - 1)
    (low, least), (high, most) = rows[max(above - 1, 0)], rows[max(above, 1)]
    return round(least + (instances - low) * (most - least) / (high - low), 1)


# Slots to have back --------------------------------------------------------------------------


class Slack(StrEnum):
    """Why a slot could be had back, the surest first."""

    NEVER_PAIRED = "never_paired"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    IDLE = "idle"


class Reclaimable(Record):
    """A slot that a line holds without using it."""

    instance: InstanceName
    tenant: str
    server: str
    why: Slack
    since: AwareDatetime


class _Held(Struct, frozen=True):
    line: Instance
    why: Slack


def reclaimable(lines: Iterable[Instance], now: datetime, most: int) -> list[Reclaimable]:
    """List unused slots, the surest and oldest first: never paired, logged out, banned, idle."""
    order = list(Slack)
    slacks = [_Held(line, why) for line in lines if (why := _slack(line, now))]
    slacks.sort(key=lambda slack: (order.index(slack.why), slack.line.idle_since, slack.line.name))
    return [
        Reclaimable(
            instance=slack.line.name,
            tenant=slack.line.tenant,
            server=slack.line.server,
            why=slack.why,
            since=slack.line.idle_since,
        )
        for slack in slacks[:most]
    ]


def _slack(line: Instance, now: datetime) -> Slack | None:
    if line.leased(now) or line.state not in (State.CLOSED, State.PAIRING):
        return None
    if line.surely_unpaired:
        return Slack.NEVER_PAIRED
    ended = {Reason.LOGGED_OUT: Slack.LOGGED_OUT, Reason.BANNED: Slack.BANNED}
    return ended.get(line.reason, Slack.IDLE) if line.reason else Slack.IDLE
