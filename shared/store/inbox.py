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
from shared.domain.threads import Conversation
from shared.store.base import CONTENDED
from shared.store.retelling import Retelling
from shared.store.threads import Page, Position, spoken

HEALED_PER_PAGE = 3
HEALING_PATIENCE = 2.0
"""Seconds that somebody who reads a page may wait for what it heals."""

SEARCH_END = "\U0010ffff"
"""Sorts after every other text that begins the same."""


class Wanted(NamedTuple):
    """Which conversations: of one line or all, only the unread, the archived or the others."""

    line: LineId | None = None
    unread: bool = False
    archived: bool = False
    search: str | None = None


class Inbox(Retelling):
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
        """What is unread or unsettled in the nameless one is so in the known one, once.

        Its messages stay.

        Whoever writes there again undoes it, and it is done again.
        """
        batch = self._client.batch()
        merged = {
            "merged_into": known.id,
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
        if not await self._show(tenant, late, newest[0], unchanged=True):
            return late
        return late.model_copy(update={"preview": threads.preview_of(newest[0])})


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
