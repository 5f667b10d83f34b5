"""Reads of a conversation's messages."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import kept_messages
from shared.domain.conversations import Conversation
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import LineScope, PageEnd, ResultPage, Snapshot, Topic
from shared.store.messages.documents import ids_of, message_in, scope_of

MOST_OWN = 200

MOST_WORDS = 4_000_000
"""Characters, after which a page of messages ends: an answer holds 32 MiB (Cloud Run limit)."""


class Reads(Topic):
    """Messages as they are stored. Every method takes the tenant, so none reads another's."""

    async def find(self, tenant: TenantId, of: Conversation, message: str) -> KeptMessage | None:
        """Return a message of a conversation. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.message(scope_of(tenant, of), message))
        if not snapshot.exists or kept_messages.is_stub(snapshot.to_dict() or {}):
            return None
        (stored,) = base.readable([snapshot], message_in) or (None,)
        return stored if stored and stored.conversation in ids_of(of) else None

    async def read_fields(self, scope: LineScope, message: str) -> Mapping[str, Any]:
        """Return the fields of a message or of its stub. Firestore: 1 read."""
        (snapshot,) = await self._db.read(self._db.message(scope, message))
        return snapshot.to_dict() or {}

    async def list_page(
        self, tenant: TenantId, of: Conversation, limit: int, after: PageEnd | None
    ) -> ResultPage:
        """Return a page of a conversation's messages, newest first; shorter if they are very long.

        Where nothing tells the order of two, on one page the one that was stored last is newer.
        Firestore: n reads.
        """
        query, back = self._of_conversation(tenant, of), firestore.Query.DESCENDING
        query = query.order_by("at", direction=back).order_by("__name__", direction=back)
        return await self._query_page(tenant, query, "at", limit, after)

    async def list_changes(
        self, tenant: TenantId, of: Conversation, since: int, limit: int, after: PageEnd | None
    ) -> ResultPage:
        """Return a page of the messages new or changed since then, in the order of their changes.

        `since` is in epoch milliseconds. If another conversation was merged into this one since
        then, all messages are returned: the merged ones may be older. Firestore: n reads, one at
        least.
        """
        changed_since = FieldFilter("changed", ">=", 0 if of.merged_at >= since else since)
        query = self._of_conversation(tenant, of).where(filter=changed_since)
        query = query.order_by("changed").order_by("__name__")
        return await self._query_page(tenant, query, "changed", limit, after)

    async def list_own(
        self, tenant: TenantId, of: Conversation, since: int, until: int
    ) -> list[KeptMessage]:
        """List our messages in a conversation between two moments (epoch milliseconds). n reads."""
        query = self._of_conversation(tenant, of)
        query = query.where(filter=FieldFilter("at", ">=", since))
        query = query.where(filter=FieldFilter("at", "<=", until))
        query = query.order_by("at", direction=firestore.Query.DESCENDING)
        query = query.order_by("__name__", direction=firestore.Query.DESCENDING)
        snapshots = await self._db.query(query.limit(MOST_OWN))
        return [message for message in base.readable(snapshots, message_in) if message.from_me]

    # How -------------------------------------------------------------------------------------

    def _of_conversation(self, tenant: TenantId, of: Conversation) -> Any:
        """Query all messages of a conversation, also those from before the number was known."""
        in_conversation = FieldFilter("conversation", "in", ids_of(of))
        return self._db.messages(tenant).where(filter=in_conversation)

    async def _query_page(
        self, tenant: TenantId, query: Any, field: str, limit: int, after: PageEnd | None
    ) -> ResultPage:
        """Return a page of a query that is ordered by the field; it ends early at MOST_WORDS."""
        if after:
            reference = self._db.messages(tenant).document(after.id)
            query = query.start_after({field: after.value, "__name__": reference})
        snapshots = await self._db.query(query.limit(limit), MOST_WORDS)
        is_full = len(snapshots) == limit or sum(map(base.words_in, snapshots)) >= MOST_WORDS
        end = PageEnd(snapshots[-1].get(field), snapshots[-1].id) if is_full else None
        return ResultPage(base.readable(_order_ties(snapshots, field), message_in), end)


def _order_ties(snapshots: Sequence[Snapshot], field: str) -> list[Snapshot]:
    """Return the snapshots in their order; those of one value by when they were stored."""
    ties = [
        list(group) for _, group in groupby(snapshots, key=lambda snapshot: snapshot.get(field))
    ]
    return [
        snapshot
        for several in ties
        for snapshot in sorted(several, key=lambda one: one.create_time, reverse=True)
    ]
