"""Slots of servers: taken by lines, given to those that never had one, and freed."""

import asyncio
from functools import partial
from typing import Any

import pytest

from shared.domain.instances import Instance
from shared.store import Store
from shared.store.instances import Full, Placed
from shared.store.server_rooms import Seating
from tests.adapters.stores import FLEET, Interrupted, Server, placed
from tests.builders import LATER, a_new_line
from tests.perene import Perene, name_of

MANY = 12


def slots(perene: Perene, server: str = "main") -> dict[int, str]:
    documents = perene.documents(f"servers/{server}/slots")
    return {int(number): slot["instance"] for number, slot in documents.items()}


def legacy(perene: Perene, lines: int, server: str = "main") -> None:
    """Lines of a version that counted them and gave them no slot."""
    for number in range(lines):
        old = a_new_line(tenant=f"old-{number}", server=server)
        perene.write(f"instances/{old.name}", **old.model_dump())
    perene.write(f"servers/{server}", server=server, limit=10, reserved=lines)


async def place_many(store: Store, lines: int, fleet: Any = FLEET) -> list[Any]:
    wanted = [a_new_line(tenant=f"new-{number}") for number in range(lines)]
    return await asyncio.gather(*(store.instances.place(line, fleet) for line in wanted))


# The limit -----------------------------------------------------------------------------------


async def test_line_has_slot_below_limit(perene: Perene, store: Store):
    held = await placed(store)

    assert list(slots(perene).values()) == [held.name]
    assert max(slots(perene)) < 10
    assert perene.documents("servers") == {}


async def test_lowered_limit_fills_remaining_room(perene: Perene, store: Store):
    for slot in (1, 8, 9):
        perene.write(f"servers/main/slots/{slot}", instance=f"instance_old-{slot}")

    placements = await place_many(store, MANY, [Server(instance_max=5)])

    assert sum(isinstance(placement, Placed) for placement in placements) == 2
    assert len(slots(perene)) == 5


async def test_limit_below_usage_takes_nothing(perene: Perene, store: Store):
    for slot in (1, 8, 9):
        perene.write(f"servers/main/slots/{slot}", instance=f"instance_old-{slot}")

    assert await store.instances.place(a_new_line(), [Server(instance_max=2)]) == Full()


async def test_raised_limit_takes_so_many_more(perene: Perene, store: Store):
    await place_many(store, 3, [Server(instance_max=2)])

    placement = await store.instances.place(a_new_line(), [Server(instance_max=3)])

    assert isinstance(placement, Placed)
    assert len(slots(perene)) == 3


async def test_adopted_lines_may_exceed_limit(perene: Perene, store: Store):
    wanted = [a_new_line(tenant=f"new-{number}") for number in range(MANY)]

    placements = await asyncio.gather(
        *(store.instances.place(line, [Server()], "main") for line in wanted)
    )

    assert all(isinstance(placement, Placed) for placement in placements)
    assert sorted(slots(perene).values()) == sorted(line.name for line in wanted)
    assert await store.instances.place(a_new_line(), FLEET) == Full()


# Lines of earlier versions -------------------------------------------------------------------


@pytest.mark.parametrize("old", [0, 4, 10, 11])
async def test_slotless_lines_are_counted_first(perene: Perene, store: Store, old: int):
    legacy(perene, old)

    placements = await place_many(store, MANY)

    assert sum(isinstance(placement, Placed) for placement in placements) == max(10 - old, 0)
    assert sorted(slots(perene).values()) == sorted(perene.documents("instances"))
    assert "reserved" not in perene.documents("servers")["main"]


async def test_slotless_lines_are_seated_once(perene: Perene, store: Store):
    legacy(perene, MANY)

    await asyncio.gather(*(store.servers.seat_lines("main") for _ in range(4)))

    assert sorted(slots(perene).values()) == sorted(perene.documents("instances"))


async def test_line_without_slot_is_released(perene: Perene, store: Store):
    legacy(perene, 1)
    old = await store.instances.find(name_of("old-0"))

    assert await store.instances.release(old)
    assert perene.documents("instances") == {}


async def test_seating_leaves_records_as_they_were(perene: Perene, store: Store):
    legacy(perene, 1)
    before = await store.instances.find(name_of("old-0"))

    assert await store.servers.seat_lines("main") == Seating(given=1)

    assert await store.instances.find(before.name) == before


async def test_earlier_version_during_seating_is_noticed(perene: Perene, store: Store):
    legacy(perene, 1)
    between = Store(Interrupted(store, partial(asyncio.to_thread, legacy, perene, 3)))

    await between.servers.seat_lines("main")

    assert sorted(slots(perene).values()) == sorted(perene.documents("instances"))
    assert "reserved" not in perene.documents("servers")["main"]


# Slots that are nobody's ---------------------------------------------------------------------


async def test_consistent_fleet_is_left_alone(store: Store):
    await placed(store)

    assert await store.servers.seat_lines("main") == Seating()


async def test_surplus_slots_are_freed(perene: Perene, store: Store):
    held = await placed(store)
    await placed(store, tenant="other")
    for slot, name in ((21, held.name), (22, "instance_gone"), (23, "a/b"), (24, "")):
        perene.write(f"servers/main/slots/{slot}", instance=name)
    perene.write("servers/main/slots/by hand", note="of no number")
    perene.write("servers/elsewhere/slots/0", instance=held.name)

    assert await store.servers.seat_lines("main") == Seating(freed=5)
    assert await store.servers.seat_lines("elsewhere") == Seating(freed=1)
    assert sorted(slots(perene).values()) == sorted(perene.documents("instances"))


async def test_slot_of_unreadable_record_stays(perene: Perene, store: Store):
    perene.write("instances/instance_odd", server=7)
    perene.write("servers/main/slots/0", instance="instance_odd")

    assert await store.servers.seat_lines("main") == Seating()


async def test_line_released_during_seating_is_slotless(perene: Perene, store: Store):
    legacy(perene, 2)
    old = await store.instances.find(name_of("old-0"))
    between = Store(Interrupted(store, partial(store.instances.release, old)))

    await between.servers.seat_lines("main")

    assert list(slots(perene).values()) == list(perene.documents("instances")) == [name_of("old-1")]


async def test_released_line_leaves_no_moved_slot(perene: Perene, store: Store):
    held = await placed(store)
    perene.write("servers/main/slots/15", instance=held.name)
    between = Store(Interrupted(store, partial(store.servers.seat_lines, "main")))

    assert await between.instances.release(held)
    assert slots(perene) == perene.documents("instances") == {}
    assert perene.documents("tenants")["acme"]["lines"] == []


def moved(current: Instance) -> Instance:
    return current.model_copy(update={"heard_at": 1})


async def test_event_during_seating_is_kept(perene: Perene, store: Store):
    legacy(perene, 1)
    name = name_of("old-0")
    between = Store(Interrupted(store, partial(store.instances.change, name, moved, LATER)))

    await between.servers.seat_lines("main")

    assert (await store.instances.find(name)).heard_at == 1
    assert list(slots(perene).values()) == [name]
