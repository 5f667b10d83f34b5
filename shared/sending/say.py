"""Something is said, once: its key is taken, then the server is called, then the outcome kept."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from shared import config, log, problems, services
from shared.domain import pacing, sends, threads
from shared.domain.instances import Instance, epoch_ms
from shared.domain.names import TenantId
from shared.domain.outgoing import Outgoing, Reaction
from shared.domain.sends import Doubt, Reacting, Send, SendState
from shared.domain.threads import KeptMessage
from shared.domain.upstream import MessageKey, NotSent, SendDoubtful, Sent, WhyNotSent
from shared.lines import vanished
from shared.sending import answers, destination, requests, saying, settle, wrong_number
from shared.sending.destination import Destination
from shared.sending.requests import Say, SayReaction
from shared.store import Unfit
from shared.store.sends import Claimed, Known

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


@dataclass(frozen=True)
class Wanted:
    """Who wants what said, with which idempotency key."""

    tenant: TenantId
    key: str
    asked: Say

    @cached_property
    def request(self) -> str:
        return requests.fingerprint(self.asked)


class Outcome(NamedTuple):
    """What became of a send, and the message if it was sent just now."""

    send: Send
    message: KeptMessage | None = None


async def say(wanted: Wanted) -> Outcome:
    """It is sent, or under way, or nobody knows; with the same key never twice (P8).

    Raises the problems of `destination.find`, IdempotencyKeyReused, MessageUnknown (of a quoted
    one), SendingTooFast, and why it surely wasn't sent: then it may be asked again with the key.
    Firestore: 3 reads and 5 writes into a conversation. (A quoted message, or one that is reacted
    to, 1 read more; 2 reads for each time that the line's record changes at the same moment.)
    """
    now = services.now()
    try:
        to = await destination.find(wanted.tenant, wanted.asked, now)
        target = await _target(wanted, to)
        taken = await _claim(_new(wanted, to, target, now), wanted, to)
    except problems.Problem:
        known = await services.store().send(wanted.tenant, wanted.key)
        if known is None or isinstance(_again(known, wanted, now), sends.Retry):
            raise
        return await _outcome(known, wanted)
    match taken:
        case Claimed(send, line):
            return await _speak(send, _outgoing(wanted.asked, to, target), line)
        case Known(known):
            return await _outcome(known, wanted)


# Before it is sent ---------------------------------------------------------------------------


async def _claim(new: Send, wanted: Wanted, to: Destination) -> Claimed | Known:
    """Take the key, at the line's pace; or return the send of whoever took it, who isn't done or
    was. Whatever was checked of the line is true of the record that the commit holds to (P7)."""

    def pace(line: Instance | None) -> Instance:
        now = services.now()
        return _paced(destination.require_speech(line, to, now), now)

    line = to.instance
    for _ in range(TRIES):
        now = services.now()
        new = new.model_copy(update={"until": now + sends.LEASE})
        match await services.store().claim(new, line, pace):
            case Known(known) if isinstance(_again(known, wanted, now), sends.Retry):
                new = _once_more(known, new, now)
            case taken:
                return taken
    raise problems.LineBusy()


def _paced(line: Instance, now: datetime) -> Instance:
    """Return the line's record with one token less. Raises SendingTooFast."""
    at = epoch_ms(now)
    match pacing.take(line.paced_until, _rate(), at):
        case pacing.Taken(full_at):
            return line.model_copy(update={"paced_until": full_at})
        case pacing.TooFast(again_at):
            raise problems.SendingTooFast(retry_after=max(1, -(-(again_at - at) // 1000)))


def _rate() -> pacing.Rate:
    settings = config.settings()
    return pacing.per_minute(settings.send_per_minute, settings.send_burst)


async def _target(wanted: Wanted, to: Destination) -> KeptMessage | None:
    """The message that is answered or reacted to. Raises MessageUnknown."""
    asked = wanted.asked
    name = asked.reaction.message if isinstance(asked, SayReaction) else asked.quoted
    if name is None:
        return None
    of = await services.store().conversation(wanted.tenant, to.conversation)
    found = await services.store().message(wanted.tenant, of, name) if of else None
    if found is None:
        raise problems.MessageUnknown()
    return found


def _outgoing(asked: Say, to: Destination, target: KeptMessage | None) -> Outgoing:
    address = destination.address_of(to.contact)
    if isinstance(asked, SayReaction):
        assert target
        key = MessageKey(target.id, address, target.from_me)
        return Outgoing(address, Reaction(key, asked.reaction.emoji))
    return Outgoing(address, saying.spoken(asked), saying.options(asked))


def _new(wanted: Wanted, to: Destination, target: KeptMessage | None, now: datetime) -> Send:
    asked = wanted.asked
    reaction = asked.reaction if isinstance(asked, SayReaction) else None
    return Send(
        key=wanted.key,
        tenant=wanted.tenant,
        request=wanted.request,
        line=to.instance.line,
        number=to.number,
        conversation=to.conversation,
        contact=to.contact,
        content=None if isinstance(asked, SayReaction) else saying.shown(asked),
        reaction=Reacting(message=reaction.message, emoji=reaction.emoji) if reaction else None,
        quoted=threads.quote_of(target) if target and not reaction else None,
        state=SendState.SENDING,
        holder=secrets.token_hex(8),
        asked_at=now,
        until=now + sends.LEASE,
        expires_at=now + sends.KEPT_FOR,
    )


def _once_more(failed: Send, new: Send, now: datetime) -> Send:
    """The failed one is asked again; where it goes may have changed since."""
    again = failed.again(new.holder, now)
    changing = ("number", "conversation", "contact", "quoted")
    where = {name: getattr(new, name) for name in changing}
    return again.model_copy(update=where)


# Used before ---------------------------------------------------------------------------------


def _again(known: Send, wanted: Wanted, now: datetime) -> sends.Again:
    return sends.decide_again(known, wanted.request, now)


async def _outcome(known: Send, wanted: Wanted) -> Outcome:
    match _again(known, wanted, services.now()):
        case sends.Other():
            raise problems.IdempotencyKeyReused()
        case _:
            found = await settle.current(known)
            if found.state is SendState.FAILED and isinstance(found.why, WhyNotSent):
                raise NOT_SENT[found.why]()
            return Outcome(found)


# Sent ----------------------------------------------------------------------------------------


async def _speak(send: Send, outgoing: Outgoing, line: Instance) -> Outcome:
    try:
        heard = await services.evolution(line.server).send(line.name, outgoing)
    except (problems.EvolutionUnreachable, problems.EvolutionRefusedKey):
        await _failed(send, WhyNotSent.UNREACHABLE)
        raise
    except problems.ServerNotLicensed:
        await _failed(send, WhyNotSent.UNLICENSED)
        raise
    match heard:
        case Sent() as sent:
            return await _sent(send, sent)
        case NotSent(why, account):
            await _failed(send, why)
            if why is WhyNotSent.RESTRICTED:
                await settle.restrict(line.name)
            if why is WhyNotSent.INSTANCE_MISSING:
                await vanished.record_missing(line.name)
            raise NOT_SENT[why](account)
        case SendDoubtful(account):
            log.refused("send.uncertain", instance=line.name, why=account)
            doubtful = send.settled(SendState.UNCERTAIN, why=Doubt.NO_ANSWER)
            kept = await services.store().resolve(send, doubtful)
            return Outcome(await settle.current(kept or doubtful))


async def _sent(send: Send, sent: Sent) -> Outcome:
    now = services.now()
    if send.reaction:
        await settle.react(send, sent, now)
        done = send.settled(SendState.SENT, message=sent.message_id, proven=True)
        return Outcome(await services.store().resolve(send, done) or done)
    message = answers.message(send, sent, now)
    log.happened("message.sent", line=send.line)
    for told in (message, answers.as_asked(send, sent, now)):
        with suppress(Unfit):  # it is too long as the server tells it
            done = await services.store().sent(send, told, epoch_ms(now))
            if done.left_through:
                await wrong_number.report_if_possible(done.tenant, done.line, told.id)
            return Outcome(done, answers.kept(done, told))
    log.refused("message.not_kept", line=send.line)
    done = send.settled(SendState.SENT, message=sent.message_id, proven=True)
    return Outcome(await services.store().resolve(send, done) or done)


async def _failed(send: Send, why: WhyNotSent) -> None:
    """It surely wasn't sent, also if somebody thought meanwhile that we are gone."""
    current: Send | None = send
    for _ in range(TRIES):
        if current is None or (current.holder, current.attempt) != (send.holder, send.attempt):
            return
        if await services.store().resolve(current, current.settled(SendState.FAILED, why=why)):
            return
        current = await services.store().send(send.tenant, send.key)
