"""A database that fails: lost answers never cost a slot or a lease, and nothing hangs."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import firestore

from infra.local.children import find_free_port
from shared.domain.instances import Instance, State
from shared.domain.messages import Quoted
from shared.problems import StoreUnavailable
from shared.store import Database, Store, base
from shared.store.instances import Placed
from shared.store.sends import Claimed
from tests.adapters.stores import FLEET, Lossy, Repeating, placed, settled
from tests.builders import LATER, NUMBER, a_line, a_new_line, a_tenant
from tests.journeys.test_nothing_left import a_send
from tests.perene import Perene

LOST = [
    pytest.param(exceptions.ServiceUnavailable("lost"), id="the answer was lost"),
    pytest.param(exceptions.DeadlineExceeded("late"), id="the answer was late"),
]


def opened(current: Instance) -> Instance | None:
    is_open = (current.state, current.number) == (State.OPEN, NUMBER)
    return None if is_open else current.with_state(State.OPEN, None, LATER, number=NUMBER)


def reserved(perene: Perene) -> int:
    return perene.taken("main")


# The commit was applied, and sent again ------------------------------------------------------


async def test_place_sent_twice_reserves_once(perene: Perene, store: Store):
    wanted = a_new_line()

    placement = await Store(Repeating(store)).instances.place(wanted, FLEET)

    assert isinstance(placement, Placed)
    assert placement.instance.held_by(wanted)
    assert placement.instance == await store.instances.find(wanted.name)
    assert reserved(perene) == 1


async def test_known_place_sent_twice_reserves_once(perene: Perene, store: Store):
    perene.write("tenants/acme", tenant="acme", max_lines=2)
    await placed(store)

    assert isinstance(
        await Store(Repeating(store)).instances.place(a_new_line(line="vendas"), FLEET), Placed
    )
    assert reserved(perene) == 2


async def test_a_claim_sent_twice_is_held(store: Store):
    instance = await settled(store)

    held = await Store(Repeating(store)).instances.replace(instance, instance.granted("me", LATER))

    assert held
    assert held == await store.instances.find(instance.name)


async def test_an_extension_sent_twice_is_held(store: Store):
    held = await placed(store)

    extended = await Store(Repeating(store)).instances.extend_lease(held, LATER)

    assert extended
    assert extended == await store.instances.find(held.name)


async def test_a_settlement_sent_twice_is_settled(store: Store):
    held = await placed(store)

    done = await Store(Repeating(store)).instances.release_lease(
        held, lambda line: line.with_state(State.OPEN, None, LATER)
    )

    assert (done.state, done.lease) == (State.OPEN, None)
    assert done == await store.instances.find(held.name)


async def test_release_sent_twice_frees_one_slot(perene: Perene, store: Store):
    held = await placed(store)
    await placed(store, tenant="other")

    assert await Store(Repeating(store)).instances.release(held)
    assert reserved(perene) == 1


async def test_release_sent_twice_frees_its_number(perene: Perene, store: Store):
    held = await placed(store)
    current = await store.instances.change(held.name, opened, LATER)

    assert await Store(Repeating(store)).instances.release(current)
    assert perene.documents("numbers") == {}


async def test_event_sent_twice_is_written_once(perene: Perene, store: Store):
    instance = await settled(store)

    await Store(Repeating(store)).instances.change(instance.name, opened, LATER)

    assert (await store.instances.find(instance.name)).state is State.OPEN
    assert perene.documents("numbers")[NUMBER]["instance"] == instance.name


async def test_a_number_freed_twice_is_free(perene: Perene, store: Store):
    instance = await settled(store)
    current = await store.instances.change(instance.name, opened, LATER)

    await Store(Repeating(store)).numbers.free(current)

    assert perene.documents("numbers") == {}


async def test_send_claimed_twice_has_its_quote(perene: Perene, store: Store):
    instance, quoted = await settled(store), Quoted(id="3A0", preview="oi")
    wanted = a_send("k1", None).model_copy(update={"quoted": quoted})

    claim = await Store(Repeating(store)).sends.claim(wanted, instance, lambda line: line)

    assert isinstance(claim, Claimed)
    assert claim.send.quoted == quoted
    assert "quoted" not in perene.documents("tenants/acme/sends")["k1"]


# The commit was applied, and nobody heard ----------------------------------------------------


@pytest.mark.parametrize("error", LOST)
async def test_lost_place_is_the_same_again(perene: Perene, store: Store, error: Exception):
    wanted, lossy = a_new_line(), Store(Lossy(store, error))
    with pytest.raises(StoreUnavailable):
        await lossy.instances.place(wanted, FLEET)

    placement = await lossy.instances.place(wanted, FLEET)

    assert isinstance(placement, Placed)
    assert placement.instance.held_by(wanted)
    assert reserved(perene) == 1


@pytest.mark.parametrize("error", LOST)
async def test_lost_place_is_not_anothers(store: Store, error: Exception):
    with pytest.raises(StoreUnavailable):
        await Store(Lossy(store, error)).instances.place(a_new_line(held_by="me"), FLEET)

    assert await store.instances.place(a_new_line(held_by="another"), FLEET) is None


@pytest.mark.parametrize("error", LOST)
async def test_lost_claim_keeps_others_out(store: Store, error: Exception):
    instance = await settled(store)
    with pytest.raises(StoreUnavailable):
        await Store(Lossy(store, error)).instances.replace(instance, instance.granted("me", LATER))

    assert await store.instances.replace(instance, instance.granted("another", LATER)) is None
    assert (await store.instances.find(instance.name)).lease.holder == "me"


@pytest.mark.parametrize("error", LOST)
async def test_lost_release_is_done_again(perene: Perene, store: Store, error: Exception):
    held = await placed(store)
    with pytest.raises(StoreUnavailable):
        await Store(Lossy(store, error)).instances.release(held)

    assert await store.instances.release(held)
    assert reserved(perene) == 0


# A database that can't be reached ------------------------------------------------------------

HELD = a_line(held_by="me", version=LATER, number=NUMBER)
ASKED: dict[str, Callable[[Store], Awaitable[Any]]] = {
    "look": lambda store: store.instances.find_with_tenant(a_tenant().tenant, HELD.name),
    "instance": lambda store: store.instances.find(HELD.name),
    "lines": lambda store: store.instances.list_of_tenant(a_tenant().tenant),
    "place": lambda store: store.instances.place(HELD, FLEET),
    "release": lambda store: store.instances.release(HELD),
    "replace": lambda store: store.instances.replace(HELD, HELD),
    "extend": lambda store: store.instances.extend_lease(HELD, LATER),
    "settle": lambda store: store.instances.release_lease(HELD, opened),
    "change": lambda store: store.instances.change(HELD.name, opened, LATER),
    "free_number": lambda store: store.numbers.free(HELD),
}


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(base.LIMITS, "timeout", 0.1)
    monkeypatch.setitem(base.LIMITS, "retry", base._AGAIN.with_timeout(0.1))


@pytest.fixture(params=["nobody listens", "nobody answers"])
def host(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if request.param == "nobody answers":
            silent.listen()
            yield f"127.0.0.1:{silent.getsockname()[1]}"
        else:
            yield f"127.0.0.1:{find_free_port()}"


@pytest.fixture
async def unreachable(
    host: str, impatient: None, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Store]:
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", host)
    client = firestore.AsyncClient(project="nowhere")
    yield Store(Database(client))
    await client._firestore_api.transport.close()


@pytest.mark.parametrize("question", ASKED)
async def test_unreachable_database_is_a_problem(unreachable: Store, question: str):
    async with asyncio.timeout(2):
        with pytest.raises(StoreUnavailable) as problem:
            await ASKED[question](unreachable)

    assert problem.value.retry_after


async def test_endless_contention_is_a_problem(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(base, "PATIENCE", 0.1)
    monkeypatch.setattr(store.db, "commit", contended)

    with pytest.raises(StoreUnavailable, match="Too many callers"):
        await store.instances.place(a_new_line(), FLEET)


async def contended(batch: Any) -> list[Any]:
    raise exceptions.Aborted("somebody else")
