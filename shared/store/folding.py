"""Fields that a message adds to its document and its conversation's: blind, in any order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from google.cloud import firestore

from shared.domain import conversations
from shared.domain.contacts import Contact, ConversationId, conversation_id, may_be, told_by
from shared.domain.conversations import KeptMessage
from shared.domain.messages import Message
from shared.domain.names import LineId, TenantId
from shared.domain.sends import other_number
from shared.store import writing
from shared.store.base import MessageIdTaken, Snapshot, Unfit, readable

HISTORY_SIZE = 2_500_000
"""Bytes of messages in one commit (10 MiB in Firestore, 4 MiB in its emulator)."""

HISTORY_CHUNK = 100
"""Messages of the past in one commit: it may hold 500 transforms (Firestore limit)."""


class LineScope(NamedTuple):
    """The owner of messages: a tenant, one of its lines, and the number that it had then."""

    tenant: TenantId
    line: LineId
    number: str

    def conversation_id(self, contact: Contact) -> ConversationId:
        return conversation_id(self.line, self.number, contact.key)


def message_fields(scope: LineScope, message: Message, now: int) -> dict[str, Any]:
    """Return the fields of a new message's document, without those that updates add."""
    fields = message.model_dump(exclude={"delivery"})
    fields |= {
        "tenant": scope.tenant,
        "conversation": scope.conversation_id(message.contact),
        "line": scope.line,
        "number": scope.number,
        "changed": firestore.Maximum(now),
    }
    if message.delivery:
        fields["progress"] = firestore.Maximum(message.delivery)
    return fields


def complete_stub(stub: Mapping[str, Any], scope: LineScope, message: Message) -> KeptMessage:
    """Return the message with the updates that its stub collected."""
    home = scope.conversation_id(message.contact)
    place = {"conversation": home, "line": scope.line, "number": scope.number}
    return KeptMessage.model_validate({**stub, **message.model_dump(), **place})


def summary_fields(scope: LineScope, messages: Sequence[Message], unread: int) -> dict[str, Any]:
    """Return what messages of one conversation add to its summary, whatever it is already.

    The contact's name, number and lid are those of the newest message that has one.
    """
    ordered = sorted(messages, key=lambda message: (message.at, message.id), reverse=True)
    newest, contact = ordered[0], ordered[0].contact
    identity = {
        "contact_number": _first(message.contact.number for message in ordered),
        "lid": _first(message.contact.lid for message in ordered),
    }
    name = _first(message.name for message in ordered)
    summary: dict[str, Any] = {
        "tenant": scope.tenant,
        "line": scope.line,
        "number": scope.number,
        "contact": contact.key,
        "address": contact.address,
        "group": contact.group,
        "last_at": firestore.Maximum(newest.at),
        "preview": conversations.preview_of(newest).model_dump(),
    }
    if not (identity["contact_number"] or contact.group):
        summary["merged_into"] = None  # there is something to merge again
    summary |= {field: value for field, value in identity.items() if value}
    summary |= name_fields(name) if name and not contact.group else {}
    if newest.from_me:
        summary["unsettled"] = firestore.Increment(0)
    return summary | ({"unread": firestore.Increment(unread), "has_unread": True} if unread else {})


def _first(texts: Iterable[str | None]) -> str | None:
    return next(filter(None, texts), None)


def name_fields(name: str) -> dict[str, Any]:
    """Return the fields of a conversation's summary for a name."""
    return {"name": name, "name_key": name.casefold()}


def split_history(scope: LineScope, past: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """Split messages into commits, by conversation, with every message once.

    (A commit may write a document only once.)
    """
    unique = {message.id: message for message in past}.values()
    ordered = sorted(unique, key=lambda message: (message.contact.key, message.at))
    chunk, size = list[Message](), 0
    for message in ordered:
        more = _size(scope, message)
        if chunk and (len(chunk) == HISTORY_CHUNK or size + more > HISTORY_SIZE):
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += more
    if chunk:
        yield chunk


def _size(scope: LineScope, message: Message) -> int:
    try:
        return writing.size(message_fields(scope, message, 0))
    except Unfit:
        return HISTORY_SIZE


def repetition_fields(
    snapshot: Snapshot, message: Message, unread: bool, now: int, wrong: str | None = None
) -> dict[str, Any]:
    """Return what the repetition of a stored message changes in its document.

    `wrong`: the number that a send's message left by, if it isn't the send's. Raises
    MessageIdTaken.
    """
    (stored,) = readable([snapshot], message_in) or (None,)
    if stored is None:
        return {}
    if not may_be(told_by(stored.contact), message.contact):
        raise MessageIdTaken
    fields = progress_fields(stored.progress, message, now)
    if stored.recalled and unread:
        fields |= {"recalled": firestore.DELETE_FIELD, "changed": firestore.Maximum(now)}
    if wrong and wrong != stored.left_through:
        fields |= {"left_through": wrong, "changed": firestore.Maximum(now)}
    return fields


def find_wrong_number(fields: Mapping[str, Any], sender: str | None) -> str | None:
    """Return the number by which a send's message really left, if its echo names another (P7)."""
    if not fields.get("send"):
        return None
    return fields.get("left_through") or other_number(fields.get("number"), sender)


def progress_fields(progress: int, message: Message, now: int) -> dict[str, Any]:
    """Return the fields that advance the delivery, or none if it got so far before."""
    if not message.delivery or message.delivery <= progress:
        return {}
    return {"progress": firestore.Maximum(message.delivery), "changed": firestore.Maximum(now)}


def message_in(snapshot: Snapshot) -> KeptMessage:
    """Return the message in a document. Raises ValidationError."""
    message = KeptMessage.model_validate(snapshot.to_dict())
    return message.model_copy(update={"version": snapshot.update_time})
