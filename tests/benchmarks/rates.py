"""Find the highest rate that a handler bears, by trying some."""

from collections.abc import Sequence
from math import sqrt
from typing import NamedTuple

MOST_P50, MOST_P99 = 250.0, 1000.0
"""Milliseconds that half of all answers, and nearly all, may take."""

STEP = 1.25
"""By how much the rate changes while all trials ended alike."""

PRECISION = 1.06
"""How near the lowest rate that was too high is to the highest that wasn't, in the end."""


class Trial(NamedTuple):
    """A rate (webhooks a second), and whether all was answered in time and stored well."""

    rate: float
    passed: bool


def choose_rate(trials: Sequence[Trial], first: float) -> float | None:
    """Choose the rate to try next; None if the highest is known. The first one is given."""
    if not trials:
        return first
    best = find_best(trials)
    if best is None:
        return min(trial.rate for trial in trials) / STEP
    failed = min((trial.rate for trial in trials if trial.rate > best), default=None)
    if failed is None:
        return best * STEP
    return sqrt(best * failed) if failed / best > PRECISION else None


def find_best(trials: Sequence[Trial]) -> float | None:
    """Return the highest rate that passed, or None."""
    return max((trial.rate for trial in trials if trial.passed), default=None)


def is_in_time(p50: float, p99: float) -> bool:
    """Tell whether latencies (ms) are what a server that posts can live with."""
    return p50 <= MOST_P50 and p99 <= MOST_P99
