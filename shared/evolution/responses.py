"""Read what message and chat routes answer, in every version's shape (EVOLUTION.md §5, §6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from shared.domain.upstream import Presence, Sent
from shared.evolution import addresses
from shared.evolution.addresses import read_message_id
from shared.evolution.events import messages_upsert
from shared.evolution.events.payload import EventPayload
from shared.evolution.json_values import MalformedError, read_integer, read_text, require_object

Row = Mapping[str, Any]


class RecordPage(NamedTuple):
    """Some of the records that a server has, newest first, as it wrote them.

    `cut`: the server has older ones of the time asked for, and no way to read them.
    """

    records: tuple[Row, ...]
    page: int
    pages: int
    cut: bool = False


def read_sent(body: Any, own_number: str | None) -> Sent | None:
    """Read the message that was sent; None if the answer doesn't say which one that is."""
    match body:
        case {"key": {"id": value, "remoteJid": str(jid)}} if message_id := read_message_id(value):
            payload = EventPayload(body, own_number=own_number, ours=True)
            return Sent(message_id, jid, messages_upsert.read_message(body, payload))
        case _:
            return None


def read_presences(body: Any) -> list[Presence]:
    """Read which numbers are on WhatsApp; where 1.8 leaves out a number, the address has it."""
    if not isinstance(body, list):
        raise MalformedError
    return [_read_presence(row) for row in body]


def says_never_connected(status: int, body: Any) -> bool:
    """Tell whether whatsappNumbers answered for an instance that never connected."""
    return status == 400 and body == {}


def read_page(body: Any, since: datetime, until: datetime, most: int) -> RecordPage:
    """Read a page of 2.x, or the list of 1.8, which is cut here to the time asked for.

    A list of `most` records has lost some if none of it is older than that time.
    """
    match body:
        case {"messages": {"records": list(records), **counts}}:
            page, pages = _read_count(counts, "currentPage"), _read_count(counts, "pages")
            return RecordPage(_list_rows(records), page, pages)
        case list(records):
            first, last = since.timestamp(), until.timestamp()
            rows = _list_rows(records)
            during = tuple(row for row in rows if first <= _read_seconds(row) <= last)
            has_older = any(_read_seconds(row) < first for row in rows)
            return RecordPage(during, 1, 1, cut=len(records) >= most and not has_older)
        case _:
            raise MalformedError


def read_media_facts(frame: Any) -> tuple[str, str | None]:
    """Return type and name of a file, from the answer around it."""
    match frame:
        case {"mimetype": str(mimetype)}:
            return mimetype, read_text(frame.get("fileName"))
        case _:
            raise MalformedError


def read_group_subject(body: Any) -> str | None:
    """Return the subject of a group, if it has a visible one."""
    return addresses.read_subject(require_object(body))


def _read_presence(row: Any) -> Presence:
    match row:
        case {"jid": str(jid), "exists": bool(exists)}:
            return Presence(
                number=read_text(row.get("number")) or jid.partition("@")[0],
                jid=jid,
                exists=exists,
                name=read_text(row.get("name")),
                lid=_read_lid(row.get("lid")) or _read_lid(jid),
            )
        case _:
            raise MalformedError


def _read_lid(value: Any) -> str | None:
    """Return an @lid address. 2.3.6 also writes the word `lid` in its place."""
    return value if isinstance(value, str) and value.endswith("@lid") else None


def _list_rows(records: list[Any]) -> tuple[Row, ...]:
    return tuple(record for record in records if isinstance(record, dict))


def _read_seconds(row: Row) -> int:
    return read_integer(row.get("messageTimestamp")) or 0


def _read_count(counts: Mapping[Any, Any], name: str) -> int:
    return read_integer(counts.get(name)) or 0
