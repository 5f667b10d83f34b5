"""Read updates of earlier messages: how far they got, and that they were deleted (§4)."""

from typing import Any

from shared.domain import kept_messages
from shared.domain.events import (
    DeliveryMoved,
    Event,
    Ignored,
    ReadByUs,
    Revoked,
    SendRefused,
    Unreadable,
)
from shared.domain.messages import Delivery
from shared.evolution import addresses, deliveries, json_values
from shared.evolution.addresses import Fields, MessageOrigin
from shared.evolution.events import messages_upsert, poll_votes, protocol_message
from shared.evolution.events.payload import EventPayload, Events, read_items

NO_DELIVERY = frozenset({"EDITED"})


def read_updates(payload: EventPayload) -> Events:
    """Read `messages.update`: a status. In 1.8 the key is spread into the data."""
    return read_items(payload.data, lambda value: _read_update(value, payload))


def read_deletions(payload: EventPayload) -> Events:
    """Read `messages.delete`: a bare key, or the message's row with its key inside."""
    data = payload.data
    keys = data.get("keys") if isinstance(data, dict) else None
    items = keys if isinstance(keys, list) else data
    return read_items(items, lambda value: [_read_deletion(value, payload)])


def _read_update(value: Any, payload: EventPayload) -> Events:
    if not isinstance(value, dict):
        return (Unreadable("an update that is no object"),)
    content = _find_content(value)
    if value.get("pollUpdates"):
        return poll_votes.read_votes(value, _find_key(value), payload)
    if content is None:
        return (_read_status(value, payload),)
    return _read_words(value, content, payload)


def _find_content(value: Fields) -> Fields | None:
    """Find the content that an update brings: it couldn't be decrypted before."""
    change = value.get("update")
    if isinstance(change, dict):
        content = change.get("message")
    else:
        content = None if "status" in value else value.get("message")
    return content if isinstance(content, dict) and "key" in value else None


def _read_words(value: Fields, content: Fields, payload: EventPayload) -> Events:
    """Read the content of a message that was known without it, or its edit."""
    key, change = _find_key(value), value.get("update")
    merged = value | (change if isinstance(change, dict) else {})
    edited = content.get("editedMessage")
    if isinstance(edited, dict) and isinstance(edited.get("message"), dict):
        order = {"type": "MESSAGE_EDIT", "key": key, "editedMessage": edited["message"]}
        origin = addresses.read_origin(key, payload.own_number)
        if not isinstance(origin, MessageOrigin):
            return (origin,)
        at = json_values.read_millis(merged.get("messageTimestamp")) or payload.at
        authors = protocol_message.find_authors(origin)
        return (protocol_message.read_order(order, authors, at),)
    dated = merged if merged.get("messageTimestamp") else {"messageTimestamp": payload.at // 1000}
    return messages_upsert.read_message({**merged, **dated, "message": content}, payload)


def _read_status(value: Fields, payload: EventPayload) -> Event:
    key = _find_key(value)
    message_id = next(filter(None, map(addresses.read_message_id, _list_ids(value, key))), None)
    status = deliveries.read_status(value.get("status"))
    if message_id is None or status is None:
        return Unreadable("an update of no message, or of nothing")
    if status == "DELETED":
        return _build_revocation(message_id, key, payload)
    if deliveries.is_refused(status) and key.get("fromMe") is not False:
        return SendRefused(message_id, deliveries.is_restricted(value))
    return _read_delivery(message_id, status, theirs=key.get("fromMe") is False)


def _read_delivery(message_id: str, status: str, *, theirs: bool) -> Event:
    delivery = deliveries.read_delivery(status)
    if theirs and delivery in (Delivery.READ, Delivery.PLAYED):
        return ReadByUs(message_id)
    if theirs:
        return Ignored("what became of a contact's message")
    if delivery is not None:
        return DeliveryMoved(message_id, delivery)
    return Ignored("no delivery" if status in NO_DELIVERY else "an unknown status")


def _read_deletion(value: Any, payload: EventPayload) -> Event:
    if not isinstance(value, dict):
        return Unreadable("a deletion that is no object")
    key = _find_key(value)
    message_id = addresses.read_message_id(key.get("id"))
    if message_id is None:
        return Ignored("a whole chat") if value.get("all") is True else Unreadable("no message id")
    return _build_revocation(message_id, key, payload)


def _find_key(value: Fields) -> Fields:
    inner = value.get("key")
    return inner if isinstance(inner, dict) else value


def _list_ids(value: Fields, key: Fields) -> tuple[Any, ...]:
    """List where WhatsApp's id may be; `messageId` is the database's and says nothing to us."""
    return (value.get("keyId"), key.get("id"))


def _build_revocation(message_id: str, key: Fields, payload: EventPayload) -> Revoked:
    """Build a revocation from a key, which has the message's id and otherwise its revoker."""
    origin = (
        addresses.read_origin({**key, "id": message_id}, payload.own_number)
        if "fromMe" in key
        else None
    )
    if not isinstance(origin, MessageOrigin):
        return Revoked(message_id, payload.at, (kept_messages.UNNAMED,))
    authors = protocol_message.find_authors(origin)
    return Revoked(message_id, payload.at, authors, protocol_message.find_group(origin))
