"""Orders about other messages: edits, revocations and WhatsApp's housekeeping (EVOLUTION.md §4)."""

import hashlib
import json
from base64 import b32encode
from typing import Any

from shared.domain.contacts import Contact, ContactKey, told_by
from shared.domain.events import Edited, Ignored, Revoked, Unreadable
from shared.domain.threads import ME, SOMEBODY, ours_in
from shared.evolution import addresses, contents, shapes
from shared.evolution.addresses import Fields, Key
from shared.evolution.heard import Events, Heard, each

EDITS = frozenset({"MESSAGE_EDIT", "14"})
REVOCATIONS = frozenset({"REVOKE", "0"})

LONGEST_EDIT = 65_536
"""Characters; WhatsApp takes no longer text."""

Order = Edited | Revoked | Ignored | Unreadable
By = tuple[str, ...]
"""Who may have given an order, in the words of `threads.KeptMessage.may_be_changed`."""


def edited(heard: Heard) -> Events:
    """`messages.edited`: every protocol message there is, so its type decides.

    It doesn't say who sent it, and its key is as the sender wrote it. `messages.delete`, whose key
    tells who took a message back, comes too, unless the server doesn't have the message yet
    (EVOLUTION.md §1.9, §10).
    """
    return each(heard.data, lambda value: [_edited(value, heard)])


def corrected(heard: Heard) -> Events:
    """`send.message.update`: what we edited through this server."""
    return each(heard.data, lambda value: [_told(value, heard.at, (ME,))])


def ordered(order: Fields, by: By, at: int, group: ContactKey | None = None) -> Order:
    """What a protocol message orders; `at` if it has no time of its own.

    `group`: in which one of its members, who is named, sent it.
    """
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
        return Revoked(target, moment, by, group)
    return _edit(target, order.get("editedMessage"), moment, by)


def sender_of(key: Key) -> By:
    """Who sent the message with this key, in one telling."""
    if key.from_me:
        return (ME,)
    person = key.author if key.contact.group else key.contact
    return (told_by(person),) if person else (SOMEBODY,)


def group_of(key: Key) -> ContactKey | None:
    """The group in which a member who is named sent the message with this key."""
    return key.contact.key if key.contact.group and key.author else None


def _edited(value: Any, heard: Heard) -> Order:
    return _told(value, heard.at, _unsaid(value, heard))


def _told(value: Any, at: int, by: By) -> Order:
    return (
        ordered(value, by, at)
        if isinstance(value, dict)
        else Unreadable("an edit that is no object")
    )


def _unsaid(value: Any, heard: Heard) -> By:
    """Anybody; or we, on the phone: it writes `fromMe` of its own messages, and the other's chat.

    In what the other side wrote, we are the chat. (A group's key reads the same for everybody.)
    """
    key = value.get("key") if isinstance(value, dict) else None
    if not isinstance(key, dict) or key.get("fromMe") is not True:
        return (SOMEBODY,)
    chat = addresses.somebody(key.get("remoteJid"))
    if not isinstance(chat, Contact) or chat.group or addresses.is_own(chat, heard.own):
        return (SOMEBODY,)
    return SOMEBODY, ours_in(chat.key)


def _edit(target: str, changed: Any, at: int, by: By) -> Order:
    if not isinstance(changed, dict):
        return Unreadable("an edit without content")
    content = contents.content_of(*contents.unwrapped(changed))
    if content.original and content.text is None:
        return Unreadable("an edit without words")
    return edit_of(target, content.text or "", at, by)


def edit_of(target: str, words: str, at: int, by: By) -> Edited:
    """An edit; the same one has the same key, whichever event tells it."""
    kept = words[:LONGEST_EDIT]
    return Edited(target, kept, at, _edit_key(target, kept, at), by)


def _edit_key(*facts: str | int) -> str:
    digest = hashlib.sha256(json.dumps(facts).encode()).digest()
    return b32encode(digest).decode().lower()[:26]


def _kind(value: Any) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
