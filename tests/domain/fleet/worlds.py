"""Surveys with sensible defaults: a test says only what matters to it."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from shared.domain import names
from shared.domain.fleet import findings, plan
from shared.domain.fleet.candidates import Candidate, CandidateCause, Finding, Stage, candidate_id
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineId, TenantId
from shared.domain.tenants import Tenant
from shared.domain.upstream import Connection, Sighting
from tests.builders import NOON, NUMBER, PREFIX, a_line, a_tenant

DAY = timedelta(days=1)
RULES = Rules(max_deletes=3)
GHOST = InstanceName("instance_ghost")


def seen(
    name: str = "instance_acme",
    connection: Connection = Connection.CLOSED,
    number: str | None = None,
) -> Sighting:
    """Build one instance of a census."""
    return Sighting(InstanceName(name), connection, number)


def opened(name: str = "instance_acme", number: str = NUMBER) -> Sighting:
    """Build a connected instance of a census."""
    return seen(name, Connection.OPEN, number)


def a_survey(
    lines: Iterable[Instance] = (),
    tenants: Iterable[Tenant] | None = None,
    main: Iterable[Sighting] | None = None,
    **more: Any,
) -> Survey:
    """A fleet: by default each line has its tenant, and its instance on its server, as it says."""
    records = {line.name: line for line in lines}
    if tenants is None:
        tenants = [a_tenant(line.tenant, line.line) for line in records.values()]
    if main is None:
        main = [
            opened(line.name) if line.state is State.OPEN else seen(line.name, number=line.number)
            for line in records.values()
        ]
    carried = {"main": {sighting.name: sighting for sighting in main}}
    defaults: dict[str, Any] = {"seen": carried, "servers": frozenset({"main"}), "candidates": {}}
    return Survey(
        tenants={tenant.tenant: tenant for tenant in tenants},
        lines=records,
        **{**defaults, **more},
    )


def fine() -> Instance:
    """A line that nothing is wrong with."""
    return a_line(open=True)


def closed(**more: Any) -> Instance:
    """A line that was paired once, and was logged out."""
    fields = {
        "reason": Reason.LOGGED_OUT,
        "number": NUMBER,
        "ever_open": True,
        "closed_since": NOON,
    }
    return a_line(State.CLOSED, **{**fields, **more})


def unpaired(**more: Any) -> Instance:
    """A line that nobody ever paired."""
    return a_line(State.CLOSED, **{"reason": Reason.QR_LIMIT, **more})


def a_finding(cause: CandidateCause = CandidateCause.ORPHAN, **more: Any) -> Finding:
    """Build a finding against an instance."""
    fields = {"server": "main", "name": GHOST, "tenant": TenantId("ghost"), "paired": False}
    return Finding(**{"line": LineId("default"), "cause": cause, **fields, **more})


def a_candidate(stage: Stage = Stage.QUARANTINED, **more: Any) -> Candidate:
    """Build a candidate that was found before and quarantined at noon."""
    name = more.get("name", GHOST)
    fields = {
        "id": candidate_id(more.get("server", "main"), name),
        "server": "main",
        "name": name,
        "tenant": "ghost",
        "line": "default",
        "cause": CandidateCause.ORPHAN,
        "paired": False,
        "needs_approval": False,
        "run": "before",
        "suspected_at": NOON - DAY,
        "quarantined_at": None if stage is Stage.SUSPECTED else NOON,
    }
    return Candidate(**{**fields, "stage": stage, **more})


def planned(survey: Survey, now: Any = NOON, rules: Rules = RULES) -> Plan:
    return plan.plan_orphans(survey, PREFIX, rules, "this", now)


def found(survey: Survey, now: Any = NOON, rules: Rules = RULES) -> dict[str, Finding]:
    return findings.find_all(survey, findings.ours(survey, PREFIX), rules, now)


def key(name: str) -> Any:
    return names.line_key(PREFIX, name)
