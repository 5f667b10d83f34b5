"""What became of a send of which nobody knows: its echo, or a look at what the server keeps.

Never by sending it again.
"""

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shared import log, problems, services
from shared.domain import evidence, sends
from shared.domain.contacts import ConversationId, keys_of
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Message, heard_by
from shared.domain.names import InstanceName, LineKey, TenantId
from shared.domain.sends import Send, SendState
from shared.domain.threads import ME, Conversation, Reaction
from shared.domain.upstream import Sent
from shared.evolution import kept as kept_records
from shared.lines import entry
from shared.sending import answers
from shared.store import Through

REMARKED_AFTER = timedelta(minutes=10)
"""How often a line is marked as restricted again: every message of a burst may say so."""

LOOK_PATIENCE = 10.0
"""Seconds that whoever asks waits for a server: the next one who asks looks again."""

PAGES_LOOKED_AT = 4
"""Of 50 messages each; what was sent in so short a time is among the newest."""


async def current(send: Send) -> Send:
    """The send as it is now: settled, if there is evidence for it.

    Whoever asks doesn't wait for a server that doesn't answer: then it stays as it is.
    """
    now = services.now()
    match sends.decide_again(send, None, now):
        case sends.Abandoned(left):
            lost = sends.abandoned(left)
            kept = await services.store().resolve(left, lost)
            return await current(kept) if kept else await _anew(send)
        case sends.UnderWay(Send(state=SendState.UNCERTAIN) as doubtful):
            return await _settled(doubtful, now)
        case _:
            return send


async def echoed(tenant: TenantId, conversation: ConversationId) -> None:
    """A message of ours came, into a conversation with sends that nobody knows the outcome of."""
    if of := await services.store().conversation(tenant, conversation):
        await _match(tenant, of, services.now())


async def react(send: Send, sent: Sent, now: datetime) -> None:
    """The reaction is under its message, whether its echo comes or not."""
    assert send.reaction
    told = answers.reaction(send, sent)
    at, key = (told.at, told.id) if told else (epoch_ms(now), sent.message_id)
    reaction = Reaction(emoji=send.reaction.emoji or None, at=at)
    through = Through(send.tenant, send.line, send.number)
    await services.store().react(through, send.reaction.message, ME, key, reaction, epoch_ms(now))


async def restrict(name: InstanceName) -> None:
    """The line says that WhatsApp restricts its number."""
    now = services.now()

    def marked(instance: Instance) -> Instance | None:
        told = instance.restricted_at
        fresh = told and now - told < REMARKED_AFTER
        return None if fresh else instance.found_restricted(now)

    if await services.store().change(name, marked, now):
        log.refused("line.restricted", instance=name)


async def _settled(send: Send, now: datetime) -> Send:
    if send.reaction:
        return await _reacted(send) or send
    store = services.store()
    of = await store.conversation(send.tenant, send.conversation)
    if of and of.id != send.conversation:
        send = await store.resolve(send, send.model_copy(update={"conversation": of.id})) or send
    if of and await _match(send.tenant, of, now):
        return await _anew(send)
    if not evidence.look_due(send, now):
        return send
    looking = await store.resolve(send, send.model_copy(update={"looked_at": now}))
    if looking is None:
        return await _anew(send)
    if await _look(looking, now) and (of := await store.conversation(*_place(send))):
        await _match(send.tenant, of, now)
    return await _anew(send)


def _place(send: Send) -> tuple[TenantId, ConversationId]:
    return send.tenant, send.conversation


async def _match(tenant: TenantId, of: Conversation, now: datetime) -> int:
    """How many sends into the conversation were found to be messages that are there."""
    store = services.store()
    waiting = await store.unsettled(tenant, of)
    if not waiting:
        return 0
    first = min(send.asked_at for send in waiting) - evidence.SKEW
    last = max(send.until for send in waiting) + evidence.SKEW
    found = await store.said_by_us(tenant, of, epoch_ms(first), epoch_ms(last))
    by_key = {send.key: send for send in waiting}
    settled = 0
    for key, message in evidence.pair(waiting, found, now).items():
        if await store.recognise(by_key[key], message, of, epoch_ms(now)):
            log.happened("send.settled", line=by_key[key].line)
            settled += 1
    return settled


async def _look(send: Send, now: datetime) -> bool:
    """What the server keeps of that time that may be the send is kept by us too."""
    try:
        async with asyncio.timeout(LOOK_PATIENCE):
            found = await _kept_upstream(send)
    except (problems.Problem, TimeoutError) as failure:
        log.refused("send.look_failed", line=send.line, failure=type(failure).__name__)
        return False
    through, told = Through(send.tenant, send.line, send.number), False
    for message in found:
        contact = answers.in_conversation(send, message.contact)
        whole = heard_by(epoch_ms(now), message.model_copy(update={"contact": contact}))
        told = (
            await services.store().record(through, whole, unread=False, now=epoch_ms(now)) or told
        )
    return told


async def _kept_upstream(send: Send) -> list[Message]:
    name = entry.name_of(LineKey(send.tenant, send.line))
    instance = await services.store().instance(name)
    if instance is None or instance.number != send.number:
        return []
    server, found = services.evolution(instance.server), list[Message]()
    since, until = send.asked_at - evidence.SKEW, send.asked_at + sends.LEASE + evidence.SKEW
    for page in range(1, PAGES_LOOKED_AT + 1):
        kept = await server.messages(instance.name, since, until, page)
        records = kept.records if kept else ()
        found += [message for each in records for message in _ours(send, each)]
        if kept is None or page >= kept.pages:
            break
    return found


def _ours(send: Send, record: Mapping[str, Any]) -> list[Message]:
    message = kept_records.read_message(record, send.number)
    return [message] if message and message.from_me and _to_them(send, message) else []


def _to_them(send: Send, message: Message) -> bool:
    return bool({*keys_of(message.contact)} & {*keys_of(send.contact)})


async def _reacted(send: Send) -> Send | None:
    assert send.reaction
    store = services.store()
    of = await store.conversation(send.tenant, send.conversation)
    message = await store.message(send.tenant, of, send.reaction.message) if of else None
    if message is None or not evidence.reacted(send, message):
        return None
    return await store.resolve(send, send.settled(SendState.SENT))


async def _anew(send: Send) -> Send:
    return await services.store().send(send.tenant, send.key) or send
