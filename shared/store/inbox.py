"""All conversations of a tenant, page by page, and what reading them heals."""

import asyncio
import contextlib
import random
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import problems
from shared.domain import threads
from shared.domain.contacts import ConversationId, fold
from shared.domain.names import LineId, TenantId
from shared.domain.threads import Conversation, KeptMessage
from shared.store import base
from shared.store.base import CONTENDED
from shared.store.messages import Through
from shared.store.threads import (
    Page,
    Position,
    Threads,
    conversation_in,
    message_in,
    spoken,
)

HEALED_PER_PAGE = 3
HEALING_PATIENCE = 2.0
"""Seconds that somebody who reads a page may wait for what it heals."""

QUOTES_HUSHED = 100
SEARCH_END = "\U0010ffff"
"""Sorts after every other text that begins the same."""


class Wanted(NamedTuple):
    """Which conversations: of one line or all, only the unread, the archived or the others."""

    line: LineId | None = None
    unread: bool = False
    archived: bool = False
    search: str | None = None


class Inbox(Threads):
    """What a tenant reads first. Every method takes the tenant, so nobody reads another's."""

    async def conversations(
        self, tenant: TenantId, wanted: Wanted, limit: int, after: Position | None, now: int
    ) -> Page:
        """A page of conversations, newest first (of a search: by name or number).

        Firestore: n reads, and at most 3 for what it heals.
        """
        query, field = self._wanted(tenant, wanted)
        if after:
            query = query.start_after({field: after.value, "__name__": self._place(tenant, after)})
        found = await self._found(query.limit(limit))
        end = Position(found[-1].get(field), found[-1].id) if len(found) == limit else None
        shown = [each for each in spoken(found) if not each.merged_into and _fits(each, wanted)]
        return Page(await self._healed(tenant, shown, now), end)

    async def retell(self, through: Through, message: str, now: int) -> None:
        """Wherever the message is shown, it says what it says now: nothing if it was taken back.

        Then its words are no longer kept, nor in the messages that quote it.
        Firestore: 1 read if there is no such message yet, else 3, and 1 write if it is the
        newest of its conversation. If it was taken back, 1 write, and 1 read at least and 1 write
        for each that quotes it.
        """
        reference = self._message(through, message)
        home = await self._hushed(through, message, now)
        async for _ in base.attempts():
            if home is None:
                return
            conversation = self._conversation(through.tenant, home)
            found, summary = await self._read(reference, conversation)
            of = conversation_in(summary)
            home = of.merged_into
            if home is None and of.preview and of.preview.message == message:
                told = await self._show(through.tenant, of, message_in(found))
                home = None if told else of.id

    # How -------------------------------------------------------------------------------------

    def _wanted(self, tenant: TenantId, wanted: Wanted) -> tuple[Any, str]:
        """The query, and the field it is ordered by. Each has its index in infra/."""
        query: Any = self._of(tenant).collection("conversations")
        if wanted.search:
            return _searched(query, wanted.search)
        query = query.where(filter=FieldFilter("archived", "==", wanted.archived))
        if wanted.line:
            query = query.where(filter=FieldFilter("line", "==", wanted.line))
        if wanted.unread:
            query = query.where(filter=FieldFilter("has_unread", "==", True))
        newest_first = firestore.Query.DESCENDING
        query = query.order_by("last_at", direction=newest_first)
        return query.order_by("__name__", direction=newest_first), "last_at"

    def _place(self, tenant: TenantId, after: Position) -> firestore.AsyncDocumentReference:
        return self._conversation(tenant, ConversationId(after.id))

    async def _hushed(self, through: Through, message: str, now: int) -> ConversationId | None:
        """Nothing is kept of what was taken back. The message's conversation, if it is known."""
        reference = self._message(through, message)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            kept = found.to_dict() or {}
            if threads.is_stub(kept):
                return None
            told = message_in(found)
            if told.revoked_at is None or threads.hushed(kept):
                return told.conversation
            batch = self._client.batch()
            nothing = {**threads.NOTHING_SAID, "edits": firestore.DELETE_FIELD}
            batch.update(reference, nothing, option=self._since(found.update_time))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            await self._unquote(through, told, now)
            return told.conversation
        raise AssertionError("attempts() ends with a problem")

    async def _unquote(self, through: Through, gone: KeptMessage, now: int) -> None:
        said = self._of(through.tenant).collection("messages")
        query = said.where(filter=FieldFilter("conversation", "==", gone.conversation))
        query = query.where(filter=FieldFilter("quoted.id", "==", gone.id))
        batch = self._client.batch()
        for quoting in await self._found(query.limit(QUOTES_HUSHED)):
            change = {"quoted.preview": "", "changed": firestore.Maximum(now)}
            batch.update(quoting.reference, change)
        await self._fold(batch)

    async def _healed(
        self, tenant: TenantId, kept: list[Conversation], now: int
    ) -> list[Conversation]:
        """Late previews are replaced and contacts whose number became known are merged."""
        stale = [each for each in kept if each.stale]
        nameless = [each for each in kept if each.nameless_lid and not each.stale]
        random.shuffle(nameless)  # some stay so for ever, and must not keep the others from it
        healed: dict[str, Conversation] = {}
        with contextlib.suppress(TimeoutError, problems.StoreUnavailable):
            async with asyncio.timeout(HEALING_PATIENCE):  # what isn't healed now is another time
                for each in (stale + nameless)[:HEALED_PER_PAGE]:
                    healed[each.id] = await self._heal(tenant, each, now)
        shown = (healed.get(each.id, each) for each in kept)
        return [each for each in shown if not each.merged_into]

    async def _heal(self, tenant: TenantId, each: Conversation, now: int) -> Conversation:
        lid = each.lid if each.nameless_lid else None
        if lid and (known := await self.known_by(tenant, each.line, each.number, lid)):
            return await self._merge(tenant, each, known, now)
        return await self._preview(tenant, each) if each.stale else each

    async def _merge(
        self, tenant: TenantId, nameless: Conversation, known: Conversation, now: int
    ) -> Conversation:
        """The nameless conversation's unread are the known one's, once; its messages stay.

        Whoever writes there again undoes it, and it is done again.
        """
        batch = self._client.batch()
        merged = {
            "merged_into": known.id,
            "archived": True,
            "unread": 0,
            "has_unread": False,
            "preview": None,
        }
        reference = self._conversation(tenant, nameless.id)
        batch.update(reference, merged, option=self._since(nameless.version))
        added: dict[str, Any] = {
            "last_at": firestore.Maximum(nameless.last_at),
            "merged_at": firestore.Maximum(now),
        }
        added |= {} if nameless.archived else {"archived": False}
        if nameless.unread:
            added |= {"unread": firestore.Increment(nameless.unread), "has_unread": True}
        batch.set(self._conversation(tenant, known.id), added, merge=True)
        try:
            await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return nameless
        return nameless.model_copy(update=merged)

    async def _preview(self, tenant: TenantId, late: Conversation) -> Conversation:
        """The preview is the newest message's; if somebody writes meanwhile, another time."""
        newest = (await self.messages(tenant, late, 1, None)).found
        if not newest:
            return late
        await self._show(tenant, late, newest[0])
        return late.model_copy(update={"preview": threads.preview_of(newest[0])})

    async def _show(self, tenant: TenantId, of: Conversation, message: KeptMessage) -> bool:
        """The preview is the message's; False if somebody wrote meanwhile."""
        change: dict[str, Any] = {"preview": threads.preview_of(message).model_dump()}
        batch = self._client.batch()
        batch.update(self._conversation(tenant, of.id), change, option=self._since(of.version))
        try:
            await self._commit(batch)
        except (*CONTENDED, exceptions.NotFound):
            return False
        return True


def _searched(query: Any, search: str) -> tuple[Any, str]:
    digits = "".join(filter(str.isdecimal, search))
    by_number = digits and not any(character.isalpha() for character in search)
    field = "contact_number" if by_number else "name_key"
    beginning = digits if by_number else search.casefold()
    if by_number and fold(digits) != digits:  # a whole number, maybe not as WhatsApp spells it
        field, beginning = "contact", fold(digits)
    query = query.where(filter=FieldFilter(field, ">=", beginning))
    query = query.where(filter=FieldFilter(field, "<", beginning + SEARCH_END))
    return query.order_by(field).order_by("__name__"), field


def _fits(each: Conversation, wanted: Wanted) -> bool:
    """What a search can't ask of the index: it is ordered by what was searched."""
    return (
        wanted.line in (None, each.line)
        and (not wanted.unread or each.unread > 0)
        and (wanted.search is not None or each.archived == wanted.archived)
    )
