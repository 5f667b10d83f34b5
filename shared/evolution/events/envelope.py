"""Read the envelope in which a server posts an event, and translate the event by its name."""

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

from shared.domain.events import Ignored
from shared.domain.record import Record
from shared.evolution import addresses, webhook_json
from shared.evolution.contents import message_object
from shared.evolution.events import (
    call_reports,
    connection,
    contacts_groups,
    group_changes,
    messages_update,
    messages_upsert,
    protocol_message,
)
from shared.evolution.events.payload import EventPayload, EventReader, Events

READERS: dict[str, EventReader] = {
    "connection.update": connection.read_connection,
    "qrcode.updated": connection.read_code,
    "remove.instance": connection.read_removal,
    "messages.upsert": messages_upsert.read_messages,
    "send.message": messages_upsert.read_own_messages,
    "messages.set": messages_upsert.read_history,
    "messages.update": messages_update.read_updates,
    "messages.delete": messages_update.read_deletions,
    "messages.edited": protocol_message.read_edits,
    "send.message.update": protocol_message.read_own_edits,
    "call": call_reports.read_calls,
    "contacts.upsert": contacts_groups.read_contacts,
    "contacts.update": contacts_groups.read_contacts,
    "contacts.set": contacts_groups.read_contacts,
    "groups.upsert": contacts_groups.read_groups,
    "groups.update": group_changes.read_subjects,
    "group.update": group_changes.read_subjects,
    "group-participants.update": group_changes.read_members,
    "group.participants.update": group_changes.read_members,
}

UNUSED = frozenset(
    {
        "application.startup",
        "chats.delete",
        "chats.set",
        "chats.update",
        "chats.upsert",
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


def _validate_or_none(value: Any, validate: ValidatorFunctionWrapHandler) -> Any:
    try:
        return validate(value)
    except ValidationError:
        return None


class Envelope(Record):
    """The envelope of every event (EVOLUTION.md §4); a strange date or sender counts as none."""

    event: str
    instance: str
    date_time: Annotated[AwareDatetime | None, WrapValidator(_validate_or_none)] = None
    sender: Annotated[str | None, WrapValidator(_validate_or_none)] = None
    data: Any = Field(default=None, repr=False)

    def events(self) -> Events:
        """Translate it into at least one event; the same body gives the same events."""
        if read_event := READERS.get(self.event):
            at = int(self.date_time.timestamp() * 1000) if self.date_time else 0
            return read_event(EventPayload(self.data, self.own_number, max(at, 0)))
        is_unused = self.event in UNUSED
        return (Ignored(f"no use for {self.event}" if is_unused else "unknown event"),)

    @property
    def own_number(self) -> str | None:
        """Return the digits of the number the instance is paired with, if the envelope tells."""
        return addresses.read_own_number(self.sender)

    def find_item(self, message_id: str | None) -> Any:
        """Find the item of a list that is about a message; None if there is no such item."""
        return self._by_id.get(message_id) if message_id else None

    def find_order(self, target_id: str) -> Any:
        """Find the item of a list that orders something about a message, or None."""
        return self._by_target.get(target_id)

    def occurred_at(self, received_at: datetime) -> int:
        """Return the event's time by the server's clock, else `received_at` (epoch ms)."""
        return int((self.date_time or received_at).timestamp() * 1000)

    @cached_property
    def _by_id(self) -> dict[str, Any]:
        return self._index_items(_read_id)

    @cached_property
    def _by_target(self) -> dict[str, Any]:
        return self._index_items(_read_target)

    def _index_items(self, read_id: Callable[[Any], Any]) -> dict[str, Any]:
        """Index the first item of every id."""
        items = messages_upsert.list_messages(self.data)
        pairs = [(read_id(item), item) for item in items] if isinstance(items, list) else []
        return {name: item for name, item in reversed(pairs) if isinstance(name, str)}


def read_envelope(body: bytes) -> Envelope | None:
    """Read the webhook in a request's body; None if it isn't one."""
    try:
        return Envelope.model_validate(webhook_json.parse_json(body))
    except (ValidationError, ValueError, RecursionError):
        return None


def read_instance_name(body: bytes) -> str | None:
    """Find the name of the instance without parsing the body.

    None if it doesn't stand at the beginning, as in Evolution's own webhooks.
    """
    beginning = _BEGINNING.match(body)
    return beginning[1].decode() if beginning else None


def _read_target(item: Any) -> Any:
    message = item.get("message") if isinstance(item, dict) else None
    content = message_object.unwrap_message(message)[0] if isinstance(message, dict) else {}
    return _read_id(content.get("protocolMessage")) or _read_id(item)


def _read_id(item: Any) -> Any:
    key = item.get("key") if isinstance(item, dict) else None
    return key.get("id") if isinstance(key, dict) else None


_BEGINNING = re.compile(
    rb'\s*\{\s*"event"\s*:\s*"[^"\\]{0,100}"\s*,\s*"instance"\s*:\s*"([\x20\x21\x23-\x5b\x5d-\x7e]{0,300})"'
)
