"""Revoked and edited messages outside their own documents: previews, quotes, purged content."""

from typing import Any

from google.cloud import firestore

from shared.domain import content, kept_messages
from shared.domain.contacts import ConversationId
from shared.domain.conversations import Conversation
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import CHANGED, LineScope, Snapshot, Topic
from shared.store.messages.documents import conversation_in, message_in
from shared.store.messages.quotes import purge_quotes


class Revocations(Topic):
    """Copies of a message's content outside its own document."""

    async def refresh_preview(self, scope: LineScope, message: str, now: int) -> None:
        """Show a changed message as it is now in its preview; purge its content if it was revoked.

        The content of a revoked message is purged from its document, its send and its quotes too.
        Firestore: 1 read if there is no such message yet, else 3, and 1 write if it is the
        newest of its conversation. If it was revoked, 1 write, and 1 read at least and 1 write
        for each that quotes it; 1 read and 1 write if a send said it.
        """
        reference = self._db.message(scope, message)
        home = await self._purge_content(scope, message, now)
        async for _ in base.attempts():
            if home is None:
                return
            place = self._db.conversation(scope.tenant, home)
            snapshot, summary = await self._db.read(reference, place)
            stored = next(iter(base.readable([snapshot], message_in)), None)
            conversation = next(iter(base.readable([summary], conversation_in)), None)
            if conversation is None or stored is None:
                return
            home = conversation.merged_into
            preview = conversation.preview
            if home is None and preview and preview.message == message:
                is_shown = await self._show_preview(scope.tenant, conversation, stored)
                home = None if is_shown else conversation.id

    # How -------------------------------------------------------------------------------------

    async def _show_preview(
        self, tenant: TenantId, conversation: Conversation, message: KeptMessage
    ) -> bool:
        """Make the message the preview; return False if the conversation changed meanwhile."""
        change: dict[str, Any] = {"preview": kept_messages.preview_of(message).model_dump()}
        batch, reference = self._db.batch(), self._db.conversation(tenant, conversation.id)
        batch.update(reference, change, option=self._db.since(conversation.version))
        try:
            await self._db.commit(batch)
        except CHANGED:
            return False
        return True

    async def _purge_content(
        self, scope: LineScope, message: str, now: int
    ) -> ConversationId | None:
        """Purge the content of a revoked message; return the message's conversation, if known.

        Its quotes are purged first: a caller that was stopped in between does it all again.
        """
        reference = self._db.message(scope, message)

        async def build(batch: Any, snapshot: Snapshot) -> ConversationId | None:
            fields = snapshot.to_dict() or {}
            if kept_messages.is_stub(fields):
                return None
            stored = next(iter(base.readable([snapshot], message_in)), None)
            if stored is None:
                return None
            if stored.surely_revoked:
                await purge_quotes(self._db, scope, message, now)
                if stored.send:
                    await self._purge_send(scope, stored.send)
                if not kept_messages.is_content_purged(fields):
                    emptied = kept_messages.content_to_purge(fields)
                    emptied["edits"] = firestore.DELETE_FIELD
                    emptied |= {"media_due": now} if stored.media_copy else {}
                    option = self._db.since(snapshot.update_time)
                    batch.update(reference, emptied, option=option)
            return stored.conversation

        return await self._db.compare_and_set([reference], build)

    async def _purge_send(self, scope: LineScope, key: str) -> None:
        """Remove what was asked for from the send that became the message. 1 read, 1 write."""
        reference = self._db.send(scope.tenant, key)

        async def build(batch: Any, snapshot: Snapshot) -> None:
            asked = (snapshot.to_dict() or {}).get("content") or {}
            if content.EMPTY_FIELDS.keys() & asked.keys():
                emptied = {"content": {"kind": asked.get("kind")}}
                batch.update(reference, emptied, option=self._db.since(snapshot.update_time))

        await self._db.compare_and_set([reference], build)
