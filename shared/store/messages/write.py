"""Messages as they arrive, and their conversations.

A new message is written without a read: `create` is the de-duplication, and all that is stored of a
message or a conversation is upserted by transforms that do not depend on the order. A message's
document may begin as a stub, when an update arrives before the message does.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.types import WriteResult

from shared.domain import conversations, kept_messages
from shared.domain.contacts import ConversationId
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.domain.search import tokens_of
from shared.store import base, writing
from shared.store.base import CHANGED, Database, LineScope, MessageIdTaken, Snapshot, Topic, Unfit
from shared.store.messages import documents
from shared.store.messages.documents import message_in
from shared.store.messages.order import renew_preview
from shared.store.messages.quotes import purge_quotes
from shared.store.messages.updates import compact

TIDIED_EVERY = 256
"""Messages that are counted as unread, after which those that were read are dropped."""

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


class Writes(Topic):
    """Messages as they arrive. Every method is one change, safe to repeat in any order."""

    async def record(self, scope: LineScope, message: Message, *, unread: bool, now: int) -> bool:
        """Store the message and update its conversation. Return False for a repetition.

        Firestore: 2 writes, 0 reads; a repeated message 1 read, 0 writes; a notice of what happened
        to a group 1 write, as it isn't in its conversation's summary. (One that was emitted
        before the copy that is stored moves it: 2 reads and 4 writes more.)
        """
        if await self._create(scope, message, unread=unread, now=now):
            return True
        return (await self._complete_fitting(scope, message, unread=unread, now=now)).new

    async def record_echo(
        self, scope: LineScope, message: Message, sender: str | None = None, *, now: int
    ) -> EchoResult:
        """Store a message of ours like `record`, and count the conversation's open sends.

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
        chunks, unfit = documents.split_history(scope, past), list[str]()

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
        batch = self._db.batch()
        documents.add_message(batch, self._db, scope, message, now)
        marks = documents.answer_fields(message)
        documents.add_summary(batch, self._db, scope, [message], unread, **marks)
        try:
            results = await self._db.commit_unordered(batch)
        except exceptions.AlreadyExists:
            return None
        if unread and _last_count(results) % TIDIED_EVERY == 0:
            await self._tidy_unread(scope.tenant, scope.conversation_id(message.contact))
        return results

    async def _tidy_unread(self, tenant: TenantId, conversation: ConversationId) -> None:
        """Drop the moments of messages that were read, unless the conversation changes meanwhile.

        Firestore: 1 read, 1 write.
        """
        reference, batch = self._db.conversation(tenant, conversation), self._db.batch()
        (snapshot,) = await self._db.read(reference)
        for summary in base.readable([snapshot], documents.conversation_in):
            change = conversations.tidy_unread(summary)
            change["tokens"] = tokens_of(summary.contact_number, *summary.names)
            batch.update(reference, change, option=self._db.since(summary.version))
            with contextlib.suppress(*CHANGED):
                await self._db.commit(batch)

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
                    await compact(self._db, scope, part[0].id)
                    new += await self._record_chunk(scope, part, now)
                except Unfit:
                    unfit.append(part[0].id)
        return new

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
        try:
            return await self._complete(scope, message, sender, unread=unread, live=True, now=now)
        except MessageIdTaken:
            raise
        except Unfit:
            await compact(self._db, scope, message.id)
        return await self._complete(scope, message, sender, unread=unread, live=True, now=now)

    async def _complete(
        self,
        scope: LineScope,
        message: Message,
        sender: str | None,
        *,
        unread: bool,
        live: bool,
        now: int,
    ) -> EchoResult:
        """Put the message in the place of its stub; not new if it was there already.

        `live`: it arrived, and isn't history's. A message that history brought counts once as
        unread when it arrives. Raises MessageIdTaken.
        """
        reference = self._db.message(scope, message.id)

        async def attempt(first: bool) -> EchoResult:
            (snapshot,) = await self._db.read(reference)
            batch, fields = self._db.batch(), snapshot.to_dict() or {}
            wrong = documents.find_wrong_number(fields, sender)
            if new := kept_messages.is_stub(fields):
                whole = await add_insert(batch, self._db, scope, message, snapshot, now)
                marks = documents.answer_fields(message)
                documents.add_summary(batch, self._db, scope, [whole], unread, **marks)
            elif change := documents.repetition_fields(
                snapshot, message, now, unread=unread, live=live, wrong=wrong
            ):
                batch.update(reference, change, option=self._db.since(snapshot.update_time))
                self._retell(batch, scope, snapshot, message, change)
            else:
                return EchoResult(False, 0, wrong)
            results = await self._db.commit(batch)
            if not new and "at" in change:
                await renew_preview(self._db, scope.tenant, fields["conversation"])
            return EchoResult(new, _last_count(results) if new else 0, wrong)

        return await base.retry_contended(attempt)

    def _retell(
        self,
        batch: Any,
        scope: LineScope,
        snapshot: Snapshot,
        message: Message,
        change: Mapping[str, Any],
    ) -> None:
        """Add to the batch: the summary after a repetition that says more than before."""
        marks: dict[str, Any] = {"preview": None} if "at" in change else {}
        if "at" in change and not message.is_aside:
            marks["last_at"] = firestore.Maximum(change["at"])
        is_clear, is_news = "kind" in change, "recalled" in change
        if "call_until" in change or "call_progress" in change:
            marks |= documents.taken_fields(message_in(snapshot), message)
        if is_clear or is_news:
            stored = message_in(snapshot)
            shown = documents.make_clearer(stored, message) if is_clear else stored
            marks |= {"archived": False} if is_news else {}
            documents.add_summary(batch, self._db, scope, [shown], is_news, **marks)
        elif marks:
            home = (snapshot.to_dict() or {})["conversation"]
            writing.merge(batch, self._db.conversation(scope.tenant, home), marks)

    async def _record_chunk(self, scope: LineScope, chunk: Sequence[Message], now: int) -> int:
        homes = {scope.conversation_id(message.contact): None for message in chunk}
        references = [self._db.message(scope, message.id) for message in chunk]
        references += [self._db.conversation(scope.tenant, home) for home in homes]

        moving = list[Message]()

        async def build(batch: Any, *snapshots: Snapshot) -> int:
            visible = {summary.id for summary in snapshots[len(chunk) :] if _is_shown(summary)}
            moving.clear()
            inserted = list[Message]()
            for message, snapshot in zip(chunk, snapshots, strict=False):
                fields = snapshot.to_dict() or {}
                if kept_messages.is_stub(fields):
                    marks = {"from_history": True}
                    marks |= {} if message.from_me else {"recalled": True}
                    inserted.append(
                        await add_insert(batch, self._db, scope, message, snapshot, now, **marks)
                    )
                    continue
                change = documents.progress_fields(fields.get("progress", 0), message, now)
                if documents.position_fields(fields, message, now) or documents.is_clearer(
                    fields, message
                ):
                    moving.append(message)
                elif change:
                    batch.update(snapshot.reference, change)
            for _, group in groupby(inserted, key=lambda message: message.contact.key):
                of_contact = list(group)
                begins = scope.conversation_id(of_contact[0].contact) not in visible
                marks = {"archived": False, "has_unread": False} if begins else {}
                documents.add_summary(batch, self._db, scope, of_contact, False, **marks)
            return len(inserted)

        new = await self._db.compare_and_set(references, build)
        for message in moving:
            with contextlib.suppress(MessageIdTaken):
                await self._complete(scope, message, None, unread=False, live=False, now=now)
        return new


async def add_insert(
    batch: Any,
    db: Database,
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
    if not snapshot.exists:
        documents.add_message(batch, db, scope, message, now, **marks)
        return message
    fields = documents.message_fields(scope, message, now) | marks
    if writing.size(fields) > writing.LARGEST - writing.ROOM:
        raise Unfit
    whole = documents.complete_stub(snapshot.to_dict() or {}, scope, message)
    if whole.surely_revoked:
        await purge_quotes(db, scope, message.id, now)
        fields |= kept_messages.content_to_purge(fields) | {"edits": firestore.DELETE_FIELD}
        fields.pop("media_due", None)
    if whole.seen:
        fields["seen"] = firestore.DELETE_FIELD
    batch.update(snapshot.reference, fields, option=db.since(snapshot.update_time))
    return whole


def _last_count(results: Sequence[Any]) -> int:
    """Return the number that the last transform of the last write resulted in; 0 for none."""
    counts = WriteResult.pb(results[-1]).transform_results  # unwrapped: it is read for all messages
    return int(counts[-1].integer_value) if counts else 0


def _is_shown(summary: Snapshot) -> bool:
    """Tell whether a conversation shows already, or was archived: history changes neither."""
    fields = summary.to_dict() or {}
    return "last_at" in fields and not fields.get("merged_into")
