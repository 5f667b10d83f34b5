"""A message object and what it means: mostly that somebody said something (EVOLUTION.md §4)."""

from dataclasses import replace
from typing import Any

from shared.domain import messages
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
from shared.evolution import addresses, contents, deliveries, protocol, shapes
from shared.evolution.addresses import Fields, Key
from shared.evolution.heard import Events, Heard, each
from shared.evolution.reading import text

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
"""Content that says nothing to anybody, and what it is."""


def upserted(heard: Heard) -> Events:
    """`messages.upsert`: something new, or something new about something old."""
    return each(listed(heard.data), lambda value: of_message(value, heard))


def sent(heard: Heard) -> Events:
    """`send.message`: what we said through this server."""
    return upserted(replace(heard, ours=True))


def recalled(heard: Heard) -> Events:
    """`messages.set`: history."""
    told = upserted(heard)
    past = tuple(event.message for event in told if isinstance(event, Said))
    others = tuple(event for event in told if not isinstance(event, Said))
    return (Recalled(past), *others) if past else others


def of_message(value: Any, heard: Heard) -> Events:
    """What one message object means; what can't be understood is Unreadable."""
    if not isinstance(value, dict):
        return (Unreadable("a message that is no object"),)
    key = addresses.key_of(value.get("key"), heard.own, heard.ours)
    if not isinstance(key, Key):
        return (key,)
    at = shapes.millis(value.get("messageTimestamp"))
    if at is None:
        return (Unreadable("a message without a time"),)
    content = value.get("message")
    if not isinstance(content, dict | None):
        return (Unreadable("a message whose content is no object"),)
    return _meanings(value, content or {}, key, replace(heard, at=at))


def _meanings(value: Fields, wrapped: Fields, key: Key, heard: Heard) -> Events:
    content, once = contents.unwrapped(wrapped)
    if isinstance(order := content.get("protocolMessage"), dict):
        group = protocol.group_of(key)
        return (protocol.ordered(order, protocol.sender_of(key), heard.at, group),)
    if isinstance(reaction := content.get("reactionMessage"), dict):
        return (_reacted(reaction, key, heard.at),)
    if reason := _noise(content, value):
        return (Ignored(reason),)
    original = value.get("messageType") if content is wrapped else None
    found = contents.content_of(content, once, original)
    context = contents.context_of(content, value.get("contextInfo"))
    told = _told(value, key) | _context(context) | {"delivery": _delivery(value, key, heard)}
    said = Said(Message(**dict(found), **told, at=heard.at), fresh=True)
    refused = key.from_me and deliveries.refused(value.get("status"))
    return (said, SendRefused(key.id)) if refused else (said,)


def _noise(content: Fields, value: Fields) -> str | None:
    held = contents.names(content)
    if not held and value.get("messageStubType"):
        return "a notice of WhatsApp's own"
    return NOISE[held[0]] if held and NOISE.keys() >= set(held) else None


def _reacted(reaction: Fields, key: Key, at: int) -> Reacted | Ignored | Unreadable:
    target = reaction.get("key")
    target_id = addresses.message_id(target.get("id")) if isinstance(target, dict) else None
    actor = key.author if key.contact.group else key.contact
    emoji = reaction.get("text")
    if target_id is None or not isinstance(emoji, str | None):
        return Unreadable("a reaction to nothing")
    if emoji and len(emoji) > LONGEST_EMOJI:
        return Ignored("a reaction that is no emoji")
    moment = shapes.millis(reaction.get("senderTimestampMs")) or at
    if key.from_me:
        return Reacted(target_id, "me", emoji or None, moment, key.id)
    if actor is None:
        return Unreadable("a reaction by nobody")
    return Reacted(target_id, actor.key, emoji or None, moment, key.id)


def _told(value: Fields, key: Key) -> Fields:
    """Who said it to whom."""
    name = None if key.from_me else addresses.called(value.get("pushName"), _speaker(key))
    return {
        "id": key.id,
        "contact": key.contact,
        "from_me": key.from_me,
        "author": _author(key.author, name),
        "name": None if key.contact.group else name,
    }


def _context(context: Fields) -> Fields:
    """What it refers to."""
    return {
        "quoted": _quoted(context),
        "mentions": _mentions(context),
        "forwarded": _forwarded(context),
    }


def _speaker(key: Key) -> Contact:
    return key.author or key.contact


def _author(author: Contact | None, name: str | None) -> Author | None:
    if author is None:
        return None
    return Author(key=author.key, number=author.number, lid=author.lid, name=name)


def _delivery(value: Fields, key: Key, heard: Heard) -> Delivery | None:
    """What we typed on the phone is on WhatsApp already, also where no status says so (1.8)."""
    if not key.from_me:
        return None
    status = value.get("status")
    waiting = heard.ours or deliveries.refused(status)
    return deliveries.delivery(status) or (Delivery.PENDING if waiting else Delivery.SENT)


def _quoted(context: Fields) -> Quoted | None:
    name = addresses.message_id(context.get("stanzaId"))
    if name is None:
        return None
    author = contact_of(text(context.get("participant")) or "")
    quoted = context.get("quotedMessage")
    wrapped = quoted if isinstance(quoted, dict) else {}
    content = contents.content_of(*contents.unwrapped(wrapped))
    return Quoted(
        id=name,
        author=author.key if author else None,
        kind=content.kind,
        preview=messages.preview(content),
    )


def _mentions(context: Fields) -> tuple[ContactKey, ...]:
    listed = context.get("mentionedJid")
    named = listed if isinstance(listed, list) else []
    found = [contact_of(jid) for jid in named if isinstance(jid, str)]
    return tuple(dict.fromkeys(contact.key for contact in found if contact))


def _forwarded(context: Fields) -> bool:
    return context.get("isForwarded") is True or bool(shapes.whole(context.get("forwardingScore")))


def listed(data: Any) -> Any:
    """The messages, also when they come with news of how far a history has got (§9)."""
    inner = data.get("messages") if isinstance(data, dict) and "key" not in data else None
    return inner if isinstance(inner, list) else data
