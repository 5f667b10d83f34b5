"""What was said: messages, their conversations, and what became of them.

Nothing here reads before it writes a new message: `create` is the de-duplication, and all that is
kept of a message or a conversation is folded in by transforms that do not care about order. A
message's document may begin as a stub, when news of it comes before it does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore

from shared.domain import names, threads
from shared.domain.contacts import Contact, ConversationId, conversation_id
from shared.domain.messages import Message
from shared.domain.names import LineId, TenantId
from shared.domain.threads import KeptMessage
from shared.store import base, writing
from shared.store.base import CONTENDED, Base, Snapshot, Unfit

HISTORY_SIZE = 1_000_000
"""Characters of text in one commit; four bytes each at most."""

HISTORY_CHUNK = 100
"""Messages of the past in one commit: it may hold 500 transforms and 10 MiB (Firestore limits)."""


class Through(NamedTuple):
    """Whose messages these are: a tenant's, on a line, under the number it had then."""

    tenant: TenantId
    line: LineId
    number: str

    def conversation(self, contact: Contact) -> ConversationId:
        return conversation_id(self.line, self.number, contact.key)


class Echoed(NamedTuple):
    """Whether a message of ours was new, and if so how many sends into its conversation there are
    of which nobody knows the outcome."""

    new: bool
    unsettled: int


class Messages(Base):
    """What was said. Each method is one change, safe to repeat in any order."""

    async def record(self, through: Through, message: Message, *, unread: bool, now: int) -> bool:
        """The message is kept and its conversation knows it. False if we had it already.

        Firestore: 2 writes, 0 reads; a repeated message 1 read, 0 writes.
        """
        if await self._create(through, message, unread=unread, now=now):
            return True
        return (await self._fill(through, message, unread=unread, now=now)).new

    async def echo(self, through: Through, message: Message, *, now: int) -> Echoed:
        """The same, of a message of ours. (That a count grew by 0 tells it without a read.)"""
        if results := await self._create(through, message, unread=False, now=now):
            return Echoed(True, _last_count(results))
        return await self._fill(through, message, unread=False, now=now)

    async def recall(self, through: Through, past: Sequence[Message], *, now: int) -> int:
        """Messages of the past are kept, unread by nobody; how many of them were new.

        Begun again it goes on where it ended. Raises Unfit with the ids of those too large to
        keep, once all the others are. Firestore: 1 read and 1 write per message, and 1 of each per
        conversation and chunk.
        """
        waiting, new, unfit = list(_chunks(past)), 0, list[str]()
        while waiting:
            chunk = waiting.pop()
            try:
                new += await self._recall(through, chunk, now)
            except Unfit:
                half = len(chunk) // 2
                waiting += [chunk[:half], chunk[half:]] if half else []
                unfit += [] if half else [chunk[0].id]
        if unfit:
            raise Unfit(*unfit)
        return new

    # How -------------------------------------------------------------------------------------

    async def _create(
        self, through: Through, message: Message, *, unread: bool, now: int
    ) -> list[Any] | None:
        """What became of the writes; None if there is such a message, or its stub."""
        batch = self._client.batch()
        writing.create(batch, self._message(through, message.id), _kept(through, message, now))
        self._tell(batch, through, [message], unread=int(unread))
        try:
            return await self._fold(batch)
        except exceptions.AlreadyExists:
            return None

    async def _fill(self, through: Through, message: Message, *, unread: bool, now: int) -> Echoed:
        """The message takes the place of its stub; not new if it had been there already.

        One that history had told before is news all the same, once.
        """
        reference = self._message(through, message.id)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            batch, kept = self._client.batch(), found.to_dict() or {}
            if threads.is_stub(kept):
                said = self._put(batch, through, message, found, now)
                self._tell(batch, through, [said], unread=int(unread))
            elif kept.get("recalled") and unread:
                told = {"recalled": firestore.DELETE_FIELD, "changed": firestore.Maximum(now)}
                batch.update(reference, told, option=self._since(found.update_time))
                self._tell(batch, through, [KeptMessage.model_validate(kept)], unread=1)
            else:
                return Echoed(False, 0)
            try:
                results = await self._written(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return Echoed(threads.is_stub(kept), _last_count(results))
        raise AssertionError("attempts() ends with a problem")

    async def _recall(self, through: Through, chunk: Sequence[Message], now: int) -> int:
        references = [self._message(through, message.id) for message in chunk]
        homes = {through.conversation(message.contact): message.contact.key for message in chunk}
        async for _ in base.attempts():
            found = await self._read(
                *references, *(self._conversation(through.tenant, home) for home in homes)
            )
            begun = {each.id for each in found[len(chunk) :] if _goes_on(each)}
            batch = self._client.batch()
            told = [
                self._put(batch, through, message, snapshot, now, recalled=not message.from_me)
                for message, snapshot in zip(chunk, found, strict=False)
                if threads.is_stub(snapshot.to_dict() or {})
            ]
            for _, group in groupby(told, key=lambda message: message.contact.key):
                of_contact = list(group)
                home = through.conversation(of_contact[0].contact)
                self._tell(batch, through, of_contact, unread=0, begins=home not in begun)
            if not told:
                return 0
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return len(told)
        raise AssertionError("attempts() ends with a problem")

    def _new(self, through: Through, message: Message, send: str, now: int) -> dict[str, Any]:
        return _kept(through, message, now) | {"send": send}

    def _put(
        self,
        batch: Any,
        through: Through,
        message: Message,
        found: Snapshot,
        now: int,
        *,
        recalled: bool = False,
    ) -> Message:
        """The message takes its place or its stub's; as it is with all that the stub knew.

        If that it was taken back is what the stub knew, nothing of what it said is kept.
        """
        kept = _kept(through, message, now) | ({"recalled": True} if recalled else {})
        if not found.exists:
            batch.create(found.reference, kept)
            return message
        whole = _whole(found.to_dict() or {}, message, kept)
        if whole.revoked_at is not None:
            kept |= {**threads.NOTHING_SAID, "edits": firestore.DELETE_FIELD}
        batch.update(found.reference, kept, option=self._since(found.update_time))
        return whole

    def _tell(
        self,
        batch: Any,
        through: Through,
        said: Sequence[Message],
        *,
        unread: int,
        begins: bool = True,
    ) -> None:
        """The conversation knows. It isn't archived any more where it `begins`."""
        contact = said[0].contact
        reference = self._conversation(through.tenant, through.conversation(contact))
        folded = _folded(through, said, unread) | ({"archived": False} if begins else {})
        writing.merge(batch, reference, folded)

    def _message(self, through: Through, message: str) -> firestore.AsyncDocumentReference:
        return self._document(through.tenant, "messages", f"{through.line}~{message}")

    def _conversation(
        self, tenant: TenantId, conversation: ConversationId
    ) -> firestore.AsyncDocumentReference:
        return self._document(tenant, "conversations", conversation)

    def _document(
        self, tenant: TenantId, collection: str, name: str
    ) -> firestore.AsyncDocumentReference:
        return self._client.document("tenants", names.spell(tenant), collection, name)

    def _of(self, tenant: TenantId) -> firestore.AsyncDocumentReference:
        return self._tenant(names.spell(tenant))


def _kept(through: Through, message: Message, now: int) -> dict[str, Any]:
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


def _whole(news: Mapping[str, Any], message: Message, kept: Mapping[str, Any]) -> KeptMessage:
    where = {field: kept[field] for field in ("conversation", "line", "number")}
    return KeptMessage.model_validate({**news, **message.model_dump(), **where})


def _folded(through: Through, said: Sequence[Message], unread: int) -> dict[str, Any]:
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


def _last_count(results: Sequence[Any]) -> int:
    """What the last transform of the last write made of its number."""
    return int(results[-1].transform_results[-1].integer_value)


def _goes_on(summary: Snapshot) -> bool:
    """A conversation that shows already, or was archived: history changes neither."""
    kept = summary.to_dict() or {}
    return "last_at" in kept and not kept.get("merged_into")


def _first(told: Iterable[str | None]) -> str | None:
    return next(filter(None, told), None)


def named(name: str) -> dict[str, Any]:
    """What a conversation's summary says of a name."""
    return {"name": name, "name_key": name.casefold()}


def _chunks(past: Sequence[Message]) -> Iterator[Sequence[Message]]:
    """By conversation, each message once: a commit may write a document only once."""
    once = {message.id: message for message in past}.values()
    ordered = sorted(once, key=lambda message: (message.contact.key, message.at))
    chunk: list[Message] = []
    for message in ordered:
        full = len(chunk) == HISTORY_CHUNK or _size([*chunk, message]) > HISTORY_SIZE
        if chunk and full:
            yield chunk
            chunk = []
        chunk.append(message)
    if chunk:
        yield chunk


def _size(said: Sequence[Message]) -> int:
    """About: what can be long in a message are its words."""
    return sum(len(message.text or "") for message in said)
