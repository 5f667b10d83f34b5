"""Reads of messages, and of one conversation at a time."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import conversations
from shared.domain.contacts import ConversationId, conversation_id, lid_key
from shared.domain.conversations import Conversation, KeptMessage
from shared.domain.names import LineId, TenantId
from shared.store import base
from shared.store.base import Snapshot
from shared.store.folding import LineScope
from shared.store.folding import message_in as message_in
from shared.store.news import MessageUpdates

MOST_AT_ONCE = 30
"""Values of one `in` (Firestore limit)."""

MOST_OF_A_LID = 10

MOST_WORDS = 4_000_000
"""Characters, after which a page of messages ends: an answer holds 32 MiB (Cloud Run limit)."""


class Position(NamedTuple):
    """The end of a page: the value it is ordered by, and the document's id."""

    value: Any
    id: str


class ResultPage(NamedTuple):
    """Records, and the position of the last one if there may be more."""

    records: list[Any]
    end: Position | None


class Conversations(MessageUpdates):
    """Reads of a tenant. Every method takes the tenant, so none reads another's."""

    async def find_conversation(
        self, tenant: TenantId, conversation: ConversationId
    ) -> Conversation | None:
        """Return a conversation, or the one it was merged into.

        Firestore: 1 read, 2 if it was merged.
        """
        snapshots = await self._read(self._conversation(tenant, conversation))
        (summary,) = read_conversations(snapshots) or (None,)
        if summary and summary.merged_into:
            return await self.find_conversation(tenant, summary.merged_into)
        return summary

    async def list_messages(
        self, tenant: TenantId, of: Conversation, limit: int, after: Position | None
    ) -> ResultPage:
        """Return a page of a conversation's messages, newest first; shorter if they are very long.

        Firestore: n reads.
        """
        query = self._messages_of(tenant, of).order_by("at", direction=firestore.Query.DESCENDING)
        query = query.order_by("__name__", direction=firestore.Query.DESCENDING)
        if after:
            reference = self._of(tenant).collection("messages").document(after.id)
            query = query.start_after({"at": after.value, "__name__": reference})
        snapshots = await self._query(query.limit(limit), MOST_WORDS)
        end = _end(snapshots, "at", limit)
        return ResultPage(base.readable(snapshots, message_in), end)

    async def list_changes(
        self, tenant: TenantId, of: Conversation, since: int, limit: int, after: Position | None
    ) -> ResultPage:
        """Return a page of the messages new or changed since then, in the order of their changes.

        `since` is in epoch milliseconds. If another conversation was merged into this one since
        then, all messages are returned: the merged ones may be older. Firestore: n reads, one at
        least.
        """
        changed_since = FieldFilter("changed", ">=", 0 if of.merged_at >= since else since)
        query = self._messages_of(tenant, of).where(filter=changed_since)
        query = query.order_by("changed").order_by("__name__")
        if after:
            reference = self._of(tenant).collection("messages").document(after.id)
            query = query.start_after({"changed": after.value, "__name__": reference})
        snapshots = await self._query(query.limit(limit), MOST_WORDS)
        end = _end(snapshots, "changed", limit)
        return ResultPage(base.readable(snapshots, message_in), end)

    async def find_message(
        self, tenant: TenantId, of: Conversation, message: str
    ) -> KeptMessage | None:
        """Return a message of a conversation. Firestore: 1 read."""
        (snapshot,) = await self._read(self._message(scope_of(tenant, of), message))
        if not snapshot.exists or conversations.is_stub(snapshot.to_dict() or {}):
            return None
        (stored,) = base.readable([snapshot], message_in) or (None,)
        return stored if stored and stored.conversation in ids_of(of) else None

    async def update_conversation(
        self, tenant: TenantId, conversation: ConversationId, **change: Any
    ) -> Conversation | None:
        """Change fields of a conversation, and return it as it is now; None if there is none.

        Firestore: 1 read, 1 write.
        """
        reference = self._conversation(tenant, conversation)

        async def build(batch: Any, snapshot: Snapshot) -> Conversation | None:
            if "last_at" not in (snapshot.to_dict() or {}):
                return None
            batch.update(reference, change, option=self._since(snapshot.update_time))
            (conversation,) = base.readable([snapshot], conversation_in) or (None,)
            return conversation and conversation.model_copy(update=change)

        return await self.compare_and_set([reference], build)

    async def find_by_lid(
        self, tenant: TenantId, line: LineId, number: str, lid: str
    ) -> Conversation | None:
        """Return the conversation with the person behind a lid, if their number is known.

        Of several numbers that they had, the newest counts. Firestore: 1 read, 1 for each number.
        """
        query = self._of(tenant).collection("conversations")
        for field, value in (("line", line), ("number", number), ("lid", lid)):
            query = query.where(filter=FieldFilter(field, "==", value))
        candidates = read_conversations(await self._query(query.limit(MOST_OF_A_LID)))
        numbered = [candidate for candidate in candidates if not candidate.nameless_lid]
        return max(numbered, key=lambda candidate: candidate.last_at, default=None)

    # How -------------------------------------------------------------------------------------

    def _messages_of(self, tenant: TenantId, of: Conversation) -> Any:
        """Query all messages of a conversation, also those from before the number was known."""
        messages = self._of(tenant).collection("messages")
        return messages.where(filter=FieldFilter("conversation", "in", ids_of(of)))


def _end(snapshots: list[Snapshot], field: str, limit: int) -> Position | None:
    """Return the position of the end of a page; None if there is nothing after it."""
    words = sum(map(base.words_in, snapshots))
    more = len(snapshots) == limit or words >= MOST_WORDS
    return Position(snapshots[-1].get(field), snapshots[-1].id) if more else None


def scope_of(tenant: TenantId, of: Conversation) -> LineScope:
    """Return the line and number that a conversation's messages belong to."""
    return LineScope(tenant, of.line, of.number)


def ids_of(of: Conversation) -> list[ConversationId]:
    """List a person's conversation, and those held before the number was known."""
    before = [] if of.lid is None or of.nameless_lid else [lid_key(of.lid)]
    hidden = [conversation_id(of.line, of.number, key) for key in before]
    return list(dict.fromkeys([of.id, *hidden, *reversed(of.merged_from)]))[:MOST_AT_ONCE]


def read_conversations(snapshots: Iterable[Snapshot]) -> list[Conversation]:
    """Read the conversations that have messages: a group may have nothing but its name yet."""
    with_messages = [snapshot for snapshot in snapshots if "last_at" in (snapshot.to_dict() or {})]
    return base.readable(with_messages, conversation_in)


def conversation_in(snapshot: Snapshot) -> Conversation:
    """Return the conversation in a document. Raises ValidationError."""
    fields: Mapping[str, Any] = snapshot.to_dict() or {}
    conversation = Conversation.model_validate({**fields, "id": snapshot.id})
    return conversation.model_copy(update={"version": snapshot.update_time})
