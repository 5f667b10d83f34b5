"""Pages of a tenant's conversations, and the repairs that reading them makes."""

import asyncio
import contextlib
import random
from typing import Any, NamedTuple

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import problems
from shared.domain import conversations
from shared.domain.contacts import ConversationId, fold
from shared.domain.conversations import Conversation
from shared.domain.names import LineId, TenantId
from shared.store.base import CHANGED
from shared.store.conversations import Position, ResultPage, read_conversations
from shared.store.retelling import Previews

REPAIRS_PER_PAGE = 3
REPAIR_PATIENCE = 2.0
"""Seconds that the caller of a page may wait for its repairs."""

SEARCH_END = "\U0010ffff"
"""A character that sorts after every other text that begins the same."""


class ConversationFilter(NamedTuple):
    """A choice of conversations: of one line or all; unread ones only; archived ones or not."""

    line: LineId | None = None
    unread: bool = False
    archived: bool = False
    search: str | None = None


class Inbox(Previews):
    """Lists of conversations. Every method takes the tenant, so none reads another's."""

    async def list_conversations(
        self,
        tenant: TenantId,
        chosen: ConversationFilter,
        limit: int,
        after: Position | None,
        now: int,
    ) -> ResultPage:
        """Return a page of conversations, newest first (of a search: by name or number).

        Firestore: n reads, and those of at most 3 repairs.
        """
        query, field = self._filtered(tenant, chosen)
        if after:
            query = query.start_after({field: after.value, "__name__": self._place(tenant, after)})
        snapshots = await self._query(query.limit(limit))
        is_full = len(snapshots) == limit
        end = Position(snapshots[-1].get(field), snapshots[-1].id) if is_full else None
        several = [
            conversation
            for conversation in read_conversations(snapshots)
            if not conversation.merged_into and _fits(conversation, chosen)
        ]
        return ResultPage(await self._repair_several(tenant, several, now), end)

    # How -------------------------------------------------------------------------------------

    def _filtered(self, tenant: TenantId, chosen: ConversationFilter) -> tuple[Any, str]:
        """Return the query and the field it is ordered by. Every query has its index in infra/."""
        query: Any = self._of(tenant).collection("conversations")
        if chosen.search:
            return _searched(query, chosen.search)
        query = query.where(filter=FieldFilter("archived", "==", chosen.archived))
        if chosen.line:
            query = query.where(filter=FieldFilter("line", "==", chosen.line))
        if chosen.unread:
            query = query.where(filter=FieldFilter("has_unread", "==", True))
        newest_first = firestore.Query.DESCENDING
        query = query.order_by("last_at", direction=newest_first)
        return query.order_by("__name__", direction=newest_first), "last_at"

    def _place(self, tenant: TenantId, after: Position) -> firestore.AsyncDocumentReference:
        return self._conversation(tenant, ConversationId(after.id))

    async def _repair_several(
        self, tenant: TenantId, several: list[Conversation], now: int
    ) -> list[Conversation]:
        """Replace stale previews, and merge the conversations of contacts with a number by now."""
        stale = [conversation for conversation in several if conversation.stale]
        nameless = [
            conversation
            for conversation in several
            if conversation.nameless_lid and not conversation.stale
        ]
        # Some stay nameless for ever, and must not keep the others from being merged.
        random.shuffle(nameless)
        repaired: dict[str, Conversation] = {}
        with contextlib.suppress(TimeoutError, problems.StoreUnavailable):
            async with asyncio.timeout(REPAIR_PATIENCE):  # a later page repairs the rest
                for conversation in (stale + nameless)[:REPAIRS_PER_PAGE]:
                    repaired[conversation.id] = await self._repair(tenant, conversation, now)
        current = [repaired.get(conversation.id, conversation) for conversation in several]
        return [conversation for conversation in current if not conversation.merged_into]

    async def _repair(self, tenant: TenantId, conversation: Conversation, now: int) -> Conversation:
        lid, line = conversation.lid if conversation.nameless_lid else None, conversation.line
        if lid and (numbered := await self.find_by_lid(tenant, line, conversation.number, lid)):
            return await self._merge(tenant, conversation, numbered, now)
        if conversation.stale:
            return await self._replace_preview(tenant, conversation)
        return conversation

    async def _merge(
        self, tenant: TenantId, nameless: Conversation, numbered: Conversation, now: int
    ) -> Conversation:
        """Move the counts of the nameless conversation to the one with a number, once.

        Its messages stay. A further message in it undoes the merge, and a later page repeats it.
        """
        batch = self._client.batch()
        merged = {
            "merged_into": numbered.id,
            "archived": True,
            "unread": 0,
            "has_unread": False,
            "unsettled": 0,
            "preview": None,
        }
        reference = self._conversation(tenant, nameless.id)
        batch.update(reference, merged, option=self._since(nameless.version))
        added: dict[str, Any] = {
            "last_at": firestore.Maximum(nameless.last_at),
            "merged_at": firestore.Maximum(now),
            "merged_from": firestore.ArrayUnion([nameless.id]),
        }
        added |= {} if nameless.archived else {"archived": False}
        if nameless.unread:
            added |= {"unread": firestore.Increment(nameless.unread), "has_unread": True}
        if nameless.unsettled:
            added["unsettled"] = firestore.Increment(nameless.unsettled)
        batch.set(self._conversation(tenant, numbered.id), added, merge=True)
        try:
            await self._commit(batch)
        except CHANGED:
            return nameless
        return nameless.model_copy(update=merged)

    async def _replace_preview(self, tenant: TenantId, stale: Conversation) -> Conversation:
        """Show the newest message as preview, unless the conversation changes meanwhile."""
        newest = (await self.list_messages(tenant, stale, 1, None)).records
        if not newest:
            return stale
        if not await self._show(tenant, stale, newest[0], unchanged=True):
            return stale
        return stale.model_copy(update={"preview": conversations.preview_of(newest[0])})


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


def _fits(conversation: Conversation, chosen: ConversationFilter) -> bool:
    """Check what a search can't ask of the index, which is ordered by the searched field."""
    return (
        chosen.line in (None, conversation.line)
        and (not chosen.unread or conversation.unread > 0)
        and (chosen.search is not None or conversation.archived == chosen.archived)
    )
