"""Show a send to its tenant, and list the problems of the routes that send."""

from pydantic import AwareDatetime, Field

from shared import problems, services, web
from shared.conversations.conversation_views import MessageView, message_view
from shared.domain.contacts import ConversationId
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import LineId
from shared.domain.record import Record
from shared.domain.sends import PersonSaid, Send, SendState, WhyUncertain
from shared.domain.upstream import WhyNotSent

ASK_AGAIN_SECONDS = 5

SPEECH_PROBLEMS: tuple[type[problems.Problem], ...] = (
    *web.TENANT_PROBLEMS,
    *web.BODY_PROBLEMS,
    *web.LINE_PROBLEMS,
    problems.LineNotOpen,
    problems.LineReleased,
    problems.LineInConflict,
    problems.NumberChanged,
    problems.NotOnWhatsapp,
    problems.GroupUnknown,
    problems.ContentUnsupported,
    problems.ContentRefused,
    problems.FileUnreachable,
    problems.FileNotUploaded,
    problems.FileTooLarge,
    problems.LineRestricted,
    problems.IdempotencyKeyInvalid,
)
"""Problems of every route that sends, edits or deletes a message."""

PROBLEMS = (
    *SPEECH_PROBLEMS,
    problems.IdempotencyKeyMissing,
    problems.IdempotencyKeyReused,
    problems.ConversationUnknown,
    problems.LineUnknown,
    problems.MessageUnknown,
    problems.SendingTooFast,
    problems.NewContactsExhausted,
)


class SendView(Record):
    """A request to send and its outcome; with its message as it is now, once it is sent.

    `uncertain`: it may have been sent, so it is not sent again; its echo or a look settles it.
    """

    key: str
    state: SendState
    why: WhyNotSent | WhyUncertain | PersonSaid | None = Field(
        default=None, description="Of failed and uncertain ones"
    )
    said: bool | None = Field(
        default=None, description="True: sent, by a person's word; no evidence told it (yet)"
    )
    conversation: ConversationId
    line: LineId
    number: str = Field(description="The own number it was asked to leave through")
    left_through: str | None = Field(
        default=None, description="The own number it really left by, if that is another"
    )
    asked_at: AwareDatetime
    text: str | None = Field(default=None, description="What it says, or its caption")
    message: MessageView | None = None


def send_view(send: Send, message: KeptMessage | None = None) -> SendView:
    """Show a send, with its message if there is one."""
    return SendView(
        key=send.key,
        state=SendState.SENT if send.is_vouched_for else send.state,
        why=None if send.is_vouched_for else send.why,
        said=send.is_vouched_for or None,
        conversation=send.conversation,
        line=send.line,
        number=send.number,
        left_through=(message and message.left_through) or send.left_through,
        asked_at=send.asked_at,
        text=send.content.text if send.content else None,
        message=message_view(message, services.now()) if message else None,
    )


async def reply_with_send(
    send: Send, message: KeptMessage | None = None, *, final_status: int = 201
) -> web.Reply:
    """Answer `final_status` with the message; or 202 and `retry-after` while the outcome is open.

    Firestore: 1 read, if the message was sent and isn't passed.
    """
    is_open = send.state in (SendState.SENDING, SendState.UNCERTAIN)
    if is_open and not send.is_vouched_for:
        return web.Reply(send_view(send), 202, {"retry-after": str(ASK_AGAIN_SECONDS)})
    if send.message and message is None:
        message = await services.store().sends.find_message(send)
    return web.Reply(send_view(send, message), final_status)
