"""Read whose a message is: its key and the many alternative addresses (EVOLUTION.md §4, @lid)."""

import re
from typing import Any, NamedTuple

from shared.domain.contacts import Contact, clean_name, contact_of, fold
from shared.domain.events import Ignored, Unreadable
from shared.evolution.json_values import read_text

OURSELVES = "Você"
"""What upstream calls ourselves."""

LONGEST_NAME = 200
"""Characters: WhatsApp's own limits are 25 for a person and 100 for a group."""

_CHAT_ALTERNATIVES = (
    "remoteJidAlt",
    "senderPn",
    "senderLid",
    "previousRemoteJid",
    "participantPn",
    "participantAlt",
)
_AUTHOR_ALTERNATIVES = ("participantAlt", "participantPn", "participantLid", "senderPn")

_WITHOUT_CONTACT = frozenset({"broadcast", "newsletter", "bot", "call"})
_TO_EVERYBODY = "a status, a broadcast or a channel"
_ID = re.compile(r"[A-Za-z0-9._:=@+-]{1,128}")

_LIST = re.compile(r"[0-9]+@broadcast")
"""A broadcast list; `status@broadcast` is none."""

_WHATSAPP = re.compile(r"0+(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)")
"""WhatsApp itself writes as `0`; it can't be answered."""

_OWN_ADDRESS = re.compile(r"([0-9]{5,20})(?::[0-9]+)?@(?:s\.whatsapp\.net|c\.us)")

Fields = dict[str, Any]


class MessageOrigin(NamedTuple):
    """The id, the chat and the author of a message; only messages in groups have an `author`."""

    id: str
    contact: Contact
    from_me: bool
    author: Contact | None


def read_own_number(jid: Any) -> str | None:
    """Return the digits of an instance's own address; None if it has none (or hides it)."""
    address = _OWN_ADDRESS.fullmatch(jid) if isinstance(jid, str) else None
    return address[1] if address else None


def read_message_id(value: Any) -> str | None:
    """Return WhatsApp's id of a message."""
    return value if isinstance(value, str) and _ID.fullmatch(value) else None


def read_contact(jid: Any, alt: str | None = None) -> Contact | Ignored | Unreadable:
    """Return the person or group at an address."""
    address = read_text(jid)
    if address is None:
        return Unreadable("no address")
    if address.rpartition("@")[2] in _WITHOUT_CONTACT:
        return Ignored(_TO_EVERYBODY)
    if _WHATSAPP.fullmatch(address):
        return Ignored("WhatsApp itself")
    return contact_of(address, alt) or Unreadable("not an address")


def read_origin(
    value: Any, own_number: str | None, from_me: bool = False
) -> MessageOrigin | Ignored | Unreadable:
    """Read a message object's key.

    `own_number`: digits of the line's number; `from_me`: the event says that the message is ours.
    """
    if not isinstance(value, dict):
        return Unreadable("no key")
    ours = from_me or value.get("fromMe") is True
    contact = _read_chat(value, own_number, ours)
    if not isinstance(contact, Contact):
        return contact
    message_id = read_message_id(value.get("id"))
    if message_id is None:
        return Unreadable("no message id")
    author = read_author(value) if contact.group and not ours else None
    return MessageOrigin(message_id, contact, ours, author)


def is_own_contact(contact: Contact, own_number: str | None) -> bool:
    """Tell whether a contact is the line itself. Our own lid looks like every other lid."""
    return bool(own_number and contact.number and fold(contact.number) == fold(own_number))


def read_name(value: Any, contact: Contact) -> str | None:
    """Return a name that a person chose.

    Upstream fills in "Você" and the address where it has none.
    """
    name = clean_name((read_text(value) or "")[:LONGEST_NAME])
    return None if name in (OURSELVES, contact.number, contact.lid) else name


def read_subject(value: Fields) -> str | None:
    """Return a group's subject; None if no character of it is visible."""
    return clean_name((read_text(value.get("subject")) or "")[:LONGEST_NAME])


def _read_chat(value: Fields, own_number: str | None, ours: bool) -> Contact | Ignored | Unreadable:
    """Find whose chat a key belongs to."""
    jid = value.get("remoteJid")
    if isinstance(jid, str) and _LIST.fullmatch(jid):
        return _find_list_sender(value, own_number, ours)
    if ours and _has_own_number_as_chat(value, own_number):
        return read_contact(value["previousRemoteJid"])
    contact = read_contact(jid)
    if not isinstance(contact, Contact) or contact.group:
        return contact
    alternatives = [contact_of(read_text(value.get(name)) or "") for name in _CHAT_ALTERNATIVES]
    others = [other for other in alternatives if other and _may_be_chat(other, own_number, ours)]
    return _add_alternative(contact, others)


def _find_list_sender(value: Fields, own_number: str | None, ours: bool) -> Contact | Ignored:
    """Find who wrote through a broadcast list, which to us is private (EVOLUTION.md §4)."""
    sender = read_author(value)
    if ours or (sender and is_own_contact(sender, own_number)):
        return Ignored("a broadcast list of ours: it doesn't tell to whom")
    return sender or Ignored(_TO_EVERYBODY)


def read_author(value: Fields) -> Contact | None:
    """Return the member of a group that a message's key names; of our messages we are it."""
    author = contact_of(read_text(value.get("participant")) or "")
    alternatives = [contact_of(read_text(value.get(name)) or "") for name in _AUTHOR_ALTERNATIVES]
    others = [other for other in alternatives if other and not other.group]
    if author is None or author.group:
        return next(iter(others), None)
    return _add_alternative(author, others)


def _add_alternative(contact: Contact, others: list[Contact]) -> Contact:
    """Add a contact's other address, if there is one: a number's lid, or a lid's number."""
    for other in others:
        if (other.number is None) != (contact.number is None):
            return contact_of(contact.address, other.address) or contact
    return contact


def _may_be_chat(other: Contact, own_number: str | None, ours: bool) -> bool:
    """Tell whether an alternative address is the contact's.

    In messages of ours upstream may put our own address there (Baileys' `senderAlt` is the
    sender's), and our own lid looks like every other lid.
    """
    if other.group or (ours and (own_number is None or other.number is None)):
        return False
    return not is_own_contact(other, own_number)


def _has_own_number_as_chat(value: Fields, own_number: str | None) -> bool:
    """Tell whether 2.3.1 or 2.3.2 replaced the chat's lid by the sender's number: our own."""
    chat = contact_of(read_text(value.get("remoteJid")) or "")
    previous = contact_of(read_text(value.get("previousRemoteJid")) or "")
    own_chat = chat is not None and is_own_contact(chat, own_number)
    return own_chat and previous is not None and previous.number is None and not previous.group
