"""What messages mean that a server keeps, as its database tells them (EVOLUTION.md §6)."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.events import Said, SendRefused
from shared.domain.messages import Message
from shared.evolution import addresses, deliveries, said, shapes
from shared.evolution.addresses import Key
from shared.evolution.heard import Events, Heard

WRITTEN_ON_A_PHONE = frozenset({"android", "ios"})
"""Sources of messages that reached the server by way of WhatsApp, which therefore has them."""


def meanings(records: Iterable[Mapping[str, Any]], own: str) -> Events:
    """What was said, in one Recalled event, and what else the records tell."""
    several = [dict(each) for each in records]
    told = said.recalled(Heard([_with_status(each) for each in several], own))
    return (*told, *_refused(several, own))


def read_message(record: Mapping[str, Any], own: str) -> Message | None:
    """Read what was said from one record; None if it says nothing."""
    events = said.of_message(_with_status(dict(record)), Heard(record, own))
    return next((event.message for event in events if isinstance(event, Said)), None)


def _refused(records: Iterable[Mapping[str, Any]], own: str) -> Iterable[SendRefused]:
    """Of ours those that WhatsApp didn't take, however far they are said to have got."""
    for record in records:
        key = addresses.key_of(record.get("key"), own, False)
        refused = any(map(deliveries.refused, _words(record)))
        if refused and isinstance(key, Key) and key.from_me:
            yield SendRefused(key.id)


def _words(record: Mapping[str, Any]) -> list[Any]:
    """How far it got is in rows of its own, in any order."""
    updates = record.get("MessageUpdate")
    rows = updates if isinstance(updates, list) else []
    return [each.get("status") for each in rows if isinstance(each, dict)]


def _with_status(record: dict[str, Any]) -> dict[str, Any]:
    words = _words(record)
    if any(deliveries.word(word) == "DELETED" for word in words):
        return record | {"message": _order(record)}
    known = [(delivery, word) for word in words if (delivery := deliveries.delivery(word))]
    if known:
        return record | {"status": max(known)[1]}
    return record | {"status": _status_of(record)}


def _status_of(record: Mapping[str, Any]) -> Any:
    """Tell the status of a record without updates: its own, or that WhatsApp hasn't answered yet.

    A record of what was sent through the API carries none while WhatsApp is silent, however long
    that is (EVOLUTION.md §10).
    """
    own = record.get("status")
    waiting = deliveries.word(own) is None and record.get("source") not in WRITTEN_ON_A_PHONE
    return "PENDING" if waiting else own


def _order(record: Mapping[str, Any]) -> dict[str, Any]:
    """The row still has the words of what was taken back; all that it means is that it was."""
    return {"protocolMessage": {"type": "REVOKE", "key": record.get("key")}}


def newest(records: Iterable[Mapping[str, Any]]) -> int:
    """The time of the newest record, whatever it is (epoch milliseconds)."""
    return max((shapes.millis(each.get("messageTimestamp")) or 0 for each in records), default=0)
