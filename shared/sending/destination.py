"""Where a message goes: into a conversation, or to somebody whom one has yet to find."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import config, problems, services
from shared.domain import contacts, pacing, sends
from shared.domain.contacts import (
    Contact,
    ConversationId,
    contact_of,
    conversation_id,
    is_conversation_id,
)
from shared.domain.instances import RESTRICTED_FOR, Instance, epoch_ms
from shared.domain.names import DEFAULT_LINE, LineId, LineKey, TenantId
from shared.domain.threads import Conversation
from shared.lines import entry, vanished
from shared.sending.requests import Somewhere

ALIAS_KEPT_FOR = timedelta(days=90)
"""Looking numbers up by the hundred gets a number banned, so none is looked up twice."""

TRIES = 4


@dataclass(frozen=True)
class Destination:
    """The line that speaks, as it was found, and the conversation it speaks into.

    `new`: nobody ever spoke there, and a restricted line may not begin.
    """

    instance: Instance
    number: str
    contact: Contact
    conversation: ConversationId
    new: bool = False


def address_of(contact: Contact) -> str:
    """What a server takes; the number where it is known: not every version knows lids (§4)."""
    return f"{contact.number}@s.whatsapp.net" if contact.number else contact.address


async def find(tenant: TenantId, asked: Somewhere, now: datetime) -> Destination:
    """Where it goes, and that the line may speak there now (P7).

    Raises the problems of tenants; RequestInvalid, ConversationUnknown, LineUnknown, and why the
    line can't speak; for somebody new besides NotOnWhatsapp, LineRestricted, NewContactsExhausted
    and the problems of servers. Firestore: 3 reads into a conversation.
    """
    match asked:
        case Somewhere(conversation=str(conversation), line=None, to=None):
            return await _into(tenant, conversation, now)
        case Somewhere(conversation=None, to=str(to)):
            return await _to(LineKey(tenant, asked.line or DEFAULT_LINE), to, now)
        case _:
            raise _invalid("conversation", "either conversation, or to (and line) is needed")


def speaking(instance: Instance | None, number: str | None, now: datetime) -> tuple[Instance, str]:
    """The line and its number, if it may speak. Raises why it may not."""
    match sends.decide_speech(instance, number, now):
        case sends.Speakable(able, known):
            return able, known
        case sends.Gone():
            raise problems.LineReleased()
        case sends.Conflicted():
            raise problems.LineInConflict()
        case sends.AnotherNumber():
            raise problems.NumberChanged()
        case sends.NotOpen(state, soon):
            raise problems.LineNotOpen(f"It is {state.value}.", retry_after=2 if soon else None)


def require_speech(line: Instance | None, to: Destination, now: datetime) -> Instance:
    """Return the line's record, as it is now, if the line may still speak there.

    Raises why the line can't speak, and LineRestricted.
    """
    able, _number = speaking(line, to.number, now)
    if to.new and able.restricted(now):
        raise _restricted(able, now)
    return able


async def _into(tenant: TenantId, name: str, now: datetime) -> Destination:
    if not is_conversation_id(name):
        raise problems.ConversationUnknown()
    kept, of = await services.store().opened(tenant, ConversationId(name))
    entry.check(kept)
    if of is None:
        raise problems.ConversationUnknown()
    instance = await services.store().instance(entry.name_of(LineKey(tenant, of.line)))
    able, number = speaking(instance, of.number, now)
    return _known(able, number, of)


async def _to(key: LineKey, to: str, now: datetime) -> Destination:
    contact = _written(to)
    kept, instance = await services.store().look(key.tenant, entry.name_of(key))
    entry.check(kept)
    if instance is None:
        raise problems.LineUnknown()
    able, number = speaking(instance, None, now)
    if of := await _conversation(key, number, contact):
        return _known(able, number, of)
    if contact.group:
        return _new(able, number, contact)
    if contact.number is None:
        return _new(await _reach(able, number, now), number, contact)
    return await _somebody_new(able, number, contact, now)


async def _somebody_new(
    instance: Instance, number: str, contact: Contact, now: datetime
) -> Destination:
    """Whoever WhatsApp says is behind the number; maybe somebody known by another spelling."""
    store, key = services.store(), instance.key
    found = await store.alias(key.tenant, key.line, contact.key)
    if found is None:
        reached = await _reach(instance, number, now)
        found = await _looked_up(reached, contact)
        await store.learn(key.tenant, key.line, contact.key, found, now + ALIAS_KEPT_FOR)
        instance = await _look_again(reached, number)
    elif instance.restricted(now):
        raise _restricted(instance, now)
    of = await _conversation(key, number, found)
    return _known(instance, number, of) if of else _new(instance, number, found)


async def _look_again(instance: Instance, number: str) -> Instance:
    """Return the line's record after something slow: much may have happened meanwhile.

    Raises the problems of tenants, and why the line can't speak. Firestore: 2 reads.
    """
    tenant, current = await services.store().look(instance.tenant, instance.name)
    entry.check(tenant)
    able, _number = speaking(current, number, services.now())
    return able


async def _reach(instance: Instance, number: str, now: datetime) -> Instance:
    """One more new contact is noted, if the line may still write to one."""
    rate = pacing.per_day(config.settings().send_new_contacts_per_day)
    current: Instance | None = instance
    for _ in range(TRIES):
        able, _number = speaking(current, number, now)
        if able.restricted(now):
            raise _restricted(able, now)
        match pacing.take(able.reached_until, rate, epoch_ms(now)):
            case pacing.TooFast(again_at):
                wait = max(1, (again_at - epoch_ms(now)) // 1000)
                raise problems.NewContactsExhausted(retry_after=wait)
            case pacing.Taken(full_at):
                noted = able.model_copy(update={"reached_until": full_at})
                if reached := await services.store().replace(able, noted):
                    return reached
        current = await services.store().instance(instance.name)
    raise problems.LineBusy()


async def _looked_up(instance: Instance, contact: Contact) -> Contact:
    assert contact.number
    server = services.evolution(instance.server)
    found = await server.numbers_on_whatsapp(instance.name, [contact.number])
    if not found:
        await vanished.record_missing(instance.name)
        raise problems.LineNotOpen("The server doesn't carry the line any more.")
    if not found[0].exists:
        raise problems.NotOnWhatsapp()
    known = contact_of(found[0].jid, found[0].lid) or contact
    return known if known.number else known.model_copy(update=_numbered(contact))


def _numbered(contact: Contact) -> dict[str, object]:
    """WhatsApp answered with a lid; we know the number that we asked for."""
    return {"number": contact.number, "key": contact.key}


async def _conversation(key: LineKey, number: str, contact: Contact) -> Conversation | None:
    name = conversation_id(key.line, number, contact.key)
    return await services.store().conversation(key.tenant, name)


def _known(instance: Instance, number: str, of: Conversation) -> Destination:
    contact = Contact(
        key=of.contact, address=of.address, number=of.contact_number, lid=of.lid, group=of.group
    )
    return Destination(instance, number, contact, of.id)


def _new(instance: Instance, number: str, contact: Contact) -> Destination:
    home = conversation_id(LineId(instance.line), number, contact.key)
    return Destination(instance, number, contact, home, new=not contact.group)


def _written(to: str) -> Contact:
    """Whoever an address, or a number in any spelling, is of."""
    address = to.strip()
    found = contact_of(address if "@" in address else contacts.digits(address))
    digits = found.number if found else None
    if found is None or (digits and not re.fullmatch(r"[1-9][0-9]{7,14}", digits)):
        raise _invalid("to", "is no number with its country code, and no group's address")
    return found


def _invalid(field: str, message: str) -> problems.Problem:
    return problems.RequestInvalid(errors=[{"field": field, "message": message}])


def _restricted(instance: Instance, now: datetime) -> problems.Problem:
    assert instance.restricted_at
    left = instance.restricted_at + RESTRICTED_FOR - now
    return problems.LineRestricted(retry_after=int(left.total_seconds()))
