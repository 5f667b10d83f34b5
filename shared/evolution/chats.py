"""Reading what message and chat routes answer, in every version's shape (EVOLUTION.md §5, §6)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared.domain.upstream import Media, Page, Presence, Sent
from shared.evolution.addresses import message_id
from shared.evolution.reading import MalformedError, fields, number, text


def sent(body: Any) -> Sent | None:
    """The message as it was sent, or None if the answer doesn't say which one that is."""
    match body:
        case {"key": {"id": told, "remoteJid": str(jid)}} if name := message_id(told):
            return Sent(name, jid, body)
        case _:
            return None


def presences(body: Any) -> list[Presence]:
    """Who is on WhatsApp; 1.8 may not repeat the number, then it is the address's."""
    if not isinstance(body, list):
        raise MalformedError
    return [_presence(row) for row in body]


def never_connected(status: int, body: Any) -> bool:
    """All that whatsappNumbers says of an instance that never connected."""
    return status == 400 and body == {}


def page(body: Any, since: datetime, until: datetime, most: int) -> Page:
    """A page of 2.x, or what 1.8 answers instead: a list, here cut to the time asked for.

    A list of `most` is cut if all of it is of that time or later.
    """
    match body:
        case {"messages": {"records": list(records), **about}}:
            return Page(_mappings(records), _count(about, "currentPage"), _count(about, "pages"))
        case list(records):
            first, last = since.timestamp(), until.timestamp()
            during = [row for row in _mappings(records) if first <= _seconds(row) <= last]
            older = any(_seconds(row) < first for row in _mappings(records))
            return Page(tuple(during), 1, 1, cut=len(records) >= most and not older)
        case _:
            raise MalformedError


def media(body: Any) -> Media:
    """The file, without the `data:` prefix that it never has."""
    match body:
        case {"mimetype": str(mimetype), "base64": str(base64)} if base64:
            size = body.get("size")
            length = size.get("fileLength") if isinstance(size, dict) else None
            return Media(mimetype, text(body.get("fileName")), number(length), base64)
        case _:
            raise MalformedError


def picture(body: Any) -> str | None:
    """The picture's address, if there is one."""
    return text(fields(body).get("profilePictureUrl"))


def _presence(row: Any) -> Presence:
    match row:
        case {"jid": str(jid), "exists": bool(exists)}:
            return Presence(
                number=text(row.get("number")) or jid.partition("@")[0],
                jid=jid,
                exists=exists,
                name=text(row.get("name")),
                lid=_lid(row.get("lid")) or _lid(jid),
            )
        case _:
            raise MalformedError


def _lid(value: Any) -> str | None:
    """An @lid address. 2.3.6 also writes the word `lid` where one belongs."""
    return value if isinstance(value, str) and value.endswith("@lid") else None


def _mappings(records: list[Any]) -> tuple[Mapping[str, Any], ...]:
    return tuple(record for record in records if isinstance(record, dict))


def _seconds(row: Mapping[str, Any]) -> int:
    return number(row.get("messageTimestamp")) or 0


def _count(about: Mapping[Any, Any], name: str) -> int:
    return number(about.get(name)) or 0
