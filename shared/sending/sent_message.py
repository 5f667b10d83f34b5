"""Build the message of a send from the server's answer."""

from datetime import datetime

from shared.domain.contacts import Contact, contact_of, may_be
from shared.domain.events import Reacted, Said
from shared.domain.instances import epoch_ms
from shared.domain.kept_messages import ME, KeptMessage
from shared.domain.messages import Delivery, Message, asked_at, heard_by
from shared.domain.sends import Send
from shared.domain.upstream import Sent


def build_message(send: Send, sent: Sent, now: datetime) -> Message:
    """Build the message as the server reports it, or as it was requested if that makes no sense.

    It belongs to the conversation it was sent into, by whatever address WhatsApp reached the
    contact.
    """
    reports = (event for event in sent.events if isinstance(event, Said))
    report = next(reports, None)
    contact = place_contact(send, contact_of(sent.jid))
    if report and report.message.id == sent.message_id:
        quoted = report.message.quoted or send.quoted
        message = report.message.model_copy(update={"contact": contact, "quoted": quoted})
        return asked_at(heard_by(epoch_ms(now), message), epoch_ms(send.asked_at))
    return build_requested_message(send, sent, now)


def build_requested_message(send: Send, sent: Sent, now: datetime) -> Message:
    """Build the message as it was requested."""
    content, contact = send.content, place_contact(send, contact_of(sent.jid))
    assert content
    message = Message(
        content=content,
        id=sent.message_id,
        contact=contact,
        from_me=True,
        at=epoch_ms(now) // 1000 * 1000,
        quoted=send.quoted,
        delivery=Delivery.PENDING,
    )
    return asked_at(message, epoch_ms(send.asked_at))


def build_stored_message(send: Send, message: Message) -> KeptMessage:
    """Build the message as the store has it just now."""
    place = {
        "conversation": send.conversation,
        "line": send.line,
        "number": send.left_through or send.number,
    }
    progress = {
        "send": send.key,
        "progress": message.delivery or 0,
        "left_through": send.left_through,
    }
    return KeptMessage.model_validate(message.model_dump() | place | progress)


def build_reaction(send: Send, sent: Sent, now: datetime) -> Reacted:
    """Build the reaction that a send asked for, with the time and id that the server reports."""
    assert send.reaction
    reactions = (event for event in sent.events if isinstance(event, Reacted))
    reported = next((reaction for reaction in reactions if reaction.actor == ME), None)
    at, key = (reported.at, reported.id) if reported else (epoch_ms(now), sent.message_id)
    return Reacted(send.reaction.message, ME, send.reaction.emoji or None, at, key)


def place_contact(send: Send, reached: Contact | None) -> Contact:
    """Return the contact of a send, with the address by which WhatsApp really reached it."""
    if reached is None or reached.group or not may_be(reached.key, send.contact):
        return send.contact
    lid = send.contact.lid or reached.lid
    return send.contact.model_copy(update={"address": reached.address, "lid": lid})
