"""A message of ours is edited, or deleted for everybody."""

from datetime import datetime, timedelta

from shared import problems, services
from shared.domain.events import Edited, Revoked
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Kind
from shared.domain.names import LineKey, TenantId
from shared.domain.sends import Send, SendState
from shared.domain.threads import ME
from shared.domain.upstream import MessageKey, NotSent, SendDoubtful, Sending, Sent, WhyNotSent
from shared.evolution import protocol
from shared.lines import changes, entry, vanished
from shared.sending import answers, destination, settle
from shared.sending.say import NOT_SENT
from shared.store import Through

EDITABLE_FOR = timedelta(minutes=15)
DELETABLE_FOR = timedelta(days=2)
"""WhatsApp's own limits; its apps ignore what comes later."""


async def known(tenant: TenantId, key: str) -> Send:
    """What was asked with the key, as it is now. Raises SendUnknown, and those of tenants.

    Firestore: 2 reads, and what settling costs.
    """
    kept, send = await services.store().asked(tenant, key)
    entry.check(kept)
    if send is None:
        raise problems.SendUnknown()
    return await settle.current(send)


async def edit(tenant: TenantId, key: str, text: str) -> Send:
    """The message reads so for everybody. Safe to repeat.

    Raises SendUnknown, NotSentYet, NotChangeable, TooLateToChange, why the line can't speak,
    ChangeUncertain, and the problems of servers.
    """
    send, now = await known(tenant, key), services.now()
    if send.content and send.content.kind is not Kind.TEXT:
        raise problems.NotChangeable()
    instance, message = await _changeable(send, now, EDITABLE_FOR)
    server = services.evolution(instance.server)
    sent = await _done(instance, await server.edit(instance.name, message, text))
    told = (each for each in answers.events(send, sent) if isinstance(each, Edited))
    edited = next(told, None) or protocol.edit_of(message.id, text, epoch_ms(now), (ME,))
    await changes.edited(_through(send), edited, epoch_ms(now))
    return send


async def delete(tenant: TenantId, key: str) -> Send:
    """The message is gone for everybody. Safe to repeat. Raises what `edit` does."""
    send, now = await known(tenant, key), services.now()
    instance, message = await _changeable(send, now, DELETABLE_FOR)
    server = services.evolution(instance.server)
    await _done(instance, await server.delete_message(instance.name, message))
    await changes.revoked(_through(send), Revoked(message.id, epoch_ms(now), (ME,)), epoch_ms(now))
    return send


async def _changeable(send: Send, now: datetime, within: timedelta) -> tuple[Instance, MessageKey]:
    if send.state is not SendState.SENT or send.message is None:
        raise problems.NotSentYet()
    if send.reaction:
        raise problems.NotChangeable()
    if now - send.asked_at > within:
        raise problems.TooLateToChange()
    name = entry.name_of(LineKey(send.tenant, send.line))
    found = await services.store().instance(name)
    instance, _number = destination.speaking(found, send.number, now)
    return instance, MessageKey(send.message, destination.address_of(send.contact), from_me=True)


async def _done(line: Instance, outcome: Sending) -> Sent:
    match outcome:
        case Sent():
            return outcome
        case NotSent(why, account):
            if why is WhyNotSent.INSTANCE_MISSING:
                await vanished.record_missing(line.name)
            raise NOT_SENT[why](account)
        case SendDoubtful(account):
            raise problems.ChangeUncertain(account)


def _through(send: Send) -> Through:
    return Through(send.tenant, send.line, send.number)
