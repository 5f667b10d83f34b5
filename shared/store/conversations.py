"""Conversations: found, listed, changed, and repaired when they are read."""

import asyncio
import contextlib
import random
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared import problems
from shared.domain.contacts import Contact, ConversationId
from shared.domain.conversations import READ, Conversation
from shared.domain.event_types import LogPart
from shared.domain.names import LineId, TenantId
from shared.domain.positions import second_of
from shared.domain.search import Search, parse_search, tokens_of
from shared.domain.tenants import Tenant
from shared.store import base
from shared.store.base import (
    CHANGED,
    Database,
    LineScope,
    PageEnd,
    ResultPage,
    Snapshot,
    Tell,
    Topic,
)
from shared.store.messages.documents import (
    MOST_IN,
    conversation_in,
    read_conversations,
    token_fields,
    unread_fields,
)
from shared.store.messages.order import show_last_message
from shared.store.tenants import tenant_in

MOST_OF_A_LID = 10

REPAIRS_PER_PAGE = 3
REPAIR_PATIENCE = 2.0
"""Seconds that the caller of a page may wait for its repairs."""

LOGGED: dict[str, Any] = {"logged_at": firestore.SERVER_TIMESTAMP}
"""What a change by a person or a phone adds, as its place in the log of events."""


class ConversationFilter(NamedTuple):
    """A choice of conversations; what isn't named counts for nothing."""

    line: LineId | None = None
    unread: bool = False
    archived: bool = False
    search: str | None = None
    from_ad: bool = False
    label: str | None = None
    assignee: str | None = None


class Conversations(Topic):
    """Conversations. Every method takes the tenant, so none reads another's."""

    def __init__(self, db: Database, tell: Tell) -> None:
        """`tell`: called for changes that no event reports."""
        super().__init__(db)
        self._tell = tell

    async def find(self, tenant: TenantId, conversation: ConversationId) -> Conversation | None:
        """Return a conversation, or the one it was merged into.

        Firestore: 1 read, 2 if it was merged.
        """
        snapshots = await self._db.read(self._db.conversation(tenant, conversation))
        (summary,) = read_conversations(snapshots) or (None,)
        if summary and summary.merged_into:
            return await self.find(tenant, summary.merged_into)
        return summary

    async def find_with_tenant(
        self, tenant: TenantId, conversation: ConversationId
    ) -> tuple[Tenant | None, Conversation | None]:
        """Return a tenant and one of its conversations, or the one it was merged into.

        Firestore: 2 reads in one round trip.
        """
        references = self._db.tenant(tenant), self._db.conversation(tenant, conversation)
        record, summary = await self._db.read(*references)
        (current,) = read_conversations([summary]) or (None,)
        if current and current.merged_into:
            current = await self.find(tenant, current.merged_into)
        return tenant_in(record), current

    async def list_page(
        self,
        tenant: TenantId,
        chosen: ConversationFilter,
        limit: int,
        after: PageEnd | None,
        now: int,
    ) -> ResultPage:
        """Return a page of conversations, newest first; of a search maybe fewer than are left.

        Firestore: n reads, 2 at most for a search of several words, and those of at most 3 repairs.
        """
        searched = parse_search(chosen.search) if chosen.search else None
        if chosen.search and searched is None:
            return ResultPage([], None)
        query_of = partial(self._filtered, tenant, chosen)
        token = await self._db.choose_token(searched.tokens, query_of, limit) if searched else None
        query = query_of(token)
        if after:
            place = self._db.conversation(tenant, ConversationId(after.id))
            query = query.start_after({"last_at": after.value, "__name__": place})
        snapshots = await self._db.query(query.limit(limit))
        is_full = len(snapshots) == limit
        end = PageEnd(snapshots[-1].get("last_at"), snapshots[-1].id) if is_full else None
        repaired = await self._repair_page(tenant, snapshots, now)
        return ResultPage([one for one in repaired if _fits(one, chosen, searched)], end)

    async def list_since(
        self, tenant: TenantId, since: float | None, limit: int, now: int
    ) -> ResultPage:
        """Return the conversations with a message of `since` (a position) or later, newest first.

        Archived ones aren't among them. None: the newest alone. Firestore: n reads, 1 at least, and
        those of at most 3 repairs.
        """
        query = self._filtered(tenant, ConversationFilter())
        if since is not None:
            query = query.where(filter=FieldFilter("last_at", ">=", since))
        snapshots = await self._db.query(query.limit(limit if since is not None else 1))
        is_full = since is not None and len(snapshots) == limit
        end = PageEnd(snapshots[-1].get("last_at"), snapshots[-1].id) if is_full else None
        return ResultPage(await self._repair_page(tenant, snapshots, now), end)

    async def find_newest(self, tenant: TenantId, line: LineId | None = None) -> float | None:
        """Return the position of the newest message, of all lines or of one; None if there is none.

        Archived conversations don't count. Firestore: 1 read.
        """
        query = self._filtered(tenant, ConversationFilter(line=line))
        snapshots = await self._db.query(query.limit(1))
        return next((snapshot.get("last_at") for snapshot in snapshots), None)

    async def count_since(self, tenant: TenantId, line: LineId, since: int) -> int:
        """Count the conversations of a line with a message since then (epoch milliseconds).

        Archived ones don't count. Firestore: 1 read per 1000.
        """
        query = self._filtered(tenant, ConversationFilter(line=line))
        return await self._db.count(query.where(filter=FieldFilter("last_at", ">=", since)))

    async def count_unread(self, tenant: TenantId, line: LineId | None = None) -> int:
        """Count the conversations with something unread, of all lines or of one.

        Archived ones don't count. Firestore: 1 read per 1000.
        """
        query: Any = self._db.conversations(tenant)
        for condition in _conditions(ConversationFilter(line=line, unread=True)):
            query = query.where(filter=condition)
        return await self._db.count(query)

    async def update(
        self, tenant: TenantId, conversation: ConversationId, **change: Any
    ) -> Conversation | None:
        """Change fields of a conversation, and return it as it is now; None if there is none.

        Firestore: 1 read, 1 write.
        """
        reference = self._db.conversation(tenant, conversation)

        async def build(batch: Any, snapshot: Snapshot) -> Conversation | None:
            if "last_at" not in (snapshot.to_dict() or {}):
                return None
            (conversation,) = base.readable([snapshot], conversation_in) or (None,)
            if conversation is None:
                return None
            changed = conversation.model_copy(update=change)
            # All of them anew: those of earlier names would pile up where every message is read.
            tokens = tokens_of(changed.contact_number, *changed.names)
            batch.update(
                reference,
                {**change, "tokens": tokens, **LOGGED},
                option=self._db.since(snapshot.update_time),
            )
            return changed

        updated = await self._db.compare_and_set([reference], build)
        if updated:
            await self._tell(tenant, LogPart.CONVERSATIONS)
        return updated

    async def find_by_lid(
        self, tenant: TenantId, line: LineId, number: str, lid: str
    ) -> Conversation | None:
        """Return the conversation with the person behind a lid, if their number is known.

        Of several numbers that they had, the newest counts. Firestore: 1 read, 1 for each number.
        """
        query = self._db.conversations(tenant)
        for field, value in (("line", line), ("number", number), ("lid", lid)):
            query = query.where(filter=FieldFilter(field, "==", value))
        candidates = read_conversations(await self._db.query(query.limit(MOST_OF_A_LID)))
        numbered = [candidate for candidate in candidates if not candidate.nameless_lid]
        return max(numbered, key=lambda candidate: candidate.last_at, default=None)

    async def rename(self, scope: LineScope, contact: Contact, name: str) -> bool:
        """Show this name for the conversation with a person; return False if there is none.

        Firestore: 1 write at most.
        """
        batch = self._db.batch()
        reference = self._db.conversation(scope.tenant, scope.conversation_id(contact))
        batch.update(reference, {"name": name, **token_fields(contact.number, name), **LOGGED})
        try:
            await self._db.commit_unordered(batch)
        except exceptions.NotFound:
            return False
        return True

    async def rename_group(self, scope: LineScope, group: Contact, subject: str, at: int) -> None:
        """Show a group's subject since `at` (epoch milliseconds), unless a later one is known.

        (It may be reported before the group's first message.) Firestore: 1 read, 1 write at most.
        """
        reference = self._db.conversation(scope.tenant, scope.conversation_id(group))
        fields = {"name": subject, "subject_asked_at": at, **token_fields(None, subject), **LOGGED}

        async def build(batch: Any, snapshot: Snapshot) -> None:
            known = snapshot.to_dict() or {}
            if not snapshot.exists:
                batch.create(reference, fields)
            elif not known.get("name") or _subject_order(known) < (at, subject):
                batch.update(reference, fields, option=self._db.since(snapshot.update_time))

        await self._db.compare_and_set([reference], build)

    async def record_subject(
        self, tenant: TenantId, group: Conversation, subject: str | None, now: int
    ) -> Conversation:
        """Record what a server said a group's subject is, and when; None: it didn't say.

        Firestore: 1 write.
        """
        change: dict[str, Any] = {"subject_asked_at": now} | ({"name": subject} if subject else {})
        is_news = subject and subject != group.name
        added = token_fields(None, subject) | (LOGGED if is_news else {})
        batch = self._db.batch()
        batch.update(self._db.conversation(tenant, group.id), {**change, **added})
        await self._db.commit_unordered(batch)
        if is_news:
            await self._tell(tenant, LogPart.CONVERSATIONS)
        return group.model_copy(update=change)

    async def add_tokens(self, tenant: TenantId, after: str, limit: int) -> tuple[int, str | None]:
        """Give tokens to the conversations of a page, in the order of their ids, that lack them.

        Return how many, and the id at the end of the page if there may be more. Firestore: n reads,
        1 at least, and 1 write for each that lacked them.
        """
        query = self._db.conversations(tenant).order_by("__name__")
        if after:
            query = query.start_after({"__name__": self._db.conversations(tenant).document(after)})
        snapshots, batch = await self._db.query(query.limit(limit)), self._db.batch()
        for snapshot in snapshots:
            fields = snapshot.to_dict() or {}
            if "tokens" not in fields:
                known = (fields.get("contact_number"), fields.get("name"))
                tokens = token_fields(*(text if isinstance(text, str) else None for text in known))
                batch.update(snapshot.reference, tokens or {"tokens": []})
        if batch._write_pbs:
            await self._db.commit_unordered(batch)
        end = snapshots[-1].id if len(snapshots) == limit else None
        return len(batch._write_pbs), end

    async def count_strange(self, tenant: TenantId) -> int:
        """Count the conversations of lines that, by its record, the tenant never had.

        Firestore: 1 read, 2 counts or more.
        """
        (snapshot,) = await self._db.read(self._db.tenant(tenant))
        record = next(iter(base.readable([snapshot], tenant_in)), None)
        if record is None:
            return 0
        lines = sorted({*record.lines, *record.labels})
        collection = self._db.conversations(tenant)
        total, of_lines = await self._db.count(collection), 0
        for start in range(0, len(lines), MOST_IN):
            in_lines = FieldFilter("line", "in", lines[start : start + MOST_IN])
            of_lines += await self._db.count(collection.where(filter=in_lines))
        return max(0, total - of_lines)  # some may have begun since the first count

    # How -------------------------------------------------------------------------------------

    def _filtered(
        self, tenant: TenantId, chosen: ConversationFilter, token: str | None = None
    ) -> Any:
        """Return the query, newest first; of a search by its token alone. Each has its index."""
        query: Any = self._db.conversations(tenant)
        conditions = _conditions(chosen)
        if token:
            conditions = [FieldFilter("tokens", "array_contains", token)]
        for condition in conditions:
            query = query.where(filter=condition)
        newest_first = firestore.Query.DESCENDING
        query = query.order_by("last_at", direction=newest_first)
        return query.order_by("__name__", direction=newest_first)

    async def _repair_page(
        self, tenant: TenantId, snapshots: list[Snapshot], now: int
    ) -> list[Conversation]:
        """Read the conversations of a page, and mend what is wrong with some of them."""
        several = [
            conversation
            for conversation in read_conversations(snapshots)
            if not conversation.merged_into
        ]
        repaired = await self._repair_several(tenant, several, now)
        await self._repair_flags(tenant, repaired)
        return repaired

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

    async def _repair_flags(self, tenant: TenantId, several: list[Conversation]) -> None:
        """Let the list of unread ones find them, or find them no more: 1 write for each such.

        Messages that overtook each other, and what our phone read, leave such a flag behind.
        """
        batch, wrong = self._db.batch(), [one for one in several if one.has_wrong_flag]
        for conversation in wrong:
            flag, option = conversation.unread_now > 0, self._db.since(conversation.version)
            reference = self._db.conversation(tenant, conversation.id)
            batch.update(reference, {"has_unread": flag}, option=option)
        if wrong:
            with contextlib.suppress(*CHANGED, problems.StoreUnavailable):
                await self._db.commit(batch)

    async def _repair(self, tenant: TenantId, conversation: Conversation, now: int) -> Conversation:
        lid, line = conversation.lid if conversation.nameless_lid else None, conversation.line
        if lid and (numbered := await self.find_by_lid(tenant, line, conversation.number, lid)):
            return await self._merge(tenant, conversation, numbered, now)
        if conversation.stale:
            return await show_last_message(self._db, tenant, conversation)
        return conversation

    async def _merge(
        self, tenant: TenantId, nameless: Conversation, numbered: Conversation, now: int
    ) -> Conversation:
        """Move the counts of the nameless conversation to the one with a number, once.

        Its messages stay. A further message in it undoes the merge, and a later page repeats it.
        """
        batch = self._db.batch()
        merged = {
            **READ,
            "merged_into": numbered.id,
            "archived": True,
            "unsettled": 0,
            "preview": None,
        }
        reference = self._db.conversation(tenant, nameless.id)
        batch.update(reference, merged, option=self._db.since(nameless.version))
        added: dict[str, Any] = {
            "last_at": firestore.Maximum(nameless.last_at),
            "merged_at": firestore.Maximum(now),
            "merged_from": firestore.ArrayUnion([nameless.id]),
            **LOGGED,
        }
        added |= {} if nameless.archived else {"archived": False}
        if nameless.unread_now:
            added |= unread_fields(_count_by_moment(nameless))
        if nameless.ads:
            ads = {place: ad.model_dump() for place, ad in nameless.ads.items()}
            added |= {"ads": ads, "from_ad": True}
        if nameless.given_name and not numbered.given_name:
            added["given_name"] = nameless.given_name
            added |= token_fields(None, nameless.given_name)
        if nameless.labels:
            added["labels"] = firestore.ArrayUnion(nameless.labels)
        if nameless.assignee and not numbered.assignee:
            added["assignee"] = nameless.assignee
        if nameless.unsettled:
            added["unsettled"] = firestore.Increment(nameless.unsettled)
        batch.set(self._db.conversation(tenant, numbered.id), added, merge=True)
        try:
            await self._db.commit(batch)
        except CHANGED:
            return nameless
        await self._tell(tenant, LogPart.CONVERSATIONS)
        return nameless.model_copy(update=merged)


def _conditions(chosen: ConversationFilter) -> list[FieldFilter]:
    """List the conditions of a choice that isn't a search: equalities, whose indexes merge."""
    conditions = [FieldFilter("archived", "==", chosen.archived)]
    if chosen.line:
        conditions.append(FieldFilter("line", "==", chosen.line))
    if chosen.unread:
        conditions.append(FieldFilter("has_unread", "==", True))
    if chosen.from_ad:
        conditions.append(FieldFilter("from_ad", "==", True))
    if chosen.label:
        conditions.append(FieldFilter("labels", "array_contains", chosen.label))
    if chosen.assignee:
        conditions.append(FieldFilter("assignee", "==", chosen.assignee))
    return conditions


def _subject_order(fields: Mapping[str, Any]) -> tuple[int, str]:
    """Order subjects by when they were told; of two at the same time, by their letters."""
    return int(fields.get("subject_asked_at") or 0), str(fields.get("name"))


def _count_by_moment(conversation: Conversation) -> dict[str, int]:
    """Count the unread messages of a conversation by their moments.

    Those whose moments weren't kept count with its newest message.
    """
    later = {
        at: count
        for at, count in conversation.unread_at.items()
        if int(at) > conversation.read_until
    }
    rest = conversation.unread_now - sum(later.values())
    newest = str(second_of(conversation.last_at))
    return later | ({newest: later.get(newest, 0) + rest} if rest else {})


def _fits(conversation: Conversation, chosen: ConversationFilter, search: Search | None) -> bool:
    """Check what the query of a search can't ask, and what was repaired since."""
    return (
        chosen.line in (None, conversation.line)
        and (not chosen.unread or conversation.unread_now > 0)
        and (not chosen.from_ad or bool(conversation.ads))
        and chosen.label in (None, *conversation.labels)
        and chosen.assignee in (None, conversation.assignee)
        and (search is not None or conversation.archived == chosen.archived)
        and (search is None or search.fits(conversation.contact_number, conversation.names))
    )
