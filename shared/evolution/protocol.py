"""Orders about other messages: edits, revocations and WhatsApp's housekeeping (EVOLUTION.md §4)."""

import hashlib
import json
from base64 import b32encode
from typing import Any

from shared.domain.contacts import Contact
from shared.domain.events import Edited, Ignored, Revoked, Unreadable
from shared.evolution import addresses, contents, shapes
from shared.evolution.addresses import Fields
from shared.evolution.heard import Events, Heard, each

EDITS = frozenset({"MESSAGE_EDIT", "14"})
REVOCATIONS = frozenset({"REVOKE", "0"})

Order = Edited | Revoked | Ignored | Unreadable


def edited(heard: Heard) -> Events:
    """`messages.edited`: every protocol message there is, so its type decides.

    Its key is as the other side wrote it, where the chat's address may be our own.
    """
    return each(heard.data, lambda value: [_told(value, heard, theirs=True)])


def corrected(heard: Heard) -> Events:
    """`send.message.update`: what we edited through this server."""
    return each(heard.data, lambda value: [_told(value, heard, theirs=False)])


def ordered(order: Fields, contact: Contact | None, at: int) -> Order:
    """What a protocol message orders in a contact's chat; `at` if it has no time of its own."""
    key = order.get("key")
    target = addresses.message_id(key.get("id")) if isinstance(key, dict) else None
    kind = _kind(order.get("type"))
    if kind is None:
        return Unreadable("an order of no type")
    if kind not in EDITS | REVOCATIONS:
        return Ignored("WhatsApp's housekeeping")
    if target is None:
        return Unreadable("an order about no message")
    moment = shapes.millis(order.get("timestampMs")) or at
    if kind in REVOCATIONS:
        return Revoked(target, contact, moment)
    return _edit(target, contact, order.get("editedMessage"), moment)


def _told(value: Any, heard: Heard, *, theirs: bool) -> Order:
    if not isinstance(value, dict):
        return Unreadable("an edit that is no object")
    key = value.get("key")
    if not isinstance(key, dict):
        return ordered(value, None, heard.at)
    if theirs:
        return ordered(value, addresses.certain_chat(key, heard.own), heard.at)
    contact = addresses.chat_of(key, heard.own, ours=True)
    return ordered(value, contact if isinstance(contact, Contact) else None, heard.at)


def _edit(target: str, contact: Contact | None, changed: Any, at: int) -> Order:
    if not isinstance(changed, dict):
        return Unreadable("an edit without content")
    content = contents.content_of(*contents.unwrapped(changed))
    if content.original and content.text is None:
        return Unreadable("an edit without words")
    words = content.text or ""
    return Edited(target, contact, words, at, _edit_key(target, words, at))


def _edit_key(*facts: str | int) -> str:
    """The same edit has the same key, whichever event tells it."""
    digest = hashlib.sha256(json.dumps(facts).encode()).digest()
    return b32encode(digest).decode().lower()[:26]


def _kind(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
