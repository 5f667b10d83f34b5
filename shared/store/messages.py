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
from shared.domain.messages import Delivery, Message
from shared.domain.names import LineId, TenantId
from shared.domain.threads import Edit, KeptMessage, Reaction
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


class Messages(Base):
    """What webhooks tell of messages. Each method is one change, safe to repeat in any order."""

    async def record(self, through: Through, message: Message, *, unread: bool, now: int) -> bool:
        """The message is kept and its conversation knows it. False if we had it already.

        Firestore: 2 writes, 0 reads; a repeated message 1 read, 0 writes.
        """
        batch = self._client.batch()
        writing.create(batch, self._message(through, message.id), _kept(through, message, now))
        self._tell(batch, through, [message], unread=int(unread))
        try:
            await self._fold(batch)
        except exceptions.AlreadyExists:
            return await self._fill(through, message, unread=unread, now=now)
        return True

    async def recall(self, through: Through, past: Sequence[Message], *, now: int) -> int:
        """Messages of the past are kept, unread by nobody; how many of them were new.

        Begun again it goes on where it ended. Raises Unfit for one too large to keep, once all the
        others are. Firestore: 1 read and 1 write per message, and 1
        write per conversation and chunk.
        """
        waiting, new, unfit = list(_chunks(past)), 0, False
        while waiting:
            chunk = waiting.pop()
            try:
                new += await self._recall(through, chunk, now)
            except Unfit:
                half = len(chunk) // 2
                waiting += [chunk[:half], chunk[half:]] if half else []
                unfit = unfit or not half
        if unfit:
            raise Unfit
        return new

    async def move(self, through: Through, message: str, delivery: Delivery, now: int) -> None:
        """The message got at least so far, whether we have it yet or not. Firestore: 1 write."""
        await self._note(through, message, {"progress": firestore.Maximum(delivery)}, now)

    async def refuse(self, through: Through, message: str, now: int) -> None:
        """WhatsApp refused the message, whether we have it yet or not. Firestore: 1 write."""
        await self._note(through, message, {"refused": True}, now)

    async def edit(self, through: Through, message: str, key: str, edit: Edit, now: int) -> None:
        """The message was changed; what it was before stays. Firestore: 1 write."""
        await self._note(through, message, {"edits": {key: edit.model_dump()}}, now)

    async def revoke(self, through: Through, message: str, at: int, now: int) -> None:
        """The message was taken back. Firestore: 1 write."""
        await self._note(through, message, {"revoked_at": firestore.Maximum(at)}, now)

    async def react(
        self, through: Through, message: str, actor: str, key: str, reaction: Reaction, now: int
    ) -> None:
        """Somebody reacted, or took a reaction back. Firestore: 1 write."""
        given = {"reactions": {actor: {key: reaction.model_dump()}}}
        await self._note(through, message, given, now)

    async def name(self, through: Through, contact: Contact, name: str) -> bool:
        """The conversation shows this name; a person's only if there is one already.

        (A group is told its subject before anybody writes in it.) Firestore: 1 write at most.
        """
        batch = self._client.batch()
        reference = self._conversation(through.tenant, through.conversation(contact))
        if contact.group:
            batch.set(reference, _named(name), merge=True)
        else:
            batch.update(reference, _named(name))
        try:
            await self._fold(batch)
        except exceptions.NotFound:
            return False
        return True

    # How -------------------------------------------------------------------------------------

    async def _fill(self, through: Through, message: Message, *, unread: bool, now: int) -> bool:
        """The message takes the place of its stub; False if it had been there already."""
        reference = self._message(through, message.id)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            if found.exists and not threads.is_stub(found.to_dict() or {}):
                return False
            batch = self._client.batch()
            said = self._put(batch, through, message, found, now)
            self._tell(batch, through, [said], unread=int(unread))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return True
        raise AssertionError("attempts() ends with a problem")

    async def _recall(self, through: Through, chunk: Sequence[Message], now: int) -> int:
        references = [self._message(through, message.id) for message in chunk]
        async for _ in base.attempts():
            found = await self._read(*references)
            batch = self._client.batch()
            told = [
                self._put(batch, through, message, snapshot, now)
                for message, snapshot in zip(chunk, found, strict=True)
                if threads.is_stub(snapshot.to_dict() or {})
            ]
            for _, of_contact in groupby(told, key=lambda message: message.contact.key):
                self._tell(batch, through, list(of_contact), unread=0)
            if not told:
                return 0
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return len(told)
        raise AssertionError("attempts() ends with a problem")

    def _put(
        self, batch: Any, through: Through, message: Message, found: Snapshot, now: int
    ) -> Message:
        """The message takes its place or its stub's; as it is with all that the stub knew."""
        kept = _kept(through, message, now)
        if not found.exists:
            batch.create(found.reference, kept)
            return message
        batch.update(found.reference, kept, option=self._since(found.update_time))
        return _whole(found.to_dict() or {}, message, kept)

    async def _fold(self, batch: Any) -> None:
        """A commit that cares for no order: if others write just now, it is done after them."""
        async for _ in base.attempts():
            try:
                await self._commit(batch)
            except exceptions.Aborted:
                continue
            return

    async def _note(self, through: Through, message: str, fields: dict[str, Any], now: int) -> None:
        batch = self._client.batch()
        noted = fields | {"changed": firestore.Maximum(now)}
        batch.set(self._message(through, message), noted, merge=True)
        await self._fold(batch)

    def _tell(self, batch: Any, through: Through, said: Sequence[Message], *, unread: int) -> None:
        contact = said[0].contact
        reference = self._conversation(through.tenant, through.conversation(contact))
        writing.merge(batch, reference, _folded(through, said, unread))

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
        "archived": False,
        "last_at": firestore.Maximum(newest.at),
        "preview": threads.preview_of(newest).model_dump(),
    }
    if not (known["contact_number"] or contact.group):
        summary["merged_into"] = None  # there is something to merge again
    summary |= {field: value for field, value in known.items() if value}
    summary |= _named(name) if name and not contact.group else {}
    return summary | ({"unread": firestore.Increment(unread), "has_unread": True} if unread else {})


def _first(told: Iterable[str | None]) -> str | None:
    return next(filter(None, told), None)


def _named(name: str) -> dict[str, Any]:
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
