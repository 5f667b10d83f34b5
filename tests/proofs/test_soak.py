"""The soak, for as short as it may be; and that its judge sees what must not be."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from infra.local.emulator import Emulator
from tests.proofs.soak import soak
from tests.proofs.verdict import Evidence, judge

FINE = Evidence(
    written=frozenset({"W1", "W2", "W3"}),
    acknowledged=frozenset({"W1", "W2"}),
    stored=Counter({"W1": 1, "W2": 1, "S1": 1}),
    counts=((2, 2), (0, 0)),
    delivered=Counter({"S1": 1, "S2": 1}),
    outcomes={"S1": "sent", "S2": "uncertain", "S3": "failed", "S4": "unknown"},
)


def test_run_without_loss_is_good():
    verdict = judge(FINE)

    assert verdict.is_good
    assert (verdict.acknowledged, verdict.given_up, verdict.stored) == (2, 1, 3)
    assert (verdict.asked, verdict.sent, verdict.uncertain) == (4, 1, 1)


@pytest.mark.parametrize(
    ("count", "happened"),
    [
        ("lost", {"stored": Counter({"W1": 1, "S1": 1})}),
        ("lost", {"stored": Counter({"W1": 1, "W2": 1})}),
        ("lost", {"counts": ((1, 2),)}),
        ("lost", {"delivered": Counter({"S2": 1})}),
        ("doubled", {"stored": Counter({"W1": 2, "W2": 1, "S1": 1})}),
        ("doubled", {"counts": ((3, 2),)}),
        ("delivered_twice", {"delivered": Counter({"S1": 2})}),
        ("delivered_twice", {"delivered": Counter({"S1": 1, "S2": 2})}),
        ("denied", {"delivered": Counter({"S1": 1, "S3": 1})}),
        ("denied", {"delivered": Counter({"S1": 1, "S4": 1})}),
    ],
)
def test_broken_promise_is_counted(count: str, happened: dict[str, object]):
    verdict = judge(replace(FINE, **happened))

    assert getattr(verdict, count) == 1
    assert not verdict.is_good


@pytest.mark.parametrize(
    "happened",
    [
        {"acknowledged": frozenset(), "stored": Counter({"S1": 1}), "counts": ()},
        {"outcomes": {"S2": "uncertain"}, "stored": Counter({"W1": 1, "W2": 1})},
    ],
    ids=["nothing acknowledged", "nothing sent"],
)
def test_empty_run_proves_nothing(happened: dict[str, object]):
    assert not judge(replace(FINE, **happened)).is_good


async def test_soak_of_a_few_seconds(database: Emulator, tmp_path: Path):
    verdict, happened = await soak(tmp_path, database, seconds=3, seed=1)

    assert verdict.is_good, verdict
    assert {"killed", "stood still", "failed"} <= happened.keys()
