"""Read what handlers stored, for the judge."""

import asyncio

from google.cloud import firestore

from shared.domain.conversations import Conversation
from shared.domain.names import TenantId
from shared.store.base import Database
from shared.store.messages.documents import read_conversations
from shared.store.messages.order import show_last_message
from tests.benchmarks.judge import Kept, KeptConversation, KeptMessage
from tests.benchmarks.mix import LINES

REPAIRS_AT_ONCE = 16


async def read_ours(client: firestore.AsyncClient) -> Kept:
    """Read what our function stored, or who makes the same commits, as the inbox shows it.

    A stub isn't a message yet; a preview that came late is replaced by its next reader.
    """
    db, messages = Database(client), list[KeptMessage]()
    conversations = dict[str, KeptConversation]()
    for tenant in dict.fromkeys(TenantId(tenant) for tenant, _ in LINES):
        fields = ("id", "kind", "conversation", "progress")
        async for snapshot in db.messages(tenant).select(fields).stream():
            document = snapshot.to_dict() or {}
            if "kind" in document:
                home = f"{tenant} {document['conversation']}"
                messages.append(KeptMessage(document["id"], home, document.get("progress", 0)))
        snapshots = [snapshot async for snapshot in db.conversations(tenant).stream()]
        for repaired in await _repair(db, tenant, read_conversations(snapshots)):
            last = repaired.preview.message if repaired.preview else None
            conversations[f"{tenant} {repaired.id}"] = KeptConversation(repaired.unread_now, last)
    return Kept(messages, conversations)


async def _repair(
    db: Database, tenant: TenantId, conversations: list[Conversation]
) -> list[Conversation]:
    room = asyncio.Semaphore(REPAIRS_AT_ONCE)

    async def repair(conversation: Conversation) -> Conversation:
        async with room:
            return await show_last_message(db, tenant, conversation)

    stale = (conversation for conversation in conversations if conversation.stale)
    repaired = await asyncio.gather(*map(repair, stale))
    return [*(one for one in conversations if not one.stale), *repaired]
