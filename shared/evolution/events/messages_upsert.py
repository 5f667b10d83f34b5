"""Read message objects: mostly messages of contacts and of ours (EVOLUTION.md §4)."""

import itertools
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from shared.domain import content as contents
from shared.domain import positions
from shared.domain.contacts import Contact, ContactKey, contact_of
from shared.domain.content import Content, Kind
from shared.domain.content.calls import CallContent, CallOutcome, PhoneCall
from shared.domain.content.notices import NoticeTopic
from shared.domain.content.offers import OfferContent
from shared.domain.content.replies import ChoiceContent
from shared.domain.content.unreadable import WaitingContent
from shared.domain.events import (
    EditedOutOfSight,
    Ignored,
    Reacted,
    Recalled,
    Said,
    SendRefused,
    Unreadable,
)
from shared.domain.messages import Author, Delivery, Message, Quoted
from shared.evolution import addresses, deliveries, json_values
from shared.evolution.addresses import Fields, MessageOrigin
from shared.evolution.contents import message_object, read_notices
from shared.evolution.contents.fields import read_object
from shared.evolution.events import group_changes, poll_votes, protocol_message
from shared.evolution.events.ad_origin import read_ad_origin
from shared.evolution.events.payload import EventPayload, Events, read_items
from shared.evolution.json_values import read_text

LONGEST_EMOJI = 64
"""Characters; a family with skin tones has 11."""

NOISE = {
    "encReactionMessage": "an encrypted reaction",
    "encCommentMessage": "an encrypted comment",
    "encEventResponseMessage": "an answer to an event",
    "secretEncryptedMessage": "an encrypted change",
    "albumMessage": "an album: its pictures come by themselves",
    "stickerSyncRmrMessage": "synchronisation",
    "messageHistoryBundle": "synchronisation",
    "messageHistoryNotice": "synchronisation",
    "senderKeyDistributionMessage": "keys",
    "fastRatchetKeySenderKeyDistributionMessage": "keys",
    "chat": "synchronisation",
}
"""Content that has nothing for a person to read, and the reason why it is ignored."""

UNDECRYPTED = frozenset({"2", "CIPHERTEXT"})
MISSED_CALLS = {
    "40": PhoneCall(outcome=CallOutcome.MISSED),
    "41": PhoneCall(outcome=CallOutcome.MISSED, video=True),
    "45": PhoneCall(outcome=CallOutcome.MISSED, group=True),
    "46": PhoneCall(outcome=CallOutcome.MISSED, group=True, video=True),
}
"""What a message without content stands for, by the type of its stub."""

_MISSED_CALL_NAMES = {
    "CALL_MISSED_VOICE": "40",
    "CALL_MISSED_VIDEO": "41",
    "CALL_MISSED_GROUP_VOICE": "45",
    "CALL_MISSED_GROUP_VIDEO": "46",
}
_STATUS = "status@broadcast"
_STATUS_MENTIONS = frozenset({"25", "STATUS_MENTION_MESSAGE"})
_TARGETS = (
    "targetMessageKey",
    "key",
    "originalStatusId",
    "originalMessageKey",
    "requestMessageKey",
    "orderRequestMessageId",
)
"""Where a content names the message that it is about."""
_EDITS = frozenset({"1", "2", "4", "EVENT_EDIT", "MESSAGE_EDIT", "POLL_EDIT"})
"""Which encrypted changes are edits."""


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
    fields, view_once = message_object.unwrap_message(wrapped)
    order = fields.get("protocolMessage")
    if isinstance(order, dict) and str(order.get("type")) not in _STATUS_MENTIONS:
        authors, group = protocol_message.find_authors(origin), protocol_message.find_group(origin)
        return (protocol_message.read_order(order, authors, payload.at, group),)
    if isinstance(reaction := fields.get("reactionMessage"), dict):
        return (_read_reaction(reaction, origin, payload.at),)
    if isinstance(vote := fields.get("pollUpdateMessage"), dict):
        return (poll_votes.read_vote(vote, origin, payload.at),)
    if isinstance(change := fields.get("secretEncryptedMessage"), dict):
        return (_read_encrypted(change, origin, payload.at),)
    if reason := _find_noise(fields, value, origin):
        return (Ignored(reason),)
    context = message_object.read_context(fields, value.get("contextInfo"))
    message_type = value.get("messageType") if fields is wrapped else None
    content = _read_stub(fields, value, origin) or message_object.read_content(
        fields, view_once, message_type
    )
    if isinstance(order, dict):
        content = read_notices.build_notice(NoticeTopic.STATUS_MENTION)
    about = _read_origin_fields(value, origin) | _read_context_fields(context)
    message = Message(
        content=_name_choice(content, context),
        **about | _read_target_fields(wrapped, fields, about),
        origin=None if origin.from_me else read_ad_origin(context),
        delivery=_read_delivery(value, origin, payload),
        at=positions.place(payload.at, payload.emitted, payload.index),
        emitted=payload.emitted,
    )
    event = Said(message, fresh=True)
    is_refused = origin.from_me and deliveries.is_refused(value.get("status"))
    return (event, SendRefused(origin.id)) if is_refused else (event,)


def _find_noise(fields: Fields, value: Fields, origin: MessageOrigin) -> str | None:
    names = message_object.list_content_names(fields)
    if names == ("call",) and not read_object(fields["call"]).get("callKey"):
        return "a call"
    if not names and value.get("messageStubType") and not _read_stub(fields, value, origin):
        return "a notice of WhatsApp's own"
    return NOISE[names[0]] if names and NOISE.keys() >= set(names) else None


def _read_stub(fields: Fields, value: Fields, origin: MessageOrigin) -> Content | None:
    """Read a message that has a stub in the place of its content, if a person misses it."""
    stub = str(value.get("messageStubType"))
    if message_object.list_content_names(fields):
        return None
    if stub in UNDECRYPTED:
        return WaitingContent(kind=Kind.WAITING)
    if call := MISSED_CALLS.get(_MISSED_CALL_NAMES.get(stub, stub)):
        return CallContent(kind=Kind.CALL, call=call)
    return group_changes.read_stub(value, ours=origin.from_me) if origin.contact.group else None


def _read_encrypted(change: Fields, origin: MessageOrigin, at: int) -> EditedOutOfSight | Ignored:
    """Read an encrypted change, of which is only known which message it edits."""
    target = change.get("targetMessageKey")
    target_id = addresses.read_message_id(target.get("id")) if isinstance(target, dict) else None
    if target_id is None or str(change.get("secretEncType")) not in _EDITS:
        return Ignored(NOISE["secretEncryptedMessage"])
    return EditedOutOfSight(target_id, at, origin.id, protocol_message.find_authors(origin))


def _name_choice(content: Content, context: Fields) -> Content:
    """Give a choice that came as a bare id the words of the button, if the offer is quoted."""
    if not isinstance(content, ChoiceContent) or content.text or content.choice is None:
        return content
    offer = _read_quoted_content(context)
    if not isinstance(offer, OfferContent) or offer.offer is None or content.choice.id is None:
        return content
    return content.model_copy(update={"text": offer.offer.find_label(content.choice.id)})


def _read_target_fields(wrapped: Fields, fields: Fields, known: Fields) -> Fields:
    """Build the fields that tell what a message is about, if its content names another message."""
    for value in (*wrapped.values(), *fields.values()):
        for name in _TARGETS if isinstance(value, dict) else ():
            key = value.get(name)
            target = addresses.read_message_id(key.get("id")) if isinstance(key, dict) else None
            if target:
                in_status = known["in_reply_to_status"] or key.get("remoteJid") == _STATUS
                quoted = known["quoted"] or Quoted(id=target)
                return {"quoted": quoted, "in_reply_to_status": in_status}
    return {}


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
        "in_reply_to_status": context.get("remoteJid") == _STATUS,
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
    content = _read_quoted_content(context)
    return Quoted(
        id=message_id,
        author=author.key if author else None,
        kind=content.kind,
        preview=contents.preview(content),
    )


def _read_quoted_content(context: Fields) -> Content:
    quoted = context.get("quotedMessage")
    wrapped = quoted if isinstance(quoted, dict) else {}
    return message_object.read_content(*message_object.unwrap_message(wrapped))


def _read_mentions(context: Fields) -> tuple[ContactKey, ...]:
    mentions = context.get("mentionedJid")
    jids = mentions if isinstance(mentions, list) else []
    contacts = [contact_of(jid) for jid in jids if isinstance(jid, str)]
    return tuple(dict.fromkeys(contact.key for contact in contacts if contact))


def _is_forwarded(context: Fields) -> bool:
    score = json_values.read_count(context.get("forwardingScore"))
    return context.get("isForwarded") is True or bool(score)
