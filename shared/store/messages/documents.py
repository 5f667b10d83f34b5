"""Documents of messages and of their conversations: begun, completed, merged into, and read.

What a message adds to them is independent of the order, so that it takes no read.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from google.cloud import firestore

from shared.domain import content, kept_messages, search
from shared.domain.contacts import ConversationId, conversation_id, lid_key, may_be, told_by
from shared.domain.content import Kind
from shared.domain.content.calls import CallContent, CallOutcome
from shared.domain.conversations import Conversation, SeenAd
from shared.domain.kept_messages import KeptMessage
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.domain.positions import is_earlier, second_of
from shared.domain.sends import other_number
from shared.store import base, writing
from shared.store.base import Database, LineScope, MessageIdTaken, Snapshot, Unfit

MOST_IN = 30
"""Values that one `in` may name (Firestore limit)."""

ADS_KEPT = 64
"""Advertisements that one conversation remembers."""

HISTORY_SIZE = 2_500_000
"""Bytes of messages in one commit (10 MiB in Firestore, 4 MiB in its emulator)."""

HISTORY_CHUNK = 100
"""Messages of the past in one commit."""


LANES = 16
"""Into so many parts the log of all tenants is split: an index that grows only at its end takes 500
writes a second (Firestore limit), and all tenants write to that one."""


def add_message(
    batch: Any, db: Database, scope: LineScope, message: Message, now: int, **marks: Any
) -> None:
    """Add to the batch: create the message's document. `marks` are fields that only it has.

    Raises Unfit for a message that leaves no room for updates.
    """
    fields = message_fields(scope, message, now) | marks
    fields = {
        name: value.value if isinstance(value, firestore.Maximum) else value
        for name, value in fields.items()
    }
    writing.create(batch, db.message(scope, message.id), fields)


def add_summary(
    batch: Any,
    db: Database,
    scope: LineScope,
    messages: Sequence[Message],
    unread: bool,
    **marks: Any,
) -> None:
    """Add to the batch: merge messages of one conversation into its summary, and `marks`.

    Nothing for mere notices of what happened to a group.
    """
    if messages := [message for message in messages if not message.is_aside]:
        reference = db.conversation(scope.tenant, scope.conversation_id(messages[0].contact))
        writing.merge(batch, reference, summary_fields(scope, messages, unread) | marks)


def changed_fields(now: int) -> dict[str, Any]:
    """Return the fields of every write that changes what the API shows of a message.

    `changed` (epoch milliseconds of our clock) is what polls ask for. `logged_at` is the place in
    the log of events: the database's own time, which is nearly the order of the commits.
    """
    return {"changed": firestore.Maximum(now), "logged_at": firestore.SERVER_TIMESTAMP}


def lane_of(message: str) -> int:
    """Return the lane of a message in the log of all tenants (see LANES)."""
    return zlib.crc32(message.encode()) % LANES


def message_fields(scope: LineScope, message: Message, now: int) -> dict[str, Any]:
    """Return the fields of a new message's document, without those that updates add."""
    fields = message.model_dump(exclude={"delivery", "media_due"})
    fields |= _due_fields(message)
    fields |= {
        "tenant": scope.tenant,
        "conversation": scope.conversation_id(message.contact),
        "line": scope.line,
        "number": scope.number,
        "lane": lane_of(message.id),
        "stored_at": firestore.SERVER_TIMESTAMP,
        **changed_fields(now),
    }
    if message.delivery:
        fields["progress"] = firestore.Maximum(message.delivery)
    if isinstance(message.content, CallContent) and (call := message.content.call):
        fields["call"] = call.model_copy(update={"outcome": CallOutcome.RINGING}).model_dump()
        fields["call_progress"] = firestore.Maximum(call.outcome.rank)
        fields["call_until"] = firestore.Maximum(second_of(message.at))
    return fields


def _due_fields(message: Message) -> dict[str, Any]:
    return {} if message.media_due is None else {"media_due": message.media_due}


def complete_stub(stub: Mapping[str, Any], scope: LineScope, message: Message) -> KeptMessage:
    """Return the message with the updates that its stub collected."""
    home = scope.conversation_id(message.contact)
    place = {"conversation": home, "line": scope.line, "number": scope.number}
    return KeptMessage.model_validate({**stub, **message.model_dump(), **place})


def summary_fields(scope: LineScope, messages: Sequence[Message], unread: bool) -> dict[str, Any]:
    """Return what messages of one conversation add to its summary, whatever it is already.

    `unread`: whether those of the contact count as such.
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
        "preview": kept_messages.preview_of(newest).model_dump(),
    }
    if not (identity["contact_number"] or contact.group):
        summary["merged_into"] = None  # there is something to merge again
    summary |= {field: value for field, value in identity.items() if value}
    shown = name if not contact.group else None
    summary |= {"name": shown} if shown else {}
    summary |= token_fields(identity["contact_number"], shown)
    if read := [second_of(message.at) for message in messages if message.tells_reading]:
        summary["read_until"] = firestore.Maximum(max(read))
    summary |= _ad_fields(ordered)
    if newest.from_me:
        summary["unsettled"] = firestore.Increment(0)
    counted = (message for message in messages if message.counts_unread)
    moments = Counter(str(second_of(message.at)) for message in counted)
    return summary | (unread_fields(moments) if unread and moments else {})


def unread_fields(counts: Mapping[str, int]) -> dict[str, Any]:
    """Return the fields that count unread messages, by their moments; the total comes last."""
    return {
        "has_unread": True,
        "unread_at": {at: firestore.Increment(count) for at, count in counts.items()},
        "unread": firestore.Increment(sum(counts.values())),
    }


def answer_fields(message: Message) -> dict[str, Any]:
    """Return the fields of a conversation into which a message was just said.

    (Of two that overtook each other the flag may be wrong, until a page shows the conversation.)
    """
    return {"archived": False, **({"has_unread": False} if message.is_answer else {})}


def _ad_fields(messages: Sequence[Message]) -> dict[str, Any]:
    """Return the advertisements that led to these messages, each in its message's place.

    A place is shared by few, so that the conversation stays small whatever is reported.
    """
    ads = {
        f"m{zlib.crc32(message.id.encode()) % ADS_KEPT}": SeenAd(
            **message.origin.model_dump(), message=message.id, at=message.at
        ).model_dump()
        for message in messages
        if message.origin
    }
    return {"ads": ads, "from_ad": True} if ads else {}


def _first(texts: Iterable[str | None]) -> str | None:
    return next(filter(None, texts), None)


def token_fields(number: str | None, *names: str | None) -> dict[str, Any]:
    """Return the field by which a search finds a conversation, with what is added to it."""
    tokens = search.tokens_of(number, *names)
    return {"tokens": firestore.ArrayUnion(tokens)} if tokens else {}


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
    snapshot: Snapshot,
    message: Message,
    now: int,
    *,
    unread: bool,
    live: bool,
    wrong: str | None = None,
) -> dict[str, Any]:
    """Return what the repetition of a stored message changes in its document.

    `live`: it arrived, and isn't history's; `wrong`: the number that a send's message left by, if
    it isn't the send's. Raises MessageIdTaken.
    """
    (stored,) = base.readable([snapshot], message_in) or (None,)
    if stored is None:
        return {}
    if not may_be(told_by(stored.contact), message.contact):
        raise MessageIdTaken
    fields = progress_fields(stored.progress, message, now)
    fields |= position_fields(snapshot.to_dict() or {}, message, now)
    fields |= clearer_fields(snapshot.to_dict() or {}, stored, message, now)
    fields |= _call_fields(stored, message, now)
    if stored.recalled and unread:
        fields |= {"recalled": firestore.DELETE_FIELD, **changed_fields(now)}
    if stored.from_history and live:
        fields |= {"from_history": firestore.DELETE_FIELD, **changed_fields(now)}
    if wrong and wrong != stored.left_through:
        fields |= {"left_through": wrong, **changed_fields(now)}
    return fields


def is_clearer(fields: Mapping[str, Any], message: Message) -> bool:
    """Tell whether a repetition can be read, unlike what is stored."""
    stored = Kind(str(fields.get("kind")))
    return content.clarity_of(stored) < content.clarity(message.content)


def clearer_fields(
    fields: Mapping[str, Any], stored: KeptMessage, message: Message, now: int
) -> dict[str, Any]:
    """Return the content that takes the place of one that couldn't be read, if this one can be.

    `fields`: the stored document. Of a message that was taken back nothing is stored any more.
    """
    if content.clarity(message.content) <= content.clarity(stored.content):
        return {}
    clearer = message.content.model_dump() | message.model_dump(include=_AROUND)
    if stored.surely_revoked:
        clearer |= kept_messages.content_to_purge(clearer)
    else:
        clearer |= _due_fields(message)
    emptied = kept_messages.content_to_purge(fields)
    return emptied | clearer | changed_fields(now)


def make_clearer(stored: KeptMessage, message: Message) -> KeptMessage:
    """Return the stored message with the content and the references that can be read now."""
    around = {name: getattr(message, name) for name in _AROUND}
    return stored.model_copy(update={"content": message.content, **around})


_AROUND = {"quoted", "mentions", "forwarded", "in_reply_to_status", "origin"}


def _call_fields(stored: KeptMessage, message: Message, now: int) -> dict[str, Any]:
    """Return what is news of a call: how far and how long it got, and what sort of call it was."""
    ours, theirs = stored.content, message.content
    if not isinstance(theirs, CallContent) or not isinstance(ours, CallContent):
        return {}
    if theirs.call is None or ours.call is None or stored.surely_revoked:
        return {}
    news: dict[str, Any] = {}
    if theirs.call.outcome.rank > stored.call_progress:
        news["call_progress"] = firestore.Maximum(theirs.call.outcome.rank)
    if (until := second_of(message.at)) > stored.call_until:
        news["call_until"] = firestore.Maximum(until)
    if ours.call.logged and not theirs.call.logged:
        news["call.logged"] = False
    for name in ("video", "group", "seconds"):
        if (told := getattr(theirs.call, name)) and not getattr(ours.call, name):
            news[f"call.{name}"] = told
    return news | (changed_fields(now) if news else {})


def taken_fields(stored: KeptMessage, message: Message) -> dict[str, Any]:
    """Return the fields of the conversation after another report of a call that we took.

    A call that was counted as unread before is read then, like all that was said until it ended.
    """
    ranks = stored.call_progress, CallOutcome.ANSWERED.rank if message.is_answer else 0
    if not isinstance(stored.content, CallContent) or max(ranks) < CallOutcome.ANSWERED.rank:
        return {}
    until = max(stored.call_until, second_of(stored.at), second_of(message.at))
    return {"read_until": firestore.Maximum(until)}


def find_wrong_number(fields: Mapping[str, Any], sender: str | None) -> str | None:
    """Return the number by which a send's message really left, if its echo names another (P7)."""
    if not fields.get("send"):
        return None
    return fields.get("left_through") or other_number(fields.get("number"), sender)


def progress_fields(progress: int, message: Message, now: int) -> dict[str, Any]:
    """Return the fields that advance the delivery, or none if it got so far before."""
    if not message.delivery or message.delivery <= progress:
        return {}
    return {"progress": firestore.Maximum(message.delivery), **changed_fields(now)}


def position_fields(fields: Mapping[str, Any], copy: Message, now: int) -> dict[str, Any]:
    """Return the fields that move a message, or none if this copy doesn't decide its position.

    (Each event of a call has a time of its own, so of calls also one of another second decides.)
    """
    match fields:
        case {"at": int() | float() as position, "emitted": int() | None as decisive}:
            is_call = copy.kind is Kind.CALL and fields.get("kind") == Kind.CALL
            if (is_call or second_of(position) == second_of(copy.at)) and is_earlier(
                copy.emitted, decisive
            ):
                moved = {"at": copy.at, "emitted": copy.emitted}
                return moved | changed_fields(now)
            return {}
        case _:
            return {}


def message_in(snapshot: Snapshot) -> KeptMessage:
    """Return the message in a document. Raises ValidationError."""
    message = KeptMessage.model_validate(snapshot.to_dict())
    return message.model_copy(update={"version": snapshot.update_time})


def scope_of(tenant: TenantId, of: Conversation) -> LineScope:
    """Return the line and number that a conversation's messages belong to."""
    return LineScope(tenant, of.line, of.number)


def ids_of(of: Conversation) -> list[ConversationId]:
    """List a person's conversation, and those held before the number was known."""
    before = [] if of.lid is None or of.nameless_lid else [lid_key(of.lid)]
    hidden = [conversation_id(of.line, of.number, key) for key in before]
    return list(dict.fromkeys([of.id, *hidden, *reversed(of.merged_from)]))[:MOST_IN]


def read_conversations(snapshots: Iterable[Snapshot]) -> list[Conversation]:
    """Read the conversations that have messages: a group may have nothing but its name yet."""
    with_messages = [snapshot for snapshot in snapshots if "last_at" in (snapshot.to_dict() or {})]
    return base.readable(with_messages, conversation_in)


def conversation_in(snapshot: Snapshot) -> Conversation:
    """Return the conversation in a document. Raises ValidationError."""
    fields: Mapping[str, Any] = snapshot.to_dict() or {}
    conversation = Conversation.model_validate({**fields, "id": snapshot.id})
    return conversation.model_copy(update={"version": snapshot.update_time})
