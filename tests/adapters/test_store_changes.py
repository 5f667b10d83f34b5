"""How the store changes records and whose a number is, on the real emulator."""

from shared.domain.instances import LEASE, Instance, State
from shared.store import Store
from tests.adapters.stores import placed, settled
from tests.builders import LATER, NUMBER, a_line
from tests.perene import Perene

OTHER = "5511999990002"


def opened(current: Instance) -> Instance:
    return current.with_state(State.OPEN, None, LATER, number=NUMBER)


def opened_with_another(current: Instance) -> Instance:
    return current.with_state(State.OPEN, None, LATER, number=OTHER)


def opened_with_some(current: Instance) -> Instance:
    return current.with_state(State.OPEN, None, LATER)


def closed(current: Instance) -> Instance:
    return current.with_state(State.CLOSED, None, LATER)


async def test_unchanged_record_is_replaced(store: Store):
    held = await placed(store)

    new = await store.instances.replace(held, opened(held))

    assert new.state is State.OPEN
    assert new == await store.instances.find(held.name)


async def test_changed_record_is_not_replaced(store: Store):
    held = await placed(store)
    moved = await store.instances.replace(held, held.with_state(State.PAIRING, None, LATER))

    assert await store.instances.replace(held, opened(held).freed()) is None
    assert await store.instances.find(held.name) == moved


async def test_old_lease_is_no_replacement(store: Store):
    held = await placed(store)
    moved = await store.instances.replace(held, held.with_state(State.PAIRING, None, LATER))

    assert await store.instances.replace(held, opened(held)) is None
    assert await store.instances.find(held.name) == moved


async def test_missing_record_is_not_replaced(store: Store):
    held = await placed(store)
    await store.instances.release(held)

    assert await store.instances.replace(held, opened(held)) is None
    assert await store.instances.find(held.name) is None


async def test_extended_lease_has_full_length(store: Store):
    held = await placed(store)

    extended = await store.instances.extend_lease(held, LATER)

    assert extended.lease.until == LATER + LEASE
    assert await store.instances.find(held.name) == extended


async def test_event_leaves_holder_its_lease(store: Store):
    held = await placed(store)
    await store.instances.change(held.name, opened, LATER)

    extended = await store.instances.extend_lease(held, LATER)

    assert extended.held_by(held)
    assert extended.state is State.OPEN


async def test_anothers_lease_is_not_extended(store: Store):
    held = await placed(store)
    taken = await store.instances.replace(held, held.granted("another", LATER))

    assert await store.instances.extend_lease(held, LATER) is None
    assert await store.instances.find(held.name) == taken


async def test_missing_line_is_not_extended(store: Store):
    held = await placed(store)
    await store.instances.release(held)

    assert await store.instances.extend_lease(held, LATER) is None


async def test_released_lease_stores_the_decision(store: Store):
    held = await placed(store)

    done = await store.instances.release_lease(held, closed)

    assert (done.state, done.lease, done.fence) == (State.CLOSED, None, held.fence)
    assert done == await store.instances.find(held.name)


async def test_release_decides_on_current_record(store: Store):
    held = await placed(store)
    await store.instances.change(held.name, opened, LATER)

    done = await store.instances.release_lease(held, Instance.freed)

    assert (done.state, done.number, done.lease) == (State.OPEN, NUMBER, None)


async def test_line_settled_twice_is_settled_once(store: Store):
    held = await placed(store)
    done = await store.instances.release_lease(held, Instance.freed)

    assert await store.instances.release_lease(held, opened) == done


async def test_lease_taken_over_cannot_be_released(store: Store):
    held = await placed(store)
    taken = await store.instances.replace(held, held.granted("another", LATER))

    assert await store.instances.release_lease(held, opened) is None
    assert await store.instances.find(held.name) == taken


async def test_stale_lease_cannot_be_released(store: Store):
    held = await placed(store)
    taken = await store.instances.replace(held, held.granted("another", LATER))
    assert taken
    done = await store.instances.release_lease(taken, opened)

    assert await store.instances.release_lease(held, closed) is None
    assert await store.instances.find(held.name) == done


async def test_lease_of_earlier_line_is_void(store: Store):
    held = await placed(store, held_by="me")
    await store.instances.release(held)
    anew = await placed(store, held_by="another")

    assert await store.instances.release_lease(held, opened) is None
    assert await store.instances.find(held.name) == anew


async def test_missing_line_is_not_settled(store: Store):
    held = await placed(store)
    await store.instances.release(held)

    assert await store.instances.release_lease(held, opened) is None


# Events and numbers --------------------------------------------------------------------------


async def test_unknown_line_does_not_change(store: Store):
    assert await store.instances.change(a_line().name, opened, LATER) is None


async def test_change_that_changes_nothing_writes_nothing(store: Store):
    instance = await settled(store)

    assert await store.instances.change(instance.name, lambda _: None, LATER) is None
    assert await store.instances.find(instance.name) == instance


async def test_line_that_opens_owns_its_number(perene: Perene, store: Store):
    instance = await settled(store)

    changed = await store.instances.change(instance.name, opened, LATER)

    assert changed == await store.instances.find(instance.name)
    owner = perene.documents("numbers")[NUMBER]
    assert (owner["instance"], owner["tenant"]) == (instance.name, "acme")


async def test_other_number_frees_the_first(perene: Perene, store: Store):
    instance = await settled(store)
    await store.instances.change(instance.name, opened, LATER)

    await store.instances.change(instance.name, opened_with_another, LATER)

    assert list(perene.documents("numbers")) == [OTHER]


async def test_line_without_number_owns_none(perene: Perene, store: Store):
    instance = await settled(store)

    changed = await store.instances.change(instance.name, opened_with_some, LATER)

    assert (changed.state, changed.number) == (State.OPEN, None)
    assert perene.documents("numbers") == {}


async def test_live_number_stays_with_its_line(perene: Perene, store: Store):
    owner, newcomer = await settled(store), await settled(store, tenant="other")
    await store.instances.change(owner.name, opened, LATER)

    refused = await store.instances.change(newcomer.name, opened, LATER)

    assert (refused.state, refused.number) == (State.CONFLICT, NUMBER)
    assert refused == await store.instances.find(newcomer.name)
    assert perene.documents("numbers")[NUMBER]["instance"] == owner.name


async def test_closed_lines_number_can_move(perene: Perene, store: Store):
    owner, newcomer = await settled(store), await settled(store, tenant="other")
    await store.instances.change(owner.name, opened, LATER)
    await store.instances.change(owner.name, closed, LATER)

    moved = await store.instances.change(newcomer.name, opened, LATER)

    assert moved.state is State.OPEN
    claim = perene.documents("numbers")[NUMBER]
    assert (claim["instance"], claim["tenant"]) == (newcomer.name, "other")


async def test_released_lines_number_is_free(perene: Perene, store: Store):
    perene.write(f"numbers/{NUMBER}", instance="instance_gone", tenant="gone")
    instance = await settled(store)

    assert (await store.instances.change(instance.name, opened, LATER)).state is State.OPEN
    assert perene.documents("numbers")[NUMBER]["instance"] == instance.name


async def test_a_freed_number_is_nobodys(perene: Perene, store: Store):
    instance = await settled(store)
    current = await store.instances.change(instance.name, opened, LATER)

    await store.numbers.free(current)

    assert perene.documents("numbers") == {}


async def test_anothers_number_is_not_freed(perene: Perene, store: Store):
    perene.write(f"numbers/{NUMBER}", instance="instance_other", tenant="other")

    await store.numbers.free(a_line(open=True))

    assert perene.documents("numbers")[NUMBER]["instance"] == "instance_other"


async def test_line_without_number_frees_none(perene: Perene, store: Store):
    perene.write(f"numbers/{NUMBER}", instance=a_line().name, tenant="acme")

    await store.numbers.free(a_line())

    assert list(perene.documents("numbers")) == [NUMBER]
