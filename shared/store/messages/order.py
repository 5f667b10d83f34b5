"""Which message is the last one of its conversation, after another one was moved or came late."""

from shared.domain import kept_messages
from shared.domain.contacts import ConversationId
from shared.domain.conversations import Conversation
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import TenantId
from shared.store import base
from shared.store.base import CHANGED, Database, PageEnd
from shared.store.messages.documents import conversation_in, scope_of
from shared.store.messages.read import Reads

SECOND_MS = 1000
"""Milliseconds in which a message may have moved since `last_at` was written."""

NOTICES_AT_ONCE = 20
"""Messages that are read at once where the last one is a mere notice."""


async def renew_preview(db: Database, tenant: TenantId, home: ConversationId) -> None:
    """Show the last message of a conversation, or of the one it was merged into.

    Firestore: 2 reads and 2 writes; 1 read more if it was merged.
    """
    (summary,) = await db.read(db.conversation(tenant, home))
    for conversation in base.readable([summary], conversation_in):
        if conversation.merged_into:
            await renew_preview(db, tenant, conversation.merged_into)
        else:
            await show_last_message(db, tenant, conversation)


async def show_last_message(
    db: Database, tenant: TenantId, conversation: Conversation
) -> Conversation:
    """Show the last message as preview, unless another caller changes the conversation meanwhile.

    Then its preview is that caller's, or stays stale until it is read. Firestore: 1 read, 2 writes.
    Of a group with notices in its last message's second 1 read more for each, and for 20 at least.
    """
    last = await _find_last(db, tenant, conversation)
    if last is None:
        return conversation
    preview = kept_messages.preview_of(last)
    batch, summary = db.batch(), db.conversation(tenant, conversation.id)
    change = {"preview": preview.model_dump(), "last_at": last.at}
    batch.update(summary, change, option=db.since(conversation.version))
    # A summary that is written as it was keeps its version, so the message tells if it was moved.
    reference = db.message(scope_of(tenant, conversation), last.id)
    batch.update(reference, {"id": last.id}, option=db.since(last.version))
    try:
        await db.commit(batch)
    except CHANGED:
        return conversation
    return conversation.model_copy(update={"preview": preview, "last_at": last.at})


async def _find_last(
    db: Database, tenant: TenantId, conversation: Conversation
) -> KeptMessage | None:
    """Return the last message that isn't a mere notice of what happened to a group.

    Notices move no `last_at`, so those after it are passed over unread.
    """
    after = PageEnd(conversation.last_at + SECOND_MS, "~") if conversation.group else None
    page = await Reads(db).list_page(tenant, conversation, 1, after)
    while True:
        messages: list[KeptMessage] = page.records
        last = next((message for message in messages if not message.is_aside), None)
        if last or page.end is None:
            return last
        page = await Reads(db).list_page(tenant, conversation, NOTICES_AT_ONCE, page.end)
