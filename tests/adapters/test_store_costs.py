"""Each of the store's questions and changes costs what it says."""

from unittest import mock

import pytest

from shared.domain.instances import Instance, State
from shared.store import Store, server_rooms
from tests.adapters.counting import Counted, counting
from tests.adapters.stores import FLEET, Server, placed, settled
from tests.builders import LATER, NUMBER, a_new_line
from tests.perene import Perene


def opened(current: Instance, number: str = NUMBER) -> Instance:
    return current.with_state(State.OPEN, None, LATER, number=number)


def moved(current: Instance) -> Instance:
    return current.with_state(State.PAIRING, None, LATER)


async def test_look_is_two_reads_at_once(store: Store):
    held = await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.find_with_tenant(held.tenant, held.name)

    assert counted == Counted(reads=2, round_trips=1)


async def test_an_instance_is_one_read(store: Store):
    held = await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.find(held.name)

    assert counted == Counted(reads=1, round_trips=1)


@pytest.mark.parametrize("many", [1, 3])
async def test_tenants_lines_cost_a_read_each(perene: Perene, store: Store, many: int):
    perene.write("tenants/acme", tenant="acme", max_lines=9)
    lines = [await placed(store, line=f"line-{number}") for number in range(many)]

    with counting(store.db.client) as counted:
        await store.instances.list_of_tenant(lines[0].tenant)

    assert counted == Counted(reads=1 + many, round_trips=2)


@pytest.mark.parametrize("servers", [1, 3])
async def test_placing_costs_two_reads_per_server(store: Store, servers: int):
    fleet = [Server(f"server-{number}") for number in range(servers)]

    with counting(store.db.client) as counted:
        await store.instances.place(a_new_line(), fleet)

    assert counted == Counted(reads=3 + 2 * servers, writes=3, round_trips=4 + servers)


async def test_placing_reads_each_slot_once(perene: Perene, store: Store):
    for slot in range(5):
        perene.write(f"servers/main/slots/{slot}", instance=f"instance_t{slot}")

    with mock.patch.object(server_rooms, "A_PAGE", 3), counting(store.db.client) as counted:
        await store.instances.place(a_new_line(), FLEET)

    assert (counted.reads, counted.writes) == (2 + 2 + 5, 3)


async def test_lost_placement_costs_two_reads(store: Store):
    await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.place(a_new_line(held_by="another"), FLEET)

    assert counted == Counted(reads=2, round_trips=1)


async def test_release_costs_two_reads(store: Store):
    held = await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.release(held)

    assert counted == Counted(reads=2, writes=1, deletes=2, round_trips=3)


async def test_release_of_number_costs_more(store: Store):
    held = await placed(store)
    current = await store.instances.change(held.name, opened, LATER)

    with counting(store.db.client) as counted:
        await store.instances.release(current)

    assert counted == Counted(reads=3, writes=1, deletes=3, round_trips=4)


async def test_a_replacement_is_one_write(store: Store):
    held = await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.replace(held, moved(held))

    assert counted == Counted(writes=1, round_trips=1)


async def test_lost_claim_costs_one_read(store: Store):
    instance = await settled(store)
    await store.instances.replace(instance, instance.granted("another", LATER))

    with counting(store.db.client) as counted:
        await store.instances.replace(instance, instance.granted("me", LATER))

    assert counted == Counted(reads=1, round_trips=2)


async def test_an_extension_is_one_write(store: Store):
    held = await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.extend_lease(held, LATER)

    assert counted == Counted(writes=1, round_trips=1)


async def test_a_settlement_is_one_write(store: Store):
    held = await placed(store)

    with counting(store.db.client) as counted:
        await store.instances.release_lease(held, moved)

    assert counted == Counted(writes=1, round_trips=1)


async def test_settlement_after_event_costs_a_read(store: Store):
    held = await placed(store)
    await store.instances.change(held.name, moved, LATER)

    with counting(store.db.client) as counted:
        await store.instances.release_lease(held, moved)

    assert (counted.reads, counted.writes) == (1, 1)


async def test_empty_change_costs_one_read(store: Store):
    instance = await settled(store)

    with counting(store.db.client) as counted:
        await store.instances.change(instance.name, lambda _: None, LATER)

    assert counted == Counted(reads=1, round_trips=1)


async def test_change_costs_read_and_write(store: Store):
    instance = await settled(store)

    with counting(store.db.client) as counted:
        await store.instances.change(instance.name, moved, LATER)

    assert counted == Counted(reads=1, writes=1, round_trips=2)


async def test_new_number_costs_more_than_change(store: Store):
    instance = await settled(store)

    with counting(store.db.client) as counted:
        await store.instances.change(instance.name, opened, LATER)

    assert counted == Counted(reads=2, writes=2, round_trips=3)


async def test_other_number_costs_two_more_each(store: Store):
    instance = await settled(store)
    await store.instances.change(instance.name, opened, LATER)

    with counting(store.db.client) as counted:
        await store.instances.change(
            instance.name, lambda line: opened(line, "5511999990002"), LATER
        )

    assert counted == Counted(reads=3, writes=2, deletes=1, round_trips=4)


async def test_contested_number_is_two_reads_more(store: Store):
    owner, newcomer = await settled(store), await settled(store, tenant="other")
    await store.instances.change(owner.name, opened, LATER)

    with counting(store.db.client) as counted:
        await store.instances.change(newcomer.name, opened, LATER)

    assert counted == Counted(reads=3, writes=1, round_trips=4)


async def test_freeing_number_costs_read_and_write(store: Store):
    instance = await settled(store)
    current = await store.instances.change(instance.name, opened, LATER)

    with counting(store.db.client) as counted:
        await store.numbers.free(current)

    assert counted == Counted(reads=1, deletes=1, round_trips=2)


async def test_freeing_no_number_costs_nothing(store: Store):
    instance = await settled(store)

    with counting(store.db.client) as counted:
        await store.numbers.free(instance)

    assert (counted.reads, counted.writes, counted.deletes) == (0, 0, 0)
