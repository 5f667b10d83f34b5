"""What a server posts to us, understood: an envelope, and one meaning for each event's name."""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cached_property
from typing import Annotated, Any

from pydantic import (
    AwareDatetime,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from shared import untrusted
from shared.domain.events import Ignored
from shared.domain.record import Record
from shared.evolution import changes, contents, named, protocol, reading, said, sockets
from shared.evolution.heard import Events, Heard, Meaning

DEEPEST = 100
"""Levels of JSON that are kept of what is nested too deep to be read."""

MEANINGS: dict[str, Meaning] = {
    "connection.update": sockets.connection,
    "qrcode.updated": sockets.code,
    "remove.instance": sockets.removed,
    "messages.upsert": said.upserted,
    "send.message": said.sent,
    "messages.set": said.recalled,
    "messages.update": changes.updated,
    "messages.delete": changes.deleted,
    "messages.edited": protocol.edited,
    "send.message.update": protocol.corrected,
    "contacts.upsert": named.contacts,
    "contacts.update": named.contacts,
    "contacts.set": named.contacts,
    "groups.upsert": named.groups,
    "groups.update": named.groups,
    "group.update": named.groups,
}

UNUSED = frozenset(
    {
        "application.startup",
        "call",
        "chats.delete",
        "chats.set",
        "chats.update",
        "chats.upsert",
        "group-participants.update",
        "group.participants.update",
        "instance.create",
        "instance.delete",
        "labels.association",
        "labels.edit",
        "logout.instance",
        "presence.update",
        "status.instance",
        "typebot.change-status",
        "typebot.start",
    }
)
"""Events we know and have no use for; we don't subscribe to them either."""


def _or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


class Wire(Record):
    """The envelope of every event (EVOLUTION.md §4); a strange date or sender doesn't spoil it."""

    event: str
    instance: str
    date_time: Annotated[AwareDatetime | None, WrapValidator(_or_none)] = None
    sender: Annotated[str | None, WrapValidator(_or_none)] = None
    data: Any = Field(default=None, repr=False)

    def meanings(self) -> Events:
        """What it says, in our words: at least one event; the same body, the same events."""
        if meaning := MEANINGS.get(self.event):
            at = int(self.date_time.timestamp() * 1000) if self.date_time else 0
            return meaning(Heard(self.data, self.own_number, max(at, 0)))
        known = self.event in UNUSED
        return (Ignored(f"no use for {self.event}" if known else "unknown event"),)

    @property
    def own_number(self) -> str | None:
        """The digits of the number the instance is paired with, if the envelope tells."""
        return reading.own_number(self.sender)

    def item(self, message: str | None) -> Any:
        """Of the several things that it tells, the one about this message; None if it isn't so."""
        return self._by_id.get(message) if message else None

    def ordering(self, target: str) -> Any:
        """Of the several things that it tells, the one that orders something about a message."""
        return self._by_target.get(target)

    @cached_property
    def _by_id(self) -> dict[str, Any]:
        return self._items(_id_of)

    @cached_property
    def _by_target(self) -> dict[str, Any]:
        return self._items(_target_of)

    def _items(self, id_of: Callable[[Any], Any]) -> dict[str, Any]:
        """Of the things that it tells, the first of every id."""
        listed = said.listed(self.data)
        several = [(id_of(item), item) for item in listed] if isinstance(listed, list) else []
        return {name: item for name, item in reversed(several) if isinstance(name, str)}

    def at(self, received: datetime) -> int:
        """When the server says it happened: epoch milliseconds of its own clock."""
        return int((self.date_time or received).timestamp() * 1000)


def _target_of(item: Any) -> Any:
    message = item.get("message") if isinstance(item, dict) else None
    content = contents.unwrapped(message)[0] if isinstance(message, dict) else {}
    return _id_of(content.get("protocolMessage")) or _id_of(item)


def _id_of(item: Any) -> Any:
    key = item.get("key") if isinstance(item, dict) else None
    return key.get("id") if isinstance(key, dict) else None


def read(body: bytes) -> Wire | None:
    """The webhook in a request's body; None if it isn't one."""
    try:
        return Wire.model_validate(parsed(body))
    except (ValidationError, ValueError, RecursionError):
        return None


def instance_at_once(body: bytes) -> str | None:
    """Whose webhook it says it is, if it says so first (as Evolution's do): without reading it."""
    found = _BEGINNING.match(body)
    return found[1].decode() if found else None


def parsed(body: bytes) -> Any:
    """JSON that can be stored: no half characters, no NaN. Raises ValueError."""
    written = body.decode("utf-8-sig", "replace")
    try:
        return _loaded(written)
    except (untrusted.TooDeep, RecursionError):
        return _loaded(_shallow(written))


def _loaded(written: str) -> Any:
    value = untrusted.read_lenient(written)
    return _mended(value) if _HALF.search(written) else value


def _mended(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {_mended(name): _mended(item) for name, item in value.items()}
        case _:
            return value


def _shallow(written: str) -> str:
    """The same JSON with null for what is nested too deep for anybody to have meant it."""
    depth, kept = 0, list[str]()
    for match in _TOKEN.finditer(written):
        token = match[0]
        opens, closes = token in "[{", token in "]}"
        depth -= closes
        if depth < DEEPEST or (depth == DEEPEST and not (opens or closes)):
            kept.append(token)
        elif depth == DEEPEST and opens:
            kept.append("null")
        depth += opens
    return "".join(kept)


_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^"\[\]{}]+')
_BEGINNING = re.compile(
    rb'\s*\{\s*"event"\s*:\s*"[^"\\]{0,100}"\s*,\s*"instance"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{0,300})"'
)
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
