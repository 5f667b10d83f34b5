"""How events and numbers move an instance, whatever their order."""

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from shared.domain import connecting, events
from shared.domain.connecting import (
    Bind,
    Conflict,
    decide_number,
)
from shared.domain.events import ConnectionEvent
from shared.domain.instances import Instance, Reason, State, epoch_ms
from tests.builders import LATER, NOON, NUMBER, a_code, a_line, code_shown
from tests.cases import in_each

OTHER = "5511999990002"
MOVES: dict[str, ConnectionEvent] = {
    "opened": events.Opened(NUMBER),
    "opened with another number": events.Opened(OTHER),
    "opened with some number": events.Opened(None),
    "logged out": events.LoggedOut(),
    "banned": events.Banned(),
    "lost": events.ConnectionLost(),
    "a code": code_shown("2@a"),
    "another code": code_shown("2@b"),
    "no more codes": events.CodesExhausted(),
    "removed": events.Removed(),
}
SAID = st.sampled_from(list(MOVES.values()))
every_move = in_each("event", MOVES.values(), ids=MOVES.keys())
Told = tuple[int, ConnectionEvent]


def after(line: Instance, *arrivals: Told) -> Instance:
    """The record after these events arrived, in this order."""
    for at, event in arrivals:
        line = decide_event(line, event, at, LATER) or line
    return line


@in_each(
    ("event", "state", "reason"),
    [
        pytest.param(events.Opened(NUMBER), State.OPEN, None, id="opened"),
        pytest.param(events.LoggedOut(), State.CLOSED, Reason.LOGGED_OUT, id="logged out"),
        pytest.param(events.Banned(), State.CLOSED, Reason.BANNED, id="banned"),
        pytest.param(events.ConnectionLost(), State.CLOSED, Reason.CONNECTION_LOST, id="lost"),
        pytest.param(events.CodesExhausted(), State.CLOSED, Reason.QR_LIMIT, id="no more codes"),
        pytest.param(events.Removed(), State.MISSING, Reason.VANISHED, id="removed"),
    ],
)
def test_event_moves_line_and_drops_code(event: ConnectionEvent, state: State, reason: Any):
    moved = decide_event(a_line(State.PAIRING, code=a_code()), event, 1, LATER)

    assert moved
    assert (moved.state, moved.reason, moved.code) == (state, reason, None)
    assert (moved.since, moved.heard_at) == (LATER, 1)


def test_line_opens_with_paired_number():
    moved = decide_event(a_line(number=OTHER), events.Opened(NUMBER), 1, NOON)

    assert moved
    assert moved.number == NUMBER


def test_opening_without_number_keeps_known_one():
    moved = decide_event(a_line(number=NUMBER), events.Opened(None), 1, NOON)

    assert moved
    assert moved.number == NUMBER


def test_code_is_there_to_be_scanned():
    moved = decide_event(a_line(), code_shown("2@a"), 1, LATER)

    assert moved
    assert (moved.state, moved.reason) == (State.PAIRING, Reason.WAITING_FOR_SCAN)
    assert moved.code == a_code("2@a", born=LATER)


def test_the_next_code_replaces_it():
    moved = decide_event(a_line(State.PAIRING, code=a_code("2@a")), code_shown("2@b"), 1, LATER)

    assert moved
    assert moved.code == a_code("2@b", born=LATER)


def test_repeated_code_keeps_its_expiry():
    moved = decide_event(a_line(code=a_code("2@a")), code_shown("2@a"), 1, LATER)

    assert moved
    assert moved.code == a_code("2@a", born=NOON)


def test_repeated_code_keeps_its_typed_code():
    typed = a_code("2@a", pairing_code="ABCD1234")

    moved = decide_event(a_line(code=typed), code_shown("2@a"), 1, LATER)

    assert moved
    assert moved.code == typed


def test_opened_line_is_no_longer_spoiled():
    moved = decide_event(a_line(spoiled=True), events.Opened(NUMBER), 1, NOON)

    assert moved
    assert not moved.spoiled


@every_move
def test_older_event_is_ignored(event: ConnectionEvent):
    if isinstance(event, events.Removed):
        return  # it is final

    assert decide_event(a_line(heard_at=100), event, 99, LATER) is None


@every_move
def test_event_undoes_no_release(event: ConnectionEvent):
    assert decide_event(a_line(State.RELEASING), event, 99_999, LATER) is None


@every_move
def test_repeated_event_changes_nothing(event: ConnectionEvent):
    once = decide_event(a_line(number=NUMBER), event, 100_000, NOON)

    assert once
    assert decide_event(once, event, 100_000, LATER) is None


def test_simultaneous_events_both_count():
    opened = a_line(open=True, heard_at=100)

    moved = decide_event(opened, events.LoggedOut(), 100, LATER)

    assert moved
    assert moved.state is State.CLOSED


def test_unchanged_line_costs_no_write():
    line = a_line(open=True, heard_at=100)

    assert decide_event(line, events.Opened(NUMBER), 10**9, LATER) is None


def decide_event(line: Instance, event: ConnectionEvent, at: int, now: Any) -> Instance | None:
    """Decide what an event of the line's own instance makes of it."""
    return connecting.decide_event(line, event, line.born, at, now)


# Any order, any number of times (P5) ---------------------------------------------------------


@st.composite
def a_muddle(draw: st.DrawFn) -> tuple[list[Told], list[Told]]:
    """Events as they happened, each changing something, and as they arrived."""
    happened = list(enumerate(draw(st.lists(SAID, min_size=1, max_size=6)), start=1))
    assume(all(type(a[1]) is not type(b[1]) for a, b in pairwise(happened)))
    again = draw(st.lists(st.sampled_from(happened), max_size=4))
    return happened, draw(st.permutations(happened + again))


LINES = st.sampled_from(
    [a_line(), a_line(open=True), a_line(State.CREATING), a_line(State.PAIRING, code=a_code())]
)


@given(a_muddle(), LINES)
def test_repeated_events_end_the_same(muddle: Any, line: Instance):
    happened, arrived = muddle
    in_order = sorted(arrived, key=lambda event: event[0])

    assert after(line, *in_order) == after(line, *happened)


@given(st.lists(st.tuples(st.integers(0, 10**6), SAID), max_size=8), LINES)
def test_a_line_never_hears_backwards(arrivals: list[Told], line: Instance):
    times = [line.heard_at]
    for event in arrivals:
        line = after(line, event)
        times.append(line.heard_at)

    assert times == sorted(times)


def qr(line: Instance) -> str | None:
    return line.code.qr if line.code else None


# Whose a number is (P11) ---------------------------------------------------------------------


def opened_from(before: Instance, number: str = NUMBER) -> Instance:
    return before.with_state(State.OPEN, None, LATER, number=number, heard_at=7)


def claiming(opened: Instance) -> Instance:
    return opened.model_copy(update={"claimed": opened.number, "claimed_at": LATER})


def test_free_number_is_bound():
    opened = opened_from(before := a_line())

    assert decide_number(before, opened, None, LATER) == Bind(claiming(opened), free=None)


def test_number_line_has_stays_lines():
    opened = opened_from(before := a_line(number=NUMBER, claimed=NUMBER, claimed_at=NOON))

    assert decide_number(before, opened, opened, LATER) == Bind(opened, free=None)


def test_changed_number_frees_the_old_one():
    opened = opened_from(before := a_line(number=OTHER, claimed=OTHER))

    assert decide_number(before, opened, None, LATER) == Bind(claiming(opened), free=OTHER)


def test_number_in_use_is_refused():
    owner = a_line(open=True, tenant="other")
    before = a_line(State.PAIRING, code=a_code())

    refused = decide_number(before, opened_from(before), owner, LATER)

    change = {"number": NUMBER, "heard_at": 7, "code": None}
    conflict = before.with_state(State.CONFLICT, Reason.NUMBER_IN_USE, LATER, **change)
    assert refused == Conflict(conflict)


def test_tenants_second_line_conflicts_too():
    owner, before = a_line(open=True), a_line(line="vendas")

    assert isinstance(decide_number(before, opened_from(before), owner, LATER), Conflict)


@in_each(
    "owner",
    [
        *[
            pytest.param(a_line(state, tenant="other", number=NUMBER), id=state)
            for state in State
            if state is not State.OPEN
        ],
        pytest.param(a_line(open=True, tenant="other", number=OTHER), id="open with another"),
    ],
)
def test_inactive_owner_gives_way(owner: Instance):
    opened = opened_from(before := a_line())

    assert decide_number(before, opened, owner, LATER) == Bind(claiming(opened), free=None)


def test_open_owner_without_number_keeps_it():
    owner, before = a_line(open=True, tenant="other", number=None), a_line()

    assert isinstance(decide_number(before, opened_from(before), owner, LATER), Conflict)


# What is over --------------------------------------------------------------------------------


def test_earlier_instance_of_name_says_nothing():
    line = a_line(State.PAIRING)

    moved = connecting.decide_event(line, events.Opened(NUMBER), line.born - 1, 9, LATER)

    assert moved is None


@in_each(
    "line",
    [a_line(State.RELEASING, reason=Reason.RELEASE_ASKED), a_line(reason=Reason.DISCONNECTED)],
    ids=["leaving", "disconnected"],
)
def test_released_line_ignores_events(line: Instance):
    assert decide_event(line, events.Opened(NUMBER), 9, LATER) is None


def test_clock_set_back_is_tolerated():
    at = 10**9
    line = a_line(open=True, heard_at=at)

    late = decide_event(line, events.LoggedOut(), at - connecting.LONGEST_RETRY_MS, LATER)
    news = decide_event(line, events.LoggedOut(), at - connecting.LONGEST_RETRY_MS - 1, LATER)

    assert late is None
    assert news
    assert news.state is State.CLOSED


def test_far_future_event_blocks_no_other():
    far = decide_event(a_line(), events.Opened(NUMBER), 10**15, NOON)

    assert far
    assert decide_event(far, events.LoggedOut(), epoch_ms(NOON), NOON)
