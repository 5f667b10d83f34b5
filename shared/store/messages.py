"""Messages, their conversations, and their updates.

A new message is written without a read: `create` is the de-duplication, and all that is stored of a
message or a conversation is upserted by transforms that do not depend on the order. A message's
document may begin as a stub, when an update arrives before the message does.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import conversations, names
from shared.domain.contacts import ConversationId
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.store import base, compaction, folding, writing
from shared.store.base import Base, MessageIdTaken, Snapshot, Unfit
from shared.store.folding import LineScope as LineScope
from shared.store.folding import message_in

QUOTES_AT_ONCE = 100
CHUNKS_AT_ONCE = 4
"""Commits of one history that are under way; a chunk is made only when its turn has come."""


class EchoResult(NamedTuple):
    """The result of recording a message of ours.

    `unsettled`: how many sends into its conversation are uncertain, if it is new. `left_through`:
    the number that it left by, if it is a send's and isn't the send's number.
    """

    new: bool
    unsettled: int
    left_through: str | None = None


class Messages(Base):
    """Messages as they arrive. Every method is one change, safe to repeat in any order."""

    async def record_message(
        self, scope: LineScope, message: Message, *, unread: bool, now: int
    ) -> bool:
        """Store the message and update its conversation. Return False for a repetition.

        Firestore: 2 writes, 0 reads; a repeated message 1 read, 0 writes.
        """
        if await self._create(scope, message, unread=unread, now=now):
            return True
        return (await self._complete_fitting(scope, message, unread=unread, now=now)).new

    async def record_echo(
        self, scope: LineScope, message: Message, sender: str | None = None, *, now: int
    ) -> EchoResult:
        """Store a message of ours like `record_message`, and count the conversation's open sends.

        `sender`: the number that it left by, as far as the server itself says so. (The count is the
        result of an increment by 0, so it takes no read.)
        """
        if results := await self._create(scope, message, unread=False, now=now):
            return EchoResult(True, _last_count(results))
        return await self._complete_fitting(scope, message, unread=False, now=now, sender=sender)

    async def record_history(self, scope: LineScope, past: Sequence[Message], *, now: int) -> int:
        """Store messages of the past as read; return how many of them were new.

        Idempotent. Raises Unfit with the ids of those too large to store, once all the others are
        stored. Firestore: 1 read and 1 write per message, and 1 of each per conversation and chunk.
        """
        chunks, unfit = folding.split_history(scope, past), list[str]()

        async def record_chunks() -> int:
            return sum([await self._record_fitting(scope, chunk, now, unfit) for chunk in chunks])

        lanes = (record_chunks() for _ in range(CHUNKS_AT_ONCE))
        outcomes = await asyncio.gather(*lanes, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if unfit:
            raise Unfit(*unfit)
        return sum(new for new in outcomes if isinstance(new, int))

    # How -------------------------------------------------------------------------------------

    async def _create(
        self, scope: LineScope, message: Message, *, unread: bool, now: int
    ) -> list[Any] | None:
        """Create the message; return the writes' results, or None if it or its stub exists."""
        batch = self._client.batch()
        fields = folding.message_fields(scope, message, now)
        writing.create(batch, self._message(scope, message.id), fields)
        self._update_summary(batch, scope, [message], unread=int(unread))
        try:
            return await self._commit_unordered(batch)
        except exceptions.AlreadyExists:
            return None

    async def _record_fitting(
        self, scope: LineScope, chunk: Sequence[Message], now: int, unfit: list[str]
    ) -> int:
        """Record what of a chunk fits, and note the ids of the rest; return how many were new."""
        waiting, new = [chunk], 0
        while waiting:
            part = waiting.pop()
            try:
                new += await self._record_chunk(scope, part, now)
            except Unfit:
                if half := len(part) // 2:
                    waiting += [part[:half], part[half:]]
                    continue
                try:
                    new += await self._record_compacted(scope, part[0], now)
                except Unfit:
                    unfit.append(part[0].id)
        return new

    async def _record_compacted(self, scope: LineScope, message: Message, now: int) -> int:
        """Record one message of the past after compacting its stub. Raises Unfit."""
        for words in compaction.EVER_LESS:
            await self._compact(scope, message.id, words)
            with contextlib.suppress(Unfit):
                return await self._record_chunk(scope, [message], now)
        raise Unfit

    async def _complete_fitting(
        self,
        scope: LineScope,
        message: Message,
        *,
        unread: bool,
        now: int,
        sender: str | None = None,
    ) -> EchoResult:
        """Complete the stub, and compact it first if it is too large. Raises Unfit."""
        for words in compaction.EVER_LESS:
            try:
                return await self._complete(scope, message, sender, unread=unread, now=now)
            except MessageIdTaken:
                raise
            except Unfit:
                await self._compact(scope, message.id, words)
        return await self._complete(scope, message, sender, unread=unread, now=now)

    async def _complete(
        self, scope: LineScope, message: Message, sender: str | None, *, unread: bool, now: int
    ) -> EchoResult:
        """Put the message in the place of its stub; not new if it was there already.

        A message that history brought counts once as unread when it arrives. Raises MessageIdTaken.
        """
        reference = self._message(scope, message.id)

        async def attempt(first: bool) -> EchoResult:
            (snapshot,) = await self._read(reference)
            batch, fields = self._client.batch(), snapshot.to_dict() or {}
            wrong = folding.find_wrong_number(fields, sender)
            if new := conversations.is_stub(fields):
                whole = await self._insert(batch, scope, message, snapshot, now)
                self._update_summary(batch, scope, [whole], unread=int(unread))
            elif change := folding.repetition_fields(snapshot, message, unread, now, wrong):
                batch.update(reference, change, option=self._since(snapshot.update_time))
                if "recalled" in change:
                    self._update_summary(batch, scope, [message_in(snapshot)], unread=1)
            else:
                return EchoResult(False, 0, wrong)
            results = await self._commit(batch)
            return EchoResult(new, _last_count(results) if new else 0, wrong)

        return await base.retry_contended(attempt)

    async def _record_chunk(self, scope: LineScope, chunk: Sequence[Message], now: int) -> int:
        homes = {scope.conversation_id(message.contact): None for message in chunk}
        references = [self._message(scope, message.id) for message in chunk]
        references += [self._conversation(scope.tenant, home) for home in homes]

        async def build(batch: Any, *snapshots: Snapshot) -> int:
            visible = {summary.id for summary in snapshots[len(chunk) :] if _is_shown(summary)}
            inserted = list[Message]()
            for message, snapshot in zip(chunk, snapshots, strict=False):
                fields = snapshot.to_dict() or {}
                if conversations.is_stub(fields):
                    marks = {} if message.from_me else {"recalled": True}
                    inserted.append(
                        await self._insert(batch, scope, message, snapshot, now, **marks)
                    )
                elif progress := folding.progress_fields(fields.get("progress", 0), message, now):
                    batch.update(snapshot.reference, progress)
            for _, group in groupby(inserted, key=lambda message: message.contact.key):
                of_contact = list(group)
                begins = scope.conversation_id(of_contact[0].contact) not in visible
                self._update_summary(batch, scope, of_contact, unread=0, begins=begins)
            return len(inserted)

        return await self.compare_and_set(references, build)

    def _send_fields(
        self, scope: LineScope, message: Message, send: str, now: int
    ) -> dict[str, Any]:
        return folding.message_fields(scope, message, now) | {"send": send}

    async def _insert(
        self,
        batch: Any,
        scope: LineScope,
        message: Message,
        snapshot: Snapshot,
        now: int,
        **marks: Any,
    ) -> Message:
        """Add to the batch: insert the message, or complete the stub that an update left.

        Return it as it will be stored. `marks` are fields that only its document has. If the stub
        says that it was revoked, its content isn't stored, and is removed from quotes.
        """
        fields = folding.message_fields(scope, message, now) | marks
        if writing.size(fields) > writing.LARGEST - writing.ROOM:
            raise Unfit
        if not snapshot.exists:
            batch.create(snapshot.reference, fields)
            return message
        whole = folding.complete_stub(snapshot.to_dict() or {}, scope, message)
        if whole.surely_revoked:
            await self._purge_quotes(scope, message.id, now)
            fields |= {**conversations.EMPTY_CONTENT, "edits": firestore.DELETE_FIELD}
        batch.update(snapshot.reference, fields, option=self._since(snapshot.update_time))
        return whole

    async def _compact(
        self, scope: LineScope, message: str, words: int = compaction.WORDS_KEPT
    ) -> None:
        """Drop edits and reactions of a message that can't matter, down to `words` characters."""
        reference = self._message(scope, message)

        async def build(batch: Any, snapshot: Snapshot) -> None:
            compacted = base.readable(
                [snapshot], lambda document: compaction.compact(document.to_dict() or {}, words)
            )
            if snapshot.exists and compacted:
                option = self._since(snapshot.update_time)
                batch.update(reference, compacted[0], option=option)

        await self.compare_and_set([reference], build)

    async def _purge_quotes(self, scope: LineScope, revoked: str, now: int) -> None:
        """Remove the words of a revoked message from the line's messages that quote it.

        Firestore: 1 read at least, and 1 and 1 write for each that quotes it.
        """
        query = self._of(scope.tenant).collection("messages")
        query = query.where(filter=FieldFilter("line", "==", scope.line))
        query = query.where(filter=FieldFilter("quoted.id", "==", revoked))
        query = query.where(filter=FieldFilter("quoted.preview", ">", ""))
        change = {"quoted.preview": "", "changed": firestore.Maximum(now)}
        # The pauses between attempts also separate one full page from the next.
        async for _ in base.attempts():
            batch, quoting = self._client.batch(), await self._query(query.limit(QUOTES_AT_ONCE))
            for snapshot in quoting:
                option = self._since(snapshot.update_time)
                batch.update(snapshot.reference, change, option=option)
            try:
                await self._commit(batch)
            except base.CHANGED:
                continue
            if len(quoting) < QUOTES_AT_ONCE:
                return

    def _update_summary(
        self,
        batch: Any,
        scope: LineScope,
        messages: Sequence[Message],
        *,
        unread: int,
        begins: bool = True,
    ) -> None:
        """Add to the batch: the conversation's summary. It is unarchived where it `begins`."""
        contact = messages[0].contact
        reference = self._conversation(scope.tenant, scope.conversation_id(contact))
        summary = folding.summary_fields(scope, messages, unread)
        writing.merge(batch, reference, summary | ({"archived": False} if begins else {}))

    def _message(self, scope: LineScope, message: str) -> firestore.AsyncDocumentReference:
        return self._document(scope.tenant, "messages", f"{scope.line}~{message}")

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


def _last_count(results: Sequence[Any]) -> int:
    """Return the number that the last transform of the last write resulted in."""
    return int(results[-1].transform_results[-1].integer_value)


def _is_shown(summary: Snapshot) -> bool:
    """Tell whether a conversation shows already, or was archived: history changes neither."""
    fields = summary.to_dict() or {}
    return "last_at" in fields and not fields.get("merged_into")
