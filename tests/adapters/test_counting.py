"""The counter counts as Firestore bills."""

from collections.abc import AsyncIterator

import pytest
from google.api_core.exceptions import AlreadyExists
from google.cloud import firestore

from tests.adapters.counting import Counted, counting
from tests.perene import Perene


@pytest.fixture
async def client(perene: Perene) -> AsyncIterator[firestore.AsyncClient]:
    perene.write("things/a", size=1)
    perene.write("things/b", size=2)
    return perene.store.db.client


async def test_batch_get_costs_one_round_trip(client):
    things = [client.document(f"things/{name}") for name in "ab"]

    with counting(client) as counted:
        assert len([snapshot async for snapshot in client.get_all(things)]) == 2

    assert counted == Counted(reads=2, round_trips=1)


async def test_a_missing_document_costs_a_read(client):
    with counting(client) as counted:
        await client.document("things/none").get()

    assert counted == Counted(reads=1, round_trips=1)


async def test_a_query_costs_what_it_finds(client):
    with counting(client) as counted:
        assert len([snapshot async for snapshot in client.collection("things").stream()]) == 2

    assert counted == Counted(reads=2, round_trips=1)


async def test_query_that_finds_nothing_costs_read(client):
    with counting(client) as counted:
        assert [snapshot async for snapshot in client.collection("nothing").stream()] == []

    assert counted == Counted(reads=1, round_trips=1)


async def test_a_count_costs_a_read(client):
    with counting(client) as counted:
        ((result,),) = await client.collection("things").count().get()

    assert result.value == 2
    assert counted == Counted(reads=1, round_trips=1)


async def test_count_costs_a_read_for_each_thousand(client):
    for several in range(3):
        batch = client.batch()
        for at in range(400):
            batch.set(client.document(f"many/{several}-{at}"), {})
        await batch.commit()

    with counting(client) as counted:
        await client.collection("many").count().get()

    assert counted == Counted(reads=2, round_trips=1)


async def test_commit_costs_its_writes_and_deletes(client):
    batch = client.batch()
    batch.set(client.document("things/c"), {"size": firestore.Increment(1)}, merge=True)
    batch.update(client.document("things/a"), {"at": firestore.SERVER_TIMESTAMP})
    batch.delete(client.document("things/b"))

    with counting(client) as counted:
        await batch.commit()

    assert counted == Counted(writes=2, deletes=1, round_trips=1)


async def test_refused_commit_costs_round_trip(client):
    with counting(client) as counted, pytest.raises(AlreadyExists):
        await client.document("things/a").create({})

    assert counted == Counted(round_trips=1)


async def test_transaction_costs_reads_writes_round_trips(client):
    @firestore.async_transactional
    async def grow(transaction):
        thing = await client.document("things/a").get(transaction=transaction)
        transaction.update(thing.reference, {"size": thing.get("size") + 1})

    with counting(client) as counted:
        await grow(client.transaction())

    assert counted == Counted(reads=1, writes=1, round_trips=3)


async def test_later_calls_are_not_counted(client):
    with counting(client) as counted:
        pass
    await client.document("things/a").get()

    assert counted == Counted()
