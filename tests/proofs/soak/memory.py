"""Tell whether the memory of workers stays flat. Pure."""

from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from tests.proofs.soak.workers import Weight

WARM_AFTER = 120.0
"""Seconds in which a worker loads what it needs, and its caches fill; they don't count."""

SHORTEST = 480.0
"""Seconds that a life has to last, to tell anything."""

MOST_GROWTH = 0.1


class Growth(NamedTuple):
    """How much memory a worker held in the first and in the last quarter of its life (medians)."""

    seconds: float
    first_mib: float
    last_mib: float

    @property
    def is_flat(self) -> bool:
        """Tell whether it holds no more in the end than in the beginning, but for a tenth."""
        return self.last_mib <= self.first_mib * (1 + MOST_GROWTH)


def list_growth(weights: Iterable[Sequence[Weight]]) -> list[Growth]:
    """Compare the quarters of every worker that lived long enough, once it was warm."""
    return [_compare_quarters(life) for life in weights if _last(life) >= SHORTEST]


def _compare_quarters(life: Sequence[Weight]) -> Growth:
    warm = [weight for weight in life if weight.at - life[0].at >= WARM_AFTER]
    quarter = -(-len(warm) // 4)
    first, last = (
        median(weight.mib for weight in part) for part in (warm[:quarter], warm[-quarter:])
    )
    return Growth(_last(life), first, last)


def _last(life: Sequence[Weight]) -> float:
    return life[-1].at - life[0].at
