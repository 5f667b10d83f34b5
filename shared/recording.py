"""Record what is said on a line, and what becomes of it: the one door to the store's messages.

Webhooks, replays, histories, backfills, sends and reconciliation all pass `record_event`, so that
is where those who want to know are told (`services.poke`).
"""

import asyncio
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from shared import config, services
from shared.domain import events, media_state
from shared.domain.content.polls import mark_option
from shared.domain.conversations import Conversation
from shared.domain.event_types import LogPart
from shared.domain.events import MessageEvent, NameEvent, Recalled, Said
from shared.domain.fleet.gaps import Window
from shared.domain.instances import epoch_ms
from shared.domain.kept_messages import Edit, Reaction, Vote, member_of
from shared.domain.messages import Message
from shared.domain.positions import second_of
from shared.domain.sends import Send
from shared.store import LineScope


class Backfilled(Struct, frozen=True):
    """Messages of a missed window. `doubtful`: others of that time may be lost."""

    messages: tuple[Message, ...]
    window: Window
    doubtful: bool = False


class SendAnswered(Struct, frozen=True):
    """A send whose server answered with the message that it became."""

    send: Send
    message: Message


class SendMatched(Struct, frozen=True):
    """An uncertain send that a stored message of the conversation turned out to be."""

    send: Send
    message_id: str
    conversation: Conversation


class SendChanged(Struct, frozen=True):
    """A send whose outcome is another than `old` says, or what is known of it."""

    old: Send
    new: Send


SendEvent = SendAnswered | SendMatched | SendChanged
UpdateEvent = (
    events.DeliveryMoved
    | events.ReadByUs
    | events.SendRefused
    | events.Edited
    | events.EditedOutOfSight
    | events.Revoked
    | events.Reacted
    | events.Voted
)
RecordableEvent = MessageEvent | NameEvent | Backfilled | SendEvent


class RecordResult(NamedTuple):
    """What was learned while an event was recorded.

    `new`: how many messages were stored for the first time; each counts in one result, whatever
    reports it and however often. `is_matched`: the send became this message. `unsettled`: how many
    sends into the conversation of a new message of ours are uncertain. `left_through`: the number
    that it left by, if it is a send's and isn't the send's number. `send`: the answered or changed
    send as it is stored now; None if it wasn't `old` any more.
    """

    new: int = 0
    is_matched: bool = False
    unsettled: int = 0
    left_through: str | None = None
    send: Send | None = None


async def record_event(
    scope: LineScope, event: RecordableEvent, now: datetime, sender: str | None = None
) -> RecordResult:
    """Store what an event changes. Idempotent, in any order.

    The contacts of its messages are resolved already. `scope` may lack the number for what names a
    message by its id. `sender`: the number that a message of ours left by, as far as the server
    itself says so. Raises Unfit for what is too large to be stored, and StoreUnavailable.
    Firestore: what the store's method says; a new message 2 writes, 0 reads.
    """
    planned, result = _plan_copies(event, epoch_ms(now)), RecordResult()
    try:
        result = await _record(scope, planned, epoch_ms(now), sender)
        return result
    finally:  # a history with a message that is unfit stores all the others
        await _poke(scope, planned, result)


def scope_of_send(send: Send) -> LineScope:
    """Return the line and the number that a send was asked to leave through."""
    return LineScope(send.tenant, send.line, send.number)


def _news_of(event: RecordableEvent) -> tuple[LogPart, ...]:
    """Return which parts of the log an event is seen in."""
    match event:
        case SendAnswered() | SendMatched():
            return LogPart.MESSAGES, LogPart.SENDS
        case SendChanged():
            return (LogPart.SENDS,)
        case events.ContactNamed() | events.GroupNamed() | events.ReadByUs():
            return (LogPart.CONVERSATIONS,)
        case Said(message) if message.new_subject:
            return LogPart.MESSAGES, LogPart.CONVERSATIONS
        case _:
            return (LogPart.MESSAGES,)


def _plan_copies(event: RecordableEvent, now: int) -> RecordableEvent:
    """Return the event with its messages' files due, if this deployment has a bucket for them."""
    settings = config.settings()
    if settings.media_bucket is None:
        return event
    since = now - int(config.days(settings.media_history_days).total_seconds() * 1000)
    match event:
        case Said(message) | SendAnswered(message=message):  # however late it comes
            return replace(event, message=media_state.plan_copy(message, now, since=0))
        case Recalled(messages) | Backfilled(messages):
            several = (media_state.plan_copy(message, now, since) for message in messages)
            return replace(event, messages=tuple(several))
        case _:
            return event


async def _poke(scope: LineScope, event: RecordableEvent, result: RecordResult) -> None:
    """Say that there is news, and have the file of a new message copied at once.

    (Files of a history come with the tick.)
    """
    telling = services.poke(scope.tenant, *_news_of(event))
    match event:
        case Said(message) | SendAnswered(message=message) if result.new and message.media_due:
            copying = services.poke_media(scope.tenant, scope.line, message.id)
            await asyncio.gather(telling, copying)
        case _:  # alone: two tasks would cost every webhook more than most of these calls
            await telling


async def _record(
    scope: LineScope, event: RecordableEvent, now: int, sender: str | None
) -> RecordResult:
    match event:
        case Said() | Recalled() | Backfilled():
            return await _record_messages(scope, event, now, sender)
        case SendAnswered() | SendMatched() | SendChanged():
            return await _record_send(event, now)
        case events.ContactNamed() | events.GroupNamed():
            await _record_name(scope, event)
        case _:
            await _record_update(scope, event, now)
    return RecordResult()


async def _record_messages(
    scope: LineScope, event: Said | Recalled | Backfilled, now: int, sender: str | None
) -> RecordResult:
    store = services.store()
    match event:
        case Said(message) if message.from_me:
            echo = await store.messages.record_echo(scope, message, sender, now=now)
            return RecordResult(
                int(echo.new), unsettled=echo.unsettled, left_through=echo.left_through
            )
        case Said(message, fresh):
            if message.new_subject:
                at = second_of(message.at)
                await store.conversations.rename_group(
                    scope, message.contact, message.new_subject, at
                )
            unread = fresh and message.counts_unread
            is_new = await store.messages.record(scope, message, unread=unread, now=now)
            return RecordResult(int(is_new))
        case Recalled(messages):
            return RecordResult(await store.messages.record_history(scope, messages, now=now))
        case Backfilled(messages, window, doubtful):
            return RecordResult(
                await store.missed_windows.backfill(
                    scope, messages, window, now=now, doubtful=doubtful
                )
            )


async def _record_send(event: SendEvent, now: int) -> RecordResult:
    store = services.store()
    match event:
        case SendAnswered(send, message):
            sent, is_new = await store.sends.record_sent(send, message, now)
            return RecordResult(int(is_new), send=sent)
        case SendMatched(send, message_id, conversation):
            is_matched = await store.sends.match_message(send, message_id, conversation, now)
            return RecordResult(is_matched=is_matched)
        case SendChanged(old, new):
            return RecordResult(send=await store.sends.resolve(old, new))


async def _record_update(scope: LineScope, event: UpdateEvent, now: int) -> None:
    store = services.store()
    match event:
        case events.DeliveryMoved(message_id, delivery):
            await store.messages.advance_delivery(scope, message_id, delivery, now)
        case events.ReadByUs(message_id):
            await store.messages.record_reading(scope, message_id)
        case events.SendRefused(message_id):
            await store.messages.record_refusal(scope, message_id, now)
        case events.Reacted(target, actor, emoji, at, reaction_id):
            reaction = Reaction(emoji=emoji, at=at)
            await store.messages.record_reaction(scope, target, actor, reaction_id, reaction, now)
        case events.Voted(target, actor, options, at, vote_id):
            vote = Vote(options=tuple(mark_option(target, option) for option in options), at=at)
            await store.messages.record_vote(scope, target, actor, vote_id, vote, now)
        case events.Edited(message_id, text, at, key, by):
            edit = Edit(text=text, at=at, by=dict.fromkeys(by, True))
            await store.messages.record_edit(scope, message_id, key, edit, now)
            await store.messages.refresh_preview(scope, message_id, now)
        case events.EditedOutOfSight(message_id, at, key, by):
            edit = Edit(text=None, at=at, unseen=True, by=dict.fromkeys(by, True))
            await store.messages.record_edit(scope, message_id, key, edit, now)
        case events.Revoked(message_id, at, by, group):
            actors = (*by, member_of(group)) if group else by
            await store.messages.record_revocation(scope, message_id, at, actors, now)
            await store.messages.refresh_preview(scope, message_id, now)


async def _record_name(scope: LineScope, event: NameEvent) -> None:
    conversations = services.store().conversations
    match event:
        case events.ContactNamed(contact, name):
            await conversations.rename(scope, contact, name)
        case events.GroupNamed(group, subject, at):
            await conversations.rename_group(scope, group, subject, at)
