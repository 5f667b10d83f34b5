"""Who is on the other side, and why one person has one key (§4 of EVOLUTION.md: @lid; §7).

A contact's key is a pure function of the addresses in one event:

    551188887777    a phone number, folded: all spellings of one number share it
    lid-<digits>    a person who hides the number, until an event tells it
    g-<id>          a group

The address that WhatsApp really uses is kept beside the key: folded numbers aren't for sending to.
"""

import hashlib
import json
import re
import unicodedata
from base64 import b32encode
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, NewType, Protocol

from shared.domain.names import LineId
from shared.domain.record import Record

ContactKey = NewType("ContactKey", str)
ConversationId = NewType("ConversationId", str)

CONVERSATION_ID_LENGTH = 26
"""Of base32: 130 bits."""

LONGEST_SPELLING = 80
"""Characters of a number, with all that people write between its digits."""

_PHONES = frozenset({"s.whatsapp.net", "c.us", "hosted"})
_LIDS = frozenset({"lid", "hosted.lid"})
_GROUP = "g.us"
_HIDDEN = "lid-"
_GROUP_KEY = "g-"

_PERSON = re.compile(r"([0-9]{1,20})(?:_[0-9]{1,3})?(?::[0-9]{1,5})?")
_GROUP_ID = re.compile(r"[0-9]{1,25}(?:-[0-9]{1,25})?")
_BLANKS = re.compile("[\u115f\u1160\u2800\u3164\uffa0]")
"""Letters and signs, by their category, that show nothing: fillers of Hangul, empty Braille."""

_BARE = re.compile(r"\+?([0-9]{8,15})")

_BRAZIL = re.compile(r"(55[1-9][1-9])9([6-9][0-9]{7})")
_MEXICO = re.compile(r"(52)1([0-9]{10})")
_ARGENTINA = re.compile(r"(54)9([0-9]{10})")
_LONGER = (
    (re.compile(r"(55[1-9][1-9])([6-9][0-9]{7})"), "9"),
    (re.compile(r"(52)([0-9]{10})"), "1"),
    (re.compile(r"(54)([0-9]{10})"), "9"),
)
"""Numbers as they are folded, and the digit that another spelling of them has between its parts."""


class Contact(Record):
    """The person or group on the other side.

    `address` is the jid to reply to, `number` the digits as WhatsApp writes them (None for a group
    and for a person whose number isn't known), `lid` the digits of the person's lid, if seen.
    """

    key: ContactKey
    address: str
    number: str | None = None
    lid: str | None = None
    group: bool = False


class Person(Protocol):
    """A person, as far as an event tells."""

    @property
    def key(self) -> ContactKey: ...
    @property
    def number(self) -> str | None: ...
    @property
    def lid(self) -> str | None: ...


def contact_of(jid: str, alt: str | None = None) -> Contact | None:
    """Return an address's contact; None for what is no person or group (broadcasts, newsletters,
    WhatsApp itself).

    `alt` is another address of the same person, whatever upstream calls it. The number wins as the
    key, the address stays the one that was used (EVOLUTION.md §4, @lid).
    """
    used = _address(jid)
    if used is None:
        return None
    if used.host == _GROUP:
        return Contact(key=ContactKey(f"{_GROUP_KEY}{used.user}"), address=str(used), group=True)
    users = {address.host: address.user for address in (_address(alt or ""), used) if address}
    number, lid = users.get("s.whatsapp.net"), users.get("lid")
    key = ContactKey(fold(number)) if number else lid_key(used.user)
    return Contact(key=key, address=str(used), number=number, lid=lid)


def clean_name(text: str) -> str | None:
    """Return a name in one line; None if no character of it is visible."""
    is_seen = any(unicodedata.category(letter)[0] in "LNPS" for letter in _BLANKS.sub("", text))
    return " ".join(text.split()) if is_seen else None


def find_contact(text: str) -> Contact | None:
    """Return the contact of an address, or of a key as we show it (a number's is its digits)."""
    address = text.strip()
    if address.startswith(_HIDDEN):
        return contact_of(f"{address.removeprefix(_HIDDEN)}@lid")
    if address.startswith(_GROUP_KEY):
        return contact_of(f"{address.removeprefix(_GROUP_KEY)}@{_GROUP}")
    return contact_of(address) if "@" in address else None


def fold(number: str) -> str:
    """Return the digits that all spellings of a phone number have in common (EVOLUTION.md §7).

    A Brazilian number whose last eight digits begin with 2 – 5 isn't folded: without the ninth
    digit it is a landline, which is another subscriber.
    """
    bare = "".join(character for character in number if character in "0123456789")
    for spelling in (_BRAZIL, _MEXICO, _ARGENTINA):
        if match := spelling.fullmatch(bare):
            return match[1] + match[2]
    return bare


def spellings_of(number: str) -> tuple[str, ...]:
    """List the spellings of one phone number, in digits: first as it is given."""
    folded = fold(number)
    longer = [
        f"{match[1]}{extra}{match[2]}"
        for spelling, extra in _LONGER
        if (match := spelling.fullmatch(folded))
    ]
    return tuple(dict.fromkeys([number, folded, *longer]))


def lid_key(lid: str) -> ContactKey:
    """Return the key of a person known by lid only: its digits, or any form of its jid."""
    return ContactKey(f"{_HIDDEN}{re.split('[@:_]', lid, maxsplit=1)[0]}")


def keys_of(person: Person) -> tuple[ContactKey, ...]:
    """List every key that one person may have been given, by what was known of them."""
    number = ContactKey(fold(person.number)) if person.number else None
    lid = lid_key(person.lid) if person.lid else None
    return tuple(dict.fromkeys(filter(None, (person.key, number, lid))))


def told_by(person: Person) -> str:
    """Join all keys of an author into one text."""
    return "+".join(keys_of(person))


def may_be(told: str, person: Person) -> bool:
    """Tell whether an author (`told_by`) is this person, or can't be told from it.

    Of two who both show their number, or both their lid, these have to be the same.
    """
    return not any(
        (one := _of_kind(told.split("+"), hidden))
        and (other := _of_kind(keys_of(person), hidden))
        and one.isdisjoint(other)
        for hidden in (True, False)
    )


def _of_kind(keys: Iterable[str], hidden: bool) -> set[str]:
    return {key for key in keys if key.startswith(_HIDDEN) is hidden}


def is_conversation_id(name: str) -> bool:
    """Tell whether it can be one of ours."""
    return re.fullmatch(rf"[a-z2-7]{{{CONVERSATION_ID_LENGTH}}}", name) is not None


@lru_cache(maxsize=10_000)
def conversation_id(line: LineId, number: str, contact: ContactKey) -> ConversationId:
    """Return the id of the conversation of a line, under one of its numbers, with a contact.

    Opaque: a URL must not show a person's number.
    """
    whole = json.dumps([line, fold(number), contact]).encode()
    digest = b32encode(hashlib.sha256(whole).digest()).decode().lower()
    return ConversationId(digest[:CONVERSATION_ID_LENGTH])


class _Address(NamedTuple):
    user: str
    host: str

    def __str__(self) -> str:
        return f"{self.user}@{self.host}"


def _address(jid: str) -> _Address | None:
    """Return an address without its device, its host in today's spelling."""
    user, at, host = jid.strip().partition("@")
    if not at:
        bare = _BARE.fullmatch(user)
        return _Address(bare[1], "s.whatsapp.net") if bare else None
    if host == _GROUP:
        return _Address(user, host) if _GROUP_ID.fullmatch(user) else None
    person = _PERSON.fullmatch(user)
    if person is None or host not in _PHONES | _LIDS:
        return None
    if host in _PHONES and not person[1].strip("0"):
        return None  # WhatsApp itself
    return _Address(person[1], "lid" if host in _LIDS else "s.whatsapp.net")
