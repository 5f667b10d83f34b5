"""What was said: messages, their conversations, and what became of them.

Nothing here reads before it writes a new message: `create` is the de-duplication, and all that is
kept of a message or a conversation is folded in by transforms that do not care about order. A
message's document may begin as a stub, when news of it comes before it does.
"""

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import groupby
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import names, threads, tidying
from shared.domain.contacts import ConversationId
from shared.domain.messages import Message
from shared.domain.names import TenantId
from shared.store import base, folding, writing
from shared.store.base import CONTENDED, Base, Snapshot, Taken, Unfit
from shared.store.folding import Through as Through
from shared.store.folding import message_in

QUOTES_AT_ONCE = 100
CHUNKS_AT_ONCE = 4
"""Commits of one history that are under way; a chunk is made only when its turn has come."""


class Echoed(NamedTuple):
    """Whether a message of ours was new, and if so how many sends into its conversation there are
    of which nobody knows the outcome. `left_through`: it is a send's, and left by that number,
    which isn't the send's."""

    new: bool
    unsettled: int
    left_through: str | None = None


class Messages(Base):
    """What was said. Each method is one change, safe to repeat in any order."""

    async def record(self, through: Through, message: Message, *, unread: bool, now: int) -> bool:
        """The message is kept and its conversation knows it. False if we had it already.

        Firestore: 2 writes, 0 reads; a repeated message 1 read, 0 writes.
        """
        if await self._create(through, message, unread=unread, now=now):
            return True
        return (await self._filled(through, message, unread=unread, now=now)).new

    async def echo(
        self, through: Through, message: Message, sender: str | None = None, *, now: int
    ) -> Echoed:
        """The same, of a message of ours. (That a count grew by 0 tells it without a read.)

        `sender`: the number that it left by, as far as the server itself says so.
        """
        if results := await self._create(through, message, unread=False, now=now):
            return Echoed(True, _last_count(results))
        return await self._filled(through, message, unread=False, now=now, sender=sender)

    async def recall(self, through: Through, past: Sequence[Message], *, now: int) -> int:
        """Messages of the past are kept, unread by nobody; how many of them were new.

        Begun again it goes on where it ended. Raises Unfit with the ids of those too large to
        keep, once all the others are. Firestore: 1 read and 1 write per message, and 1 of each per
        conversation and chunk.
        """
        chunks, unfit = folding.chunks(through, past), list[str]()

        async def take() -> int:
            return sum([await self._recall_fitting(through, each, now, unfit) for each in chunks])

        lanes = (take() for _ in range(CHUNKS_AT_ONCE))
        outcomes = await asyncio.gather(*lanes, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, BaseException):
                raise outcome
        if unfit:
            raise Unfit(*unfit)
        return sum(new for new in outcomes if isinstance(new, int))

    # How -------------------------------------------------------------------------------------

    async def _create(
        self, through: Through, message: Message, *, unread: bool, now: int
    ) -> list[Any] | None:
        """What became of the writes; None if there is such a message, or its stub."""
        batch = self._client.batch()
        kept = folding.kept(through, message, now)
        writing.create(batch, self._message(through, message.id), kept)
        self._tell(batch, through, [message], unread=int(unread))
        try:
            return await self._fold(batch)
        except exceptions.AlreadyExists:
            return None

    async def _recall_fitting(
        self, through: Through, chunk: Sequence[Message], now: int, unfit: list[str]
    ) -> int:
        """Recall what of a chunk fits, and note the ids of the rest; return how many were new."""
        waiting, new = [chunk], 0
        while waiting:
            some = waiting.pop()
            try:
                new += await self._recall(through, some, now)
            except Unfit:
                if half := len(some) // 2:
                    waiting += [some[:half], some[half:]]
                    continue
                try:
                    new += await self._squeezed(through, some[0], now)
                except Unfit:
                    unfit.append(some[0].id)
        return new

    async def _squeezed(self, through: Through, message: Message, now: int) -> int:
        """The same of one, if need be for what strangers told of it before. Raises Unfit."""
        for words in tidying.EVER_LESS:
            await self._tidy(through, message.id, words)
            with contextlib.suppress(Unfit):
                return await self._recall(through, [message], now)
        raise Unfit

    async def _filled(
        self,
        through: Through,
        message: Message,
        *,
        unread: bool,
        now: int,
        sender: str | None = None,
    ) -> Echoed:
        """The same as `_fill`, if need be for what strangers told of it before."""
        for words in tidying.EVER_LESS:
            try:
                return await self._fill(through, message, sender, unread=unread, now=now)
            except Taken:
                raise
            except Unfit:
                await self._tidy(through, message.id, words)
        return await self._fill(through, message, sender, unread=unread, now=now)

    async def _fill(
        self, through: Through, message: Message, sender: str | None, *, unread: bool, now: int
    ) -> Echoed:
        """The message takes the place of its stub; not new if it had been there already.

        One that history had told before is news all the same, once. Raises Taken.
        """
        reference = self._message(through, message.id)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            batch, kept = self._client.batch(), found.to_dict() or {}
            wrong = folding.wrong_number(kept, sender)
            if new := threads.is_stub(kept):
                said = await self._put(batch, through, message, found, now)
                self._tell(batch, through, [said], unread=int(unread))
            elif changed := folding.again(found, message, unread, now, wrong):
                batch.update(reference, changed, option=self._since(found.update_time))
                if "recalled" in changed:
                    self._tell(batch, through, [message_in(found)], unread=1)
            else:
                return Echoed(False, 0, wrong)
            try:
                results = await self._written(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return Echoed(new, _last_count(results) if new else 0, wrong)
        raise AssertionError("attempts() ends with a problem")

    async def _recall(self, through: Through, chunk: Sequence[Message], now: int) -> int:
        references = [self._message(through, message.id) for message in chunk]
        homes = {through.conversation(message.contact): message.contact.key for message in chunk}
        async for _ in base.attempts():
            found = await self._read(
                *references, *(self._conversation(through.tenant, home) for home in homes)
            )
            begun = {each.id for each in found[len(chunk) :] if _goes_on(each)}
            batch, told = self._client.batch(), list[Message]()
            moved = False
            for message, snapshot in zip(chunk, found, strict=False):
                kept = snapshot.to_dict() or {}
                if threads.is_stub(kept):
                    past = {} if message.from_me else {"recalled": True}
                    told.append(await self._put(batch, through, message, snapshot, now, **past))
                elif further := folding.further(kept.get("progress", 0), message, now):
                    batch.update(snapshot.reference, further)
                    moved = True
            for _, group in groupby(told, key=lambda message: message.contact.key):
                of_contact = list(group)
                home = through.conversation(of_contact[0].contact)
                self._tell(batch, through, of_contact, unread=0, begins=home not in begun)
            if not told and not moved:
                return 0
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return len(told)
        raise AssertionError("attempts() ends with a problem")

    def _new(self, through: Through, message: Message, send: str, now: int) -> dict[str, Any]:
        return folding.kept(through, message, now) | {"send": send}

    async def _put(
        self,
        batch: Any,
        through: Through,
        message: Message,
        found: Snapshot,
        now: int,
        **marks: Any,
    ) -> Message:
        """The message takes its place or its stub's, so marked; as it is with all that that knew.

        If that it was taken back is what the stub knew, nothing of what it said is kept, here or
        in a quote.
        """
        kept = folding.kept(through, message, now) | marks
        if writing.size(kept) > writing.LARGEST - writing.ROOM:
            raise Unfit
        if not found.exists:
            batch.create(found.reference, kept)
            return message
        whole = folding.whole(found.to_dict() or {}, through, message)
        if whole.surely_revoked:
            await self._unquote(through, message.id, now)
            kept |= {**threads.NOTHING_SAID, "edits": firestore.DELETE_FIELD}
        batch.update(found.reference, kept, option=self._since(found.update_time))
        return whole

    async def _tidy(self, through: Through, message: str, words: int = tidying.WORDS_KEPT) -> None:
        """Of its edits and reactions only those are left that can matter, if there is room."""
        reference = self._message(through, message)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            told = base.readable([found], lambda each: tidying.tidied(each.to_dict() or {}, words))
            if not found.exists or not told:
                return
            batch = self._client.batch()
            batch.update(reference, told[0], option=self._since(found.update_time))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            return

    async def _unquote(self, through: Through, gone: str, now: int) -> None:
        """None of the line's messages quotes words of what was taken back.

        Firestore: 1 read at least, and 1 and 1 write for each that quotes it.
        """
        query = self._of(through.tenant).collection("messages")
        query = query.where(filter=FieldFilter("line", "==", through.line))
        query = query.where(filter=FieldFilter("quoted.id", "==", gone))
        query = query.where(filter=FieldFilter("quoted.preview", ">", ""))
        change = {"quoted.preview": "", "changed": firestore.Maximum(now)}
        async for _ in base.attempts():
            batch, quoting = self._client.batch(), await self._found(query.limit(QUOTES_AT_ONCE))
            for each in quoting:
                batch.update(each.reference, change, option=self._since(each.update_time))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            if len(quoting) < QUOTES_AT_ONCE:
                return

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
        folded = folding.folded(through, said, unread) | ({"archived": False} if begins else {})
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


def _last_count(results: Sequence[Any]) -> int:
    """What the last transform of the last write made of its number."""
    return int(results[-1].transform_results[-1].integer_value)


def _goes_on(summary: Snapshot) -> bool:
    """A conversation that shows already, or was archived: history changes neither."""
    kept = summary.to_dict() or {}
    return "last_at" in kept and not kept.get("merged_into")
