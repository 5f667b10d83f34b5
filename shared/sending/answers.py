"""What a server answered to a send, as a message of the conversation it was sent into."""

from datetime import datetime

from shared.domain.contacts import Contact, contact_of, may_be
from shared.domain.events import Reacted, Said
from shared.domain.instances import epoch_ms
from shared.domain.messages import Content, Delivery, Message, heard_by
from shared.domain.sends import Send
from shared.domain.threads import KeptMessage
from shared.domain.upstream import Sent
from shared.evolution import said as meaning
from shared.evolution.heard import Heard


def message(send: Send, sent: Sent, now: datetime) -> Message:
    """The message, as the server tells it, or as it was asked for where that makes no sense.

    It belongs where it was sent, by whatever address WhatsApp reached the contact.
    """
    told = next((each for each in events(send, sent) if isinstance(each, Said)), None)
    contact = in_conversation(send, contact_of(sent.jid))
    if told and told.message.id == sent.message_id:
        quoted = told.message.quoted or send.quoted
        said = told.message.model_copy(update={"contact": contact, "quoted": quoted})
        return heard_by(epoch_ms(now), said)
    return as_asked(send, sent, now)


def as_asked(send: Send, sent: Sent, now: datetime) -> Message:
    """The message as it was asked for."""
    content, contact = send.content, in_conversation(send, contact_of(sent.jid))
    assert content
    return Message(
        **{name: getattr(content, name) for name in Content.model_fields},
        id=sent.message_id,
        contact=contact,
        from_me=True,
        at=epoch_ms(now) // 1000 * 1000,
        quoted=send.quoted,
        delivery=Delivery.PENDING,
    )


def kept(send: Send, said: Message) -> KeptMessage:
    """The message as it is kept just now."""
    number = send.left_through or send.number
    where = {"conversation": send.conversation, "line": send.line, "number": number}
    news = {
        "send": send.key,
        "progress": said.delivery or 0,
        "left_through": send.left_through,
    }
    return KeptMessage.model_validate(said.model_dump() | where | news)


def reaction(send: Send, sent: Sent) -> Reacted | None:
    """The reaction, as the server tells it."""
    told = (each for each in events(send, sent) if isinstance(each, Reacted))
    return next((each for each in told if each.actor == "me"), None)


def in_conversation(send: Send, used: Contact | None) -> Contact:
    """The contact that was written to, knowing the address that WhatsApp really uses."""
    if used is None or used.group or not may_be(used.key, send.contact):
        return send.contact
    lid = send.contact.lid or used.lid
    return send.contact.model_copy(update={"address": used.address, "lid": lid})


def events(send: Send, sent: Sent) -> tuple[object, ...]:
    """What the answer tells, read as a webhook is."""
    return meaning.of_message(dict(sent.raw), Heard(sent.raw, own=send.number, ours=True))
