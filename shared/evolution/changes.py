"""News of messages that were said before: how far they got, and that they're gone (§4)."""

from typing import Any

from shared.domain import threads
from shared.domain.events import DeliveryMoved, Event, Ignored, Revoked, SendRefused, Unreadable
from shared.evolution import addresses, deliveries, protocol
from shared.evolution.addresses import Fields, Key
from shared.evolution.heard import Events, Heard, each

NOTHING_MOVED = frozenset({"EDITED"})


def updated(heard: Heard) -> Events:
    """`messages.update`: a status. In 1.8 the key is spread into the data."""
    return each(heard.data, lambda value: [_update(value, heard)])


def deleted(heard: Heard) -> Events:
    """`messages.delete`: a bare key, or the message's row with its key inside."""
    data = heard.data
    keys = data.get("keys") if isinstance(data, dict) else None
    return each(keys if isinstance(keys, list) else data, lambda value: [_delete(value, heard)])


def _update(value: Any, heard: Heard) -> Event:
    if not isinstance(value, dict):
        return Unreadable("an update that is no object")
    key = _key(value)
    name = next(filter(None, map(addresses.message_id, _ids(value, key))), None)
    word = deliveries.word(value.get("status"))
    if value.get("pollUpdates"):
        return Ignored("votes in a poll")
    if name is None or word is None:
        return Unreadable("an update of no message, or of nothing")
    if word == "DELETED":
        return _revoked(name, key, heard)
    if deliveries.refused(word) and key.get("fromMe") is not False:
        return SendRefused(name, deliveries.restricted(value))
    return _moved(name, word, theirs=key.get("fromMe") is False)


def _moved(name: str, word: str, *, theirs: bool) -> Event:
    if theirs:
        return Ignored("what became of a contact's message")
    delivery = deliveries.delivery(word)
    if delivery is not None:
        return DeliveryMoved(name, delivery)
    return Ignored("no delivery" if word in NOTHING_MOVED else "an unknown status")


def _delete(value: Any, heard: Heard) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a deletion that is no object")
    key = _key(value)
    name = addresses.message_id(key.get("id"))
    if name is None:
        return Ignored("a whole chat") if value.get("all") is True else Unreadable("no message id")
    return _revoked(name, key, heard)


def _key(value: Fields) -> Fields:
    inner = value.get("key")
    return inner if isinstance(inner, dict) else value


def _ids(value: Fields, key: Fields) -> tuple[Any, ...]:
    """`messageId` is the database's and says nothing to us."""
    return (value.get("keyId"), key.get("id"))


def _revoked(name: str, key: Fields, heard: Heard) -> Revoked:
    """Read a deletion: its key has the message's id, and otherwise says who took it back."""
    found = addresses.key_of({**key, "id": name}, heard.own) if "fromMe" in key else None
    if not isinstance(found, Key):
        return Revoked(name, heard.at, (threads.SOMEBODY,))
    return Revoked(name, heard.at, protocol.sender_of(found), protocol.group_of(found))
