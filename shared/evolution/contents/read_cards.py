"""Read cards of people: a name and telephone numbers, and nothing else, from a vCard."""

import re
from typing import Any

from shared.domain.content import Content, Kind
from shared.domain.content.cards import Card, CardsContent
from shared.evolution.contents.fields import Fields, read_objects
from shared.evolution.json_values import read_text

MOST_NUMBERS = 20

_CONTINUATION = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"^FN[^:\r\n]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PHONE = re.compile(
    r"^(?:[A-Z0-9-]+\.)?TEL([^:\r\n]*):([^\r\n]*)", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_ON_WHATSAPP = re.compile(r"waid=([0-9]{5,20})", re.IGNORECASE)


def read_contact(value: Fields) -> Content:
    return CardsContent(kind=Kind.CONTACTS, cards=(read_card(value),))


def read_contacts(value: Fields) -> Content:
    cards = tuple(map(read_card, read_objects(value.get("contacts"))))
    return CardsContent(kind=Kind.CONTACTS, cards=cards)


def read_card(value: dict[str, Any]) -> Card:
    """Read a `{displayName, vcard}`; the digits that WhatsApp has for a number win."""
    vcard = _CONTINUATION.sub("", read_text(value.get("vcard")) or "")
    name = _NAME.search(vcard)
    numbers = [_read_digits(*phone.groups()) for phone in _PHONE.finditer(vcard)]
    return Card(
        name=read_text(value.get("displayName")) or (name[1].strip() if name else ""),
        numbers=tuple(dict.fromkeys(filter(None, numbers)))[:MOST_NUMBERS],
    )


def _read_digits(parameters: str, value: str) -> str:
    account = _ON_WHATSAPP.search(parameters)
    return account[1] if account else re.sub(r"[^0-9]", "", value)
