"""Conversations and messages as people read them: pages, and what reading them heals."""

import random
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from google.api_core import exceptions
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter

from shared.domain import threads
from shared.domain.contacts import ConversationId, conversation_id, fold, lid_key
from shared.domain.names import LineId, TenantId
from shared.domain.threads import Conversation, KeptMessage
from shared.store import base
from shared.store.base import CONTENDED, Snapshot
from shared.store.messages import Messages, Through

HEALED_PER_PAGE = 3
SEARCH_END = "\U0010ffff"
"""Sorts after every other text that begins the same."""


class Wanted(NamedTuple):
    """Which conversations: of one line or all, only the unread, the archived or the others."""

    line: LineId | None = None
    unread: bool = False
    archived: bool = False
    search: str | None = None


class Position(NamedTuple):
    """Where a page ended: the value it is ordered by, and the document's id."""

    value: Any
    id: str


class Page(NamedTuple):
    """What was found, and where it ended if there may be more."""

    found: list[Any]
    end: Position | None


class Threads(Messages):
    """What a tenant reads. Every method takes the tenant, so nobody reads another's."""

    async def conversations(
        self, tenant: TenantId, wanted: Wanted, limit: int, after: Position | None
    ) -> Page:
        """A page of conversations, newest first (of a search: by name or number).

        Firestore: n reads, and at most 3 for what it heals.
        """
        query, field = self._wanted(tenant, wanted)
        if after:
            query = query.start_after({field: after.value, "__name__": self._place(tenant, after)})
        found = await self._found(query.limit(limit))
        end = Position(found[-1].get(field), found[-1].id) if len(found) == limit else None
        shown = [each for each in _spoken(found) if not each.merged_into and _fits(each, wanted)]
        return Page(await self._healed(tenant, shown), end)

    async def conversation(
        self, tenant: TenantId, conversation: ConversationId
    ) -> Conversation | None:
        """One conversation, or the one it was merged into. Firestore: 1 read, 2 if it was."""
        kept = _spoken(await self._read(self._conversation(tenant, conversation)))
        if kept and kept[0].merged_into:
            return await self.conversation(tenant, kept[0].merged_into)
        return kept[0] if kept else None

    async def messages(
        self, tenant: TenantId, of: Conversation, limit: int, after: Position | None
    ) -> Page:
        """A page of a conversation's messages, newest first. Firestore: n reads."""
        query = self._thread(tenant, of).order_by("at", direction=firestore.Query.DESCENDING)
        query = query.order_by("__name__", direction=firestore.Query.DESCENDING)
        if after:
            reference = self._of(tenant).collection("messages").document(after.id)
            query = query.start_after({"at": after.value, "__name__": reference})
        found = await self._found(query.limit(limit))
        end = Position(found[-1].get("at"), found[-1].id) if len(found) == limit else None
        return Page([_message(snapshot) for snapshot in found], end)

    async def changes(
        self, tenant: TenantId, of: Conversation, since: int, limit: int, after: Position | None
    ) -> Page:
        """Messages that are new or changed since then (epoch milliseconds), in that order.

        Firestore: n reads, one at least.
        """
        changed = FieldFilter("changed", ">=", since)
        query = self._thread(tenant, of).where(filter=changed)
        query = query.order_by("changed").order_by("__name__")
        if after:
            reference = self._of(tenant).collection("messages").document(after.id)
            query = query.start_after({"changed": after.value, "__name__": reference})
        found = await self._found(query.limit(limit))
        end = Position(found[-1].get("changed"), found[-1].id) if len(found) == limit else None
        return Page([_message(snapshot) for snapshot in found], end)

    async def message(self, tenant: TenantId, of: Conversation, message: str) -> KeptMessage | None:
        """One message of a conversation. Firestore: 1 read."""
        through = messages_through(tenant, of)
        (found,) = await self._read(self._message(through, message))
        if not found.exists or threads.is_stub(found.to_dict() or {}):
            return None
        kept = _message(found)
        return kept if kept.conversation in _ids(of) else None

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
            return _conversation(found).model_copy(update=change)
        raise AssertionError("attempts() ends with a problem")

    async def retell(self, through: Through, message: str) -> None:
        """The conversation's preview says what the message says now, if it is of that message.

        Firestore: 1 read if there is no such message yet, else 3; 1 write if it is.
        """
        reference = self._message(through, message)
        (found,) = await self._read(reference)
        home = (found.to_dict() or {}).get("conversation")
        async for _ in base.attempts():
            if home is None:
                return
            conversation = self._conversation(through.tenant, home)
            found, summary = await self._read(reference, conversation)
            of = _conversation(summary)
            home = of.merged_into
            if home is None and of.preview and of.preview.message == message:
                told = await self._show(through.tenant, of, _message(found))
                home = None if told else of.id

    async def known_by(
        self, tenant: TenantId, line: LineId, number: str, lid: str
    ) -> Conversation | None:
        """The conversation with the person behind a lid, if its number is known. 1 read."""
        query = self._of(tenant).collection("conversations")
        for field, value in (("line", line), ("number", number), ("lid", lid)):
            query = query.where(filter=FieldFilter(field, "==", value))
        kept = _spoken(await self._found(query.limit(2)))
        return next((each for each in kept if not each.nameless_lid), None)

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

    def _thread(self, tenant: TenantId, of: Conversation) -> Any:
        """All that was said, also while nobody knew the contact's number."""
        said = self._of(tenant).collection("messages")
        return said.where(filter=FieldFilter("conversation", "in", _ids(of)))

    def _place(self, tenant: TenantId, after: Position) -> firestore.AsyncDocumentReference:
        return self._conversation(tenant, ConversationId(after.id))

    async def _found(self, query: Any) -> list[Snapshot]:
        with base.translated():
            return [snapshot async for snapshot in query.stream(**base.LIMITS)]

    async def _healed(self, tenant: TenantId, kept: list[Conversation]) -> list[Conversation]:
        """Late previews are replaced and contacts whose number became known are merged."""
        stale = [each for each in kept if each.stale]
        nameless = [each for each in kept if each.nameless_lid and not each.stale]
        random.shuffle(nameless)  # some stay so for ever, and must not keep the others from it
        ill = (stale + nameless)[:HEALED_PER_PAGE]
        healed = {each.id: await self._heal(tenant, each) for each in ill}
        return [now for each in kept if not (now := healed.get(each.id, each)).merged_into]

    async def _heal(self, tenant: TenantId, each: Conversation) -> Conversation:
        lid = each.lid if each.nameless_lid else None
        if lid and (known := await self.known_by(tenant, each.line, each.number, lid)):
            return await self._merge(tenant, each, known)
        return await self._preview(tenant, each) if each.stale else each

    async def _merge(
        self, tenant: TenantId, nameless: Conversation, known: Conversation
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
        added: dict[str, Any] = {"last_at": firestore.Maximum(nameless.last_at)}
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


def messages_through(tenant: TenantId, of: Conversation) -> Through:
    """Whose messages a conversation holds."""
    return Through(tenant, of.line, of.number)


def _ids(of: Conversation) -> list[ConversationId]:
    """A person's conversation, and the one held while nobody knew the number."""
    if of.lid is None or of.nameless_lid:
        return [of.id]
    return [of.id, conversation_id(of.line, of.number, lid_key(of.lid))]


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


def _spoken(found: Iterable[Snapshot]) -> list[Conversation]:
    """Those in which something was said: a group may have nothing but its name yet."""
    return [_conversation(each) for each in found if "last_at" in (each.to_dict() or {})]


def _conversation(snapshot: Snapshot) -> Conversation:
    fields: Mapping[str, Any] = snapshot.to_dict() or {}
    kept = Conversation.model_validate({**fields, "id": snapshot.id})
    return kept.model_copy(update={"version": snapshot.update_time})


def _message(snapshot: Snapshot) -> KeptMessage:
    return KeptMessage.model_validate(snapshot.to_dict())
