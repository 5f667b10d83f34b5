"""What must be true of a fleet at any time, and each violation of it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum

from pydantic import AwareDatetime, Field

from shared.domain.fleet.candidates import Stage, candidate_id
from shared.domain.fleet.survey import ELSEWHERE, Survey
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineKey
from shared.domain.record import Record
from shared.domain.upstream import Connection

SHOWN = 200
"""So many violations are kept one by one; the rest is counted."""


class Rule(StrEnum):
    """What was violated."""

    INSTANCE_WITHOUT_LINE = "instance_without_line"
    LINE_WITHOUT_INSTANCE = "line_without_instance"
    LINE_ON_UNKNOWN_SERVER = "line_on_unknown_server"
    LINE_ON_TWO_SERVERS = "line_on_two_servers"
    LINE_ELSEWHERE = "line_elsewhere"
    LINE_NOT_LISTED = "line_not_listed"
    LISTED_WITHOUT_LINE = "listed_without_line"
    NUMBER_ON_TWO_LINES = "number_on_two_lines"
    NUMBER_WITHOUT_LINE = "number_without_line"
    SLOTS_WRONG = "slots_wrong"
    RECORD_UNREADABLE = "record_unreadable"
    CONVERSATION_OF_NO_LINE = "conversation_of_no_line"

    @classmethod
    def _missing_(cls, value: object) -> "Rule | None":
        """Read reports from when slots were only counted."""
        return cls.SLOTS_WRONG if value == "counter_wrong" else None


MENDED = frozenset({Rule.INSTANCE_WITHOUT_LINE, Rule.LINE_WITHOUT_INSTANCE, Rule.SLOTS_WRONG})
"""Those that sweeps mend by themselves, sooner or later, without an alert."""


class Violation(Record):
    """One thing that isn't as it must be: of an instance, a tenant or a server."""

    rule: Rule
    server: str | None = None
    instance: str | None = None
    tenant: str | None = None
    count: int | None = None


class Invariants(Record):
    """How it stands: so many instances, and everything that isn't as it must be."""

    checked_at: AwareDatetime
    instances: int
    lines: int
    count: int
    by_rule: dict[Rule, int] = Field(default_factory=dict)
    violations: tuple[Violation, ...] = ()
    unseen: tuple[str, ...] = ()
    """Servers that said nothing, so that nothing is known of theirs."""


def find_violations(survey: Survey, keys: Mapping[InstanceName, LineKey]) -> Iterator[Violation]:
    """Find all that is wrong between lines, instances, numbers, tenants and slots."""
    yield from _instances(survey, keys)
    yield from (_of_line(rule, line) for rule, line in _lines(survey))
    yield from _listed(survey)
    yield from _numbers(survey)
    yield from _slots(survey)
    yield from (Violation(rule=Rule.RECORD_UNREADABLE, instance=name) for name in survey.unreadable)


def _instances(survey: Survey, keys: Mapping[InstanceName, LineKey]) -> Iterator[Violation]:
    carriers: dict[InstanceName, list[str]] = defaultdict(list)
    for server, sightings in survey.seen.items():
        for name in sightings:
            if name in keys:
                carriers[name].append(server)
    for name, servers in carriers.items():
        line, key = survey.lines.get(name), keys[name]
        about = {"server": ", ".join(servers), "instance": name, "tenant": key.tenant}
        if len(servers) > 1:
            yield Violation(rule=Rule.LINE_ON_TWO_SERVERS, **about, count=len(servers))
        elif line is None and not _known_of(survey, servers[0], name):
            yield Violation(rule=Rule.INSTANCE_WITHOUT_LINE, **about)
        elif line and line.server not in servers and line.server in survey.seen:
            yield Violation(rule=Rule.LINE_ELSEWHERE, **about)


def _known_of(survey: Survey, server: str, name: InstanceName) -> bool:
    """Tell whether an operator keeps it without a line, or its record can't be read."""
    candidate = survey.candidates.get(candidate_id(server, name))
    is_kept = candidate is not None and candidate.stage is Stage.KEPT
    return is_kept or name in survey.unreadable


def _lines(survey: Survey) -> Iterator[tuple[Rule, Instance]]:
    for line in survey.lines.values():
        tenant = (survey.tenants or {}).get(line.tenant)
        if line.server not in survey.servers:
            yield Rule.LINE_ON_UNKNOWN_SERVER, line
        elif line.server in survey.seen and survey.sighting_of(line) is None and _expected(line):
            yield Rule.LINE_WITHOUT_INSTANCE, line
        if survey.tenants is not None and (tenant is None or line.line not in tenant.lines):
            yield Rule.LINE_NOT_LISTED, line


def _expected(line: Instance) -> bool:
    is_elsewhere = line.state in ELSEWHERE and line.state is not State.MISSING
    return not is_elsewhere and line.reason is not Reason.DISCONNECTED


def _of_line(rule: Rule, line: Instance) -> Violation:
    return Violation(rule=rule, server=line.server, instance=line.name, tenant=line.tenant)


def _listed(survey: Survey) -> Iterator[Violation]:
    has = {line.key for line in survey.lines.values()}
    for tenant in (survey.tenants or {}).values():
        lost = sum(LineKey(tenant.tenant, line) not in has for line in tenant.lines)
        if lost:
            yield Violation(rule=Rule.LISTED_WITHOUT_LINE, tenant=tenant.tenant, count=lost)


def _numbers(survey: Survey) -> Iterator[Violation]:
    """Find numbers that are live on two lines, or claimed for a line that isn't there."""
    live = Counter(
        sighting.number
        for sightings in survey.seen.values()
        for sighting in sightings.values()
        if sighting.connection is Connection.OPEN and sighting.number
    )
    for line in survey.lines.values():
        sighting = survey.sighting_of(line)
        number = sighting.number if sighting and sighting.connection is Connection.OPEN else None
        twice = number is not None and live[number] > 1
        stolen = line.claimed and survey.owners.get(line.claimed, line.name) != line.name
        if twice or (stolen and line.state is State.OPEN and line.number == line.claimed):
            yield _of_line(Rule.NUMBER_ON_TWO_LINES, line)
    for owner in survey.owners.values():
        if owner not in survey.lines:
            yield Violation(rule=Rule.NUMBER_WITHOUT_LINE, instance=owner)


def _slots(survey: Survey) -> Iterator[Violation]:
    for server, count in misseated(survey).items():
        yield Violation(rule=Rule.SLOTS_WRONG, server=server, count=count)


def misseated(survey: Survey) -> dict[str, int]:
    """Count, by server, the lines without a slot and the slots of no line, or of a line twice."""
    wrong = {server: _misseated_on(server, survey) for server in sorted(survey.servers)}
    return {server: count for server, count in wrong.items() if count}


def _misseated_on(server: str, survey: Survey) -> int:
    seats = Counter(survey.seats.get(server, ()))
    lines = Counter(line.name for line in survey.lines.values() if line.server == server)
    strange = (seats - lines).items()
    freed = sum(count for name, count in strange if name not in survey.unreadable)
    return freed + (lines - seats).total()


def report(
    survey: Survey,
    keys: Mapping[InstanceName, LineKey],
    more: Iterable[Violation],
    now: AwareDatetime,
) -> Invariants:
    """Return the result to store and show: the counts, and the first violations."""
    violations = [*find_violations(survey, keys), *more]
    carried = sum(name in keys for sightings in survey.seen.values() for name in sightings)
    return Invariants(
        checked_at=now,
        instances=carried,
        lines=len(survey.lines),
        count=len(violations),
        by_rule=dict(Counter(violation.rule for violation in violations)),
        violations=tuple(violations[:SHOWN]),
        unseen=tuple(sorted(survey.silent)),
    )
