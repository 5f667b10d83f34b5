"""When nothing is deleted: whoever doesn't see the world whole doesn't take anything from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Before, Survey
from shared.domain.names import InstanceName

FEW = 2
"""So many may always go from one sweep to the next: of three tenants one is a third."""


class Why(StrEnum):
    """What is wrong with what a sweep saw."""

    TENANTS_FAILED = "tenants_failed"
    TENANTS_EMPTY = "tenants_empty"
    TENANTS_SHRANK = "tenants_shrank"
    CENSUS_FAILED = "census_failed"
    CENSUS_SHRANK = "census_shrank"


BLINDING = frozenset({Why.TENANTS_FAILED, Why.TENANTS_EMPTY, Why.TENANTS_SHRANK})
"""With these nobody is even suspected."""


@dataclass(frozen=True)
class Brake:
    """A reason to delete nothing; `server` if it is about one."""

    why: Why
    server: str | None = None
    before: int = 0
    now: int = 0


def find_brakes(survey: Survey, carried: Mapping[str, int], rules: Rules) -> tuple[Brake, ...]:
    """Every reason not to delete anything in this sweep."""
    failed = [Brake(Why.CENSUS_FAILED, server) for server in sorted(survey.silent)]
    return (*_of_tenants(survey, rules), *failed, *_of_censuses(survey.before, carried, rules))


def carried_by(survey: Survey, ours: Mapping[InstanceName, object]) -> dict[str, int]:
    """How many instances of ours each server that answered carries."""
    return {server: sum(name in ours for name in seen) for server, seen in survey.seen.items()}


def _of_tenants(survey: Survey, rules: Rules) -> list[Brake]:
    if survey.tenants is None:
        return [Brake(Why.TENANTS_FAILED)]
    if not survey.tenants:
        return [Brake(Why.TENANTS_EMPTY)]
    counts = (
        (survey.before.tenants, len(survey.tenants)),
        (survey.before.living, survey.living()),
    )
    return [
        Brake(Why.TENANTS_SHRANK, None, before, now)
        for before, now in counts
        if _shrank(before, now, rules)
    ][:1]


def _of_censuses(before: Before, carried: Mapping[str, int], rules: Rules) -> list[Brake]:
    return [
        Brake(Why.CENSUS_SHRANK, server, before.carried.get(server, 0), now)
        for server, now in sorted(carried.items())
        if _shrank(before.carried.get(server, 0), now, rules)
    ]


def _shrank(before: int, now: int, rules: Rules) -> bool:
    lost = before - now
    return lost > FEW and lost > before * rules.max_loss
