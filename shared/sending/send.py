"""Send a message once: claim its idempotency key, call the server, then store the outcome."""

import secrets
from contextlib import suppress
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from msgspec import Struct

from shared import config, log, problems, recording, services
from shared.domain import kept_messages, pacing, sends
from shared.domain.instances import Instance, epoch_ms
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import TenantId
from shared.domain.outgoing import Outgoing, OutgoingReaction
from shared.domain.sends import Reacting, Send, SendState, WhyUncertain
from shared.domain.upstream import MessageKey, NotSent, SendDoubtful, Sent, WhyNotSent
from shared.lines import vanished
from shared.recording import SendAnswered, scope_of_send
from shared.sending import (
    content,
    destination,
    reconcile,
    requests,
    sent_message,
)
from shared.sending.destination import Destination
from shared.sending.requests import SayReaction, SendRequest
from shared.store import Unfit
from shared.store.sends import AlreadyClaimed, Claimed

TRIES = 6

NOT_SENT: dict[WhyNotSent, type[problems.Problem]] = {
    WhyNotSent.NOT_CONNECTED: problems.LineNotOpen,
    WhyNotSent.NOT_ON_WHATSAPP: problems.NotOnWhatsapp,
    WhyNotSent.GROUP_UNKNOWN: problems.GroupUnknown,
    WhyNotSent.MEDIA_UNREACHABLE: problems.FileUnreachable,
    WhyNotSent.UPLOAD_FAILED: problems.FileNotUploaded,
    WhyNotSent.TOO_BIG: problems.FileTooLarge,
    WhyNotSent.UNSUPPORTED: problems.ContentUnsupported,
    WhyNotSent.INVALID: problems.ContentRefused,
    WhyNotSent.INSTANCE_MISSING: problems.LineNotOpen,
    WhyNotSent.RESTRICTED: problems.LineRestricted,
    WhyNotSent.UNREACHABLE: problems.EvolutionUnreachable,
    WhyNotSent.UNLICENSED: problems.ServerNotLicensed,
}


class SendCommand(Struct, frozen=True, dict=True):
    """A tenant's request to send something, with its idempotency key."""

    tenant: TenantId
    key: str
    request: SendRequest

    @cached_property
    def fingerprint(self) -> str:
        return requests.fingerprint(self.request)


class Outcome(NamedTuple):
    """The send with its outcome, and its message if it was sent just now."""

    send: Send
    message: KeptMessage | None = None


async def send_once(command: SendCommand) -> Outcome:
    """Send the message, unless its key was used before; then return that send's outcome (P8).

    The outcome may still be open: under way, or uncertain. Raises the problems of
    `destination.resolve_destination`, IdempotencyKeyReused, MessageUnknown (the quoted one),
    SendingTooFast, and those of `NOT_SENT`, after which the same key may be used again.

    Firestore: 3 reads and 5 writes into an existing conversation. (1 read more for a message that
    is quoted or reacted to; 2 reads more for each concurrent change of the line's record.)
    """
    now = services.now()
    try:
        to = await destination.resolve_destination(command.tenant, command.request, now)
        target = await _require_target(command, to)
        claim = await _claim_key(_build_send(command, to, target, now), command, to)
    except problems.Problem:
        # A send with this key has an outcome, whatever became of the line since.
        earlier = await services.store().sends.find(command.tenant, command.key)
        if earlier is None or isinstance(_decide_reuse(earlier, command, now), sends.Retry):
            raise
        return await _reconcile_earlier(earlier, command)
    match claim:
        case Claimed(send, line):
            return await _call_server(send, _build_outgoing(command.request, to, target), line)
        case AlreadyClaimed(earlier):
            return await _reconcile_earlier(earlier, command)


# Before the server is called -----------------------------------------------------------------


async def _claim_key(new: Send, command: SendCommand, to: Destination) -> Claimed | AlreadyClaimed:
    """Claim the key and one token of the line's pace, or return the send that has the key.

    The commit is conditional on the line's record, so that the checks of the line still hold when
    the key is claimed (P7). Raises SendingTooFast, LineBusy, and why the line can't speak.
    """

    def take_token(line: Instance | None) -> Instance:
        now = services.now()
        return _take_pace_token(destination.require_speech_to(line, to, now), now)

    line = to.instance
    for _ in range(TRIES):
        now = services.now()
        new = new.model_copy(update={"until": now + sends.LEASE})
        match await services.store().sends.claim(new, line, take_token):
            case AlreadyClaimed(earlier) if isinstance(
                _decide_reuse(earlier, command, now), sends.Retry
            ):
                new = _build_retry(earlier, new, now)
            case claim:
                return claim
    raise problems.LineBusy()


def _take_pace_token(line: Instance, now: datetime) -> Instance:
    """Return the line's record with one token less. Raises SendingTooFast."""
    at = epoch_ms(now)
    match pacing.take(line.paced_until, _read_rate(), at):
        case pacing.Taken(full_at):
            return line.model_copy(update={"paced_until": full_at})
        case pacing.TooFast(again_at):
            raise problems.SendingTooFast(retry_after=max(1, -(-(again_at - at) // 1000)))


def _read_rate() -> pacing.Rate:
    settings = config.settings()
    return pacing.per_minute(settings.send_per_minute, settings.send_burst)


async def _require_target(command: SendCommand, to: Destination) -> KeptMessage | None:
    """Return the message that is quoted or reacted to, if any. Raises MessageUnknown."""
    store, request = services.store(), command.request
    name = request.reaction.message if isinstance(request, SayReaction) else request.quoted
    if name is None:
        return None
    conversation = await store.conversations.find(command.tenant, to.conversation)
    message = (
        await store.messages.find(command.tenant, conversation, name) if conversation else None
    )
    if message is None:
        raise problems.MessageUnknown()
    return message


def _build_outgoing(request: SendRequest, to: Destination, target: KeptMessage | None) -> Outgoing:
    address = destination.choose_address(to.contact)
    if isinstance(request, SayReaction):
        assert target
        key = MessageKey(target.id, address, target.from_me)
        return Outgoing(address, OutgoingReaction(key, request.reaction.emoji))
    return Outgoing(address, content.build_outgoing(request), content.build_options(request))


def _build_send(
    command: SendCommand, to: Destination, target: KeptMessage | None, now: datetime
) -> Send:
    request = command.request
    reaction = request.reaction if isinstance(request, SayReaction) else None
    return Send(
        key=command.key,
        tenant=command.tenant,
        request=command.fingerprint,
        line=to.instance.line,
        number=to.number,
        conversation=to.conversation,
        contact=to.contact,
        content=None if isinstance(request, SayReaction) else content.build_content(request),
        reaction=Reacting(message=reaction.message, emoji=reaction.emoji) if reaction else None,
        quoted=kept_messages.quote_of(target) if target and not reaction else None,
        state=SendState.SENDING,
        holder=secrets.token_hex(8),
        asked_at=now,
        until=now + sends.LEASE,
        expires_at=now + sends.KEPT_FOR,
    )


def _build_retry(failed: Send, new: Send, now: datetime) -> Send:
    """Build the next attempt of a failed send; its destination may have changed since."""
    retry = failed.again(new.holder, now)
    changing = ("number", "conversation", "contact", "quoted")
    return retry.model_copy(update={name: getattr(new, name) for name in changing})


# When the key was used before ----------------------------------------------------------------


def _decide_reuse(earlier: Send, command: SendCommand, now: datetime) -> sends.Again:
    return sends.decide_again(earlier, command.fingerprint, now)


async def _reconcile_earlier(earlier: Send, command: SendCommand) -> Outcome:
    """Return the outcome of the send that has the key.

    Raises IdempotencyKeyReused if it was for another request, and why it was not sent.
    """
    match _decide_reuse(earlier, command, services.now()):
        case sends.Other():
            raise problems.IdempotencyKeyReused()
        case _:
            send = await reconcile.reconcile_send(earlier)
            if send.state is SendState.FAILED and isinstance(send.why, WhyNotSent):
                raise NOT_SENT[send.why]()
            return Outcome(send)


# The server's answer -------------------------------------------------------------------------


async def _call_server(send: Send, outgoing: Outgoing, line: Instance) -> Outcome:
    try:
        result = await services.evolution(line.server).send_message(
            line.name, outgoing, send.number
        )
    except (problems.EvolutionUnreachable, problems.EvolutionRefusedKey):
        await _record_failure(send, WhyNotSent.UNREACHABLE)
        raise
    except problems.ServerNotLicensed:
        await _record_failure(send, WhyNotSent.UNLICENSED)
        raise
    match result:
        case Sent() as sent:
            return await _record_sent(send, sent)
        case NotSent(why, account):
            await _record_failure(send, why)
            if why is WhyNotSent.RESTRICTED:
                await reconcile.record_restriction(line.name)
            if why is WhyNotSent.INSTANCE_MISSING:
                await vanished.record_missing(line.name)
            raise NOT_SENT[why](account)
        case SendDoubtful(account):
            log.notice("send.uncertain", instance=line.name, why=account)
            doubtful = send.settled(SendState.UNCERTAIN, why=WhyUncertain.NO_ANSWER)
            stored = await reconcile.record_change(send, doubtful)
            return Outcome(await reconcile.reconcile_send(stored or doubtful))


async def _record_sent(send: Send, sent: Sent) -> Outcome:
    """Store the send's outcome and its message.

    If a server's account of the message is too large to be stored, store it as it was requested;
    if that is too large as well, store only the outcome.
    """
    now = services.now()
    if send.reaction:
        # Its echo may never come.
        reaction = sent_message.build_reaction(send, sent, now)
        await recording.record_event(scope_of_send(send), reaction, now)
        return await _record_outcome(send, sent)
    message = sent_message.build_message(send, sent, now)
    log.info("message.sent", line=send.line)
    for version in (message, sent_message.build_requested_message(send, sent, now)):
        with suppress(Unfit):
            event = SendAnswered(send, version)
            resolved = (await recording.record_event(scope_of_send(send), event, now)).send
            assert resolved
            if resolved.left_through:
                from shared.sending import wrong_number  # hardly any send leaves so

                await wrong_number.try_report(resolved.tenant, resolved.line, version.id)
            return Outcome(resolved, sent_message.build_stored_message(resolved, version))
    log.notice("message.not_kept", line=send.line)
    return await _record_outcome(send, sent)


async def _record_outcome(send: Send, sent: Sent) -> Outcome:
    resolved = send.settled(SendState.SENT, message=sent.message_id, proven=True)
    return Outcome(await reconcile.record_change(send, resolved) or resolved)


async def _record_failure(send: Send, why: WhyNotSent) -> None:
    """Record that the message was not sent.

    Another call may have marked the send abandoned meanwhile; only a newer attempt stays as it is.
    """
    current: Send | None = send
    for _ in range(TRIES):
        if current is None or (current.holder, current.attempt) != (send.holder, send.attempt):
            return
        if await reconcile.record_change(current, current.settled(SendState.FAILED, why=why)):
            return
        current = await services.store().sends.find(send.tenant, send.key)
