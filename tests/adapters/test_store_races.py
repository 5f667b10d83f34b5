"""Callers at the same time: preconditions under real concurrency, on the real emulator."""

import asyncio
from functools import partial

from shared.domain.instances import Instance, State
from shared.store import Store
from shared.store.instances import Full, Placed
from tests.adapters.stores import FLEET, Interrupted, Server, placed, settled
from tests.builders import LATER, NUMBER, a_new_line
from tests.perene import Perene

MANY = 30
TWO = (Server("main"), Server("other"))


def opened(current: Instance) -> Instance | None:
    return current.with_state(State.OPEN, None, LATER, number=NUMBER)


def states(perene: Perene) -> list[str]:
    return sorted(record["state"] for record in perene.documents("instances").values())


def reserved(perene: Perene) -> int:
    return perene.taken("main")


# Places --------------------------------------------------------------------------------------


async def test_concurrent_placements_reserve_one_slot(perene: Perene, store: Store):
    wanted = [a_new_line(held_by=f"caller {number}") for number in range(MANY)]

    placements = await asyncio.gather(*(store.instances.place(line, FLEET) for line in wanted))

    assert sum(isinstance(placement, Placed) for placement in placements) == 1
    assert placements.count(None) == MANY - 1
    assert (len(perene.documents("instances")), reserved(perene)) == (1, 1)


async def test_last_slots_are_given_once(perene: Perene, store: Store):
    wanted = [a_new_line(tenant=f"tenant-{number}") for number in range(MANY)]

    placements = await asyncio.gather(*(store.instances.place(line, FLEET) for line in wanted))

    assert sum(isinstance(placement, Placed) for placement in placements) == 10
    assert placements.count(Full()) == MANY - 10
    assert (len(perene.documents("instances")), reserved(perene)) == (10, 10)
    assert len(perene.documents("tenants")) == 10


async def test_concurrent_lines_respect_the_plan(perene: Perene, store: Store):
    perene.write("tenants/acme", tenant="acme", max_lines=2)
    wanted = [a_new_line(line=line) for line in ("default", "vendas", "suporte")]

    placements = await asyncio.gather(*(store.instances.place(line, FLEET) for line in wanted))

    assert isinstance(placements[0], Placed)
    assert {type(placement) for placement in placements[1:]} == {Placed, type(None)}
    assert len(perene.documents("tenants")["acme"]["lines"]) == 2
    assert (len(perene.documents("instances")), reserved(perene)) == (2, 2)


async def test_concurrent_releases_keep_count_right(perene: Perene, store: Store):
    leaving = [await placed(store, tenant=f"old-{number}") for number in range(5)]
    coming = [a_new_line(tenant=f"new-{number}") for number in range(5)]

    await asyncio.gather(
        *map(store.instances.release, leaving), *(store.instances.place(e, FLEET) for e in coming)
    )

    assert (len(perene.documents("instances")), reserved(perene)) == (5, 5)


# Leases --------------------------------------------------------------------------------------


async def test_concurrent_claims_have_one_holder(store: Store):
    instance = await settled(store)
    claims = [instance.granted(f"caller {number}", LATER) for number in range(MANY)]

    held = await asyncio.gather(*(store.instances.replace(instance, claim) for claim in claims))

    (winner,) = filter(None, held)
    assert await store.instances.find(instance.name) == winner


async def test_concurrent_releases_free_one_slot(perene: Perene, store: Store):
    held = await placed(store)
    await placed(store, tenant="other")

    assert await asyncio.gather(store.instances.release(held), store.instances.release(held)) == [
        True,
        True,
    ]
    assert reserved(perene) == 1


async def test_event_never_restores_released_line(perene: Perene, store: Store):
    held = await placed(store)
    between = Store(Interrupted(store, partial(store.instances.release, held)))

    assert await between.instances.change(held.name, opened, LATER) is None
    assert perene.documents("instances") == perene.documents("numbers") == {}


async def test_settling_never_restores_released_line(perene: Perene, store: Store):
    held = await placed(store)
    between = Store(Interrupted(store, partial(store.instances.release, held)))

    assert await between.instances.release_lease(held, opened) is None
    assert perene.documents("instances") == {}


async def test_event_during_settlement_is_decided_upon(store: Store):
    held = await placed(store)
    between = Store(Interrupted(store, partial(store.instances.change, held.name, opened, LATER)))

    done = await between.instances.release_lease(held, Instance.freed)

    assert (done.state, done.number, done.lease) == (State.OPEN, NUMBER, None)


async def test_event_does_not_stop_a_release(perene: Perene, store: Store):
    held = await placed(store)
    between = Store(Interrupted(store, partial(store.instances.change, held.name, opened, LATER)))

    assert await between.instances.release(held)
    assert perene.documents("instances") == perene.documents("numbers") == {}
    assert reserved(perene) == 0


async def test_events_at_once_all_reach_record(store: Store):
    instance = await settled(store)

    def hear(current: Instance) -> Instance:
        return current.model_copy(update={"heard_at": current.heard_at + 1})

    await asyncio.gather(*(store.instances.change(instance.name, hear, LATER) for _ in range(10)))

    assert (await store.instances.find(instance.name)).heard_at == 10


# Numbers (P11) -------------------------------------------------------------------------------


async def test_new_number_opens_one_of_two(perene: Perene, store: Store):
    lines = [await settled(store), await settled(store, tenant="other")]

    await asyncio.gather(*(store.instances.change(line.name, opened, LATER) for line in lines))

    assert states(perene) == ["conflict", "open"]


async def test_one_number_opens_one_line(perene: Perene, store: Store):
    lines = [await settled(store, tenant=f"tenant-{number}") for number in range(8)]

    await asyncio.gather(*(store.instances.change(line.name, opened, LATER) for line in lines))

    assert states(perene) == ["conflict"] * 7 + ["open"]


async def closed_owner_and_newcomer(store: Store) -> tuple[Instance, Instance]:
    """A line that has the number but is closed, and another that would have it."""
    owner, newcomer = await settled(store), await settled(store, tenant="other")
    await store.instances.change(owner.name, opened, LATER)
    await store.instances.change(
        owner.name, lambda line: line.with_state(State.CLOSED, None, LATER), LATER
    )
    return owner, newcomer


async def test_owner_returns_while_newcomer_claims(perene: Perene, store: Store):
    owner, newcomer = await closed_owner_and_newcomer(store)
    back = Store(Interrupted(store, partial(store.instances.change, newcomer.name, opened, LATER)))

    await back.instances.change(owner.name, opened, LATER)

    assert states(perene) == ["conflict", "open"]
    assert perene.documents("numbers")[NUMBER]["instance"] == newcomer.name


async def test_newcomer_claims_while_owner_returns(perene: Perene, store: Store):
    owner, newcomer = await closed_owner_and_newcomer(store)
    taking = Store(Interrupted(store, partial(store.instances.change, owner.name, opened, LATER)))

    await taking.instances.change(newcomer.name, opened, LATER)

    assert states(perene) == ["conflict", "open"]
    assert perene.documents("numbers")[NUMBER]["instance"] == owner.name


async def test_number_freed_twice_is_freed(perene: Perene, store: Store):
    instance = await settled(store)
    current = await store.instances.change(instance.name, opened, LATER)
    between = Store(Interrupted(store, partial(store.numbers.free, current)))

    await between.numbers.free(current)

    assert perene.documents("numbers") == {}


async def test_number_claimed_during_freeing_stays(perene: Perene, store: Store):
    owner, newcomer = await closed_owner_and_newcomer(store)
    current = await store.instances.find(owner.name)
    freeing = Store(
        Interrupted(store, partial(store.instances.change, newcomer.name, opened, LATER))
    )

    await freeing.numbers.free(current)

    assert perene.documents("numbers")[NUMBER]["instance"] == newcomer.name


async def test_number_freed_during_claim_is_claimed(perene: Perene, store: Store):
    owner, newcomer = await closed_owner_and_newcomer(store)
    current = await store.instances.find(owner.name)
    taking = Store(Interrupted(store, partial(store.numbers.free, current)))

    assert (await taking.instances.change(newcomer.name, opened, LATER)).state is State.OPEN
    assert perene.documents("numbers")[NUMBER]["instance"] == newcomer.name


# Several servers: no document in common but the tenant's ---------------------------------------


async def test_line_lands_on_one_server(perene: Perene, store: Store):
    perene.write("tenants/acme", tenant="acme", lines=["default"])
    elsewhere = partial(store.instances.place, a_new_line(held_by="other"), TWO, "other")
    between = Store(Interrupted(store, elsewhere))

    placement = await between.instances.place(a_new_line(held_by="somebody"), TWO, "main")

    assert placement is None
    assert perene.documents("instances")["instance_acme"]["server"] == "other"
    assert "main" not in perene.documents("servers")


async def test_plan_holds_across_servers(perene: Perene, store: Store):
    perene.write("tenants/acme", tenant="acme", max_lines=2)
    elsewhere = partial(store.instances.place, a_new_line(line="vendas"), TWO, "other")
    between = Store(Interrupted(store, elsewhere))

    assert await between.instances.place(a_new_line(line="suporte"), TWO, "main") is None
    assert set(perene.documents("instances")) == {"instance_acme~~vendas"}
