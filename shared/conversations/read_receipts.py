"""Tell a contact that a conversation was read."""

from shared import services
from shared.domain.conversations import Conversation
from shared.domain.names import LineKey, TenantId
from shared.domain.upstream import MessageKey
from shared.lines import access

MARKED_AT_ONCE = 50
"""Messages that are looked through for unread ones, from the newest on."""


async def send_read_receipts(tenant_id: TenantId, conversation: Conversation) -> None:
    """Show the contact blue ticks, if the line still has the number of the conversation.

    Raises the server's problems. Firestore: 1 read, and 50 at most for the messages.
    """
    name = access.instance_name(LineKey(tenant_id, conversation.line))
    instance = await services.store().instances.find(name)
    if instance is None or instance.number != conversation.number:
        return
    page = await services.store().messages.list_page(tenant_id, conversation, MARKED_AT_ONCE, None)
    keys = [
        MessageKey(message.id, message.contact.address, from_me=False)
        for message in page.records
        if not message.from_me
    ]
    if keys:
        await services.evolution(instance.server).mark_read(name, keys)
