"""Upstream's words for how far a message got (EVOLUTION.md §4, status enum)."""

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


def word(status: Any) -> str | None:
    """A status as a word: upstream writes names, and numbers as either type."""
    match status:
        case bool():
            return None
        case int() | str():
            return str(status).strip().upper() if status != "" else None
        case _:
            return None


def delivery(status: Any) -> Delivery | None:
    """How far a message got, if that is what the status says."""
    return DELIVERIES.get(word(status) or "")


def refused(status: Any) -> bool:
    """WhatsApp didn't take the message."""
    return word(status) in REFUSED


def restricted(update: Mapping[str, Any]) -> bool:
    """WhatsApp refused it because the number may not write to new contacts for now.

    Baileys tells its code in the message's stub; 2.3.6 leaves that out, others pass it on.
    """
    told = [update.get(name) for name in ("messageStubParameters", "error", "errorCode", "code")]
    listed = [each for one in told for each in (one if isinstance(one, list) else [one])]
    return any(str(each) == _RESTRICTED for each in listed)


_RESTRICTED = "463"
