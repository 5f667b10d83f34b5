"""Translate upstream's words for how far a message got (EVOLUTION.md §4, status enum)."""

from collections.abc import Mapping
from typing import Any

from shared.domain.messages import Delivery

DELIVERIES = {
    "PENDING": Delivery.PENDING,
    "SERVER_ACK": Delivery.SENT,
    "DELIVERY_ACK": Delivery.DELIVERED,
    "READ": Delivery.READ,
    "PLAYED": Delivery.PLAYED,
    "1": Delivery.PENDING,
    "2": Delivery.SENT,
    "3": Delivery.DELIVERED,
    "4": Delivery.READ,
    "5": Delivery.PLAYED,
}

REFUSED = frozenset({"ERROR", "0"})

_RESTRICTED = "463"


def read_status(status: Any) -> str | None:
    """Return a status as a word: upstream writes names, and numbers as either type."""
    match status:
        case bool():
            return None
        case int() | str():
            return str(status).strip().upper() if status != "" else None
        case _:
            return None


def read_delivery(status: Any) -> Delivery | None:
    """Return how far a message got, if the status is about that."""
    return DELIVERIES.get(read_status(status) or "")


def is_refused(status: Any) -> bool:
    """Tell whether WhatsApp didn't take the message."""
    return read_status(status) in REFUSED


def is_restricted(update: Mapping[str, Any]) -> bool:
    """Tell whether WhatsApp refused because the number may not write to new contacts for now.

    Baileys puts its code into the message's stub; 2.3.6 leaves that out, others pass it on.
    """
    values = [update.get(name) for name in ("messageStubParameters", "error", "errorCode", "code")]
    codes = [code for value in values for code in (value if isinstance(value, list) else [value])]
    return any(str(code) == _RESTRICTED for code in codes)
