"""What messages mean that a server keeps, as its database tells them (EVOLUTION.md §6)."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.evolution import deliveries, said, shapes
from shared.evolution.heard import Events, Heard


def meanings(records: Iterable[Mapping[str, Any]], own: str) -> Events:
    """What was said, in one Recalled event, and what else the records tell."""
    return said.recalled(Heard([_with_status(dict(each)) for each in records], own))


def _with_status(record: dict[str, Any]) -> dict[str, Any]:
    """How far it got is in rows of its own, in any order."""
    updates = record.get("MessageUpdate")
    rows = updates if isinstance(updates, list) else []
    words = [each.get("status") for each in rows if isinstance(each, dict)]
    if any(deliveries.word(word) == "DELETED" for word in words):
        return record | {"message": _order(record)}
    known = [(delivery, word) for word in words if (delivery := deliveries.delivery(word))]
    return record | {"status": max(known)[1]} if known else record


def _order(record: Mapping[str, Any]) -> dict[str, Any]:
    """The row still has the words of what was taken back; all that it means is that it was."""
    return {"protocolMessage": {"type": "REVOKE", "key": record.get("key")}}


def newest(records: Iterable[Mapping[str, Any]]) -> int:
    """The time of the newest record, whatever it is (epoch milliseconds)."""
    return max((shapes.millis(each.get("messageTimestamp")) or 0 for each in records), default=0)
