"""Every query has its index in infra/, and every index its query."""

import json

import pytest
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import content
from shared.domain.endpoints import Endpoint
from shared.domain.instances import Instance
from shared.domain.record import Record
from tests.cases import in_each
from tests.infra import asked
from tests.infra.asked import TENANT
from tests.infra.indexes import Indexes, Order, Shape, shape_of
from tests.perene import Perene

DOWN = firestore.Query.DESCENDING


async def test_queries_and_indexes_match(perene: Perene):
    indexes = Indexes()

    with asked.shapes(perene.store.db.client) as shapes:
        await asked.everything(perene.store)

    assert [shape for shape in shapes if not indexes.serve(shape)] == []
    assert [index for index in indexes.composite if index not in indexes.needed_by(shapes)] == []


async def test_every_query_is_asked(perene: Perene):
    with asked.places() as places:
        await asked.everything(perene.store)

    assert places == asked.written("shared", "functions")


def test_passing_documents_expire():
    ending = (
        "acts",
        "aliases",
        "attempts",
        "candidates",
        "dead_letters",
        "incidents",
        "links",
        "reports",
        "sends",
    )
    assert Indexes().ttl == {(collection, "expires_at") for collection in ending}


@in_each(
    ("collection", "field"),
    [
        ("messages", "text"),
        ("messages", "media"),
        ("messages", "edits"),
        ("messages", "reactions"),
        ("messages", "votes"),
        ("messages", "changed"),
        ("conversations", "preview"),
        ("conversations", "read_until"),
        ("conversations", "unread_at"),
        ("dead_letters", "raw"),
        ("reports", "notes"),
        ("reports", "invariants"),
        ("servers", "census"),
        ("dead_letters", "expires_at"),
    ],
)
def test_big_fields_are_not_indexed(collection: str, field: str):
    assert (collection, field) in Indexes().off


async def test_contents_are_indexed_only_for_queries(perene: Perene):
    """An index costs with every write, and a field that is too large for one can't be stored."""
    indexes = Indexes()
    with asked.shapes(perene.store.db.client) as shapes:
        await asked.everything(perene.store)
    of_messages = [shape for shape in shapes if shape.collection == "messages"]
    fields = {field for shape in of_messages for field in shape.equal}
    fields |= {order.field for shape in of_messages for order in shape.order}

    names = {name for name in content.FIELDS if ("messages", name) not in indexes.off}
    assert names - fields == set()


@in_each(("collection", "model"), [("instances", Instance), ("endpoints", Endpoint)])
def test_times_of_all_tenants_are_not_indexed(collection: str, model: type[Record]):
    """An index that grows at its end takes 500 writes a second, of the whole fleet together."""
    schema = model.model_json_schema()
    parts = {name: json.dumps(part) for name, part in schema.get("$defs", {}).items()}
    holders = {f'"#/$defs/{name}"' for name, part in parts.items() if "date-time" in part}
    times = {
        name
        for name, field in schema["properties"].items()
        if any(mark in json.dumps(field) for mark in {"date-time", *holders})
        or (field.get("type") == "integer" and name.endswith(("_at", "_until", "born")))
    }

    assert times - {field for name, field in Indexes().off if name == collection} == set()
    assert len(times) > 10


# What the check itself finds -----------------------------------------------------------------


async def test_query_without_its_index_is_found(perene: Perene):
    conversations = perene.store.db.conversations(TENANT)
    query = conversations.where(filter=FieldFilter("group", "==", True)).order_by("last_at")

    with asked.shapes(perene.store.db.client) as shapes:
        assert await query.get() == []

    assert shapes == {Shape("conversations", frozenset({"group"}), (Order("last_at"),))}
    assert [Indexes().serve(shape) for shape in shapes] == [False]


def test_unasked_query_is_found(perene: Perene):
    with asked.places() as places:
        perene.database.collection("things").where(filter=FieldFilter("size", "==", 1))

    assert {place.file for place in places} == {"tests/infra/test_indexes.py"}
    assert places <= asked.written("tests/infra")


def made(collection: str, equal: tuple[str, ...] = (), *order: tuple[str, str]) -> Shape:
    """The shape of a query that nobody asks."""
    query = firestore.Query(firestore.CollectionReference(collection))
    for field in equal:
        query = query.where(filter=FieldFilter(field, "==", 1))
    for field, direction in order:
        query = query.order_by(field, direction=direction)
    return shape_of(query._to_protobuf())


@in_each(
    ("shape", "served"),
    [
        pytest.param(made("messages"), True, id="all there is"),
        pytest.param(made("messages", ("conversation", "line")), True, id="equalities"),
        pytest.param(made("messages", (), ("number", DOWN)), True, id="one order"),
        pytest.param(made("messages", ("text",)), False, id="a field that isn't indexed"),
        pytest.param(made("messages", ("media.size",)), False, id="a field of one that isn't"),
        pytest.param(made("messages", (), ("at", DOWN)), False, id="an order that isn't indexed"),
        pytest.param(
            made("messages", ("conversation",), ("at", DOWN)), True, id="equality and order"
        ),
        pytest.param(
            made("messages", ("conversation",), ("at", "ASCENDING")), False, id="the other way"
        ),
        pytest.param(
            made("messages", ("conversation",), ("at", DOWN), ("__name__", DOWN)),
            True,
            id="the id in the same direction",
        ),
        pytest.param(
            made("messages", ("conversation",), ("at", DOWN), ("__name__", "ASCENDING")),
            False,
            id="the id in the other direction",
        ),
        pytest.param(
            made("messages", ("conversation", "kind"), ("at", DOWN)), False, id="one field more"
        ),
        pytest.param(
            made("conversations", ("line",), ("last_at", DOWN)), False, id="one field less"
        ),
        pytest.param(
            made("letters", ("conversation",), ("at", DOWN)), False, id="another collection"
        ),
        pytest.param(Shape("messages", frozenset(), (), group=True), False, id="all of that name"),
    ],
)
def test_index_serves_as_firestore_says(shape: Shape, served: bool):
    assert Indexes().serve(shape) == served
