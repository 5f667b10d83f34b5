"""Tell whether the memory of workers stays flat. Pure."""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import NamedTuple

from tests.proofs.soak.workers import Weight

MOST_GROWTH = 0.2
ROOM_MIB = 16.0
"""MiB that a worker may grow by in any case: caches fill, and the allocator keeps what it had."""


class Growth(NamedTuple):
    """How much memory a worker held in the first and in the last quarter of its life (medians)."""

    seconds: float
    first_mib: float
    last_mib: float

    @property
    def is_flat(self) -> bool:
        """Tell whether it holds no more in the end than in the beginning, but for some room."""
        return self.last_mib <= max(self.first_mib * (1 + MOST_GROWTH), self.first_mib + ROOM_MIB)


def list_growth(weights: Mapping[int, Sequence[Weight]], shortest: float) -> list[Growth]:
    """Compare the quarters of every worker that lived for so many seconds at least."""
    long_lives = (lives for lives in weights.values() if _last(lives) >= max(shortest, 1))
    return [_compare_quarters(life) for life in long_lives]


def _compare_quarters(life: Sequence[Weight]) -> Growth:
    quarter = -(-len(life) // 4)
    first, last = (
        median(weight.mib for weight in part) for part in (life[:quarter], life[-quarter:])
    )
    return Growth(_last(life), first, last)


def _last(life: Sequence[Weight]) -> float:
    return life[-1].at - life[0].at
