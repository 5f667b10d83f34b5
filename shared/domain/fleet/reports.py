"""What a sweep has to say afterwards, kept and shown."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from shared.domain.fleet.capacity import Census, Forecast, Reclaimable
from shared.domain.fleet.gaps import Doubt, Outage
from shared.domain.fleet.invariants import Invariants
from shared.domain.record import Kept, Moment, Record

FLEET = "all"
"""The whole fleet, where forecasts are by server."""


class SweepKind(StrEnum):
    """Which sweep."""

    CAPACITY = "capacity"
    ORPHANS = "orphans"


class ReportNote(Record):
    """Something that a sweep did, or couldn't: the step, to what, and why."""

    step: str
    what: str
    server: str | None = None
    instance: str | None = None
    tenant: str | None = None
    why: str | None = None


class Report(Kept):
    """One run of a sweep. `stopped_at`: where the next one goes on, if its time was over."""

    id: str
    kind: SweepKind
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    dry: bool = False
    counts: dict[str, int] = Field(default_factory=dict)
    brakes: tuple[dict[str, Any], ...] = ()
    stopped_at: dict[str, str] = Field(default_factory=dict)
    notes: tuple[ReportNote, ...] = ()
    more_notes: int = 0
    invariants: Invariants | None = None
    censuses: dict[str, Census] = Field(default_factory=dict)
    silent: tuple[str, ...] = ()
    awaited: dict[str, int] = Field(default_factory=dict)
    """By server: instances in quarantine that no line claims, and that a person has to decide."""
    unclear: tuple[str, ...] = ()
    """Servers of unreadable candidates."""
    forecasts: dict[str, Forecast] = Field(default_factory=dict)
    """By server, and for the whole fleet (FLEET)."""
    memory_gb: dict[str, float] = Field(default_factory=dict)
    reclaimable: tuple[Reclaimable, ...] = ()
    expires_at: AwareDatetime | None = None


class SweepStanding(Kept):
    """What a kind of sweep remembers from run to run, and who is at it."""

    holder: str | None = None
    until: Moment | None = None
    run: str | None = None
    """The run that is going on, or was last."""
    began_at: Moment | None = None
    """When that run began."""
    step: str | None = None
    """What that run does, or did last."""
    since: Moment | None = None
    """When the first run began."""
    ended_at: Moment | None = None
    """When a run last ended as it should."""
    usually_apart: float | None = None
    """Seconds from the end of one run to the next one."""
    cursors: dict[str, str] = Field(default_factory=dict)
    """Where each step that ran out of time goes on."""
    outages: tuple[Outage, ...] = ()
    """Times without a look, in which we may have been away: the latest."""
    doubts: dict[str, Doubt] = Field(default_factory=dict)
    """By server: lines that may have lost messages for good."""
    searchable: str = ""
    """Until where conversations of earlier versions have the tokens of a search."""
    quotes_checked_until: int = 0
    """Until which change (epoch milliseconds) quotes were compared with revocations."""
    lines_searchable: bool = False
    """All lines have them."""
    tenants: int = 0
    living: int = 0
    carried: dict[str, int] = Field(default_factory=dict)
    forgotten: bool = False
    """What an earlier run remembered couldn't be read: until a run isn't braked any more."""
    accept_next: bool = False
    """An operator said that what shrank may have: the next run compares with nothing."""

    def is_running(self, now: datetime) -> bool:
        """Tell whether a run holds the lease."""
        return self.holder is not None and self.until is not None and now < self.until


class Day(Record):
    """Slots that each server had taken on a day. `day`: 1 is 1 January of the year 1."""

    day: int
    used: dict[str, int] = Field(default_factory=dict)
    limit: dict[str, int] = Field(default_factory=dict)
    open: dict[str, int] = Field(default_factory=dict)
