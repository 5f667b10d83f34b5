"""One incident, one alert: what is wrong, raised once, reminded of, and resolved once."""

from collections.abc import Iterable, Iterator, Mapping, Set
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime, Field

from shared.domain import names
from shared.domain.names import TenantId
from shared.domain.record import Kept, Record

KEPT_FOR = timedelta(days=90)
"""How long a resolved incident stays to be looked up."""


class Cause(StrEnum):
    """What is wrong. Each has its words in every language."""

    SERVER_DOWN = "server_down"
    SERVER_KEY_REFUSED = "server_key_refused"
    SERVER_NOT_LICENSED = "server_not_licensed"
    SERVER_FULL = "server_full"
    SERVER_FILLING = "server_filling"
    LINES_DISCONNECTED = "lines_disconnected"
    LINES_BANNED = "lines_banned"
    SWEEP_BRAKED = "sweep_braked"
    SWEEP_OVERDUE = "sweep_overdue"
    APPROVAL_AWAITED = "approval_awaited"
    VIOLATIONS = "violations"
    WRONG_NUMBER = "wrong_number"
    MESSAGES_MAY_BE_LOST = "messages_may_be_lost"
    ENDPOINTS_FAILED = "endpoints_failed"
    ENDPOINTS_LATE = "endpoints_late"


class Severity(StrEnum):
    """How soon a person has to look."""

    CRITICAL = "critical"
    WARNING = "warning"


SEVERITY = {
    Cause.SERVER_DOWN: Severity.CRITICAL,
    Cause.SERVER_KEY_REFUSED: Severity.CRITICAL,
    Cause.SERVER_NOT_LICENSED: Severity.CRITICAL,
    Cause.SERVER_FULL: Severity.CRITICAL,
    Cause.SERVER_FILLING: Severity.WARNING,
    Cause.LINES_BANNED: Severity.WARNING,
    Cause.LINES_DISCONNECTED: Severity.WARNING,
    Cause.SWEEP_BRAKED: Severity.WARNING,
    Cause.SWEEP_OVERDUE: Severity.CRITICAL,
    Cause.APPROVAL_AWAITED: Severity.WARNING,
    Cause.VIOLATIONS: Severity.WARNING,
    Cause.WRONG_NUMBER: Severity.CRITICAL,
    Cause.MESSAGES_MAY_BE_LOST: Severity.WARNING,
    Cause.ENDPOINTS_FAILED: Severity.WARNING,
    Cause.ENDPOINTS_LATE: Severity.WARNING,
}

OPEN_FOR = {Cause.WRONG_NUMBER: timedelta(days=7)}
"""How long an incident stays open that happened and can't be looked for again, once it is told."""

NOT_REMINDED = frozenset(
    {
        Cause.LINES_DISCONNECTED,
        Cause.LINES_BANNED,
        Cause.MESSAGES_MAY_BE_LOST,
        Cause.ENDPOINTS_LATE,
    }
)
"""A tenant sees its lines and endpoints too, and may not care; what was lost can only be known."""


class IncidentNews(StrEnum):
    """What there is to tell of an incident."""

    RAISED = "raised"
    REMINDED = "reminded"
    RESOLVED = "resolved"


class Trouble(Record):
    """Something that is wrong right now: why, of which server or tenant, and how much of it."""

    cause: Cause
    subject: str
    count: int = 1
    facts: dict[str, Any] = Field(default_factory=dict)

    @property
    def id(self) -> str:
        return f"{self.cause}~{names.spell(TenantId(self.subject))}"


class Incident(Kept):
    """A trouble with a beginning and, once it is over, an end.

    `news` is the last thing to be told of it, `number` counts them, and `told` says up to which
    each channel has got.
    """

    id: str
    cause: Cause
    subject: str
    count: int = 1
    facts: dict[str, Any] = Field(default_factory=dict)
    raised_at: AwareDatetime
    news: IncidentNews
    news_at: AwareDatetime
    number: int = 1
    resolved_at: AwareDatetime | None = None
    open: bool = True
    told: dict[str, int] = Field(default_factory=dict)
    given_up: dict[str, int] = Field(default_factory=dict)
    """The number of the news that a channel refused for good, by channel."""
    pending: bool = True
    """Some channel hasn't told the last news yet."""
    teller: str | None = None
    teller_until: AwareDatetime | None = None
    expires_at: AwareDatetime | None = None

    @property
    def severity(self) -> Severity:
        return SEVERITY[self.cause]

    @property
    def lasted(self) -> timedelta | None:
        return self.resolved_at - self.raised_at if self.resolved_at else None

    def is_owed_to(self, channel: str) -> bool:
        """Tell whether a channel has neither delivered the last news nor given it up."""
        return self.number > max(self.told.get(channel, 0), self.given_up.get(channel, 0))


def decide_incident(
    known: Incident | None, trouble: Trouble | None, now: datetime, remind_after: timedelta
) -> Incident | None:
    """Return the incident after a look at its trouble; None if there is nothing to change."""
    if trouble is None:
        return _resolved(known, now) if known and known.open else None
    if known is None or not known.open:
        return _raised(known, trouble, now)
    current = known.model_copy(update={"count": trouble.count, "facts": trouble.facts})
    due = trouble.cause not in NOT_REMINDED and now - known.news_at >= remind_after
    if due:
        return _add_news(current, IncidentNews.REMINDED, now)
    return current if current != known else None


def lasts(incident: Incident, now: datetime) -> bool:
    """Tell whether an incident stays open although its trouble isn't seen (any more)."""
    open_for = OPEN_FOR.get(incident.cause)
    return open_for is not None and (incident.pending or now - incident.news_at < open_for)


def plan_incidents(
    open_ones: Mapping[str, Incident],
    troubles: Iterable[Trouble],
    looked_at: frozenset[Cause],
    unsure: Set[str] = frozenset(),
) -> Iterator[tuple[str, Trouble | None]]:
    """List the incidents to decide: of every trouble, and of every open one that is over.

    Only causes that were `looked_at` can be over, and none that is `unsure`: who didn't look, or
    couldn't see, can't tell.
    """
    troubles_by_id = {trouble.id: trouble for trouble in troubles}
    yield from troubles_by_id.items()
    for name, incident in open_ones.items():
        if incident.cause in looked_at and name not in troubles_by_id and name not in unsure:
            yield name, None


def _raised(known: Incident | None, trouble: Trouble, now: datetime) -> Incident:
    """Return the incident as raised: new, or back again."""
    if known:
        change = {"count": trouble.count, "facts": trouble.facts, "open": True, "raised_at": now}
        change |= {"resolved_at": None, "expires_at": None}
        return _add_news(known.model_copy(update=change), IncidentNews.RAISED, now)
    return Incident(
        id=trouble.id,
        cause=trouble.cause,
        subject=trouble.subject,
        count=trouble.count,
        facts=trouble.facts,
        raised_at=now,
        news=IncidentNews.RAISED,
        news_at=now,
    )


def _resolved(known: Incident, now: datetime) -> Incident:
    over = {"open": False, "resolved_at": now, "expires_at": now + KEPT_FOR}
    return _add_news(known.model_copy(update=over), IncidentNews.RESOLVED, now)


def _add_news(incident: Incident, news: IncidentNews, now: datetime) -> Incident:
    """Return the incident with further news, which every channel is owed."""
    change = {"news": news, "news_at": now, "number": incident.number + 1, "pending": True}
    return incident.model_copy(update=change)
