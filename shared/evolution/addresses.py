"""Whose a message is: its key and the many alternative addresses (EVOLUTION.md §4, @lid)."""

import re
from typing import Any, NamedTuple

from shared.domain.contacts import Contact, contact_of, fold
from shared.domain.events import Ignored, Unreadable
from shared.evolution.reading import text

OURSELVES = "Você"
"""What upstream calls ourselves."""

_CHAT_ALTERNATIVES = (
    "remoteJidAlt",
    "senderPn",
    "senderLid",
    "previousRemoteJid",
    "participantPn",
    "participantAlt",
)
_AUTHOR_ALTERNATIVES = ("participantAlt", "participantPn", "participantLid", "senderPn")

_NOBODY = frozenset({"broadcast", "newsletter", "bot", "call"})
_TO_EVERYBODY = "a status, a broadcast or a channel"
_ID = re.compile(r"[A-Za-z0-9._:=@+-]{1,128}")

_LIST = re.compile(r"[0-9]+@broadcast")
"""A broadcast list; `status@broadcast` is none."""

_WHATSAPP = re.compile(r"0+(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)")
"""Who writes as `0` is WhatsApp, which no one can answer."""

Fields = dict[str, Any]


class Key(NamedTuple):
    """Which message, in which chat, by whom: `author` is a group's."""

    id: str
    contact: Contact
    from_me: bool
    author: Contact | None


def message_id(value: Any) -> str | None:
    """WhatsApp's id of a message."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def somebody(jid: Any, alt: str | None = None) -> Contact | Ignored | Unreadable:
    """The person or group at an address."""
    used = text(jid)
    if used is None:
        return Unreadable("no address")
    if used.rpartition("@")[2] in _NOBODY:
        return Ignored(_TO_EVERYBODY)
    if _WHATSAPP.fullmatch(used):
        return Ignored("WhatsApp itself")
    return contact_of(used, alt) or Unreadable("not an address")


def key_of(value: Any, own: str | None, from_me: bool = False) -> Key | Ignored | Unreadable:
    """A message object's key. `own`: our number; `from_me`: the event says it is ours."""
    if not isinstance(value, dict):
        return Unreadable("no key")
    ours = from_me or value.get("fromMe") is True
    contact = chat_of(value, own, ours)
    if not isinstance(contact, Contact):
        return contact
    name = message_id(value.get("id"))
    if name is None:
        return Unreadable("no message id")
    author = _author(value) if contact.group and not ours else None
    return Key(name, contact, ours, author)


def chat_of(value: Fields, own: str | None, ours: bool) -> Contact | Ignored | Unreadable:
    """Whose chat a key belongs to."""
    jid = value.get("remoteJid")
    if isinstance(jid, str) and _LIST.fullmatch(jid):
        return _sender_through_list(value, own, ours)
    if ours and _rewritten(value, own):
        return somebody(value["previousRemoteJid"])
    found = somebody(jid)
    if not isinstance(found, Contact) or found.group:
        return found
    others = [contact_of(text(value.get(name)) or "") for name in _CHAT_ALTERNATIVES]
    usable = [other for other in others if other and _same_person(other, own, ours)]
    return _with_alternative(found, usable)


def _sender_through_list(value: Fields, own: str | None, ours: bool) -> Contact | Ignored:
    """Find who wrote through a broadcast list, which to us is private (EVOLUTION.md §4)."""
    sender = _author(value)
    if ours or (sender and is_own(sender, own)):
        return Ignored("a broadcast list of ours: it doesn't tell to whom")
    return sender or Ignored(_TO_EVERYBODY)


def is_own(contact: Contact, own: str | None) -> bool:
    """The contact is us. Our own lid can't be told from anybody's."""
    return bool(own and contact.number and fold(contact.number) == fold(own))


LONGEST_NAME = 200
"""Characters: WhatsApp's own limits are 25 for a person and 100 for a group."""


def called(name: Any, contact: Contact) -> str | None:
    """A name that somebody chose: upstream fills in "Você" and the address where it has none."""
    words = " ".join((text(name) or "").split())[:LONGEST_NAME]
    return None if words in ("", OURSELVES, contact.number, contact.lid) else words


def _author(value: Fields) -> Contact | None:
    found = contact_of(text(value.get("participant")) or "")
    others = [contact_of(text(value.get(name)) or "") for name in _AUTHOR_ALTERNATIVES]
    usable = [other for other in others if other and not other.group]
    if found is None or found.group:
        return next(iter(usable), None)
    return _with_alternative(found, usable)


def _with_alternative(found: Contact, others: list[Contact]) -> Contact:
    """The same contact, knowing its other address: the lid of a number, the number of a lid."""
    for other in others:
        if (other.number is None) != (found.number is None):
            return contact_of(found.address, other.address) or found
    return found


def _same_person(other: Contact, own: str | None, ours: bool) -> bool:
    """Whether an alternative is the contact's.

    In what we said upstream may put our own address there (Baileys' `senderAlt` is the sender's),
    and our own lid can't be told from anybody's.
    """
    if other.group or (ours and (own is None or other.number is None)):
        return False
    return not is_own(other, own)


def _rewritten(value: Fields, own: str | None) -> bool:
    """2.3.1 and 2.3.2 replace a lid by the sender's number, which in what we said is our own."""
    used = contact_of(text(value.get("remoteJid")) or "")
    before = contact_of(text(value.get("previousRemoteJid")) or "")
    own_chat = used is not None and is_own(used, own)
    return own_chat and before is not None and before.number is None and not before.group
