"""The one plan of a sweep: a pure value, so that a dry run is free and a person sees it first."""

from collections import Counter
from collections.abc import Iterable, Mapping, Set
from datetime import datetime

from msgspec import Struct, field
from msgspec.structs import replace

from shared.domain.fleet import brakes, findings, repairs
from shared.domain.fleet.brakes import BLINDING, DOUBTING, Brake
from shared.domain.fleet.candidates import (
    UNCLAIMED,
    Candidate,
    Clear,
    Delete,
    Finding,
    Move,
    Quarantine,
    Refresh,
    Stage,
    Suspect,
    decide_move,
)
from shared.domain.fleet.repairs import Repair
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Before, Survey
from shared.domain.names import InstanceName, LineKey


class Plan(Struct, frozen=True):
    """What a sweep is going to do, and what it sees that forbids more."""

    suspect: tuple[Candidate, ...] = ()
    quarantine: tuple[Candidate, ...] = ()
    refresh: tuple[Candidate, ...] = ()
    clear: tuple[Candidate, ...] = ()
    delete: tuple[Candidate, ...] = ()
    held_back: int = 0
    """Deletions that are due, and wait: there are brakes, or too many for one sweep."""
    repairs: tuple[Repair, ...] = ()
    awaited: Mapping[str, int] = field(default_factory=dict)
    """By server: instances in quarantine that no line claims, and that a person has to decide."""
    brakes: tuple[Brake, ...] = ()
    """Those that doubt only stop what no operator approved."""
    keys: dict[InstanceName, LineKey] = field(default_factory=dict)
    before: Before = field(default_factory=Before)
    """What the next sweep compares with."""

    @property
    def braked(self) -> bool:
        """Tell whether nothing may be deleted, nor learned from what the sweep saw."""
        return any(brake.why not in DOUBTING for brake in self.brakes)


def plan_orphans(survey: Survey, prefix: str, rules: Rules, run: str, now: datetime) -> Plan:
    """Compare what lines claim with what servers carry, and both with what was found before.

    An unclaimed instance is only suspected the first time. With brakes nothing is deleted; when
    it is the tenants that can't be believed, nothing is even suspected. Where too many instances
    are unclaimed, a person has to approve each.
    """
    keys = findings.ours(survey, prefix)
    carried = brakes.carried_by(survey, keys)
    braked = brakes.find_brakes(survey, carried, rules)
    blind = any(brake.why in BLINDING for brake in braked)
    charges = {} if blind else findings.find_all(survey, keys, rules, now)
    doubts = brakes.find_doubts(survey, charges.values(), carried, rules)
    charges = dict(_doubted(charges, {brake.server for brake in doubts}))
    moves = [] if blind else list(_moves(survey, charges, rules, run, now))
    due = sorted(_of(Delete, moves), key=lambda each: (each.suspected_at, each.id))
    allowed = due[: 0 if braked else rules.max_deletes]
    snapshot = Before(len(survey.tenants or {}), survey.living(), carried)
    return Plan(
        suspect=_of(Suspect, moves),
        quarantine=_of(Quarantine, moves),
        refresh=_of(Refresh, moves),
        clear=_of(Clear, moves),
        delete=tuple(allowed),
        held_back=len(due) - len(allowed),
        repairs=tuple(repairs.find_repairs(survey, now)),
        awaited=_awaited(survey.candidates, moves),
        brakes=(*braked, *doubts),
        keys=keys,
        before=survey.before if braked else snapshot,
    )


def _doubted(found: dict[str, Finding], servers: Set[str | None]) -> Iterable[tuple[str, Finding]]:
    """Mark findings as doubtful on servers where unclaimed instances may be wanted."""
    for name, finding in found.items():
        unsure = finding.server in servers and finding.cause in UNCLAIMED
        yield name, replace(finding, doubtful=True) if unsure else finding


def _moves(
    survey: Survey, charges: dict[str, Finding], rules: Rules, run: str, now: datetime
) -> Iterable[Move]:
    """Leave out what belongs to servers that did not answer."""
    readable = {
        name: candidate
        for name, candidate in survey.candidates.items()
        if candidate.server not in survey.silent
    }
    for name in sorted(charges.keys() | readable.keys()):
        yield decide_move(charges.get(name), readable.get(name), rules, run, now)


def _awaited(known: Mapping[str, Candidate], moves: Iterable[Move]) -> dict[str, int]:
    after = dict(known)
    for move in moves:
        match move:
            case Clear(candidate):
                after.pop(candidate.id, None)
            case Suspect(candidate) | Quarantine(candidate) | Refresh(candidate):
                after[candidate.id] = candidate
            case _:
                pass
    return Counter(candidate.server for candidate in after.values() if awaits_person(candidate))


def awaits_person(candidate: Candidate) -> bool:
    """Tell whether a person has to decide on an instance in quarantine that no line claims."""
    is_unclaimed = candidate.stage is Stage.QUARANTINED and candidate.cause in UNCLAIMED
    return is_unclaimed and candidate.awaits_approval


def _of(kind: type, moves: Iterable[Move]) -> tuple[Candidate, ...]:
    return tuple(move.candidate for move in moves if isinstance(move, kind))  # type: ignore[union-attr]
