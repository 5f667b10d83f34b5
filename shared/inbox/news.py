"""Answer an inbox what changed in its list, in its open thread and in what is unread."""

import asyncio

from pydantic import Field

from shared import services
from shared.conversations.conversation_views import ConversationView
from shared.domain.names import LineId, TenantId
from shared.domain.record import Record
from shared.domain.tenants import Tenant
from shared.inbox.thread_pages import MessagePage


class Unread(Record):
    """How many conversations have something unread; archived ones don't count."""

    total: int
    lines: dict[LineId, int] = Field(description="The same, by line")


class News(Record):
    """What changed since the last answer.

    `conversations` are those said in since then, newest first, with the newest that was known. If
    that isn't among them, or there is `more`, the list has to be asked for again.
    """

    conversations: list[ConversationView]
    more: bool = False
    unread: Unread | None = None
    thread: MessagePage | None = None


async def count_unread(tenant_id: TenantId, tenant: Tenant | None) -> Unread:
    """Count the unread conversations. Firestore: 1 read, and 1 per line of several."""
    count, lines = services.store().conversations.count_unread, tenant.lines if tenant else ()
    if len(lines) < 2:
        total = await count(tenant_id)
        return Unread(total=total, lines=dict.fromkeys(lines, total))
    total, *by_line = await asyncio.gather(
        count(tenant_id), *(count(tenant_id, line) for line in lines)
    )
    return Unread(total=total, lines=dict(zip(lines, by_line, strict=True)))
