"""What operators may ask for, and the pages that they get."""

from typing import Literal

from pydantic import ConfigDict, Field

from shared.domain.acts import Act
from shared.domain.endpoints import EndpointState
from shared.domain.fleet.candidates import Stage
from shared.domain.fleet.reports import Day, SweepKind
from shared.domain.instances import State
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.domain.tenants import MAX_LINES_LIMIT, MEDIA_DAYS_LIMIT, Status
from shared.operator.fleet_views import (
    CandidateView,
    EndpointStanding,
    IncidentView,
    InstanceView,
    LetterView,
    ReportView,
    TenantView,
)

PAGE, LONGEST_PAGE, LONGEST_LIST = 50, 200, 500


DOCUMENT = r"([^/._][^/]*|\.{3,}[^/]*|\.{1,2}[^/.][^/]*|_[^_/][^/]*|_)$"
"""A document's id (Firestore limit: not `.`, `..` or `__x__`)."""

CURSOR, NEWS_CURSOR = f"^{DOCUMENT}", f"^[0-9]{{1,17}}~{DOCUMENT}"


class PageQuery(Record):
    """Which page; `cursor` is the `next` of the one before."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, min_length=1, max_length=600, pattern=CURSOR)


class WhichCandidates(PageQuery):
    """Which of them, and which page."""

    stage: Stage | None = None


class WhichReports(PageQuery):
    """Of which sweep, and which page."""

    kind: SweepKind = SweepKind.ORPHANS


class WhichIncidents(PageQuery):
    """Which page."""

    cursor: str | None = Field(default=None, max_length=600, pattern=NEWS_CURSOR)


class WhichInstances(PageQuery):
    """Which of them, and which page."""

    limit: int = Field(default=PAGE, ge=1, le=LONGEST_LIST)
    tenant: TenantId | None = Field(default=None, min_length=1, max_length=200)
    server: str | None = Field(default=None, min_length=1, max_length=32)
    state: State | None = None
    search: str | None = Field(
        default=None,
        min_length=1,
        max_length=60,
        description="Beginnings of words of a label, tenant or line, or four digits of a number",
    )


class WhichEndpoints(PageQuery):
    """Which of them, and which page."""

    tenant: TenantId | None = Field(default=None, min_length=1, max_length=200)
    state: EndpointState | None = None
    late: bool = Field(
        default=False, description="Those for which events wait, the latest first, without pages"
    )


class WhichTenants(PageQuery):
    """Which of them, and which page."""

    status: Status | None = None
    search: str | None = Field(
        default=None, min_length=1, max_length=60, description="The beginning of an id"
    )


class WhichActs(PageQuery):
    """About which tenant, and which page."""

    cursor: str | None = Field(default=None, max_length=600, pattern=NEWS_CURSOR)
    tenant: TenantId | None = Field(default=None, min_length=1, max_length=200)


class WhichDays(Record):
    """How many, today the last of them."""

    model_config = ConfigDict(extra="forbid")

    days: int = Field(default=60, ge=1, le=400)


class Days(Record):
    """How many slots each server had taken on each day; `day` counts from the year 1."""

    days: list[Day]


class IncidentPage(Record):
    """A page of incidents, those with news first."""

    incidents: list[IncidentView]
    next: str | None = None


class InstancePage(Record):
    """A page of lines, as their records say; `total` of all pages is on the first one."""

    instances: list[InstanceView]
    next: str | None = None
    total: int | None = None


class TenantPage(Record):
    """A page of tenants; `total` of all pages is on the first one."""

    tenants: list[TenantView]
    next: str | None = None
    total: int | None = None


class EndpointPage(Record):
    """A page of endpoints of all tenants, as their records say."""

    endpoints: list[EndpointStanding]
    next: str | None = None


class ActPage(Record):
    """A page of what people did, newest first."""

    acts: list[Act]
    next: str | None = None


class CandidatePage(Record):
    """A page of what may have to go."""

    candidates: list[CandidateView]
    next: str | None = None


class ReportPage(Record):
    """A page of reports, newest first."""

    reports: list[ReportView]
    next: str | None = None


class DeadLetterPage(Record):
    """A page of dead letters, without what they say."""

    letters: list[LetterView]
    next: str | None = None


class TenantChange(Record):
    """What to make of a tenant; what isn't named stays."""

    model_config = ConfigDict(extra="forbid")

    status: Status | None = None
    max_lines: int | None = Field(default=None, ge=0, le=MAX_LINES_LIMIT)
    media_days: int | None = Field(
        default=None,
        ge=0,
        le=MEDIA_DAYS_LIMIT,
        description="Days after which files are deleted; 0: never",
    )


class ServerChange(Record):
    """Whether new lines may go there."""

    model_config = ConfigDict(extra="forbid")

    accepting: bool


class Replayed(Record):
    """What became of a dead letter: it was understood this time, or it is `dead` still."""

    outcome: Literal["replayed", "dead"]
