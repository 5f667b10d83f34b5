"""The fleet as its operators see it."""

from datetime import datetime
from urllib.parse import urlsplit

from pydantic import AwareDatetime, Field

from shared import config
from shared.alerts import words
from shared.domain.endpoints import DisabledReason, Endpoint, EndpointState
from shared.domain.fleet.candidates import Candidate, CandidateCause, Stage
from shared.domain.fleet.capacity import Census, Forecast
from shared.domain.fleet.incidents import Cause as Trouble
from shared.domain.fleet.incidents import Incident, Severity
from shared.domain.fleet.invariants import Invariants
from shared.domain.fleet.reports import Report, SweepKind
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineId, TenantId
from shared.domain.positions import Position
from shared.domain.record import Record
from shared.domain.tenants import MediaUsage, Status, Tenant
from shared.outbound.endpoint_views import Condition, condition_of, lag_of
from shared.store.dead_letters import DeadLetter
from shared.store.server_rooms import ServerRoom

IRREVERSIBLE = (
    "It was paired: deleted, its number may not come back, "
    "since WhatsApp lets some accounts link a device only with a passkey."
)
PERHAPS = "It is unknown whether it was ever paired; if it was, its number may not come back."


class ServerView(Record):
    """One server: its room, what it carried at its last census, and when it will be full."""

    server: str
    limit: int
    reserved: int
    free: int
    accepting: bool
    census: Census | None = None
    share: float | None = Field(default=None, description="Of the limit, at the last census")
    failed_since: AwareDatetime | None = Field(default=None, description="It doesn't answer")
    forecast: Forecast | None = None
    memory_gb: float | None = Field(default=None, description="What it needs, by the table")


class Attention(Record):
    """Something that a person should look at, in words; the worst comes first."""

    severity: Severity
    cause: Trouble
    subject: str
    count: int
    sentence: str
    since: AwareDatetime
    address: str | None = Field(default=None, description="Where a person can mend it")


class Totals(Record):
    """The fleet in numbers, as of the last censuses."""

    servers: int
    answering: int
    limit: int
    reserved: int
    open: int
    pairing: int
    closed: int
    never_paired: int
    quarantined: int
    foreign: int
    free: int
    counted_at: AwareDatetime | None = Field(
        default=None, description="Of the oldest last census; absent: no sweep has counted yet"
    )


class ReportView(Record):
    """One run of a sweep, in short."""

    id: str
    kind: SweepKind
    started_at: AwareDatetime
    ended_at: AwareDatetime | None = None
    counts: dict[str, int]
    braked_by: tuple[str, ...] = ()
    stopped_at: dict[str, str] = Field(
        default_factory=dict,
        description="Steps that ran out of time, and where they go on (empty: from the beginning)",
    )
    violations: int | None = None


class FleetView(Record):
    """How the fleet is."""

    totals: Totals
    servers: list[ServerView]
    attention: list[Attention]
    invariants: Invariants | None = None
    sentence: str = Field(description="The invariants in words")
    trend: Forecast | None = None
    sweeps: list[ReportView]
    awaiting_approval: int = Field(description="Proposals in quarantine that await a decision")
    overdue: tuple[SweepKind, ...] = Field(
        default=(), description="Sweeps that haven't ended well for SWEEP_OVERDUE_HOURS"
    )


class IncidentView(Attention):
    """Something that was wrong, in words, until it was over."""

    id: str
    resolved_at: AwareDatetime | None = None


class InstanceView(Record):
    """One line of the fleet, as its record says."""

    instance: InstanceName
    tenant: TenantId
    line: LineId
    label: str
    number: str | None = None
    last_number: str | None = Field(
        default=None, description="The number that it had last, if it has none now"
    )
    server: str
    state: State
    reason: Reason | None = None
    since: AwareDatetime
    closed_since: AwareDatetime | None = None
    ever_open: bool = Field(default=False, description="It was seen connected")
    restricted_since: AwareDatetime | None = None


class TenantView(Record):
    """One client of the agency."""

    tenant: TenantId
    status: Status
    max_lines: int
    lines: tuple[LineId, ...]
    created_at: AwareDatetime | None = None
    cancelled_at: AwareDatetime | None = None
    media_days: int = Field(default=0, description="Days after which files are deleted; 0: never")
    media: MediaUsage | None = Field(
        default=None, description="What is stored of its media, if there is a bucket"
    )


class TenantDetail(TenantView):
    """One client, with its lines, and when something was last said through one of them."""

    instances: list[InstanceView]
    last_message_at: Position | None = Field(
        default=None, description="Epoch milliseconds; archived conversations don't count"
    )


class CandidateView(Record):
    """What may have to go, why, and what it waits for."""

    id: str
    instance: InstanceName
    server: str
    tenant: TenantId
    line: LineId
    cause: CandidateCause
    cause_since: AwareDatetime | None = None
    paired: bool | None = Field(default=None, description="None: unknown")
    stage: Stage
    suspected_at: AwareDatetime
    quarantined_at: AwareDatetime | None = None
    due_at: AwareDatetime | None = Field(default=None, description="When its quarantine is over")
    awaits_approval: bool
    approved_by: str | None = None
    kept_by: str | None = None
    deleted_at: AwareDatetime | None = None
    stranger: bool = Field(
        default=False, description="Its webhook doesn't come to us: it may be another deployment's"
    )
    doubtful: bool = Field(
        default=False, description="Rather our records are wrong than that it is left over"
    )
    warning: str | None = None


class EndpointStanding(Record):
    """An endpoint without what is its owner's alone: its address, secrets and answers."""

    id: str
    tenant: TenantId | None = Field(
        default=None, description="Absent: one of operators, told of all tenants"
    )
    host: str = Field(description="Of its URL; the rest may be a secret of the receiver")
    description: str
    state: EndpointState
    reason: DisabledReason | None = Field(default=None, description="Why it is disabled")
    disabled_at: AwareDatetime | None = None
    condition: Condition
    lag_seconds: int = Field(description="Age of the oldest event that waits; 0: none does")
    failures: int = Field(description="Attempts in a row that failed")
    failing_since: AwareDatetime | None = None
    retry_at: AwareDatetime | None = None
    held_conversations: int = Field(description="Those that wait, where others are told")
    told_at: AwareDatetime = Field(description="When it was told something last, or made")


class LetterView(Record):
    """A dead letter as operators see it."""

    id: str
    instance: InstanceName
    reason: str
    attempts: int
    at: AwareDatetime
    bytes: int
    cut: bool = Field(description="Too large to be kept whole, so it can't be replayed")


class LetterDetail(LetterView):
    """A dead letter with its shape."""

    content: str = Field(description="Its JSON, with the length of each text in its place")


def server_view(room: ServerRoom, report: Report | None = None) -> ServerView:
    """Show a server as its document says, with what the last report says of it."""
    capacity, census = room.capacity, room.census
    return ServerView(
        server=capacity.server,
        limit=capacity.limit,
        reserved=capacity.reserved,
        free=max(capacity.free, 0),
        accepting=capacity.accepting,
        census=census,
        share=round(census.share, 4) if census else None,
        failed_since=room.failed_since,
        forecast=report.forecasts.get(capacity.server) if report else None,
        memory_gb=report.memory_gb.get(capacity.server) if report else None,
    )


def report_view(report: Report) -> ReportView:
    """Show a report in short."""
    return ReportView(
        id=report.id,
        kind=report.kind,
        started_at=report.started_at,
        ended_at=report.ended_at,
        counts=report.counts,
        braked_by=tuple(sorted({str(brake.get("why")) for brake in report.brakes})),
        stopped_at=report.stopped_at,
        violations=report.invariants.count if report.invariants else None,
    )


def attention_view(incident: Incident) -> Attention:
    """Show what an incident asks for, in the language of the alerts."""
    settings = config.settings()
    return Attention(
        severity=incident.severity,
        cause=incident.cause,
        subject=incident.subject,
        count=incident.count,
        sentence=words.write_sentence(incident, settings.alert_language, settings.zone),
        since=incident.raised_at,
        address=incident.facts.get("address"),
    )


def incident_view(incident: Incident) -> IncidentView:
    """Show an incident in the language of the alerts."""
    fields = attention_view(incident).model_dump()
    return IncidentView(**fields, id=incident.id, resolved_at=incident.resolved_at)


def instance_view(line: Instance) -> InstanceView:
    """Show a line without what only its tenant sees."""
    fields = line.model_dump(include=set(InstanceView.model_fields))
    return InstanceView(instance=line.name, **fields)


def tenant_view(tenant: Tenant, media: MediaUsage | None) -> TenantView:
    """Show a tenant as its record says, and what is stored of its media."""
    fields = tenant.model_dump(include=set(TenantView.model_fields))
    return TenantView(**fields, media=media)


def tenant_detail(
    tenant: Tenant,
    media: MediaUsage | None,
    lines: list[Instance],
    last_message_at: float | None,
) -> TenantDetail:
    """Show a tenant with its lines."""
    return TenantDetail(
        **tenant_view(tenant, media).model_dump(),
        instances=list(map(instance_view, lines)),
        last_message_at=last_message_at,
    )


def endpoint_standing(endpoint: Endpoint, now: datetime) -> EndpointStanding:
    """Show how far an endpoint has come."""
    field_names = set(EndpointStanding.model_fields) - {"tenant"}
    return EndpointStanding(
        **endpoint.model_dump(include=field_names),
        tenant=endpoint.tenant or None,
        host=urlsplit(endpoint.url).hostname or "",
        condition=condition_of(endpoint),
        lag_seconds=lag_of(endpoint, now),
        held_conversations=len(endpoint.held),
        told_at=endpoint.moved_at,
    )


def candidate_view(candidate: Candidate) -> CandidateView:
    """Show a candidate, with what there is to know before approving it."""
    field_names = set(CandidateView.model_fields) - {
        "instance",
        "due_at",
        "awaits_approval",
        "warning",
    }
    quarantine = config.days(config.settings().quarantine_days)
    began = candidate.quarantined_at
    warnings = {True: IRREVERSIBLE, None: PERHAPS, False: None}
    return CandidateView(
        **candidate.model_dump(include=field_names),
        instance=candidate.name,
        due_at=began + quarantine if began else None,
        awaits_approval=candidate.awaits_approval,
        warning=warnings[candidate.paired],
    )


def letter_view(letter: DeadLetter) -> LetterView:
    """Show a dead letter without what people said in it."""
    field_names = set(LetterView.model_fields) - {"bytes"}
    return LetterView(**letter.model_dump(include=field_names), bytes=len(letter.raw.encode()))


def letter_detail(letter: DeadLetter, content: str) -> LetterDetail:
    """Show a dead letter with its shape."""
    return LetterDetail(**letter_view(letter).model_dump(), content=content)
