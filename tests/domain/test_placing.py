"""Who may have a line, and where it goes."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import placing
from shared.domain.instances import LEASE, State
from shared.domain.placing import decide_entry, decide_place, decide_server
from shared.domain.tenants import Status, Tenant
from tests.builders import (
    LATER,
    NOON,
    SECOND,
    a_key,
    a_line,
    a_room,
    a_tenant,
)
from tests.cases import in_each

PUT_OUT = [
    pytest.param(Status.SUSPENDED, id="suspended"),
    pytest.param(Status.CANCELLED, id="cancelled"),
]
SETTLED = [State.PAIRING, State.OPEN, State.CLOSED, State.CONFLICT, State.MISSING]


# May the caller have this line at all? -------------------------------------------------------


def placed(
    tenant: Tenant | None = None,
    instance: Any = None,
    now: datetime = NOON,
    line: str = "default",
    welcome: bool = True,
) -> placing.Place:
    return decide_place(tenant, instance, a_key("acme", line), now, on_first_use=welcome)


@in_each("status", PUT_OUT)
def test_inactive_tenant_is_kept_out(status: Status):
    assert decide_entry(a_tenant(status=status), on_first_use=True) == placing.Barred(status)


def test_an_active_tenant_enters():
    assert decide_entry(a_tenant(), on_first_use=False) is None


def test_unknown_tenant_enters_where_welcome():
    assert decide_entry(None, on_first_use=True) is None


def test_unknown_tenant_may_be_barred():
    assert decide_entry(None, on_first_use=False) == placing.Barred(None)


@in_each("status", PUT_OUT)
def test_barred_tenant_is_refused_existing_line(status: Status):
    assert placed(a_tenant(status=status), a_line(open=True)) == placing.Barred(status)


def test_unknown_tenant_gets_default_line():
    assert placed() == placing.NewLine()


def test_unknown_tenant_gets_one_line():
    assert placed(line="vendas") == placing.TooManyLines(1)


def test_tenant_with_room_gets_another_line():
    assert placed(a_tenant("acme", max_lines=2), line="vendas") == placing.NewLine()


def test_refusal_names_the_plans_limit():
    tenant = a_tenant("acme", "vendas", max_lines=2)

    assert placed(tenant, line="suporte") == placing.TooManyLines(2)


def test_line_beyond_plan_is_kept():
    line = a_line(line="suporte")

    assert placed(a_tenant(max_lines=1), line, line="suporte") == placing.Look(line)


@in_each("state", State)
def test_leased_line_must_be_waited_for(state: State):
    changing = a_line(state, held_by="another")

    assert placed(a_tenant(), changing) == placing.Wait(changing, NOON + LEASE)


def test_lease_is_over_moment_it_ends():
    line = a_line(held_by="another")

    assert placed(instance=line, now=NOON + LEASE - SECOND) == placing.Wait(line, NOON + LEASE)
    assert placed(instance=line, now=NOON + LEASE) == placing.Look(line)


def test_an_interrupted_leave_is_finished_first():
    leaving = a_line(State.RELEASING, held_by="somebody")

    assert placed(instance=leaving, now=LATER) == placing.FinishLeaving(leaving)


def test_an_interrupted_creation_is_taken_over():
    stuck = a_line(State.CREATING, held_by="somebody")

    assert placed(instance=stuck, now=LATER) == placing.TakeOver(stuck)


@in_each("state", SETTLED)
def test_existing_line_is_looked_at(state: State):
    line = a_line(state)

    assert placed(instance=line) == placing.Look(line)


# Which server? -------------------------------------------------------------------------------


def test_new_line_goes_to_emptiest_server():
    busy, quiet = a_room("busy", reserved=9), a_room("quiet", reserved=2)

    assert decide_server([busy, quiet]) == quiet


def test_room_is_counted_in_slots():
    small, large = a_room("small", 0, limit=5), a_room("large", 90, limit=100)

    assert decide_server([small, large]) == large


def test_tie_goes_to_first_id():
    servers = [a_room("b"), a_room("a"), a_room("c")]

    assert decide_server(servers) == decide_server(servers[::-1]) == a_room("a")


@in_each(
    "room",
    [
        pytest.param(a_room(reserved=10), id="full"),
        pytest.param(a_room(reserved=11), id="over full, since its limit was lowered"),
        pytest.param(a_room(limit=0), id="of no size"),
        pytest.param(a_room(accepting=False), id="not accepting"),
    ],
)
def test_server_without_room_is_never_chosen(room: placing.Capacity):
    assert decide_server([room]) is None


def test_the_last_slot_can_be_taken():
    assert decide_server([last := a_room(reserved=9)]) == last


def test_no_server_has_no_room():
    assert decide_server([]) is None


# Which slot? ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("taken", "room", "free"),
    [
        pytest.param(set(), 3, [0, 1, 2], id="none is taken"),
        pytest.param({0, 2}, 2, [1, 3], id="some are taken"),
        pytest.param({0, 1, 2}, 0, [], id="full"),
        pytest.param({0, 1, 2, 3}, -1, [], id="over full"),
        pytest.param({7, 8}, 1, [0], id="taken beyond a limit that was lowered to three"),
    ],
)
def test_lowest_free_slots_are_offered(taken: set[int], room: int, free: list[int]):
    assert placing.free_slots(taken, room) == free


@given(
    st.sets(st.integers(0, 12), max_size=10),
    st.integers(0, 8),
    st.lists(st.tuples(st.sampled_from(["look", "take", "leave"]), st.integers(0, 50))),
)
def test_stale_views_never_exceed_the_limit(
    taken: set[int], limit: int, events: list[tuple[str, int]]
):
    most, looks = max(len(taken), limit), [placing.free_slots(taken, limit - len(taken))]
    for what, choice in events:
        if what == "look":
            looks.append(placing.free_slots(taken, limit - len(taken)))
        if what == "leave" and taken:
            taken = taken - {sorted(taken)[choice % len(taken)]}
        if what == "take" and (numbers := looks[choice % len(looks)]):
            grown = taken | {numbers[choice % len(numbers)]}
            assert len(grown) <= max(limit, len(taken))
            taken = grown

    assert len(taken) <= most
