"""Find the index that a query needs, as Firestore decides (the emulator never asks for one)."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from google.cloud.firestore_v1.types import StructuredQuery

DECLARED = Path(__file__).parent.parent.parent / "infra" / "firestore.indexes.json"

ID = "__name__"
_UP, _DOWN = "ASCENDING", "DESCENDING"
_FIELD = StructuredQuery.FieldFilter.Operator
_EQUAL = {_FIELD.EQUAL, _FIELD.IN, _FIELD.ARRAY_CONTAINS}
_ORDERED = {
    _FIELD.LESS_THAN,
    _FIELD.LESS_THAN_OR_EQUAL,
    _FIELD.GREATER_THAN,
    _FIELD.GREATER_THAN_OR_EQUAL,
}


class Order(NamedTuple):
    """A field by which an index or a query is sorted."""

    field: str
    direction: str = _UP


class Shape(NamedTuple):
    """A query without its values, which is enough to choose its index."""

    collection: str
    equal: frozenset[str]
    order: tuple[Order, ...]
    group: bool = False


class Indexes:
    """The indexes and exemptions that infra/firestore.indexes.json declares."""

    def __init__(self, declared: dict[str, Any] | None = None) -> None:
        declared = declared or json.loads(DECLARED.read_text())
        self.composite = [_composite(index) for index in declared["indexes"]]
        self.off = {
            (override["collectionGroup"], override["fieldPath"])
            for override in declared["fieldOverrides"]
            if not override["indexes"]
        }
        self.ttl = {
            (override["collectionGroup"], override["fieldPath"])
            for override in declared["fieldOverrides"]
            if override.get("ttl")
        }

    def serve(self, shape: Shape) -> bool:
        """Tell whether Firestore would answer a query of the shape.

        Equalities alone, or one order alone, are served by the indexes of single fields; all
        else needs a composite one: the equalities first, then the order as asked; or several that
        share the order and have all equalities among them, which Firestore merges.
        """
        fields = shape.equal | {order.field for order in shape.order}
        simple = not shape.order or (not shape.equal and len(shape.order) == 1)
        if (
            simple
            and not shape.group
            and all(self._single(shape.collection, field) for field in fields)
        ):
            return True
        parts = [part for index in self.composite if (part := _part(index, shape)) is not None]
        return bool(parts) and frozenset().union(*parts) == shape.equal

    def needed_by(self, shapes: set[Shape]) -> list[Shape]:
        """List the composite indexes that alone serve one of the shapes."""
        return [
            index
            for index in self.composite
            if any(_part(index, shape) == shape.equal for shape in shapes)
        ]

    def _single(self, collection: str, field: str) -> bool:
        above = field.split(".")
        paths = {".".join(above[: length + 1]) for length in range(len(above))}
        return all((collection, path) not in self.off for path in paths)


def shape_of(query: StructuredQuery) -> Shape:
    """Return the shape of a query as it is sent."""
    (source,) = query.from_
    filters = list(_filters(query.where))
    unknown = [condition.op for condition in filters if condition.op not in _EQUAL | _ORDERED]
    assert not unknown, f"which index serves {unknown}? Teach this module."
    compared = [condition.field.field_path for condition in filters if condition.op in _ORDERED]
    order = [Order(by.field.field_path, by.direction.name) for by in query.order_by]
    order = order or [Order(field) for field in dict.fromkeys(compared)]
    ranges = order[: len(set(compared)) or 1]
    assert set(compared) <= {by.field for by in ranges}, "a range that isn't first in the order"
    equal = frozenset(condition.field.field_path for condition in filters if condition.op in _EQUAL)
    return Shape(source.collection_id, equal, _without_id(order), source.all_descendants)


def _without_id(order: list[Order]) -> tuple[Order, ...]:
    """Drop the id at the end, which every index has in the direction of the field before it."""
    before = order[-2].direction if len(order) > 1 else _UP
    ends = bool(order) and order[-1] == Order(ID, before)
    return tuple(order[:-1] if ends else order)


def _composite(declared: dict[str, Any]) -> Shape:
    fields = [
        Order(field["fieldPath"], field.get("order") or field["arrayConfig"])
        for field in declared["fields"]
    ]
    group = declared["queryScope"] == "COLLECTION_GROUP"
    # Which of its fields are asked for equality is up to the query: see _serves.
    return Shape(declared["collectionGroup"], frozenset(), tuple(fields), group)


def _part(index: Shape, shape: Shape) -> frozenset[str] | None:
    """Return the equalities of a shape that an index with its order serves; None: it has another.

    All of the index's own fields have to be asked for.
    """
    length = len(_without_id(list(index.order))) - len(shape.order)
    equal = frozenset(order.field for order in index.order[: max(length, 0)])
    rest = _without_id(list(index.order[max(length, 0) :]))
    same = (index.collection, index.group) == (shape.collection, shape.group)
    return equal if same and equal <= shape.equal and rest == shape.order else None


def _filters(where: Any) -> Any:
    if "composite_filter" in where:
        assert where.composite_filter.op == StructuredQuery.CompositeFilter.Operator.AND
        for condition in where.composite_filter.filters:
            yield from _filters(condition)
    if "field_filter" in where:
        yield where.field_filter
    if "unary_filter" in where:
        null = StructuredQuery.UnaryFilter.Operator.IS_NULL
        assert where.unary_filter.op == null, "only null is known to be asked for"
        equal = StructuredQuery.FieldFilter.Operator.EQUAL
        yield StructuredQuery.FieldFilter(field=where.unary_filter.field, op=equal)
