"""What may have to go, from suspicion to deletion, each step with its reason.

```mermaid
stateDiagram-v2
    [*] --> suspected: a sweep finds a cause
    suspected --> quarantined: the next one finds the same cause
    quarantined --> deleting: its time is over, and it is approved if it has to be
    deleting --> deleted: gone upstream
    suspected --> [*]: the cause is gone, or undone
    quarantined --> [*]: the cause is gone, or undone
    suspected --> kept: a person says so
    quarantined --> kept
    kept --> suspected: for another cause
    kept --> [*]: undone
```
"""

from datetime import datetime
from enum import StrEnum

from msgspec import Struct

from shared.domain.fleet.rules import Approval, Rules
from shared.domain.names import InstanceName, LineId, TenantId
from shared.domain.record import Kept, Moment


class CandidateCause(StrEnum):
    """Why an instance may have to go."""

    ORPHAN = "orphan"
    """No line claims it."""
    DUPLICATE = "duplicate"
    """Its line is carried by an instance on another server."""
    CANCELLED = "cancelled"
    """Its tenant is cancelled."""
    TENANT_UNKNOWN = "tenant_unknown"
    """Its line has a record, but its tenant has none: something is wrong."""
    IDLE = "idle"
    """It hasn't been connected for long."""
    NEVER_PAIRED = "never_paired"
    """It was never paired."""


UNCLAIMED = frozenset({CandidateCause.ORPHAN, CandidateCause.DUPLICATE})
"""Causes that are our own record's word: a record can be lost, or be another deployment's."""

PROPOSED = frozenset(
    {CandidateCause.TENANT_UNKNOWN, CandidateCause.IDLE, CandidateCause.NEVER_PAIRED}
)
"""Causes that are never enough without a person: the line may be in use."""


class Stage(StrEnum):
    """How far it has got."""

    SUSPECTED = "suspected"
    QUARANTINED = "quarantined"
    DELETING = "deleting"
    DELETED = "deleted"
    KEPT = "kept"


LASTING = (Stage.DELETED, Stage.KEPT)
"""What stays although there is nothing against it now: what was done, and what a person said."""


class Finding(Struct, frozen=True):
    """What a survey found against one instance.

    `paired`: whether it was ever paired; None when unknown. `stranger`: its webhook
    goes elsewhere, so it may not be ours after all. `doubtful`: rather our records are wrong
    than that it is left over. `since`: what the cause counts from.
    """

    server: str
    name: InstanceName
    tenant: TenantId
    line: LineId
    cause: CandidateCause
    paired: bool | None
    stranger: bool = False
    doubtful: bool = False
    since: datetime | None = None

    @property
    def id(self) -> str:
        return candidate_id(self.server, self.name)


class Candidate(Kept):
    """An instance that may have to go: why, since when, and what people said to it."""

    id: str
    server: str
    name: InstanceName
    tenant: TenantId
    line: LineId
    cause: CandidateCause
    cause_since: Moment | None = None
    paired: bool | None = None
    stranger: bool = False
    doubtful: bool = False
    needs_approval: bool = True
    stage: Stage = Stage.SUSPECTED
    run: str
    """The sweep that moved it here."""
    suspected_at: Moment
    quarantined_at: Moment | None = None
    approved_by: str | None = None
    approved_at: Moment | None = None
    kept_by: str | None = None
    kept_at: Moment | None = None
    removal_asked_at: Moment | None = None
    silenced: bool = False
    """As in an instance's record, of the copy of a line's instance."""
    deleted_at: Moment | None = None
    expires_at: Moment | None = None

    def due_at(self, rules: Rules) -> datetime | None:
        """Return when its quarantine is over."""
        return self.quarantined_at + rules.quarantine if self.quarantined_at else None

    @property
    def awaits_approval(self) -> bool:
        return self.needs_approval and self.approved_at is None


class Suspect(Struct, frozen=True):
    """Found for the first time, or for another cause than before."""

    candidate: Candidate


class Quarantine(Struct, frozen=True):
    """Found again."""

    candidate: Candidate


class Refresh(Struct, frozen=True):
    """Still the same, but what is known of it changed."""

    candidate: Candidate


class Clear(Struct, frozen=True):
    """There is nothing against it any more."""

    candidate: Candidate


class Delete(Struct, frozen=True):
    """Its time is over."""

    candidate: Candidate


class CandidateWait(Struct, frozen=True):
    """Nothing to do: kept, still in quarantine, or a person hasn't approved."""


Move = Suspect | Quarantine | Refresh | Clear | Delete | CandidateWait


def decide_move(
    finding: Finding | None, known: Candidate | None, rules: Rules, run: str, now: datetime
) -> Move:
    """Decide what becomes of a candidate from this sweep's finding and the earlier ones.

    A deletion that has begun goes on; the sweep that carries it out looks whether it may.
    """
    if known and known.stage is Stage.DELETING:
        return Delete(known)
    if finding is None:
        return Clear(known) if known and known.stage not in LASTING else CandidateWait()
    if known is None or known.stage is Stage.DELETED or known.cause is not finding.cause:
        version = known.version if known else None
        suspected = _suspected(finding, rules, run, now)
        return Suspect(suspected.model_copy(update={"version": version}))
    if known.stage is Stage.KEPT:
        return CandidateWait()
    current = with_finding(known, finding, rules)
    if current.stage is Stage.SUSPECTED and current.run != run:
        change = {"stage": Stage.QUARANTINED, "run": run, "quarantined_at": now}
        return Quarantine(current.model_copy(update=change))
    if current != known:
        return Refresh(current)
    return Delete(current) if _due(current, rules, run, now) else CandidateWait()


def candidate_id(server: str, name: str) -> str:
    """Return the id of an instance within the fleet: two servers may carry the same name."""
    return f"{server}~{name}"


def _due(candidate: Candidate, rules: Rules, run: str, now: datetime) -> bool:
    due = candidate.due_at(rules)
    ripe = candidate.stage is Stage.QUARANTINED and candidate.run != run
    return ripe and due is not None and now >= due and not candidate.awaits_approval


def _suspected(finding: Finding, rules: Rules, run: str, now: datetime) -> Candidate:
    return Candidate(
        id=finding.id,
        server=finding.server,
        name=finding.name,
        tenant=finding.tenant,
        line=finding.line,
        cause=finding.cause,
        cause_since=finding.since,
        paired=finding.paired,
        stranger=finding.stranger,
        doubtful=finding.doubtful,
        needs_approval=_needs_approval(finding, rules),
        run=run,
        suspected_at=now,
    )


def with_finding(known: Candidate, finding: Finding, rules: Rules) -> Candidate:
    """Return the candidate with what is found against it now.

    An approval given for less than what is known now doesn't count any more.
    """
    change: dict[str, object] = {
        "paired": finding.paired,
        "stranger": finding.stranger,
        "doubtful": finding.doubtful,
        "cause_since": finding.since,
        "needs_approval": _needs_approval(finding, rules),
    }
    worse = (
        finding.stranger and not known.stranger,
        finding.doubtful and not known.doubtful,
        finding.paired is not False and known.paired is False,
    )
    if any(worse):
        change |= {"approved_by": None, "approved_at": None}
    return known.model_copy(update=change)


def _needs_approval(finding: Finding, rules: Rules) -> bool:
    is_proposal = finding.cause in PROPOSED or rules.approval is Approval.ALL
    unsure = finding.stranger or finding.doubtful
    lost = finding.cause in UNCLAIMED and finding.paired is not False
    careful = rules.approval is Approval.PAIRED and finding.paired is not False
    return is_proposal or unsure or lost or careful
