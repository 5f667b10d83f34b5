"""Resolve where a message goes: into a conversation, or to a number or group."""

import re
from datetime import datetime, timedelta

from msgspec import Struct

from shared import config, problems, services
from shared.domain import pacing, sends
from shared.domain.contacts import (
    Contact,
    ConversationId,
    contact_of,
    conversation_id,
    find_contact,
    is_conversation_id,
)
from shared.domain.conversations import Conversation
from shared.domain.instances import RESTRICTED_FOR, Instance, epoch_ms
from shared.domain.names import DEFAULT_LINE, LineId, LineKey, TenantId
from shared.lines import access, vanished
from shared.sending.requests import DestinationFields
from shared.validation import read_number

ALIAS_KEPT_FOR = timedelta(days=90)
"""How long the result of looking up a number is reused.

WhatsApp bans numbers that look up others by the hundred, so none is looked up twice.
"""

TRIES = 4

_NUMBER = re.compile(r"[1-9][0-9]{7,14}")


class Destination(Struct, frozen=True):
    """The line that sends, as it was read, and the conversation it sends into.

    `new`: the conversation has no messages yet, so a restricted line may not write there.
    """

    instance: Instance
    number: str
    contact: Contact
    conversation: ConversationId
    new: bool = False


def choose_address(contact: Contact) -> str:
    """Return the address to send to, by the number if we have it.

    Not every version of Evolution takes a lid (EVOLUTION.md §4).
    """
    return f"{contact.number}@s.whatsapp.net" if contact.number else contact.address


async def resolve_destination(
    tenant: TenantId, request: DestinationFields, now: datetime
) -> Destination:
    """Find the conversation and the line of a request, and check that it may send there now (P7).

    Raises the problems of tenants; RequestInvalid, ConversationUnknown, LineUnknown, and those of
    `require_speech`; for a new contact also NotOnWhatsapp, LineRestricted, NewContactsExhausted
    and the problems of servers. Firestore: 3 reads into an existing conversation.
    """
    match request:
        case DestinationFields(conversation=str(conversation), line=None, to=None):
            return await _resolve_conversation(tenant, conversation, now)
        case DestinationFields(conversation=None, to=str(to)):
            key = LineKey(tenant, request.line or DEFAULT_LINE)
            return await _resolve_recipient(key, to, now)
        case _:
            raise _request_invalid(
                "conversation", "either conversation, or to (and line) is needed"
            )


def require_speech(
    instance: Instance | None, number: str | None, now: datetime
) -> tuple[Instance, str]:
    """Return the line's instance and its number, if it may send, by `number` unless that is None.

    Raises LineReleased, LineInConflict, NumberChanged, LineNotOpen.
    """
    match sends.decide_speech(instance, number, now):
        case sends.Speakable(able, current):
            return able, current
        case sends.Gone():
            raise problems.LineReleased()
        case sends.Conflicted():
            raise problems.LineInConflict()
        case sends.AnotherNumber():
            raise problems.NumberChanged()
        case sends.NotOpen(state, soon):
            raise problems.LineNotOpen(f"It is {state.value}.", retry_after=2 if soon else None)


def require_speech_to(line: Instance | None, to: Destination, now: datetime) -> Instance:
    """Return the line's current record, if the line may still send to the destination.

    Raises what `require_speech` does, and LineRestricted.
    """
    able, _number = require_speech(line, to.number, now)
    if to.new and able.restricted(now):
        raise _line_restricted(able, now)
    return able


async def _resolve_conversation(tenant: TenantId, name: str, now: datetime) -> Destination:
    if not is_conversation_id(name):
        raise problems.ConversationUnknown()
    record, conversation = await services.store().conversations.find_with_tenant(
        tenant, ConversationId(name)
    )
    access.require_active(record)
    if conversation is None:
        raise problems.ConversationUnknown()
    instance = await services.store().instances.find(
        access.instance_name(LineKey(tenant, conversation.line))
    )
    able, number = require_speech(instance, conversation.number, now)
    return _existing_destination(able, number, conversation)


async def _resolve_recipient(key: LineKey, to: str, now: datetime) -> Destination:
    contact = _parse_recipient(to)
    record, instance = await services.store().instances.find_with_tenant(
        key.tenant, access.instance_name(key)
    )
    access.require_active(record)
    if instance is None:
        raise problems.LineUnknown()
    able, number = require_speech(instance, None, now)
    if conversation := await _find_conversation(key, number, contact):
        return _existing_destination(able, number, conversation)
    if contact.group:
        return _new_destination(able, number, contact)
    if contact.number is None:
        charged = await _take_new_contact_token(able, number, now)
        return _new_destination(charged, number, contact)
    return await _resolve_new_contact(able, number, contact, now)


async def _resolve_new_contact(
    instance: Instance, number: str, contact: Contact, now: datetime
) -> Destination:
    """Find the contact that WhatsApp has for a number the line has not written to yet.

    WhatsApp may spell the number otherwise, and a conversation with that spelling may exist.
    """
    store, key = services.store(), instance.key
    resolved = await store.aliases.find(key.tenant, key.line, contact.key)
    if resolved is None:
        charged = await _take_new_contact_token(instance, number, now)
        resolved = await _look_up_number(charged, contact)
        await store.aliases.store(key.tenant, key.line, contact.key, resolved, now + ALIAS_KEPT_FOR)
        instance = await _reload_instance(charged, number)
    elif instance.restricted(now):
        raise _line_restricted(instance, now)
    if conversation := await _find_conversation(key, number, resolved):
        return _existing_destination(instance, number, conversation)
    return _new_destination(instance, number, resolved)


async def _reload_instance(instance: Instance, number: str) -> Instance:
    """Return the line's record as it is after a slow call to a server.

    Raises the problems of tenants, and those of `require_speech`. Firestore: 2 reads.
    """
    tenant, current = await services.store().instances.find_with_tenant(
        instance.tenant, instance.name
    )
    access.require_active(tenant)
    able, _number = require_speech(current, number, services.now())
    return able


async def _take_new_contact_token(instance: Instance, number: str, now: datetime) -> Instance:
    """Count one more new contact against the line's daily allowance, and return its record.

    Raises LineRestricted, NewContactsExhausted, LineBusy, and those of `require_speech`.
    """
    rate = pacing.per_day(config.settings().send_new_contacts_per_day)
    current: Instance | None = instance
    for _ in range(TRIES):
        able, _number = require_speech(current, number, now)
        if able.restricted(now):
            raise _line_restricted(able, now)
        match pacing.take(able.reached_until, rate, epoch_ms(now)):
            case pacing.TooFast(again_at):
                wait = max(1, (again_at - epoch_ms(now)) // 1000)
                raise problems.NewContactsExhausted(retry_after=wait)
            case pacing.Taken(full_at):
                charged = able.model_copy(update={"reached_until": full_at})
                if stored := await services.store().instances.replace(able, charged):
                    return stored
        current = await services.store().instances.find(instance.name)
    raise problems.LineBusy()


async def _look_up_number(instance: Instance, contact: Contact) -> Contact:
    assert contact.number
    server = services.evolution(instance.server)
    results = await server.look_up_numbers(instance.name, [contact.number])
    if not results:
        await vanished.record_missing(instance.name)
        raise problems.LineNotOpen("The server doesn't carry the line any more.")
    if not results[0].exists:
        raise problems.NotOnWhatsapp()
    resolved = contact_of(results[0].jid, results[0].lid) or contact
    if resolved.number:
        return resolved
    # WhatsApp answered with a lid alone: the number is the one we asked for.
    return resolved.model_copy(update={"number": contact.number, "key": contact.key})


async def _find_conversation(key: LineKey, number: str, contact: Contact) -> Conversation | None:
    name = conversation_id(key.line, number, contact.key)
    return await services.store().conversations.find(key.tenant, name)


def _existing_destination(
    instance: Instance, number: str, conversation: Conversation
) -> Destination:
    contact = Contact(
        key=conversation.contact,
        address=conversation.address,
        number=conversation.contact_number,
        lid=conversation.lid,
        group=conversation.group,
    )
    return Destination(instance, number, contact, conversation.id)


def _new_destination(instance: Instance, number: str, contact: Contact) -> Destination:
    conversation = conversation_id(LineId(instance.line), number, contact.key)
    return Destination(instance, number, contact, conversation, new=not contact.group)


def _parse_recipient(to: str) -> Contact:
    """Parse an address, a contact's key, or a number in any spelling. Raises RequestInvalid."""
    try:
        contact = find_contact(to) or contact_of(read_number(to))
    except ValueError as error:
        raise _request_invalid("to", str(error)) from None
    if contact is None or (contact.number and not _NUMBER.fullmatch(contact.number)):
        raise _request_invalid("to", "is no number's and no group's address")
    return contact


def _request_invalid(field: str, message: str) -> problems.Problem:
    return problems.RequestInvalid(errors=[{"field": field, "message": message}])


def _line_restricted(instance: Instance, now: datetime) -> problems.Problem:
    assert instance.restricted_at
    remaining = instance.restricted_at + RESTRICTED_FOR - now
    return problems.LineRestricted(retry_after=int(remaining.total_seconds()))
