"""The data of events, as the API documents it, also of what was cut.

None of these models is built to tell an event: what a view shows and what is told besides are put
together.
"""

from collections.abc import Mapping
from types import NoneType
from typing import Final, get_args

from shared.conversations.conversation_views import ConversationView, MessageView
from shared.domain.event_types import EventType
from shared.domain.record import Record
from shared.lines.line_views import CodeText, LineView
from shared.outbound.told import Told, ToldOfMessage, ToldOfSend
from shared.sending.send_views import SendView


class MessageData(ToldOfMessage, MessageView):
    """A message as it is now, and where it stands."""


class SendData(ToldOfSend, SendView):
    """A send with its outcome; `message_id` names the message that it became."""


class ConversationData(Told, ConversationView):
    """A conversation in summary. Its `label` is the line's id: labels are the line's to tell."""


class LineData(Told, LineView):
    """A line: its state at that time, and the rest as it is now.

    A code comes without its picture: draw `qr`, or ask for the line.
    """

    code: CodeText | None = None  # type: ignore[assignment]  # less of it than an answer has


class EndpointData(Record):
    """The endpoint that a person tests."""

    endpoint: str


DATA: Final[Mapping[EventType, type[Record]]] = {
    EventType.MESSAGE_RECEIVED: MessageData,
    EventType.MESSAGE_SENT: MessageData,
    EventType.MESSAGE_UPDATED: MessageData,
    EventType.MESSAGE_FAILED: MessageData,
    EventType.SEND_SETTLED: SendData,
    EventType.CONVERSATION_UPDATED: ConversationData,
    EventType.LINE_STATE_CHANGED: LineData,
    EventType.LINE_CODE_CHANGED: LineData,
    EventType.LINE_RESTRICTED: LineData,
    EventType.ENDPOINT_TEST: EndpointData,
}
"""The model of each type's data."""


def list_required(kind: EventType) -> set[str]:
    """List the names of what the data of that type always has."""
    return {
        name
        for name, field in DATA[kind].model_fields.items()
        if NoneType not in get_args(field.annotation)
    }
