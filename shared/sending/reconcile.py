"""Find the outcome of an uncertain send: by its echo, or in the server's history.

Nothing is sent again.
"""

import asyncio
from datetime import datetime, timedelta

from shared import log, problems, recording, services
from shared.domain import evidence, sends
from shared.domain.contacts import ConversationId, keys_of
from shared.domain.conversations import Conversation
from shared.domain.events import Recalled, Said
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Message, heard_by
from shared.domain.names import InstanceName, LineKey, TenantId
from shared.domain.sends import Send, SendState
from shared.domain.upstream import HistoryPage
from shared.lines import access
from shared.recording import SendChanged, SendMatched, scope_of_send
from shared.sending import sent_message

RESTRICTION_RENEWED_AFTER = timedelta(minutes=10)
"""How often a line's restriction is stored anew: every message of a burst may report it."""

HISTORY_PATIENCE = 10.0
"""Seconds that a caller waits for a server's history; the next call looks again."""

HISTORY_PAGES = 4
"""Pages of 50 messages each; a message sent in so short a time is among the newest."""


async def reconcile_send(send: Send) -> Send:
    """Return the send as it is now, with its outcome if there is evidence for one.

    A server that doesn't answer within HISTORY_PATIENCE leaves the send as it is.
    """
    now = services.now()
    match sends.decide_again(send, None, now):
        case sends.Abandoned(stale):
            stored = await record_change(stale, sends.abandoned(stale))
            return await reconcile_send(stored) if stored else await _reload(send)
        case sends.UnderWay(Send(state=SendState.UNCERTAIN) as uncertain):
            return await _reconcile_uncertain(uncertain, now)
        case _:
            return send


async def match_echo(tenant: TenantId, name: ConversationId) -> None:
    """Match the uncertain sends of a conversation after a message of ours came into it."""
    if conversation := await services.store().conversations.find(tenant, name):
        await _match_sends(tenant, conversation, services.now())


async def record_change(old: Send, new: Send) -> Send | None:
    """Write `new` over `old`. Return None, and write nothing, if the send isn't `old`.

    Firestore: 1 write, 2 to or from `uncertain`.
    """
    event = SendChanged(old, new)
    return (await recording.record_event(scope_of_send(new), event, services.now())).send


async def record_restriction(name: InstanceName) -> None:
    """Store that WhatsApp restricts a line's number to the contacts it has."""
    now = services.now()

    def restrict(instance: Instance) -> Instance | None:
        since = instance.restricted_at
        is_recent = since and now - since < RESTRICTION_RENEWED_AFTER
        return None if is_recent else instance.found_restricted(now)

    if await services.store().instances.change(name, restrict, now):
        log.notice("line.restricted", instance=name)


async def _reconcile_uncertain(send: Send, now: datetime) -> Send:
    if send.reaction:
        return await _match_reaction(send) or send
    store = services.store()
    conversation = await store.conversations.find(send.tenant, send.conversation)
    if conversation and conversation.id != send.conversation:
        change = send.model_copy(update={"conversation": conversation.id})
        send = await record_change(send, change) or send
    if conversation and await _match_sends(send.tenant, conversation, now):
        return await _reload(send)
    if not evidence.look_due(send, now):
        return send
    claimed = await record_change(send, send.model_copy(update={"looked_at": now}))
    if claimed is None:
        return await _reload(send)
    if await _store_history(claimed, now):
        conversation = await store.conversations.find(send.tenant, send.conversation)
        if conversation:
            await _match_sends(send.tenant, conversation, now)
    return await _reload(send)


async def _match_sends(tenant: TenantId, conversation: Conversation, now: datetime) -> int:
    """Match the uncertain sends of a conversation with its messages; return how many did."""
    store = services.store()
    uncertain = await store.sends.list_unsettled(tenant, conversation)
    if not uncertain:
        return 0
    first = min(send.asked_at for send in uncertain) - evidence.SKEW
    last = max(send.until for send in uncertain) + evidence.SKEW
    messages = await store.messages.list_own(tenant, conversation, epoch_ms(first), epoch_ms(last))
    by_key = {send.key: send for send in uncertain}
    matches = 0
    for key, message in evidence.pair(uncertain, messages, now).items():
        send = by_key[key]
        match = SendMatched(send, message, conversation)
        if (await recording.record_event(scope_of_send(send), match, now)).is_matched:
            log.info("send.settled", line=send.line)
            matches += 1
    return matches


async def _store_history(send: Send, now: datetime) -> bool:
    """Store the messages of the server's history that may be the send; tell if any is new."""
    try:
        async with asyncio.timeout(HISTORY_PATIENCE):
            messages = await _fetch_candidates(send)
    except (problems.Problem, TimeoutError) as failure:
        log.notice("send.look_failed", line=send.line, failure=type(failure).__name__)
        return False
    is_new = False
    for message in messages:
        contact = sent_message.place_contact(send, message.contact)
        whole = heard_by(epoch_ms(now), message.model_copy(update={"contact": contact}))
        result = await recording.record_event(scope_of_send(send), Said(whole, fresh=False), now)
        is_new = is_new or result.new > 0
    return is_new


async def _fetch_candidates(send: Send) -> list[Message]:
    name = access.instance_name(LineKey(send.tenant, send.line))
    instance = await services.store().instances.find(name)
    if instance is None or instance.number != send.number:
        return []
    server, candidates = services.evolution(instance.server), list[Message]()
    since, until = send.asked_at - evidence.SKEW, send.asked_at + sends.LEASE + evidence.SKEW
    for page in range(1, HISTORY_PAGES + 1):
        history = await server.history(instance.name, send.number, since, until, page)
        candidates += _list_candidates(send, history) if history else ()
        if history is None or page >= history.pages:
            break
    return candidates


def _list_candidates(send: Send, page: HistoryPage) -> list[Message]:
    """List the messages of ours to the send's contact, newest first."""
    return [
        message
        for event in page.events
        if isinstance(event, Recalled)
        for message in reversed(event.messages)
        if message.from_me and _is_to_contact(send, message)
    ]


def _is_to_contact(send: Send, message: Message) -> bool:
    return bool({*keys_of(message.contact)} & {*keys_of(send.contact)})


async def _match_reaction(send: Send) -> Send | None:
    assert send.reaction
    store = services.store()
    conversation = await store.conversations.find(send.tenant, send.conversation)
    if conversation is None:
        return None
    message = await store.messages.find(send.tenant, conversation, send.reaction.message)
    if message is None or not evidence.reacted(send, message):
        return None
    return await record_change(send, send.settled(SendState.SENT))


async def _reload(send: Send) -> Send:
    return await services.store().sends.find(send.tenant, send.key) or send
