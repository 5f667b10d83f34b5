"""The types of events, and the parts of their log."""

from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """What an event tells. `endpoint.test` isn't in the log: a person asks for it."""

    MESSAGE_RECEIVED = "message.received"
    MESSAGE_SENT = "message.sent"
    MESSAGE_UPDATED = "message.updated"
    MESSAGE_FAILED = "message.failed"
    SEND_SETTLED = "send.settled"
    CONVERSATION_UPDATED = "conversation.updated"
    LINE_STATE_CHANGED = "line.state_changed"
    LINE_CODE_CHANGED = "line.code_changed"
    LINE_RESTRICTED = "line.restricted"
    ENDPOINT_TEST = "endpoint.test"


class LogPart(StrEnum):
    """A part of the log of events, which is read by itself."""

    MESSAGES = "message"
    SENDS = "send"
    CONVERSATIONS = "conversation"
    LINES = "line"

    def is_told_by(self, event_type: str) -> bool:
        """Tell whether events of this type tell it."""
        return event_type.startswith(f"{self}.")


WHOLE_LOG: Final = frozenset(LogPart)
