"""Something is said, once: its key is taken, then the server is called, then the outcome kept."""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from shared import config, log, problems, services
from shared.domain import pacing, sends, threads
from shared.domain.instances import Instance, epoch_ms
from shared.domain.names import TenantId
from shared.domain.outgoing import Outgoing, Reaction
from shared.domain.sends import Doubt, Reacting, Send, SendState
from shared.domain.threads import KeptMessage
from shared.domain.upstream import MessageKey, NotSent, SendDoubtful, Sent, WhyNotSent
from shared.sending import answers, destination, requests, saying, settle
from shared.sending.destination import Destination
from shared.sending.requests import Say, SayReaction
from shared.store import Unfit
from shared.store.sends import Claimed, Known, Moved

TRIES = 6

NOT_SENT: dict[WhyNotSent, type[problems.Problem]] = {
    WhyNotSent.NOT_CONNECTED: problems.LineNotOpen,
    WhyNotSent.NOT_ON_WHATSAPP: problems.NotOnWhatsapp,
    WhyNotSent.MEDIA_UNREACHABLE: problems.FileUnreachable,
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

    @property
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
    Firestore: 3 reads and 4 writes into a conversation; 1 write more when the line speaks faster
    than its rate. (A quoted message, or one that is reacted to, 1 read more.)
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
        case Claimed(send):
            return await _speak(send, _outgoing(wanted.asked, to, target), to)
        case Known(known):
            return await _outcome(known, wanted)


# Before it is sent ---------------------------------------------------------------------------


async def _claim(new: Send, wanted: Wanted, to: Destination) -> Claimed | Known:
    """The key is ours, at the line's pace; or somebody's already, who isn't done or was."""
    instance = to.instance
    for _ in range(TRIES):
        now = services.now()
        paced = _paced(instance, now)
        new = new.model_copy(update={"until": now + sends.LEASE})
        match await services.store().claim(new, paced):
            case Claimed() as claimed:
                if paced:
                    services.unnoted().paid(instance.name)
                return claimed
            case Known(known) if isinstance(_again(known, wanted, now), sends.Retry):
                new = _once_more(known, new, now)
            case Known() as known:
                if paced is None:
                    services.unnoted().paid(instance.name)
                return known
            case Moved():
                found = await services.store().instance(instance.name)
                instance, _number = destination.speaking(found, to.number, now)
    raise problems.LineBusy()


def _paced(instance: Instance, now: datetime) -> Instance | None:
    """The line's record with one token less; None if its bucket is full and need not be noted.

    Raises SendingTooFast.
    """
    rate, at = _rate(), epoch_ms(now)
    owed = services.unnoted().owed(instance.name, rate, at)
    if instance.paced_until <= at and not owed:
        services.unnoted().owe(instance.name, rate, at)
        return None
    match pacing.take(instance.paced_until, rate, at, 1 + owed):
        case pacing.Taken(full_at):
            return instance.model_copy(update={"paced_until": full_at})
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


async def _speak(send: Send, outgoing: Outgoing, to: Destination) -> Outcome:
    server = services.evolution(to.instance.server)
    try:
        heard = await server.send(to.instance.name, outgoing)
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
                await settle.restrict(to.instance.name)
            raise NOT_SENT[why](account)
        case SendDoubtful(account):
            log.refused("send.uncertain", instance=to.instance.name, why=account)
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
