"""What the data of events says besides what the API's views show."""

from pydantic import Field

from shared.conversations.conversation_views import ContactView
from shared.domain.contacts import ConversationId
from shared.domain.names import LineId, TenantId
from shared.domain.record import Record


class Told(Record):
    """What every event's data says besides its model."""

    tenant: TenantId
    cut: bool = Field(default=False, description="Texts or lists were too long, and are cut")


class ToldOfMessage(Told):
    """What an event says besides a message."""

    conversation: ConversationId
    line: LineId
    number: str = Field(description="The own number that it was said under")
    contact: ContactView
    media_path: str | None = Field(default=None, description="The API's path of its file")
    from_history: bool = Field(default=False, description="History told it, not a webhook")


class ToldOfSend(Told):
    """What an event says besides a send."""

    message_id: str | None = None
