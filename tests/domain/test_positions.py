"""Where a message stands among the others of its second."""

from datetime import timedelta

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain import positions
from shared.domain.positions import ASKED, BEHIND_MS, STEP, ZONE_MS, follow, is_earlier, place
from tests.cases import in_each

SECOND = 1_795_302_085_000
HOUR = int(timedelta(hours=1).total_seconds() * 1000)
MINUTE = HOUR // 60

seconds = st.integers(min_value=1_000_000_000, max_value=2_147_483_647).map(lambda s: s * 1000)
lateness = st.integers(min_value=-BEHIND_MS, max_value=ZONE_MS - BEHIND_MS - 1)
zones = st.integers(min_value=-48, max_value=56).map(lambda quarters: quarters * ZONE_MS)


@given(seconds, st.none() | st.integers(min_value=0, max_value=2**53), st.integers(0, 10**7))
def test_position_stays_in_its_second(second, clock, index):
    position = place(second, clock, index)

    assert positions.second_of(position) == second
    assert second <= position < second + 1000


@given(seconds, lateness, lateness, zones)
def test_later_emission_stands_later(second, one, other, zone):
    assume(one < other)

    assert place(second, second + zone + one, 3) < place(second, second + zone + other)


@given(seconds, st.none() | lateness, st.integers(0, 10_000))
def test_list_order_is_kept(second, late, index):
    clock = None if late is None else second + late

    assert place(second, clock, index) < place(second, clock, index + 1)


@given(seconds, seconds, st.none() | st.integers(0, 2**53), st.none() | st.integers(0, 2**53))
def test_seconds_are_never_mixed(one, other, clock, other_clock):
    assume(one < other)

    assert place(one, clock, 99) < place(other, other_clock)


@in_each("late", [0, 59 * MINUTE, 3 * HOUR, -3 * HOUR, 29 * HOUR + 7 * MINUTE])
def test_burst_emitted_late_keeps_its_order(late):
    burst = [place(SECOND, SECOND + late + n) for n in range(100)]

    assert burst == sorted(set(burst))


@given(seconds, st.none() | lateness, st.integers(0, 10_000))
def test_divided_position_is_joined_again(second, late, index):
    position = place(second, None if late is None else second + late, index)

    assert positions.join(*positions.divide(position)) == position


def test_unknown_clock_stands_first():
    assert place(SECOND + 17, None) == SECOND


@in_each(
    ("position", "before", "following"),
    [
        (SECOND, None, SECOND),
        (SECOND, SECOND - 1, SECOND),
        (SECOND, SECOND, SECOND + STEP),
        (SECOND, SECOND + 5, SECOND + 5 + STEP),
        (SECOND + 7, SECOND + 5, SECOND + 7),
        (SECOND, SECOND + 1000, SECOND),
        (SECOND, SECOND + 1000 - STEP, SECOND + 1000 - STEP),
    ],
)
def test_missing_message_follows_its_neighbour(position, before, following):
    assert follow(position, before) == following


@in_each(
    ("clock", "decisive", "moves"),
    [
        (1, 2, True),
        (2, 2, False),
        (3, 2, False),
        (None, 2, False),
        (1, None, False),
        (None, None, False),
        (ASKED, 2, True),
        (ASKED, None, True),
        (1, ASKED, False),
    ],
)
def test_first_emitted_copy_decides(clock, decisive, moves):
    assert is_earlier(clock, decisive) == moves


@given(seconds, zones, st.integers(-BEHIND_MS, 29 * MINUTE))
def test_wall_clock_of_any_zone_tells_the_moment(moment, zone, delay):
    assume(zone % positions.HALF_AN_HOUR_MS == 0)

    assert positions.read_wall_clock(moment + zone, moment + delay) == moment


@in_each(("clock", "moment"), [(0, SECOND), (SECOND - 15 * HOUR, SECOND - 15 * HOUR)])
def test_clock_of_no_zone_is_taken_as_it_is(clock, moment):
    assert positions.read_wall_clock(clock, SECOND) == moment
