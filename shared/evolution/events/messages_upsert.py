"""Read message objects: mostly messages of contacts and of ours (EVOLUTION.md §4)."""

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from shared.domain import messages, positions
from shared.domain.contacts import Contact, ContactKey, contact_of
from shared.domain.events import (
    Ignored,
    Reacted,
    Recalled,
    Said,
    SendRefused,
    Unreadable,
)
from shared.domain.messages import Author, Delivery, Message, Quoted
from shared.evolution import addresses, contents, deliveries, json_values
from shared.evolution.addresses import Fields, MessageOrigin
from shared.evolution.events import protocol_message
from shared.evolution.events.payload import EventPayload, Events, read_items
from shared.evolution.json_values import read_text

LONGEST_EMOJI = 64
"""Characters; a family with skin tones has 11."""

NOISE = {
    "pollUpdateMessage": "a vote in a poll",
    "encReactionMessage": "an encrypted reaction",
    "encEventResponseMessage": "an answer to an event",
    "secretEncryptedMessage": "an encrypted change",
    "pinInChatMessage": "a pinned message",
    "keepInChatMessage": "a kept message",
    "albumMessage": "an album: its pictures come by themselves",
    "stickerSyncRmrMessage": "synchronisation",
    "messageHistoryBundle": "synchronisation",
    "messageHistoryNotice": "synchronisation",
    "callLogMesssage": "a call",
    "call": "a call",
    "senderKeyDistributionMessage": "keys",
    "fastRatchetKeySenderKeyDistributionMessage": "keys",
}
"""Content that has nothing for a person to read, and the reason why it is ignored."""


def read_messages(payload: EventPayload) -> Events:
    """Read `messages.upsert`: new messages, or news about old ones."""
    indices = dict[str | None, int]()

    def read_item(item: Any) -> Events:
        index = indices.setdefault(_read_id(item), len(indices))
        return read_message(item, replace(payload, index=payload.index + index))

    return read_items(list_messages(payload.data), read_item)


def read_own_messages(payload: EventPayload) -> Events:
    """Read `send.message`: a message that was sent through this server."""
    return read_messages(replace(payload, ours=True))


def read_history(payload: EventPayload) -> Events:
    """Read `messages.set`: history. Its messages go into one Recalled event, which comes first.

    WhatsApp lists them newest first; in the event the oldest comes first.
    """
    items = list_messages(payload.data)
    oldest_first = items[::-1] if isinstance(items, list) and _is_newest_first(items) else items
    events = read_messages(replace(payload, data=oldest_first))
    past = tuple(event.message for event in events if isinstance(event, Said))
    others = tuple(event for event in events if not isinstance(event, Said))
    return (Recalled(past), *others) if past else others


def read_message(value: Any, payload: EventPayload) -> Events:
    """Read one message object; an object that can't be understood is Unreadable."""
    if not isinstance(value, dict):
        return (Unreadable("a message that is no object"),)
    origin = addresses.read_origin(value.get("key"), payload.own_number, payload.ours)
    if not isinstance(origin, MessageOrigin):
        return (origin,)
    at = json_values.read_millis(value.get("messageTimestamp"))
    if at is None:
        return (Unreadable("a message without a time"),)
    content = value.get("message")
    if not isinstance(content, dict | None):
        return (Unreadable("a message whose content is no object"),)
    message_payload = replace(payload, at=at, emitted=payload.at or None)
    return _read_events(value, content or {}, origin, message_payload)


def list_messages(data: Any) -> Any:
    """Return the messages, also when they come with the progress of a history (§9)."""
    inner = data.get("messages") if isinstance(data, dict) and "key" not in data else None
    return inner if isinstance(inner, list) else data


def _is_newest_first(items: Iterable[Any]) -> bool:
    """Tell whether messages are mostly older than the one of the same chat before them."""
    steps = [
        _read_time(item) - _read_time(before)
        for before, item in itertools.pairwise(items)
        if _read_key(before).get("remoteJid") == _read_key(item).get("remoteJid")
    ]
    return sum(step < 0 for step in steps) > sum(step > 0 for step in steps)


def _read_time(item: Any) -> int:
    value = item.get("messageTimestamp") if isinstance(item, dict) else None
    return json_values.read_millis(value) or 0


def _read_key(item: Any) -> Fields:
    key = item.get("key") if isinstance(item, dict) else None
    return key if isinstance(key, dict) else {}


def _read_id(item: Any) -> str | None:
    return addresses.read_message_id(_read_key(item).get("id"))


def _read_events(
    value: Fields, wrapped: Fields, origin: MessageOrigin, payload: EventPayload
) -> Events:
    content, view_once = contents.unwrap_message(wrapped)
    if isinstance(order := content.get("protocolMessage"), dict):
        authors, group = protocol_message.find_authors(origin), protocol_message.find_group(origin)
        return (protocol_message.read_order(order, authors, payload.at, group),)
    if isinstance(reaction := content.get("reactionMessage"), dict):
        return (_read_reaction(reaction, origin, payload.at),)
    if reason := _find_noise(content, value):
        return (Ignored(reason),)
    message_type = value.get("messageType") if content is wrapped else None
    context = contents.read_context(content, value.get("contextInfo"))
    fields = _read_origin_fields(value, origin) | _read_context_fields(context)
    message = Message(
        **dict(contents.read_content(content, view_once, message_type)),
        **fields,
        delivery=_read_delivery(value, origin, payload),
        at=positions.place(payload.at, payload.emitted, payload.index),
        emitted=payload.emitted,
    )
    event = Said(message, fresh=True)
    is_refused = origin.from_me and deliveries.is_refused(value.get("status"))
    return (event, SendRefused(origin.id)) if is_refused else (event,)


def _find_noise(content: Fields, value: Fields) -> str | None:
    names = contents.list_content_names(content)
    if not names and value.get("messageStubType"):
        return "a notice of WhatsApp's own"
    return NOISE[names[0]] if names and NOISE.keys() >= set(names) else None


def _read_reaction(
    reaction: Fields, origin: MessageOrigin, at: int
) -> Reacted | Ignored | Unreadable:
    target = reaction.get("key")
    target_id = addresses.read_message_id(target.get("id")) if isinstance(target, dict) else None
    actor = origin.author if origin.contact.group else origin.contact
    emoji = reaction.get("text")
    if target_id is None or not isinstance(emoji, str | None):
        return Unreadable("a reaction to nothing")
    if emoji and len(emoji) > LONGEST_EMOJI:
        return Ignored("a reaction that is no emoji")
    moment = json_values.read_millis(reaction.get("senderTimestampMs")) or at
    if origin.from_me:
        return Reacted(target_id, "me", emoji or None, moment, origin.id)
    if actor is None:
        return Unreadable("a reaction by nobody")
    return Reacted(target_id, actor.key, emoji or None, moment, origin.id)


def _read_origin_fields(value: Fields, origin: MessageOrigin) -> Fields:
    """Build the fields of a message that say who sent it to whom."""
    name = (
        None
        if origin.from_me
        else addresses.read_name(value.get("pushName"), origin.author or origin.contact)
    )
    return {
        "id": origin.id,
        "contact": origin.contact,
        "from_me": origin.from_me,
        "author": _build_author(origin.author, name),
        "name": None if origin.contact.group else name,
    }


def _read_context_fields(context: Fields) -> Fields:
    """Build the fields of a message that refer to others."""
    return {
        "quoted": _read_quoted(context),
        "mentions": _read_mentions(context),
        "forwarded": _is_forwarded(context),
    }


def _build_author(author: Contact | None, name: str | None) -> Author | None:
    if author is None:
        return None
    return Author(key=author.key, number=author.number, lid=author.lid, name=name)


def _read_delivery(value: Fields, origin: MessageOrigin, payload: EventPayload) -> Delivery | None:
    """Read how far a message of ours got.

    A message that was typed on the phone is on WhatsApp already, also without a status (1.8).
    """
    if not origin.from_me:
        return None
    status = value.get("status")
    is_waiting = payload.ours or deliveries.is_refused(status)
    return deliveries.read_delivery(status) or (Delivery.PENDING if is_waiting else Delivery.SENT)


def _read_quoted(context: Fields) -> Quoted | None:
    message_id = addresses.read_message_id(context.get("stanzaId"))
    if message_id is None:
        return None
    author = contact_of(read_text(context.get("participant")) or "")
    quoted = context.get("quotedMessage")
    wrapped = quoted if isinstance(quoted, dict) else {}
    content = contents.read_content(*contents.unwrap_message(wrapped))
    return Quoted(
        id=message_id,
        author=author.key if author else None,
        kind=content.kind,
        preview=messages.preview(content),
    )


def _read_mentions(context: Fields) -> tuple[ContactKey, ...]:
    mentions = context.get("mentionedJid")
    jids = mentions if isinstance(mentions, list) else []
    contacts = [contact_of(jid) for jid in jids if isinstance(jid, str)]
    return tuple(dict.fromkeys(contact.key for contact in contacts if contact))


def _is_forwarded(context: Fields) -> bool:
    score = json_values.read_count(context.get("forwardingScore"))
    return context.get("isForwarded") is True or bool(score)
