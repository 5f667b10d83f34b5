"""What has to be done upstream to make a line live, or to let it go."""

from datetime import datetime
from typing import Any

import pytest

from shared.domain import steps
from shared.domain.instances import FOUND_CODE_LIFETIME, Code, Reason, State
from shared.domain.upstream import Connected, Connection, NoCode
from tests.builders import CODE_EXPIRY, FINGERPRINT, LATER, NOON, a_code, a_line, a_scan
from tests.cases import in_each

SETTLED = [State.PAIRING, State.OPEN, State.CLOSED, State.CONFLICT, State.MISSING]


def step(
    line: Any, connection: Connection | None, now: datetime = NOON, by_number: bool = False
) -> steps.Step:
    return steps.decide_step(line, connection, now, by_number=by_number, mark=FINGERPRINT)


@in_each("state", SETTLED)
def test_lost_instance_is_made_again(state: State):
    assert step(line := a_line(state), None) == steps.Heal(line)


def test_an_open_line_is_ready():
    assert step(line := a_line(open=True), Connection.OPEN) == steps.Ready(line)


def test_open_line_is_ready_by_number():
    line = a_line(open=True)

    assert step(line, Connection.OPEN, by_number=True) == steps.Ready(line)


@in_each("state", [State.PAIRING, State.CLOSED, State.MISSING])
def test_late_record_opens_without_number(state: State):
    line = a_line(state, number="5511999990009", code=a_code(), reason=Reason.LOGGED_OUT)

    noted = step(line, Connection.OPEN, LATER)

    change = {"number": None, "last_number": "5511999990009", "code": None}
    assert noted == steps.Note(line.with_state(State.OPEN, None, LATER, **change))


def test_connected_conflict_contests_its_number():
    assert step(line := a_line(State.CONFLICT), Connection.OPEN) == steps.Contest(line)


def test_valid_code_is_shown_again():
    line = a_line(State.PAIRING, code=a_code())

    assert step(line, Connection.CONNECTING) == steps.Ready(line)


def test_expired_code_is_asked_for_again():
    line = a_line(State.PAIRING, code=a_code())

    assert step(line, Connection.CONNECTING, CODE_EXPIRY) == steps.AskForCode(line)


@in_each("state", [State.OPEN, State.CLOSED, State.CONFLICT, State.MISSING])
def test_connecting_instance_is_asked_for_code(state: State):
    line = a_line(state, code=a_code())

    assert step(line, Connection.CONNECTING) == steps.AskForCode(line)


def test_typed_code_is_shown_again():
    line = a_line(State.PAIRING, code=a_code(pairing_code="ABCD1234"))

    assert step(line, Connection.CONNECTING, by_number=True) == steps.Ready(line)


def test_typed_code_replaces_shown_scan_code():
    line = a_line(State.PAIRING, code=a_code())

    assert step(line, Connection.CONNECTING, by_number=True) == steps.Renew(line)


@in_each(
    "code",
    [
        pytest.param(None, id="no code"),
        pytest.param(a_code(born=NOON - (LATER - NOON)), id="an old one"),
    ],
)
@in_each("state", SETTLED)
def test_no_shown_code_prevents_renewal(state: State, code: Code | None):
    line = a_line(state, code=code)

    assert step(line, Connection.CONNECTING, by_number=True) == steps.AskForCode(line)


def test_outdated_configuration_is_renewed():
    line = a_line(open=True, configured="as we wanted it before")

    assert step(line, Connection.OPEN) == steps.Configure(line)


def test_reconnecting_paired_line_is_not_renewed():
    line = a_line(open=True)

    assert step(line, Connection.CONNECTING, by_number=True) == steps.AskForCode(line)


@in_each("connection", [Connection.CLOSED, Connection.UNKNOWN])
def test_a_closed_instance_is_started(connection: Connection):
    line = a_line(code=a_code())

    assert step(line, connection, LATER) == steps.Reconnect(line)


def test_unused_typed_code_renews_the_line():
    line = a_line(spoiled=True, reason=Reason.QR_LIMIT)

    assert step(line, Connection.CLOSED) == steps.Renew(line)


@in_each("reason", [Reason.CONNECTION_LOST, Reason.LOGGED_OUT, None])
def test_possibly_paired_line_is_not_renewed(reason: Reason):
    line = a_line(spoiled=True, reason=reason)

    assert step(line, Connection.CLOSED) == steps.Reconnect(line)


def test_expired_typed_code_renews_the_line():
    typed = steps.decide_started(a_line(), a_scan(pairing_code="ABCD1234"), NOON)
    closed = typed.with_state(State.CLOSED, Reason.QR_LIMIT, LATER, code=None)

    assert step(closed, Connection.CLOSED, LATER) == steps.Renew(closed)


def test_connected_line_is_not_spoiled():
    assert not steps.decide_started(a_line(spoiled=True), Connected(), NOON).spoiled


# Leaving -------------------------------------------------------------------------------------


@in_each("reason", [Reason.RELEASE_ASKED, Reason.DISCONNECT_ASKED])
@in_each("state", SETTLED)
def test_line_that_leaves_says_so_first(state: State, reason: Reason):
    line = a_line(state, code=a_code(), number="1")

    leaving = steps.decide_leaving(line, reason, LATER)

    assert leaving == steps.Leaving(line.with_state(State.RELEASING, reason, LATER, code=None))


def test_a_disconnected_line_is_disconnected_already():
    line = a_line(reason=Reason.DISCONNECTED)

    assert steps.decide_leaving(line, Reason.DISCONNECT_ASKED, NOON) == steps.Ready(line)


def test_disconnected_line_can_still_be_released():
    line = a_line(reason=Reason.DISCONNECTED)

    leaving = steps.decide_leaving(line, Reason.RELEASE_ASKED, NOON)

    assert leaving.instance.reason is Reason.RELEASE_ASKED


def test_begun_release_stays_a_release():
    line = a_line(State.RELEASING, reason=Reason.RELEASE_ASKED)

    assert steps.decide_leaving(line, Reason.DISCONNECT_ASKED, LATER) == steps.Leaving(line)


def test_removal_waits_a_day_for_files():
    leaving = a_line(State.RELEASING, since=NOON)

    assert steps.must_await_files(leaving, NOON + steps.FILES_PATIENCE / 2)
    assert not steps.must_await_files(leaving, NOON + steps.FILES_PATIENCE)
    assert not steps.must_await_files(a_line(State.RELEASING, without_media=True), NOON)


def test_what_is_awaited_ends_with_the_removal():
    leaving = steps.decide_awaiting_files(a_line(State.RELEASING, without_media=True), 3)

    assert leaving.media_awaited == 3
    assert steps.decide_removing(leaving, NOON).media_awaited == 0
    closed = steps.disconnected(leaving, NOON)
    assert (closed.media_awaited, closed.without_media) == (0, False)


# What a code means ---------------------------------------------------------------------------


def test_fetched_new_code_lives_shortly():
    line = a_line(State.PAIRING, reason=Reason.WAITING_FOR_SCAN, code=a_code("2@old"))

    decision = steps.decide_found(line, a_scan("2@new"), LATER)

    code = Code.from_look(a_scan("2@new"), LATER)
    assert decision == steps.Note(line.model_copy(update={"code": code}))
    assert code.expires_at == LATER + FOUND_CODE_LIFETIME


def test_first_code_makes_line_pairing():
    decision = steps.decide_found(a_line(), a_scan(), LATER)

    noted = decision.instance
    assert (noted.state, noted.reason) == (State.PAIRING, Reason.WAITING_FOR_SCAN)
    assert noted.since == LATER


@in_each(
    "link", [pytest.param(a_scan(), id="the stale code again"), pytest.param(NoCode(), id="none")]
)
def test_stale_code_is_not_shown_again(link: Any):
    line = a_line(State.PAIRING, code=a_code())

    decision = steps.decide_found(line, link, LATER)

    assert isinstance(decision, steps.Note)
    assert (decision.instance.state, decision.instance.reason) == (State.PAIRING, Reason.NO_CODE)
    assert decision.instance.code_at(LATER) is None


def test_stale_code_stays_stale():
    once = steps.decide_found(a_line(State.PAIRING, code=a_code()), a_scan(), LATER)

    again = steps.decide_found(once.instance, a_scan(), LATER)

    assert again.instance.code_at(LATER) is None


def test_reconnecting_line_is_not_pairing():
    line = a_line(State.CLOSED, reason=Reason.RECONNECTING)

    assert steps.decide_found(line, NoCode(), LATER) == steps.Ready(line)
    assert steps.decide_started(line, NoCode(), LATER) == line


@in_each("link", [pytest.param(a_scan(), id="a stale code"), pytest.param(NoCode(), id="no code")])
def test_open_line_without_code_reconnects(link: Any):
    line = a_line(open=True, code=a_code())

    decision = steps.decide_found(line, link, LATER)

    closed = line.with_state(State.CLOSED, Reason.RECONNECTING, LATER)
    assert decision == steps.Ready(closed)
    assert closed.number == line.number


def test_new_code_means_pairing_again():
    decision = steps.decide_found(a_line(open=True), a_scan(), LATER)

    assert isinstance(decision, steps.Note)
    assert decision.instance.state is State.PAIRING


def test_meanwhile_connected_instance_is_open():
    decision = steps.decide_found(a_line(State.PAIRING, number="1"), Connected(), LATER)

    assert isinstance(decision, steps.Note)
    assert (decision.instance.state, decision.instance.number) == (State.OPEN, None)


# What a start made of it ---------------------------------------------------------------------


@in_each(
    ("link", "state", "reason", "code"),
    [
        pytest.param(Connected(), State.OPEN, None, None, id="open"),
        pytest.param(
            a_scan(), State.PAIRING, Reason.WAITING_FOR_SCAN, a_code(born=LATER), id="a code"
        ),
        pytest.param(NoCode(), State.PAIRING, Reason.NO_CODE, None, id="no code"),
    ],
)
def test_start_records_its_result(link: Any, state: State, reason: Any, code: Any):
    line = a_line(State.CREATING, code=a_code("2@old"))

    started = steps.decide_started(line, link, LATER)

    assert (started.state, started.reason, started.code) == (state, reason, code)
    assert started.since == LATER


def test_undisturbed_holder_writes_its_result():
    held = a_line(State.CREATING, held_by="me")

    settled = steps.decide_settled(held, held, a_scan(), LATER)

    assert settled == steps.decide_started(held, a_scan(), LATER)


@in_each("state", [State.OPEN, State.CONFLICT])
def test_meanwhile_paired_line_stays_paired(state: State):
    held = a_line(State.CREATING, held_by="me")
    current = held.model_copy(update={"state": state, "number": "1", "heard_at": 5})

    assert steps.decide_settled(current, held, a_scan(), LATER) == current


def test_holder_may_close_silent_line():
    held = a_line(open=True, held_by="me")

    assert steps.decide_settled(held, held, NoCode(), LATER).state is State.CLOSED


def test_meanwhile_pushed_code_is_kept():
    held = a_line(State.CREATING, held_by="me")
    pushed = a_code("2@pushed", born=LATER)
    current = held.model_copy(update={"state": State.PAIRING, "code": pushed, "heard_at": 5})

    assert steps.decide_settled(current, held, a_scan(), LATER).code == pushed


def test_expired_pushed_code_is_not_kept():
    held = a_line(State.CREATING, held_by="me")
    current = held.model_copy(update={"code": a_code("2@pushed"), "heard_at": 5})

    assert steps.decide_settled(current, held, a_scan(), LATER).code == a_code(born=LATER)


def test_code_pushed_before_lease_is_replaced():
    held = a_line(State.PAIRING, held_by="me", code=a_code("2@before"), heard_at=5)

    assert steps.decide_settled(held, held, a_scan(), NOON).code == a_code()
