"""How fast a line may speak."""

from hypothesis import given
from hypothesis import strategies as st

from shared.domain import pacing
from shared.domain.pacing import Rate, Taken, TooFast, take

NOW = 1_795_302_085_000
RATE = pacing.per_minute(30, burst=5)


def test_full_bucket_gives_burst_then_singles():
    full_at, taken = 0, 0
    while isinstance(left := take(full_at, RATE, NOW), Taken):
        full_at, taken = left.full_at, taken + 1

    assert taken == 5
    assert left == TooFast(NOW + 2_000)
    assert take(full_at, RATE, NOW + 1_999) == TooFast(NOW + 2_000)
    assert isinstance(take(full_at, RATE, NOW + 2_000), Taken)


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(1, 3)), max_size=60))
def test_bucket_never_gives_more_than_allowed(steps: list[tuple[int, int]]):
    now, full_at, spent = NOW, 0, 0
    for pause, tokens in steps:
        now += pause
        match take(full_at, RATE, now, tokens):
            case Taken(left):
                full_at, spent = left, spent + tokens
            case TooFast(again_at):
                assert again_at > now
                assert isinstance(take(full_at, RATE, again_at, tokens), Taken) or tokens > 5

    assert spent <= RATE.burst + (now - NOW) / RATE.every_ms


def test_tokens_are_taken_all_or_none():
    assert take(0, RATE, NOW, 6) == TooFast(NOW + 2_000)
    assert take(0, RATE, NOW, 5) == Taken(NOW + 10_000)


def test_daily_rate_may_be_zero():
    assert pacing.per_day(50) == Rate(50, 1_728_000)
    assert isinstance(take(0, pacing.per_day(0), NOW), TooFast)
