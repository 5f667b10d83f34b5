"""The record of an instance: its codes, its states and its lease."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.instances import (
    CODE_LIFETIME,
    FOUND_CODE_LIFETIME,
    LEASE,
    Code,
    Instance,
    Reason,
    State,
    epoch_ms,
    number_at,
)
from tests.builders import (
    CODE_EXPIRY,
    LATER,
    NOON,
    NUMBER,
    SECOND,
    a_code,
    a_key,
    a_line,
    a_new_line,
    a_scan,
)
from tests.cases import in_each


def test_new_line_is_being_created():
    new = a_new_line(tenant="acme", line="vendas", reason=Reason.NEW)

    assert (new.state, new.reason, new.since) == (State.CREATING, Reason.NEW, NOON)
    assert new.key == a_key("acme", "vendas")


def test_new_code_lives_its_whole_life():
    assert a_code(born=NOON).expires_at == NOON + CODE_LIFETIME


def test_fetched_code_lives_a_third():
    assert Code.from_look(a_scan(), NOON).expires_at == NOON + FOUND_CODE_LIFETIME
    assert FOUND_CODE_LIFETIME * 3 == CODE_LIFETIME


def test_code_shows_what_server_showed():
    code = a_code("2@x", pairing_code="ABCD1234")

    assert (code.qr, code.pairing_code) == ("2@x", "ABCD1234")
    assert code.png == a_scan("2@x").png


def test_code_works_until_it_expires():
    line = a_line(State.PAIRING, code=a_code())

    assert line.code_at(CODE_EXPIRY - SECOND) == a_code()
    assert line.code_at(CODE_EXPIRY) is None


def test_line_without_code_shows_none():
    assert a_line().code_at(NOON) is None


def test_new_state_starts_now():
    moved = a_line(State.CLOSED).with_state(State.PAIRING, Reason.WAITING_FOR_SCAN, LATER)

    assert (moved.state, moved.reason) == (State.PAIRING, Reason.WAITING_FOR_SCAN)
    assert moved.since == LATER


def test_another_reason_is_another_time():
    closed = a_line(State.CLOSED, reason=Reason.CONNECTION_LOST)

    assert closed.with_state(State.CLOSED, Reason.LOGGED_OUT, LATER).since == LATER


def test_same_state_keeps_its_start():
    assert a_line(open=True).with_state(State.OPEN, None, LATER).since == NOON


def test_code_to_scan_makes_line_pairing():
    line = a_line().showing(a_code(born=LATER), LATER)

    assert (line.state, line.reason) == (State.PAIRING, Reason.WAITING_FOR_SCAN)
    assert (line.code, line.since, line.spoiled) == (a_code(born=LATER), LATER, False)


def test_typed_code_spoils_the_line():
    typed = a_line().showing(a_code(pairing_code="ABCD1234"), NOON)

    assert typed.spoiled
    assert typed.showing(a_code("2@next"), LATER).spoiled


def test_move_changes_further_fields():
    moved = a_line(number="1").with_state(State.OPEN, None, LATER, number="2")

    assert moved.number == "2"


def test_lease_is_held_until_it_ends():
    held = a_line(held_by="me")

    assert held.leased(NOON + LEASE - SECOND)
    assert not held.leased(NOON + LEASE)


def test_line_without_lease_is_nobodys():
    assert not a_line().leased(NOON)


@given(st.lists(st.text(), min_size=1))
def test_every_grant_has_a_higher_fence(holders: list[str]):
    line = a_line()

    for holder in holders:
        line = line.granted(holder, NOON).freed()

    assert (line.fence, line.lease) == (len(holders), None)


def test_grant_names_holder_and_fence():
    held = a_line(fence=7).granted("me", NOON)

    assert held.lease
    assert (held.lease.holder, held.lease.fence, held.fence) == ("me", 8, 8)


def test_extended_lease_keeps_its_holder():
    held = a_line(held_by="me")

    extended = held.extended(LATER)

    assert extended.lease
    assert extended.lease.until == LATER + LEASE
    assert extended.held_by(held)


def test_grant_is_recognised_whatever_else_changed():
    held = a_line(held_by="me")

    assert held.with_state(State.OPEN, None, LATER).held_by(held)


@in_each(
    ("one", "other"),
    [
        pytest.param(a_line(held_by="me"), a_line(), id="given back"),
        pytest.param(a_line(), a_line(held_by="me"), id="not granted yet"),
        pytest.param(a_line(held_by="me"), a_line(held_by="you"), id="another holder"),
        pytest.param(a_line(held_by="me"), a_line(fence=1, held_by="me"), id="another grant"),
        pytest.param(a_line(), a_line(), id="nobody twice"),
    ],
)
def test_any_other_grant_is_not_same(one, other):
    assert not one.held_by(other)


def test_invalid_record_hides_its_values():
    with pytest.raises(ValidationError) as refused:
        Code.model_validate({"qr": "2@secret", "png": 5, "expires_at": NOON})

    assert "secret" not in str(refused.value)


def test_store_version_is_not_stored():
    assert "version" not in a_line(version="v1").model_dump()


def test_restriction_lasts_a_day():
    free = a_line(open=True)
    restricted = free.found_restricted(NOON)
    again = restricted.found_restricted(NOON + timedelta(hours=20))

    assert not free.restricted(NOON)
    assert restricted.restricted(NOON + timedelta(hours=23))
    assert not restricted.restricted(NOON + timedelta(hours=24))
    assert again.restricted_since == NOON
    assert again.restricted(NOON + timedelta(hours=43))
    assert again.found_restricted(NOON + timedelta(days=9)).restricted_since > NOON


# Since when it isn't connected ---------------------------------------------------------------


def test_opened_line_counts_as_paired():
    opened = a_line(State.PAIRING, closed_since=NOON).with_state(State.OPEN, None, LATER)

    assert (opened.ever_open, opened.closed_since) == (True, None)


def test_failed_pairing_keeps_closed_since():
    lost = a_line(open=True).with_state(State.CLOSED, Reason.LOGGED_OUT, NOON)
    tried = lost.with_state(State.PAIRING, Reason.WAITING_FOR_SCAN, LATER)

    assert (tried.closed_since, tried.idle_since, tried.ever_open) == (NOON, NOON, True)


@in_each("reason", [Reason.LOGGED_OUT, Reason.CONNECTION_LOST, Reason.RECONNECTING])
def test_logged_out_line_counts_as_paired(reason: Reason):
    tried = a_line(State.CLOSED, reason=reason).with_state(State.PAIRING, Reason.NO_CODE, LATER)

    assert not tried.surely_unpaired


@in_each(
    ("line", "surely"),
    [
        pytest.param(a_line(State.CLOSED, reason=Reason.QR_LIMIT), True, id="nobody scanned"),
        pytest.param(a_line(State.PAIRING, reason=Reason.NO_CODE), True, id="no code yet"),
        pytest.param(a_line(State.CLOSED, reason=Reason.LOGGED_OUT), False, id="logged out"),
        pytest.param(a_line(State.CLOSED, reason=Reason.QR_LIMIT, number="1"), False, id="number"),
        pytest.param(a_line(State.CLOSED, reason=Reason.QR_LIMIT, claimed="1"), False, id="claim"),
        pytest.param(a_line(State.CLOSED, reason=Reason.QR_LIMIT, ever_open=True), False, id="was"),
    ],
)
def test_unpaired_line_needs_proof(line: Instance, surely: bool):
    assert line.surely_unpaired is surely


def test_older_message_has_unknown_number():
    line = a_line(open=True, claimed_at=NOON)

    assert number_at(line, epoch_ms(NOON - SECOND)) == NUMBER
    assert number_at(line, epoch_ms(NOON - timedelta(hours=2))) is None
    assert number_at(a_line(open=True), 0) == NUMBER


def test_a_message_makes_no_other_record():
    line = a_line(open=True)
    paced = line.model_copy(update={"paced_until": 1, "version": "later"})

    assert paced.differs_only_in_pace(line)
    assert not paced.with_state(State.CLOSED, None, LATER).differs_only_in_pace(line)
