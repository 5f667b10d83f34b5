"""How full, until when, how much memory, and whose slots could be had back."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.fleet import capacity
from shared.domain.fleet.capacity import Census, Forecast, Slack, Standing
from shared.domain.instances import Instance, Reason, State
from shared.domain.upstream import Connection, Sighting
from tests.builders import NOON, a_line
from tests.cases import in_each
from tests.domain.fleet.worlds import DAY, GHOST, closed, fine, key, opened, seen, unpaired

TABLE = {100: 4.0, 500: 16.0, 1000: 32.0}


def a_census(**counted: Any) -> Census:
    return Census(**{"at": NOON, "limit": 10, **counted})


# How it stands -------------------------------------------------------------------------------


@in_each(
    ("sighting", "line", "quarantined", "standing"),
    [
        pytest.param(opened(), fine(), False, Standing.OPEN, id="open"),
        pytest.param(opened(), fine(), True, Standing.OPEN, id="open, whatever is said of it"),
        pytest.param(seen(), closed(), True, Standing.QUARANTINED, id="quarantined"),
        pytest.param(seen(), closed(), False, Standing.CLOSED, id="closed"),
        pytest.param(seen(), None, False, Standing.CLOSED, id="without a record"),
        pytest.param(seen(), unpaired(), False, Standing.NEVER_PAIRED, id="never paired"),
        pytest.param(
            seen(connection=Connection.CONNECTING),
            unpaired(),
            False,
            Standing.NEVER_PAIRED,
            id="given up, though the census says connecting",
        ),
        pytest.param(
            seen(connection=Connection.CONNECTING),
            a_line(State.PAIRING, reason=Reason.WAITING_FOR_SCAN),
            False,
            Standing.PAIRING,
            id="pairing",
        ),
        pytest.param(
            seen(connection=Connection.CONNECTING),
            closed(),
            False,
            Standing.PAIRING,
            id="paired once, and connecting",
        ),
        pytest.param(seen(number="1"), unpaired(), False, Standing.CLOSED, id="it has a number"),
    ],
)
def test_every_instance_stands_somehow(
    sighting: Sighting, line: Instance | None, quarantined: bool, standing: Standing
):
    assert capacity.standing_of(sighting, line, quarantined) is standing


def test_unclaimed_instance_counts_as_foreign():
    sightings = [opened(), seen("evo1"), seen(GHOST)]
    keys = {sighting.name: line_key for sighting in sightings if (line_key := key(sighting.name))}

    counted = capacity.count(sightings, {"instance_acme": fine()}, keys, frozenset({GHOST}))

    assert counted == {Standing.OPEN: 1, Standing.FOREIGN: 1, Standing.QUARANTINED: 1}


def test_reserved_and_occupied_slots_are_used():
    assert (a_census(reserved=4, open=2).used, a_census(reserved=1, closed=3).used) == (4, 3)
    assert (a_census(reserved=12).free, a_census(reserved=4, foreign=9).free) == (0, 6)


def test_server_with_zero_limit_is_full():
    assert a_census(limit=0).share == 1.0
    assert a_census(reserved=9).share == 0.9


# When it is full -----------------------------------------------------------------------------


def days(*used: int) -> list[tuple[int, int]]:
    return list(enumerate(used))


def test_steady_growth_is_forecast_exactly():
    forecast = capacity.forecast(days(*range(0, 20, 2)), 100)

    assert forecast.trend
    assert forecast.trend.a_day == 2
    assert (forecast.days, forecast.earliest, forecast.latest) == (41, 41, 41)


def test_unsteady_growth_has_a_range():
    forecast = capacity.forecast(days(10, 14, 11, 17, 15, 19, 17, 24, 20, 25), 50)

    assert forecast.days
    assert forecast.earliest
    assert forecast.latest
    assert forecast.earliest < forecast.days < forecast.latest


def test_no_growth_means_never_full():
    assert capacity.forecast(days(*[5] * 10), 10).days is None
    assert capacity.forecast(days(*range(20, 10, -1)), 30).days is None


def test_doubtful_growth_has_no_latest_day():
    forecast = capacity.forecast(days(10, 12, 9, 11, 10, 13, 10, 12, 11, 13), 100)

    assert (forecast.latest, forecast.days is not None) == (None, True)


def test_full_server_is_full_today():
    assert capacity.forecast(days(*range(10, 20)), 19).days == 0


def test_too_little_history_says_nothing():
    assert capacity.forecast(days(1, 2, 3, 4, 5, 6), 10) == Forecast()


def test_only_the_last_weeks_count():
    long_ago = [(day, 50) for day in range(30)]
    lately = [(day, 50 + day - 29) for day in range(30, 58)]

    forecast = capacity.forecast([*long_ago, *lately], 100)

    assert forecast.trend
    assert (forecast.trend.a_day, forecast.trend.days) == (1, 28)


@given(st.lists(st.integers(0, 5000), min_size=7, max_size=28), st.integers(0, 5000))
def test_forecast_lies_within_its_range(used: list[int], limit: int):
    forecast = capacity.forecast(days(*used), limit)

    for sooner, later in ((forecast.earliest, forecast.days), (forecast.days, forecast.latest)):
        assert later is None or (sooner is not None and sooner <= later)


# What it needs -------------------------------------------------------------------------------


@in_each(
    ("instances", "gigabytes"),
    [(0, 0.0), (50, 2.0), (100, 4.0), (300, 10.0), (500, 16.0), (1000, 32.0), (2000, 64.0)],
)
def test_memory_is_interpolated_from_the_table(instances: int, gigabytes: float):
    assert capacity.memory_gb(instances, TABLE) == gigabytes


def test_an_empty_table_says_nothing():
    assert capacity.memory_gb(100, {}) == 0.0


# Slots to have back --------------------------------------------------------------------------


def test_unused_slots_are_ranked_by_certainty():
    lines = [
        fine(),
        closed(tenant="out"),
        closed(tenant="older", closed_since=NOON - DAY),
        closed(tenant="lost", reason=Reason.CONNECTION_LOST),
        unpaired(tenant="shy"),
        unpaired(tenant="busy", held_by="somebody"),
        a_line(State.MISSING, tenant="missing"),
    ]

    slots = capacity.reclaimable(lines, NOON, 10)

    assert [(slot.tenant, slot.why) for slot in slots] == [
        ("shy", Slack.NEVER_PAIRED),
        ("older", Slack.LOGGED_OUT),
        ("out", Slack.LOGGED_OUT),
        ("lost", Slack.IDLE),
    ]
    assert len(capacity.reclaimable(lines, NOON + timedelta(hours=1), 2)) == 2
