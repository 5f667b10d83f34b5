"""Messages as people read them, and one conversation at a time."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import threads
from shared.domain.contacts import ConversationId, conversation_id, lid_key
from shared.domain.names import LineId, TenantId
from shared.domain.threads import Conversation, KeptMessage
from shared.store import base
from shared.store.base import CONTENDED, Snapshot
from shared.store.folding import Through
from shared.store.folding import message_in as message_in
from shared.store.news import News

MOST_AT_ONCE = 30
"""Values of one `in` (Firestore limit)."""

MOST_OF_A_LID = 10

MOST_WORDS = 4_000_000
"""Characters, after which a page of messages ends: an answer holds 32 MiB (Cloud Run limit)."""


class Position(NamedTuple):
    """Where a page ended: the value it is ordered by, and the document's id."""

    value: Any
    id: str


class Page(NamedTuple):
    """What was found, and where it ended if there may be more."""

    found: list[Any]
    end: Position | None


class Threads(News):
    """What a tenant reads. Every method takes the tenant, so nobody reads another's."""

    async def conversation(
        self, tenant: TenantId, conversation: ConversationId
    ) -> Conversation | None:
        """One conversation, or the one it was merged into. Firestore: 1 read, 2 if it was."""
        kept = spoken(await self._read(self._conversation(tenant, conversation)))
        if kept and kept[0].merged_into:
            return await self.conversation(tenant, kept[0].merged_into)
        return kept[0] if kept else None

    async def messages(
        self, tenant: TenantId, of: Conversation, limit: int, after: Position | None
    ) -> Page:
        """A page of a conversation's messages, newest first; a short one if they are very long.

        Firestore: n reads.
        """
        query = self._thread(tenant, of).order_by("at", direction=firestore.Query.DESCENDING)
        query = query.order_by("__name__", direction=firestore.Query.DESCENDING)
        if after:
            reference = self._of(tenant).collection("messages").document(after.id)
            query = query.start_after({"at": after.value, "__name__": reference})
        found = await self._found(query.limit(limit), MOST_WORDS)
        end = _end(found, "at", limit)
        return Page(base.readable(found, message_in), end)

    async def changes(
        self, tenant: TenantId, of: Conversation, since: int, limit: int, after: Position | None
    ) -> Page:
        """Messages that are new or changed since then (epoch milliseconds), in that order.

        If another conversation was merged into this one since then, all of them: what it brought
        may have been said long ago. Firestore: n reads, one at least.
        """
        changed = FieldFilter("changed", ">=", 0 if of.merged_at >= since else since)
        query = self._thread(tenant, of).where(filter=changed)
        query = query.order_by("changed").order_by("__name__")
        if after:
            reference = self._of(tenant).collection("messages").document(after.id)
            query = query.start_after({"changed": after.value, "__name__": reference})
        found = await self._found(query.limit(limit), MOST_WORDS)
        end = _end(found, "changed", limit)
        return Page(base.readable(found, message_in), end)

    async def message(self, tenant: TenantId, of: Conversation, message: str) -> KeptMessage | None:
        """One message of a conversation. Firestore: 1 read."""
        through = messages_through(tenant, of)
        (found,) = await self._read(self._message(through, message))
        if not found.exists or threads.is_stub(found.to_dict() or {}):
            return None
        kept = base.readable([found], message_in)
        return kept[0] if kept and kept[0].conversation in ids_of(of) else None

    async def mark(
        self, tenant: TenantId, conversation: ConversationId, **change: Any
    ) -> Conversation | None:
        """The conversation is read, or (not) archived, as it is now; None if there is none.

        Firestore: 1 read, 1 write.
        """
        reference = self._conversation(tenant, conversation)
        async for _ in base.attempts():
            (found,) = await self._read(reference)
            if "last_at" not in (found.to_dict() or {}):
                return None
            batch = self._client.batch()
            batch.update(reference, change, option=self._since(found.update_time))
            try:
                await self._commit(batch)
            except (*CONTENDED, exceptions.NotFound):
                continue
            (marked,) = base.readable([found], conversation_in) or (None,)
            return marked and marked.model_copy(update=change)
        raise AssertionError("attempts() ends with a problem")

    async def known_by(
        self, tenant: TenantId, line: LineId, number: str, lid: str
    ) -> Conversation | None:
        """The conversation with the person behind a lid, if its number is known.

        Of several numbers that they had, the newest. Firestore: 1 read, 1 for each number.
        """
        query = self._of(tenant).collection("conversations")
        for field, value in (("line", line), ("number", number), ("lid", lid)):
            query = query.where(filter=FieldFilter(field, "==", value))
        kept = spoken(await self._found(query.limit(MOST_OF_A_LID)))
        named = [each for each in kept if not each.nameless_lid]
        return max(named, key=lambda each: each.last_at, default=None)

    # How -------------------------------------------------------------------------------------

    def _thread(self, tenant: TenantId, of: Conversation) -> Any:
        """All that was said, also while nobody knew the contact's number."""
        said = self._of(tenant).collection("messages")
        return said.where(filter=FieldFilter("conversation", "in", ids_of(of)))


def _end(found: list[Snapshot], field: str, limit: int) -> Position | None:
    """Where a page ended; None if there is nothing after it."""
    words = sum(base.words_in(each) for each in found)
    more = len(found) == limit or words >= MOST_WORDS
    return Position(found[-1].get(field), found[-1].id) if more else None


def messages_through(tenant: TenantId, of: Conversation) -> Through:
    """Whose messages a conversation holds."""
    return Through(tenant, of.line, of.number)


def ids_of(of: Conversation) -> list[ConversationId]:
    """A person's conversation, and those held while nobody knew the number."""
    before = [] if of.lid is None or of.nameless_lid else [lid_key(of.lid)]
    hidden = [conversation_id(of.line, of.number, key) for key in before]
    return list(dict.fromkeys([of.id, *hidden, *reversed(of.merged_from)]))[:MOST_AT_ONCE]


def spoken(found: Iterable[Snapshot]) -> list[Conversation]:
    """Those in which something was said: a group may have nothing but its name yet."""
    said = [each for each in found if "last_at" in (each.to_dict() or {})]
    return base.readable(said, conversation_in)


def conversation_in(snapshot: Snapshot) -> Conversation:
    """The conversation in a document. Raises ValidationError."""
    fields: Mapping[str, Any] = snapshot.to_dict() or {}
    kept = Conversation.model_validate({**fields, "id": snapshot.id})
    return kept.model_copy(update={"version": snapshot.update_time})
