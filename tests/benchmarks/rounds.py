"""Measure several things in turn, in rounds: a slow moment of the machine meets all of a round."""

import statistics
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

from tests.benchmarks.load import Figures

Round = Mapping[str, Figures]
Result = TypeVar("Result")


async def measure_in_turn(
    measures: Mapping[str, Callable[[], Awaitable[Result]]], rounds: int
) -> list[dict[str, Result]]:
    """Return what each measure said, by its name, in each round."""
    return [{name: await measure() for name, measure in measures.items()} for _ in range(rounds)]


def find_middle(rounds: Sequence[Round], name: str) -> Figures:
    """Return the figures of the round in whose middle this rate is."""
    ordered = sorted((figures[name] for figures in rounds), key=lambda one: one.per_second)
    return ordered[len(ordered) // 2]


def compare_rates(rounds: Sequence[Round], name: str, other: str) -> float:
    """Return the middle of the rounds' ratios of two rates."""
    return statistics.median(one[name].per_second / one[other].per_second for one in rounds)
