"""Edit a message of ours, or delete it for all its readers."""

from datetime import datetime, timedelta

from shared import problems, recording, services
from shared.domain.content import Kind
from shared.domain.events import Edited, Revoked
from shared.domain.instances import Instance, epoch_ms
from shared.domain.kept_messages import ME
from shared.domain.names import LineKey, TenantId
from shared.domain.sends import Send, SendState
from shared.domain.upstream import MessageKey, NotSent, SendDoubtful, Sending, Sent, WhyNotSent
from shared.lines import access, vanished
from shared.recording import scope_of_send
from shared.sending import destination, reconcile
from shared.sending.send import NOT_SENT

EDITABLE_FOR = timedelta(minutes=15)
DELETABLE_FOR = timedelta(days=2)
"""WhatsApp's own limits; its apps ignore what comes later."""


async def require_send(tenant: TenantId, key: str) -> Send:
    """Return the send of an idempotency key, reconciled. Raises SendUnknown, and those of tenants.

    Firestore: 2 reads, and those of `reconcile_send`.
    """
    record, send = await services.store().sends.find_with_tenant(tenant, key)
    access.require_active(record)
    if send is None:
        raise problems.SendUnknown()
    return await reconcile.reconcile_send(send)


async def edit_message(tenant: TenantId, key: str, text: str) -> Send:
    """Replace the text of a sent message, for all its readers. Idempotent.

    Raises SendUnknown, NotSentYet, NotChangeable, TooLateToChange, those of `require_speech` and
    `NOT_SENT`, ChangeUncertain, and the problems of servers.
    """
    from shared.evolution.events import protocol_message  # no new send needs it

    send, now = await require_send(tenant, key), services.now()
    if send.content and send.content.kind is not Kind.TEXT:
        raise problems.NotChangeable()
    instance, message = await _require_changeable(send, now, EDITABLE_FOR)
    server = services.evolution(instance.server)
    outcome = await server.edit_message(instance.name, message, text, send.number)
    receipt = await _require_sent(instance, outcome)
    edits = (event for event in receipt.events if isinstance(event, Edited))
    edit = next(edits, None) or protocol_message.build_edit(message.id, text, epoch_ms(now), (ME,))
    await recording.record_event(scope_of_send(send), edit, now)
    return send


async def delete_message(tenant: TenantId, key: str) -> Send:
    """Delete a sent message, for all its readers. Idempotent. Raises what `edit_message` does."""
    send, now = await require_send(tenant, key), services.now()
    instance, message = await _require_changeable(send, now, DELETABLE_FOR)
    server = services.evolution(instance.server)
    await _require_sent(instance, await server.delete_message(instance.name, message))
    revocation = Revoked(message.id, epoch_ms(now), (ME,))
    await recording.record_event(scope_of_send(send), revocation, now)
    return send


async def _require_changeable(
    send: Send, now: datetime, within: timedelta
) -> tuple[Instance, MessageKey]:
    if send.state is not SendState.SENT or send.message is None:
        raise problems.NotSentYet()
    if send.reaction:
        raise problems.NotChangeable()
    if now - send.asked_at > within:
        raise problems.TooLateToChange()
    name = access.instance_name(LineKey(send.tenant, send.line))
    current = await services.store().instances.find(name)
    instance, _number = destination.require_speech(current, send.number, now)
    address = destination.choose_address(send.contact)
    return instance, MessageKey(send.message, address, from_me=True)


async def _require_sent(line: Instance, outcome: Sending) -> Sent:
    match outcome:
        case Sent():
            return outcome
        case NotSent(why, account):
            if why is WhyNotSent.INSTANCE_MISSING:
                await vanished.record_missing(line.name)
            raise NOT_SENT[why](account)
        case SendDoubtful(account):
            raise problems.ChangeUncertain(account)
