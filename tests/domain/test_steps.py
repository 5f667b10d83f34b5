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
    known: Any, connection: Connection | None, now: datetime = NOON, by_number: bool = False
) -> steps.Step:
    return steps.decide_step(known, connection, now, by_number=by_number, mark=FINGERPRINT)


@in_each("state", SETTLED)
def test_lost_instance_is_made_again(state: State):
    assert step(known := a_line(state), None) == steps.Heal(known)


def test_an_open_line_is_ready():
    assert step(known := a_line(open=True), Connection.OPEN) == steps.Ready(known)


def test_open_line_is_ready_by_number():
    known = a_line(open=True)

    assert step(known, Connection.OPEN, by_number=True) == steps.Ready(known)


@in_each("state", [State.PAIRING, State.CLOSED, State.MISSING])
def test_late_record_opens_without_number(state: State):
    known = a_line(state, number="5511999990009", code=a_code(), reason=Reason.LOGGED_OUT)

    noted = step(known, Connection.OPEN, LATER)

    assert noted == steps.Note(known.with_state(State.OPEN, None, LATER, number=None, code=None))


def test_connected_conflict_contests_its_number():
    assert step(known := a_line(State.CONFLICT), Connection.OPEN) == steps.Contest(known)


def test_valid_code_is_shown_again():
    known = a_line(State.PAIRING, code=a_code())

    assert step(known, Connection.CONNECTING) == steps.Ready(known)


def test_expired_code_is_asked_for_again():
    known = a_line(State.PAIRING, code=a_code())

    assert step(known, Connection.CONNECTING, CODE_EXPIRY) == steps.AskForCode(known)


@in_each("state", [State.OPEN, State.CLOSED, State.CONFLICT, State.MISSING])
def test_connecting_instance_is_asked_for_code(state: State):
    known = a_line(state, code=a_code())

    assert step(known, Connection.CONNECTING) == steps.AskForCode(known)


def test_typed_code_is_shown_again():
    known = a_line(State.PAIRING, code=a_code(pairing_code="ABCD1234"))

    assert step(known, Connection.CONNECTING, by_number=True) == steps.Ready(known)


def test_typed_code_replaces_shown_scan_code():
    known = a_line(State.PAIRING, code=a_code())

    assert step(known, Connection.CONNECTING, by_number=True) == steps.Renew(known)


@in_each(
    "code",
    [
        pytest.param(None, id="no code"),
        pytest.param(a_code(born=NOON - (LATER - NOON)), id="an old one"),
    ],
)
@in_each("state", SETTLED)
def test_no_shown_code_prevents_renewal(state: State, code: Code | None):
    known = a_line(state, code=code)

    assert step(known, Connection.CONNECTING, by_number=True) == steps.AskForCode(known)


def test_outdated_configuration_is_renewed():
    known = a_line(open=True, configured="as we wanted it before")

    assert step(known, Connection.OPEN) == steps.Configure(known)


def test_reconnecting_paired_line_is_not_renewed():
    known = a_line(open=True)

    assert step(known, Connection.CONNECTING, by_number=True) == steps.AskForCode(known)


@in_each("connection", [Connection.CLOSED, Connection.UNKNOWN])
def test_a_closed_instance_is_started(connection: Connection):
    known = a_line(code=a_code())

    assert step(known, connection, LATER) == steps.Reconnect(known)


def test_unused_typed_code_renews_the_line():
    known = a_line(spoiled=True, reason=Reason.QR_LIMIT)

    assert step(known, Connection.CLOSED) == steps.Renew(known)


@in_each("reason", [Reason.CONNECTION_LOST, Reason.LOGGED_OUT, None])
def test_possibly_paired_line_is_not_renewed(reason: Reason):
    known = a_line(spoiled=True, reason=reason)

    assert step(known, Connection.CLOSED) == steps.Reconnect(known)


def test_expired_typed_code_renews_the_line():
    typed = steps.decide_started(a_line(), a_scan(pairing_code="ABCD1234"), NOON)
    closed = typed.with_state(State.CLOSED, Reason.QR_LIMIT, LATER, code=None)

    assert step(closed, Connection.CLOSED, LATER) == steps.Renew(closed)


def test_connected_line_is_not_spoiled():
    assert not steps.decide_started(a_line(spoiled=True), Connected(), NOON).spoiled


# Leaving -------------------------------------------------------------------------------------


@in_each("asked", [Reason.RELEASE_ASKED, Reason.DISCONNECT_ASKED])
@in_each("state", SETTLED)
def test_line_that_leaves_says_so_first(state: State, asked: Reason):
    known = a_line(state, code=a_code(), number="1")

    leaving = steps.decide_leaving(known, asked, LATER)

    assert leaving == steps.Leaving(known.with_state(State.RELEASING, asked, LATER, code=None))


def test_a_disconnected_line_is_disconnected_already():
    known = a_line(reason=Reason.DISCONNECTED)

    assert steps.decide_leaving(known, Reason.DISCONNECT_ASKED, NOON) == steps.Ready(known)


def test_disconnected_line_can_still_be_released():
    known = a_line(reason=Reason.DISCONNECTED)

    leaving = steps.decide_leaving(known, Reason.RELEASE_ASKED, NOON)

    assert leaving.instance.reason is Reason.RELEASE_ASKED


def test_begun_release_stays_a_release():
    known = a_line(State.RELEASING, reason=Reason.RELEASE_ASKED)

    assert steps.decide_leaving(known, Reason.DISCONNECT_ASKED, LATER) == steps.Leaving(known)


# What a code means ---------------------------------------------------------------------------


def test_fetched_new_code_lives_shortly():
    known = a_line(State.PAIRING, reason=Reason.WAITING_FOR_SCAN, code=a_code("2@old"))

    found = steps.decide_found(known, a_scan("2@new"), LATER)

    code = Code.from_look(a_scan("2@new"), LATER)
    assert found == steps.Note(known.model_copy(update={"code": code}))
    assert code.expires_at == LATER + FOUND_CODE_LIFETIME


def test_first_code_makes_line_pairing():
    found = steps.decide_found(a_line(), a_scan(), LATER)

    noted = found.instance
    assert (noted.state, noted.reason) == (State.PAIRING, Reason.WAITING_FOR_SCAN)
    assert noted.since == LATER


@in_each(
    "link", [pytest.param(a_scan(), id="the stale code again"), pytest.param(NoCode(), id="none")]
)
def test_stale_code_is_not_shown_again(link: Any):
    known = a_line(State.PAIRING, code=a_code())

    found = steps.decide_found(known, link, LATER)

    assert isinstance(found, steps.Note)
    assert (found.instance.state, found.instance.reason) == (State.PAIRING, Reason.NO_CODE)
    assert found.instance.code_at(LATER) is None


def test_stale_code_stays_stale():
    once = steps.decide_found(a_line(State.PAIRING, code=a_code()), a_scan(), LATER)

    again = steps.decide_found(once.instance, a_scan(), LATER)

    assert again.instance.code_at(LATER) is None


def test_reconnecting_line_is_not_pairing():
    known = a_line(State.CLOSED, reason=Reason.RECONNECTING)

    assert steps.decide_found(known, NoCode(), LATER) == steps.Ready(known)
    assert steps.decide_started(known, NoCode(), LATER) == known


@in_each("link", [pytest.param(a_scan(), id="a stale code"), pytest.param(NoCode(), id="no code")])
def test_open_line_without_code_reconnects(link: Any):
    known = a_line(open=True, code=a_code())

    found = steps.decide_found(known, link, LATER)

    closed = known.with_state(State.CLOSED, Reason.RECONNECTING, LATER)
    assert found == steps.Ready(closed)
    assert closed.number == known.number


def test_new_code_means_pairing_again():
    found = steps.decide_found(a_line(open=True), a_scan(), LATER)

    assert isinstance(found, steps.Note)
    assert found.instance.state is State.PAIRING


def test_meanwhile_connected_instance_is_open():
    found = steps.decide_found(a_line(State.PAIRING, number="1"), Connected(), LATER)

    assert isinstance(found, steps.Note)
    assert (found.instance.state, found.instance.number) == (State.OPEN, None)


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
    known = a_line(State.CREATING, code=a_code("2@old"))

    started = steps.decide_started(known, link, LATER)

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
