"""Apply events to the records: the one dispatcher for webhooks, replays and what backfills change.

New messages of a backfill, and those that we send, are stored by `backfill` and `sending`
themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from shared import log, services
from shared.domain import events
from shared.domain.contacts import Contact
from shared.domain.conversations import Edit, Reaction, lid_in, member_of, ours_in
from shared.domain.events import Edited, Event, MessageEvent, Revoked
from shared.domain.instances import epoch_ms, number_at
from shared.domain.messages import Message, heard_by
from shared.domain.names import LineKey
from shared.inbound import connection_events
from shared.inbound.concurrency import run_aside, run_some_at_a_time
from shared.inbound.resolve_contact import resolve_contact
from shared.sending import reconcile, wrong_number
from shared.store import LineScope
from shared.webhook_token import WebhookIdentity

Order = TypeVar("Order", Edited, Revoked)
"""An event that our own phone may have ordered."""

LOOKUPS_AT_ONCE = 32
"""Contacts of one history that are resolved at the same time."""


class Inapplicable(Exception):
    """The event can't be applied, for this reason: its report becomes a dead letter."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class EventSource:
    """The instance that reports events, and the line that it carries.

    `own_number`: the number that the line is paired with, if the report says so. `at`: the time of
    the report on the server's clock (epoch milliseconds). `size`: the bytes of the report.
    """

    identity: WebhookIdentity
    line: LineKey
    own_number: str | None
    at: int
    size: int = 0

    @property
    def scope(self) -> LineScope:
        """Return the line's scope, perhaps without a number: an id is enough to find a message."""
        return LineScope(self.line.tenant, self.line.line, self.own_number or "")


async def apply_event(source: EventSource, event: Event, now: datetime) -> None:
    """Record what one event reports. Idempotent, in any order.

    Raises Inapplicable for an event that is unreadable or whose own number is unknown, Unfit for a
    message that the store can't take, and StoreUnavailable.
    """
    match event:
        case events.Ignored(reason):
            log.info("event.ignored", instance=source.identity.name, reason=reason)
        case events.Unreadable(reason):
            raise Inapplicable(reason)
        case events.ContactNamed(contact, name) | events.GroupNamed(contact, name):
            if scope := await _find_scope(source):
                await services.store().conversations.rename(scope, contact, name)
        case (
            events.Said()
            | events.Recalled()
            | events.DeliveryMoved()
            | events.SendRefused()
            | events.Edited()
            | events.Revoked()
            | events.Reacted()
        ):
            await _apply_message_event(source, event, now)
        case _:
            await connection_events.record_connection_event(source.identity, event, source.at, now)


async def _apply_message_event(source: EventSource, event: MessageEvent, now: datetime) -> None:
    store, scope, now_ms = services.store(), source.scope, epoch_ms(now)
    match event:
        case events.Said(message, fresh):
            await _record_message(source, message, now, unread=fresh and not message.from_me)
        case events.Recalled(messages):
            await _record_history(source, messages, now)
        case events.DeliveryMoved(message_id, delivery):
            await store.messages.advance_delivery(scope, message_id, delivery, now_ms)
        case events.SendRefused(message_id, restricted):
            await store.messages.record_refusal(scope, message_id, now_ms)
            if restricted:
                await reconcile.record_restriction(source.identity.name)
        case events.Reacted(target, actor, emoji, at, reaction_id):
            reaction = Reaction(emoji=emoji, at=at)
            await store.messages.record_reaction(
                scope, target, actor, reaction_id, reaction, now_ms
            )
        case events.Edited():
            await apply_edit(scope, await _add_our_phone(scope, event), now_ms)
        case events.Revoked():
            await apply_revocation(scope, await _add_our_phone(scope, event), now_ms)


async def apply_edit(scope: LineScope, event: Edited, now: int) -> None:
    """Change a message's text, if its author ordered it, wherever the text is shown.

    `now`: epoch milliseconds. Raises Unfit.
    """
    edit = Edit(text=event.text, at=event.at, by=dict.fromkeys(event.by, True))
    await services.store().messages.record_edit(scope, event.id, event.edit_key, edit, now)
    await services.store().messages.refresh_preview(scope, event.id, now)


async def apply_revocation(scope: LineScope, event: Revoked, now: int) -> None:
    """Take a message back, if its author or the group's member ordered it, wherever it is shown.

    `now`: epoch milliseconds.
    """
    by = (*event.by, member_of(event.group)) if event.group else event.by
    await services.store().messages.record_revocation(scope, event.id, event.at, by, now)
    await services.store().messages.refresh_preview(scope, event.id, now)


async def _add_our_phone(scope: LineScope, event: Order) -> Order:
    """Add our phone to those who may have ordered the event, if it wrote in the chat of a lid.

    Firestore: 1 read for a bare lid.
    """
    lid = next(filter(None, map(lid_in, event.by)), None)
    conversation = await services.store().conversations.find_by_lid(*scope, lid) if lid else None
    if conversation is None:
        return event
    return replace(event, by=(*event.by, ours_in(conversation.contact)))


async def _record_message(
    source: EventSource, message: Message, now: datetime, *, unread: bool
) -> None:
    scope, now_ms = await _require_scope(source), epoch_ms(now)
    contact = await resolve_contact(scope, message.contact)
    received = heard_by(now_ms, message.model_copy(update={"contact": contact}))
    if received.from_me:
        new, unsettled, wrong = await services.store().messages.record_echo(
            scope, received, source.own_number, now=now_ms
        )
        if wrong:
            await wrong_number.report_wrong_number(scope.tenant, scope.line, received.id)
        if unsettled:
            await reconcile.match_echo(scope.tenant, scope.conversation_id(received.contact))
    else:
        new = await services.store().messages.record(scope, received, unread=unread, now=now_ms)
    log.info("message.stored" if new else "message.repeated", instance=source.identity.name)


async def _record_history(
    source: EventSource, messages: tuple[Message, ...], now: datetime
) -> None:
    scope, now_ms = await _require_scope(source), epoch_ms(now)
    contacts = {message.contact: message.contact for message in messages}

    async def resolve(contact: Contact) -> None:
        contacts[contact] = await resolve_contact(scope, contact)

    await run_some_at_a_time(LOOKUPS_AT_ONCE, resolve, list(contacts))
    received = await run_aside(source.size, _with_contacts, messages, contacts, now_ms)
    new = await services.store().messages.record_history(scope, received, now=now_ms)
    log.info("history.stored", instance=source.identity.name, told=len(messages), new=new)


def _with_contacts(
    messages: Iterable[Message], contacts: Mapping[Contact, Contact], now: int
) -> list[Message]:
    return [
        heard_by(now, message.model_copy(update={"contact": contacts[message.contact]}))
        for message in messages
    ]


async def _require_scope(source: EventSource) -> LineScope:
    """Return the line's scope with its number. Raises Inapplicable if that is unknown."""
    if scope := await _find_scope(source):
        return scope
    raise Inapplicable("own number unknown")


async def _find_scope(source: EventSource) -> LineScope | None:
    """Return the line's scope with its number: the report's, or before the first pairing ours.

    Firestore: 1 read if the report has none.
    """
    number = source.own_number
    if number is None:
        instance = await services.store().instances.find(source.identity.name)
        number = number_at(instance, source.at) if instance else None
    return LineScope(source.line.tenant, source.line.line, number) if number else None
