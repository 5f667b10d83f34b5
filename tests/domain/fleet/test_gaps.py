"""From when on a line's messages are looked at, and under which number."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.fleet import gaps
from shared.domain.fleet.gaps import LONGEST, OVERLAP, Window
from shared.domain.instances import Instance, State, epoch_ms
from tests.builders import LATER, NOON, NUMBER, a_line
from tests.cases import in_each
from tests.domain.fleet.worlds import closed

DAYS = NOON + timedelta(days=3)


def a_live_one(**more: Any) -> Instance:
    """Paired at noon, and looked at until later."""
    mark = {"heard_until": epoch_ms(LATER + OVERLAP), "heard_number": NUMBER}
    return a_line(open=True, **{"claimed_at": NOON, **mark, **more})


def since(line: Instance, now: Any = DAYS) -> Any:
    window = gaps.window_of(line, now)
    return window and window.since


def test_window_continues_with_overlap():
    assert gaps.window_of(a_live_one(), DAYS) == Window(epoch_ms(LATER), epoch_ms(DAYS), NUMBER)


def test_window_starts_at_number_claim():
    assert since(a_live_one(heard_until=0)) == epoch_ms(NOON)
    assert since(a_live_one(claimed_at=DAYS)) == epoch_ms(DAYS)


def test_undated_claim_counts_from_opening():
    assert since(a_live_one(claimed_at=None, heard_until=0, since=LATER)) == epoch_ms(LATER)


def test_first_window_has_a_longest_length():
    late = NOON + LONGEST + timedelta(days=1)

    assert since(a_live_one(heard_number=None), late) == epoch_ms(late - LONGEST)


def test_new_number_starts_at_its_claim():
    assert since(a_live_one(heard_number="1", claimed_at=LATER)) == epoch_ms(LATER)


@in_each(
    "line",
    [
        pytest.param(a_live_one(number=None), id="no number"),
        pytest.param(a_line(State.CONFLICT, number=NUMBER), id="another's number"),
        pytest.param(a_line(State.RELEASING, number=NUMBER), id="being released"),
        pytest.param(
            closed(heard_number=NUMBER, heard_until=epoch_ms(DAYS)), id="closed since before"
        ),
    ],
)
def test_line_without_gap_has_no_window(line: Instance):
    assert gaps.window_of(line, DAYS) is None


def test_recently_closed_line_has_a_window():
    mark = {"heard_number": NUMBER, "heard_until": epoch_ms(NOON)}

    assert gaps.window_of(closed(closed_since=LATER, **mark), DAYS)


def test_reopened_line_came_back():
    assert gaps.came_back(a_live_one(since=DAYS), DAYS)
    assert not gaps.came_back(a_live_one(), DAYS)
    assert not gaps.came_back(closed(since=DAYS), DAYS)


def test_future_mark_is_ignored():
    ahead = a_live_one(heard_until=epoch_ms(DAYS + timedelta(days=1)))

    noted = gaps.note_window(ahead, Window(0, epoch_ms(DAYS), NUMBER), epoch_ms(DAYS))

    assert since(ahead) == epoch_ms(NOON)
    assert gaps.came_back(ahead, DAYS)
    assert noted
    assert noted.heard_until == epoch_ms(DAYS)


def test_known_window_only_grows():
    window = Window(0, epoch_ms(DAYS), NUMBER)
    line = a_live_one()

    later = gaps.note_window(line, window, line.heard_until + 5)
    earlier = gaps.note_window(line, window, 5)

    assert later
    assert earlier
    assert (later.heard_until, earlier.heard_until) == (line.heard_until + 5, line.heard_until)


def test_another_number_begins_anew():
    first = gaps.note_window(a_live_one(heard_number="1"), Window(0, 1, NUMBER), 5)

    assert first
    assert (first.heard_until, first.heard_number) == (5, NUMBER)


def test_window_of_another_number_is_ignored():
    assert gaps.note_window(a_live_one(), Window(0, 1, "1"), 5) is None


def test_unfinished_window_resumes_exactly():
    newest = epoch_ms(LATER)

    assert since(a_live_one(heard_until=gaps.resumed_at(newest))) == newest


# What may be lost ----------------------------------------------------------------------------


def an_outage(since: Any, until: Any) -> gaps.Outage:
    return gaps.Outage(since=epoch_ms(since), until=epoch_ms(until))


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("outage", "counts"),
    [
        pytest.param(an_outage(DAYS - HOUR, DAYS), True, id="just now"),
        pytest.param(an_outage(NOON - HOUR, DAYS - HOUR), True, id="begun before the last look"),
        pytest.param(an_outage(NOON, LATER), False, id="looked at since"),
        pytest.param(an_outage(DAYS + HOUR, DAYS + 2 * HOUR), False, id="after what is looked at"),
    ],
)
def test_outage_counts_until_looked_at(outage: gaps.Outage, counts: bool):
    line = a_live_one()
    window = gaps.window_of(line, DAYS)

    assert window
    assert gaps.outage_in(window, line, [outage]) == (outage.since if counts else None)


def test_another_number_makes_outage_count():
    line = a_live_one(heard_number="1")
    window, outage = gaps.window_of(line, DAYS), an_outage(NOON, LATER)

    assert window
    assert gaps.outage_in(window, line, [outage]) == outage.since


def test_unknown_start_may_be_a_restart():
    assert not gaps.ran_through(None, 5_000)
    assert not gaps.ran_through(6_000, 5_000)
    assert gaps.ran_through(5_999, 5_000)


def test_doubts_add_up_and_are_forgotten():
    old = {"a": gaps.Doubt(lines=1, at=NOON), "b": gaps.Doubt(lines=2, at=DAYS)}
    now = NOON + gaps.DOUBT_SHOWN

    added = gaps.add_doubts(old, {"b": 3, "c": 1}, now)

    assert {server: doubt.lines for server, doubt in added.items()} == {"b": 5, "c": 1}
