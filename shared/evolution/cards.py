"""Reading a vCard for a name and telephone numbers, and nothing else."""

import re
from typing import Any

from shared.domain.messages import Card
from shared.evolution.reading import text

MOST_NUMBERS = 20

_FOLDED = re.compile(r"\r?\n[ \t]")
_NAME = re.compile(r"^FN[^:\r\n]*:([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_PHONE = re.compile(
    r"^(?:[A-Z0-9-]+\.)?TEL([^:\r\n]*):([^\r\n]*)", re.IGNORECASE | re.MULTILINE | re.ASCII
)
_ON_WHATSAPP = re.compile(r"waid=([0-9]{5,20})", re.IGNORECASE)


def card(value: dict[str, Any]) -> Card:
    """A `{displayName, vcard}` as its name and digits; what WhatsApp knows of a number wins."""
    vcard = _FOLDED.sub("", text(value.get("vcard")) or "")
    named = _NAME.search(vcard)
    phones = [_digits(*phone.groups()) for phone in _PHONE.finditer(vcard)]
    return Card(
        name=text(value.get("displayName")) or (named[1].strip() if named else ""),
        numbers=tuple(dict.fromkeys(filter(None, phones)))[:MOST_NUMBERS],
    )


def _digits(parameters: str, value: str) -> str:
    known = _ON_WHATSAPP.search(parameters)
    return known[1] if known else re.sub(r"[^0-9]", "", value)
