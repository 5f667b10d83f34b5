"""Whose each instance of a single-tenant set-up is, and what a move makes of it."""

from typing import Any

from infra.adoption_plan import Place, SetUp, list_faults, plan_adoption
from shared.domain.instances import State
from shared.domain.names import InstanceName, TenantId
from shared.domain.upstream import Connection, Sighting
from shared.tenant_feed import Row
from tests import builders
from tests.builders import NOON
from tests.cases import in_each

ANA, BIA = "a1b2c3d4-0001", "b2c3d4e5-0002"


def a_row(tenant: str, status: str = "active") -> Row:
    return Row.model_validate({"id": tenant, "status": status, "updated_at": NOON})


def a_place(
    name: str, number: str | None = None, *, is_open: bool = True, server: str = "main"
) -> Place:
    connection = Connection.OPEN if is_open else Connection.CLOSED
    return Place(server, Sighting(InstanceName(name), connection, number))


def a_setup(*places: Place, **change: Any) -> SetUp:
    rows = [a_row(ANA), a_row(BIA)]
    fields = {"rows": rows, "places": places, "lines": {}, "owners": {}, "prefix": "instance_"}
    return SetUp(**fields | change)


def test_own_instance_is_adoptable():
    own = a_place(f"instance_{ANA}")

    plan = plan_adoption(a_setup(own))

    assert plan.adoptable == {ANA: own}
    assert plan.absent == [BIA]
    assert (plan.duplicates, plan.orphans, plan.foreign) == ({}, [], [])


@in_each(
    "name",
    [
        f"instance_{ANA}_2",
        f"instance_{ANA}-new",
        f"instance_{ANA}~~vendas",
        "instance_a1b2c3d4",
        "instance_from_the_old_table",
        "instance_with_the_same_number",
    ],
)
def test_further_instance_is_a_duplicate(name: str):
    number = "5511999990001"
    own = a_place(f"instance_{ANA}", number, is_open=False)
    other = a_place(name, number if "number" in name else None)

    plan = plan_adoption(a_setup(own, other, owners={"instance_from_the_old_table": TenantId(ANA)}))

    assert plan.adoptable == {ANA: own}
    assert plan.duplicates == {ANA: [other]}


def test_copy_on_second_server_is_a_duplicate():
    closed = a_place(f"instance_{ANA}", is_open=False, server="a")
    live = a_place(f"instance_{ANA}", server="b")

    plan = plan_adoption(a_setup(closed, live))

    assert plan.adoptable == {ANA: live}
    assert plan.duplicates == {ANA: [closed]}


@in_each("name", ["instance_nobody", "instance_a1b2", f"instance_{ANA}2", "instance_"])
def test_nobodys_instance_is_an_orphan(name: str):
    place = a_place(name)

    assert plan_adoption(a_setup(place)).orphans == [place]


def test_ambiguous_part_of_id_is_an_orphan():
    place = a_place("instance_a1b2c3d4")

    plan = plan_adoption(a_setup(place, rows=[a_row(ANA), a_row("a1b2c3d4-0009")]))

    assert (plan.orphans, plan.duplicates) == ([place], {})


def test_foreign_name_is_left_alone():
    place = a_place("loja")

    assert plan_adoption(a_setup(place)).foreign == [place]


@in_each("status", ["suspended", "cancelled"])
def test_inactive_tenant_is_not_adopted(status: str):
    own = a_place(f"instance_{ANA}")

    plan = plan_adoption(a_setup(own, rows=[a_row(ANA, status)]))

    assert (plan.adoptable, plan.barred) == ({}, {ANA: own})


def test_shared_number_is_named():
    number = "5511999990001"

    plan = plan_adoption(
        a_setup(a_place(f"instance_{ANA}", number), a_place(f"instance_{BIA}", number))
    )

    assert plan.contested == [[ANA, BIA]]


def a_line(state: State = State.OPEN, server: str = "main") -> Any:
    line = builders.a_line(state, tenant=ANA, server=server)
    return {line.name: line}


@in_each(
    ("lines", "places", "why"),
    [
        ({}, [a_place(f"instance_{ANA}")], "it isn't adopted"),
        (a_line(), [], "its instance is gone from main"),
        (a_line(server="b"), [a_place(f"instance_{ANA}")], "its line is on b, and its"),
        (a_line(State.CLOSED), [a_place(f"instance_{ANA}")], "is open, and its line closed"),
        (a_line(), [a_place(f"instance_{ANA}", is_open=False)], "is closed, and its line open"),
    ],
)
def test_line_that_disagrees_is_a_fault(lines: Any, places: list[Place], why: str):
    (fault,) = list_faults(a_setup(*places, lines=lines))

    assert fault.startswith(f"{ANA}: ")
    assert why in fault


@in_each(
    ("lines", "places"),
    [
        ({}, []),
        (a_line(), [a_place(f"instance_{ANA}")]),
        (a_line(State.CONFLICT), [a_place(f"instance_{ANA}")]),
        (a_line(State.PAIRING), [a_place(f"instance_{ANA}", is_open=False)]),
    ],
)
def test_line_that_agrees_is_no_fault(lines: Any, places: list[Place]):
    assert list_faults(a_setup(*places, lines=lines)) == []
