"""Read orders about other messages: edits, revocations and housekeeping (EVOLUTION.md §4)."""

import hashlib
import json
from base64 import b32encode
from typing import Any

from shared.domain.contacts import Contact, ContactKey, told_by
from shared.domain.content import Kind, preview
from shared.domain.events import Edited, EditedOutOfSight, Ignored, Revoked, Unreadable
from shared.domain.kept_messages import ME, UNNAMED, ours_in
from shared.evolution import addresses, json_values
from shared.evolution.addresses import Fields, MessageOrigin
from shared.evolution.contents import message_object
from shared.evolution.events.payload import EventPayload, Events, read_items

EDITS = frozenset({"MESSAGE_EDIT", "14"})
REVOCATIONS = frozenset({"REVOKE", "0"})

LONGEST_EDIT = 65_536
"""Characters; WhatsApp takes no longer text."""

Order = Edited | EditedOutOfSight | Revoked | Ignored | Unreadable
Authors = tuple[str, ...]
"""The possible authors of an order, in the words of `KeptMessage.may_be_changed`."""


def read_edits(payload: EventPayload) -> Events:
    """Read `messages.edited`: every protocol message comes here, so its type decides.

    It doesn't say who sent it, and its key is as the sender wrote it. `messages.delete`, whose key
    tells who took a message back, comes too, unless the server doesn't have the message yet
    (EVOLUTION.md §1.9, §10).
    """
    return read_items(
        payload.data,
        lambda value: [_read_value(value, payload.at, _guess_authors(value, payload))],
    )


def read_own_edits(payload: EventPayload) -> Events:
    """Read `send.message.update`: an edit that was made through this server."""
    return read_items(payload.data, lambda value: [_read_value(value, payload.at, (ME,))])


def read_order(order: Fields, authors: Authors, at: int, group: ContactKey | None = None) -> Order:
    """Read a protocol message. `at` (ms): its time, if it has none of its own.

    `group`: the group in which a member, who is named, sent it.
    """
    key = order.get("key")
    target = addresses.read_message_id(key.get("id")) if isinstance(key, dict) else None
    kind = _read_kind(order.get("type"))
    if kind is None:
        return Unreadable("an order of no type")
    if kind not in EDITS | REVOCATIONS:
        return Ignored("WhatsApp's housekeeping")
    if target is None:
        return Unreadable("an order about no message")
    moment = json_values.read_millis(order.get("timestampMs")) or at
    if kind in REVOCATIONS:
        return Revoked(target, moment, authors, group)
    return _read_edit(target, order.get("editedMessage"), moment, authors)


def find_authors(origin: MessageOrigin) -> Authors:
    """Find who sent the message with this key."""
    if origin.from_me:
        return (ME,)
    person = origin.author if origin.contact.group else origin.contact
    return (told_by(person),) if person else (UNNAMED,)


def find_group(origin: MessageOrigin) -> ContactKey | None:
    """Find the group in which a member who is named sent the message with this key."""
    return origin.contact.key if origin.contact.group and origin.author else None


def build_edit(target: str, text: str, at: int, authors: Authors) -> Edited:
    """Build an edit; the same edit has the same key, whichever event tells it."""
    cut = text[:LONGEST_EDIT]
    return Edited(target, cut, at, _derive_edit_key(target, cut, at), authors)


def _read_value(value: Any, at: int, authors: Authors) -> Order:
    return (
        read_order(value, authors, at)
        if isinstance(value, dict)
        else Unreadable("an edit that is no object")
    )


def _guess_authors(value: Any, payload: EventPayload) -> Authors:
    """Guess who gave an order that doesn't say it: any person, or also we, on the phone.

    Our phone writes `fromMe` of its own messages, and the other's chat. In what the other side
    wrote, we are the chat. (A group's key reads the same for everybody.)
    """
    key = value.get("key") if isinstance(value, dict) else None
    if not isinstance(key, dict) or key.get("fromMe") is not True:
        return (UNNAMED,)
    chat = addresses.read_contact(key.get("remoteJid"))
    if (
        not isinstance(chat, Contact)
        or chat.group
        or addresses.is_own_contact(chat, payload.own_number)
    ):
        return (UNNAMED,)
    return UNNAMED, ours_in(chat.key)


def _read_edit(target: str, edited: Any, at: int, authors: Authors) -> Order:
    if not isinstance(edited, dict):
        return Unreadable("an edit without content")
    content = message_object.read_content(*message_object.unwrap_message(edited))
    if content.kind is Kind.UNSUPPORTED and content.text is None:
        return Unreadable("an edit without words")
    if content.text is None and content.words():  # a poll or an event; a file's caption may go
        key = _derive_edit_key(target, preview(content), at)
        return EditedOutOfSight(target, at, key, authors)
    return build_edit(target, content.text or "", at, authors)


def _derive_edit_key(*facts: str | int) -> str:
    digest = hashlib.sha256(json.dumps(facts).encode()).digest()
    return b32encode(digest).decode().lower()[:26]


def _read_kind(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
