"""Decide when nothing is deleted: a sweep that doesn't see all deletes nothing."""

from collections import Counter
from collections.abc import Iterable, Mapping
from enum import StrEnum

from msgspec import Struct

from shared.domain.fleet.candidates import UNCLAIMED, Finding, Stage
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Before, Survey
from shared.domain.names import InstanceName

FEW = 2
"""So many may always go from one sweep to the next: of three clients one is a third."""

STRAYS = 3
"""So many on one server may always be unclaimed."""


class Why(StrEnum):
    """What is wrong with what a sweep saw."""

    TENANTS_FAILED = "tenants_failed"
    TENANTS_EMPTY = "tenants_empty"
    TENANTS_SHRANK = "tenants_shrank"
    CENSUS_FAILED = "census_failed"
    CENSUS_SHRANK = "census_shrank"
    SERVERS_ALIKE = "servers_alike"
    """Two of our servers carry the same instance: they are one server under two names."""
    FORGOTTEN = "forgotten"
    """What the last sweep saw can't be read, so there is nothing to compare with."""
    MANY_UNCLAIMED = "many_unclaimed"
    """Rather our records are lost than so many instances left over."""


BLINDING = frozenset({Why.TENANTS_FAILED, Why.TENANTS_EMPTY, Why.TENANTS_SHRANK})
"""With these, nothing is even suspected."""

DOUBTING = frozenset({Why.MANY_UNCLAIMED})
"""With these a person has to approve; what is approved goes."""


class Brake(Struct, frozen=True):
    """A reason to delete nothing; `server` if it is about one."""

    why: Why
    server: str | None = None
    before: int = 0
    now: int = 0


def find_brakes(survey: Survey, carried: Mapping[str, int], rules: Rules) -> tuple[Brake, ...]:
    """List every reason not to delete anything in this sweep."""
    failed = [Brake(Why.CENSUS_FAILED, server) for server in sorted(survey.silent)]
    shrunk = _of_censuses(survey.before, carried, rules)
    forgotten = [Brake(Why.FORGOTTEN)] if survey.before.forgotten else []
    return (*_of_tenants(survey, rules), *failed, *shrunk, *_alike(survey), *forgotten)


def find_doubts(
    survey: Survey, found: Iterable[Finding], carried: Mapping[str, int], rules: Rules
) -> tuple[Brake, ...]:
    """Find servers on which too many instances of ours are unclaimed: this needs no history.

    What a person keeps is known, and doesn't count.
    """
    kept_ids = {
        candidate.id for candidate in survey.candidates.values() if candidate.stage is Stage.KEPT
    }
    strays = Counter(
        candidate.server
        for candidate in found
        if candidate.cause in UNCLAIMED and candidate.id not in kept_ids
    )
    return tuple(
        Brake(Why.MANY_UNCLAIMED, server, carried[server], count)
        for server, count in sorted(strays.items())
        if count > STRAYS and count > carried[server] * rules.max_loss
    )


def carried_by(survey: Survey, ours: Mapping[InstanceName, object]) -> dict[str, int]:
    """Count the instances of ours on each server that answered."""
    return {
        server: sum(name in ours for name in sightings) for server, sightings in survey.seen.items()
    }


def _of_tenants(survey: Survey, rules: Rules) -> list[Brake]:
    if survey.tenants is None:
        return [Brake(Why.TENANTS_FAILED)]
    if not survey.tenants:
        return [Brake(Why.TENANTS_EMPTY)]
    tenant_count, living = len(survey.tenants), survey.living()
    if _lost(survey.before.tenants, tenant_count, rules):
        return [Brake(Why.TENANTS_SHRANK, None, survey.before.tenants, tenant_count)]
    if _shrank(survey.before.living, living, rules) or survey.before.living > living == 0:
        return [Brake(Why.TENANTS_SHRANK, None, survey.before.living, living)]
    return []


def _alike(survey: Survey) -> list[Brake]:
    """Compare what they call their instances; a copied database makes two alike, too."""
    first_servers: dict[str, str] = {}
    twice = {
        server
        for server, sightings in sorted(survey.seen.items())
        for sighting in sightings.values()
        if sighting.uid and first_servers.setdefault(sighting.uid, server) != server
    }
    return [Brake(Why.SERVERS_ALIKE, server) for server in sorted(twice)]


def _of_censuses(before: Before, carried: Mapping[str, int], rules: Rules) -> list[Brake]:
    return [
        Brake(Why.CENSUS_SHRANK, server, before.carried.get(server, 0), now)
        for server, now in sorted(carried.items())
        if _shrank(before.carried.get(server, 0), now, rules)
    ]


def _shrank(before: int, now: int, rules: Rules) -> bool:
    return before - now > FEW and _lost(before, now, rules)


def _lost(before: int, now: int, rules: Rules) -> bool:
    """Tell whether too many are lost: no tenant's record is ever deleted, so a few are many."""
    return before - now > before * rules.max_loss
