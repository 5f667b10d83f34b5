"""A conversation is read, and its contact may know."""

from shared import services
from shared.domain.names import LineKey, TenantId
from shared.domain.threads import Conversation
from shared.domain.upstream import MessageKey
from shared.lines import entry

MARKED_AT_ONCE = 50


async def tell(tenant_id: TenantId, conversation: Conversation) -> None:
    """The contact sees blue ticks, if the line is still there under that number."""
    name = entry.name_of(LineKey(tenant_id, conversation.line))
    instance = await services.store().instance(name)
    if instance is None or instance.number != conversation.number:
        return
    page = await services.store().messages(tenant_id, conversation, MARKED_AT_ONCE, None)
    keys = [
        MessageKey(each.id, each.contact.address, from_me=False)
        for each in page.found
        if not each.from_me
    ]
    if keys:
        await services.evolution(instance.server).mark_read(name, keys)
