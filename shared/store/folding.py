"""What a message, and those of one conversation, add to what is kept: blind, in any order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from google.cloud import firestore

from shared.domain import threads
from shared.domain.contacts import Contact, ConversationId, conversation_id, may_be, told_by
from shared.domain.messages import Message
from shared.domain.names import LineId, TenantId
from shared.domain.sends import other_number
from shared.domain.threads import KeptMessage
from shared.store import writing
from shared.store.base import Snapshot, Taken, Unfit, readable

HISTORY_SIZE = 2_500_000
"""Bytes of messages in one commit (10 MiB in Firestore, 4 MiB in its emulator)."""

HISTORY_CHUNK = 100
"""Messages of the past in one commit: it may hold 500 transforms (Firestore limit)."""


class Through(NamedTuple):
    """Whose messages these are: a tenant's, on a line, under the number it had then."""

    tenant: TenantId
    line: LineId
    number: str

    def conversation(self, contact: Contact) -> ConversationId:
        return conversation_id(self.line, self.number, contact.key)


def kept(through: Through, message: Message, now: int) -> dict[str, Any]:
    """A message's document, but for what news tell."""
    fields = message.model_dump(exclude={"delivery"})
    fields |= {
        "tenant": through.tenant,
        "conversation": through.conversation(message.contact),
        "line": through.line,
        "number": through.number,
        "changed": firestore.Maximum(now),
    }
    if message.delivery:
        fields["progress"] = firestore.Maximum(message.delivery)
    return fields


def whole(news: Mapping[str, Any], through: Through, message: Message) -> KeptMessage:
    """The message with all that its stub knew."""
    home = through.conversation(message.contact)
    where = {"conversation": home, "line": through.line, "number": through.number}
    return KeptMessage.model_validate({**news, **message.model_dump(), **where})


def folded(through: Through, said: Sequence[Message], unread: int) -> dict[str, Any]:
    """What messages of one conversation add to its summary, whatever it is already.

    Each tells something of the contact: the newest that tells a name, a number or a lid wins.
    """
    ordered = sorted(said, key=lambda message: (message.at, message.id), reverse=True)
    newest, contact = ordered[0], ordered[0].contact
    known = {
        "contact_number": _first(message.contact.number for message in ordered),
        "lid": _first(message.contact.lid for message in ordered),
    }
    name = _first(message.name for message in ordered)
    summary: dict[str, Any] = {
        "tenant": through.tenant,
        "line": through.line,
        "number": through.number,
        "contact": contact.key,
        "address": contact.address,
        "group": contact.group,
        "last_at": firestore.Maximum(newest.at),
        "preview": threads.preview_of(newest).model_dump(),
    }
    if not (known["contact_number"] or contact.group):
        summary["merged_into"] = None  # there is something to merge again
    summary |= {field: value for field, value in known.items() if value}
    summary |= named(name) if name and not contact.group else {}
    if newest.from_me:
        summary["unsettled"] = firestore.Increment(0)
    return summary | ({"unread": firestore.Increment(unread), "has_unread": True} if unread else {})


def _first(told: Iterable[str | None]) -> str | None:
    return next(filter(None, told), None)


def named(name: str) -> dict[str, Any]:
    """What a conversation's summary says of a name."""
    return {"name": name, "name_key": name.casefold()}


def chunks(through: Through, past: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """By conversation, each message once: a commit may write a document only once."""
    once = {message.id: message for message in past}.values()
    ordered = sorted(once, key=lambda message: (message.contact.key, message.at))
    chunk, size = list[Message](), 0
    for message in ordered:
        more = _size(through, message)
        if chunk and (len(chunk) == HISTORY_CHUNK or size + more > HISTORY_SIZE):
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += more
    if chunk:
        yield chunk


def _size(through: Through, message: Message) -> int:
    try:
        return writing.size(kept(through, message, 0))
    except Unfit:
        return HISTORY_SIZE


def again(
    found: Snapshot, message: Message, unread: bool, now: int, wrong: str | None = None
) -> dict[str, Any]:
    """What a message that we have tells when it is told again: also by which `wrong` number it
    left. Raises Taken."""
    (kept,) = readable([found], message_in) or (None,)
    if kept is None:
        return {}
    if not may_be(told_by(kept.contact), message.contact):
        raise Taken
    told = further(kept.progress, message, now)
    if kept.recalled and unread:
        told |= {"recalled": firestore.DELETE_FIELD, "changed": firestore.Maximum(now)}
    if wrong and wrong != kept.left_through:
        told |= {"left_through": wrong, "changed": firestore.Maximum(now)}
    return told


def wrong_number(kept: Mapping[str, Any], sender: str | None) -> str | None:
    """Return the number by which a send's message really left, if its echo names another (P7)."""
    if not kept.get("send"):
        return None
    return kept.get("left_through") or other_number(kept.get("number"), sender)


def further(progress: int, message: Message, now: int) -> dict[str, Any]:
    """That it got further than was known."""
    if not message.delivery or message.delivery <= progress:
        return {}
    return {"progress": firestore.Maximum(message.delivery), "changed": firestore.Maximum(now)}


def message_in(snapshot: Snapshot) -> KeptMessage:
    """The message in a document. Raises ValidationError."""
    kept = KeptMessage.model_validate(snapshot.to_dict())
    return kept.model_copy(update={"version": snapshot.update_time})
