"""Read the messages that a server stores, as its database has them (EVOLUTION.md §6)."""

from collections.abc import Iterable
from typing import Any

from shared.domain.events import SendRefused
from shared.domain.upstream import HistoryPage
from shared.evolution import addresses, deliveries, json_values
from shared.evolution.addresses import MessageOrigin
from shared.evolution.events import messages_upsert
from shared.evolution.events.payload import EventPayload, Events
from shared.evolution.message_dialects import PAGE_SIZE
from shared.evolution.responses import RecordPage, Row

WRITTEN_ON_A_PHONE = frozenset({"android", "ios"})
"""Sources of messages that reached the server by way of WhatsApp, which therefore has them."""


def read_history(page: RecordPage, own_number: str) -> HistoryPage:
    """Translate a page of records into events."""
    return HistoryPage(
        events=_read_events(page, own_number),
        size=len(page.records),
        newest_at=_find_newest(page),
        page=page.page,
        pages=page.pages,
        cut=page.cut,
    )


def _read_events(page: RecordPage, own_number: str) -> Events:
    """Put the messages, oldest first, into one Recalled event; add what else the records tell."""
    records = [dict(record) for record in reversed(page.records)]
    older = (page.pages - page.page) * PAGE_SIZE  # so that a second may go on in the next page
    payload = EventPayload([_add_status(record) for record in records], own_number, index=older)
    return (*messages_upsert.read_history(payload), *_find_refusals(records, own_number))


def _find_newest(page: RecordPage) -> int:
    """Find the time of the newest record, whatever it is (epoch milliseconds; 0 for none)."""
    times = (json_values.read_millis(record.get("messageTimestamp")) for record in page.records)
    return max((time or 0 for time in times), default=0)


def _find_refusals(records: Iterable[Row], own_number: str) -> Iterable[SendRefused]:
    """Find those of ours that WhatsApp refused, whatever delivery their records claim."""
    for record in records:
        origin = addresses.read_origin(record.get("key"), own_number, False)
        is_refused = any(map(deliveries.is_refused, _list_statuses(record)))
        if is_refused and isinstance(origin, MessageOrigin) and origin.from_me:
            yield SendRefused(origin.id)


def _list_statuses(record: Row) -> list[Any]:
    """List the statuses of a message, which are in rows of their own, in any order."""
    updates = record.get("MessageUpdate")
    rows = updates if isinstance(updates, list) else []
    return [row.get("status") for row in rows if isinstance(row, dict)]


def _add_status(record: dict[str, Any]) -> dict[str, Any]:
    """Copy the furthest status of a record's rows into the record itself."""
    statuses = _list_statuses(record)
    if any(deliveries.read_status(status) == "DELETED" for status in statuses):
        return record | {"message": _build_revocation(record)}
    progress = [
        (delivery, status) for status in statuses if (delivery := deliveries.read_delivery(status))
    ]
    if progress:
        return record | {"status": max(progress)[1]}
    return record | {"status": _find_status(record)}


def _find_status(record: Row) -> Any:
    """Find the status of a record without updates: its own, or that WhatsApp hasn't answered yet.

    A record of what was sent through the API carries none while WhatsApp is silent, however long
    that is (EVOLUTION.md §10).
    """
    status = record.get("status")
    is_waiting = (
        deliveries.read_status(status) is None and record.get("source") not in WRITTEN_ON_A_PHONE
    )
    return "PENDING" if is_waiting else status


def _build_revocation(record: Row) -> dict[str, Any]:
    """Build the content of a revocation: the row still has the words of the revoked message."""
    return {"protocolMessage": {"type": "REVOKE", "key": record.get("key")}}
