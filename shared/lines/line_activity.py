"""Add to the views of lines what was said through them."""

import asyncio
from datetime import datetime

from shared import config, services
from shared.domain.calendar import start_of_day
from shared.domain.instances import epoch_ms
from shared.domain.names import TenantId
from shared.lines.line_views import LineView


async def add_activity(tenant: TenantId, lines: list[LineView], now: datetime) -> list[LineView]:
    """Return the views with the time of the newest message, and the conversations of today.

    Firestore: 2 reads for each line.
    """
    since = epoch_ms(start_of_day(now, config.settings().zone))
    return list(await asyncio.gather(*(_add(tenant, line, since) for line in lines)))


async def _add(tenant: TenantId, line: LineView, since: int) -> LineView:
    conversations = services.store().conversations
    newest, today = await asyncio.gather(
        conversations.find_newest(tenant, line.line),
        conversations.count_since(tenant, line.line, since),
    )
    return line.model_copy(update={"last_message_at": newest, "conversations_today": today})
