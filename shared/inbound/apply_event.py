"""Apply the events of webhooks and replays, and of backfills what changes messages."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from shared import log, recording, services
from shared.domain import events
from shared.domain.contacts import Contact
from shared.domain.events import (
    Edited,
    EditedOutOfSight,
    Event,
    LetterReason,
    Recalled,
    Revoked,
    Said,
)
from shared.domain.instances import epoch_ms, number_at
from shared.domain.kept_messages import lid_in, ours_in
from shared.domain.messages import Message, dated_by_wall_clock, heard_by
from shared.domain.names import LineKey
from shared.inbound import connection_events
from shared.inbound.concurrency import run_aside, run_some_at_a_time
from shared.inbound.resolve_contact import resolve_contact
from shared.sending import reconcile, wrong_number
from shared.store import LineScope
from shared.webhook_token import WebhookIdentity

Order = Edited | EditedOutOfSight | Revoked
"""An event that our own phone may have ordered."""

LOOKUPS_AT_ONCE = 32
"""Contacts of one history that are resolved at the same time."""


class Inapplicable(Exception):
    """The event can't be applied, for this reason: its report becomes a dead letter."""

    def __init__(self, reason: LetterReason) -> None:
        super().__init__(reason)
        self.reason = reason


class EventSource(Struct, frozen=True):
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
    """Record what one event reports, and do what follows from it. Idempotent, in any order.

    Raises Inapplicable for an event that is unreadable or whose own number is unknown, Unfit for a
    message that the store can't take, and StoreUnavailable.
    """
    match event:
        case events.Ignored(reason):
            log.info("event.ignored", instance=source.identity.name, reason=reason)
        case events.Unreadable(reason):
            raise Inapplicable(reason)
        case events.ContactNamed() | events.GroupNamed():
            if scope := await _find_scope(source):
                await recording.record_event(scope, event, now)
        case events.Said():
            await _record_message(source, event, now)
        case events.Recalled(messages):
            await _record_history(source, messages, now)
        case events.Edited() | events.EditedOutOfSight() | events.Revoked():
            order = await _add_our_phone(source.scope, event)
            await recording.record_event(source.scope, order, now)
        case (
            events.DeliveryMoved()
            | events.ReadByUs()
            | events.SendRefused()
            | events.Reacted()
            | events.Voted()
        ):
            await recording.record_event(source.scope, event, now)
            if isinstance(event, events.SendRefused) and event.restricted:
                await reconcile.record_restriction(source.identity.name)
        case _:
            await connection_events.record_connection_event(source.identity, event, source.at, now)


async def _add_our_phone(scope: LineScope, event: Order) -> Order:
    """Add our phone to those who may have ordered the event, if it wrote in the chat of a lid.

    Firestore: 1 read for a bare lid.
    """
    lid = next(filter(None, map(lid_in, event.by)), None)
    conversation = await services.store().conversations.find_by_lid(*scope, lid) if lid else None
    if conversation is None:
        return event
    return replace(event, by=(*event.by, ours_in(conversation.contact)))


async def _record_message(source: EventSource, event: Said, now: datetime) -> None:
    scope = await _require_scope(source)
    contact = await resolve_contact(scope, event.message.contact)
    message = event.message.model_copy(update={"contact": contact})
    date = dated_by_wall_clock if event.by_wall_clock else heard_by
    message = date(epoch_ms(now), message)
    event = replace(event, message=message)
    result = await recording.record_event(scope, event, now, source.own_number)
    if result.left_through:
        await wrong_number.report_wrong_number(scope.tenant, scope.line, message.id)
    if result.unsettled:
        await reconcile.match_echo(scope.tenant, scope.conversation_id(contact))
    outcome = "message.stored" if result.new else "message.repeated"
    log.info(outcome, instance=source.identity.name)


async def _record_history(
    source: EventSource, messages: tuple[Message, ...], now: datetime
) -> None:
    scope = await _require_scope(source)
    contacts = {message.contact: message.contact for message in messages}

    async def resolve(contact: Contact) -> None:
        contacts[contact] = await resolve_contact(scope, contact)

    await run_some_at_a_time(LOOKUPS_AT_ONCE, resolve, list(contacts))
    received = await run_aside(source.size, _with_contacts, messages, contacts, epoch_ms(now))
    result = await recording.record_event(scope, Recalled(received), now)
    log.info("history.stored", instance=source.identity.name, told=len(messages), new=result.new)


def _with_contacts(
    messages: Iterable[Message], contacts: Mapping[Contact, Contact], now: int
) -> tuple[Message, ...]:
    return tuple(
        heard_by(now, message.model_copy(update={"contact": contacts[message.contact]}))
        for message in messages
    )


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
