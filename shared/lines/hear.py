"""What a server told us is recorded, every event of it, or kept as a dead letter."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from shared import config, log, problems, services, untrusted
from shared.domain import events, names
from shared.domain.contacts import Contact
from shared.domain.events import Edited, Event, MessageEvent, Revoked
from shared.domain.instances import epoch_ms, number_at
from shared.domain.messages import Message, heard_by
from shared.domain.names import LineKey
from shared.domain.threads import Reaction, lid_in, ours_in
from shared.evolution import webhooks
from shared.evolution.webhooks import Wire
from shared.lines import changes, connecting, letters, people
from shared.lines.aside import do_some_at_a_time, run_aside
from shared.sending import settle, wrong_number
from shared.store import Through, Unfit
from shared.store.letters import LONGEST
from shared.webhook_token import Bearer

ByPhone = TypeVar("ByPhone", Edited, Revoked)
"""What our phone may have ordered."""

AT_ONCE = 32
"""Events of one webhook on their way into the store."""

ROOM = LONGEST // 2
"""Bytes of items (whose JSON is ASCII) that one dead letter holds, beside the envelope."""

PATIENCE = 20.0
"""Seconds; a server gives up on us after 30 and posts the event again (EVOLUTION.md §4)."""


async def hear(bearer: Bearer, raw: bytes, now: datetime) -> None:
    """Everything that the webhook tells is recorded; what nobody understands is a dead letter.

    Hearing it again changes nothing. Raises WebhookForged for an envelope of another instance,
    and StoreUnavailable before the sender loses patience.
    """
    key = names.line_key(config.settings().instance_prefix, bearer.name)
    if webhooks.instance_at_once(raw) not in (None, bearer.name):
        raise problems.WebhookForged()
    told = await run_aside(len(raw), webhooks.read, raw)
    if key is None or (told and told.instance != bearer.name):
        raise problems.WebhookForged()
    try:
        async with asyncio.timeout(PATIENCE):
            if told is None:
                await letters.bury(bearer.name, raw, "no webhook", now)
            else:
                await _Hearing(bearer, key, told, raw, now).all()
    except TimeoutError:
        raise problems.StoreUnavailable("Recording took too long.") from None


@dataclass(frozen=True)
class _Hearing:
    """One webhook on its way into the store."""

    bearer: Bearer
    key: LineKey
    told: Wire
    raw: bytes
    now: datetime

    async def all(self) -> None:
        """Every event, some at a time: their order says nothing. One that fails fails the whole."""
        told = await run_aside(len(self.raw), self._events)
        await do_some_at_a_time(AT_ONCE, self._record, told)

    def _events(self) -> list[Event]:
        """List what it tells, once; of what can't be read, as much together as a letter holds."""
        several, alone = list[Event](), list[events.Unreadable]()
        for event in dict.fromkeys(map(self._buried_once, self.told.meanings())):
            if isinstance(event, events.Unreadable) and event.item:
                alone.append(event)
            else:
                several.append(event)
        return [*several, *_bundled(alone)]

    def _buried_once(self, event: Event) -> Event:
        """Where the whole webhook can be kept, what can't be read of it isn't kept by itself."""
        if isinstance(event, events.Unreadable) and len(self.raw) <= LONGEST:
            return replace(event, item="")
        return event

    async def _record(self, event: Event) -> None:
        try:
            await self._take(event)
        except Unfit as unfit:
            for item in self._items(event, unfit):
                await self._bury(unfit.reason, None if item is None else [item])

    def _items(self, event: Event, unfit: Unfit) -> list[Any]:
        match event:
            case events.Edited(target) | events.Revoked(target):
                return [self.told.ordering(target)]
            case _:
                return [self.told.item(each) for each in unfit.args or (_message_of(event),)]

    async def _take(self, event: Event) -> None:
        match event:
            case events.Ignored(reason):
                log.happened("event.ignored", instance=self.bearer.name, reason=reason)
            case events.Unreadable(reason, item):
                await self._bury(reason, untrusted.read_lenient(f"[{item}]") if item else None)
            case events.ContactNamed(contact, name) | events.GroupNamed(contact, name):
                await self._named(contact, name)
            case (
                events.Said()
                | events.Recalled()
                | events.DeliveryMoved()
                | events.SendRefused()
                | events.Edited()
                | events.Revoked()
                | events.Reacted()
            ):
                await self._heard(event)
            case _:
                at = self.told.at(self.now)
                await connecting.record(self.bearer.name, self.bearer.born, event, at, self.now)

    async def _heard(self, event: MessageEvent) -> None:
        store, now = services.store(), epoch_ms(self.now)
        match event:
            case events.Said(message, fresh):
                await self._said(message, unread=fresh and not message.from_me)
            case events.Recalled(past):
                await self._recalled(past)
            case events.DeliveryMoved(message_id, delivery):
                await store.move(self._line, message_id, delivery, now)
            case events.SendRefused(message_id, restricted):
                await store.refuse(self._line, message_id, now)
                if restricted:
                    await settle.restrict(self.bearer.name)
            case events.Reacted(target, actor, emoji, at, reaction_id):
                reaction = Reaction(emoji=emoji, at=at)
                await store.react(self._line, target, actor, reaction_id, reaction, now)
            case events.Edited():
                await changes.edited(self._line, await self._our_phones(event), now)
            case events.Revoked():
                await changes.revoked(self._line, await self._our_phones(event), now)

    async def _said(self, message: Message, *, unread: bool) -> None:
        through = await self._through()
        if through is None:
            return await self._bury("own number unknown")
        now = epoch_ms(self.now)
        contact = await people.known(through, message.contact)
        known = heard_by(now, message.model_copy(update={"contact": contact}))
        if known.from_me:
            sender = self.told.own_number
            new, unsettled, wrong = await services.store().echo(through, known, sender, now=now)
            if wrong:
                await wrong_number.report(through.tenant, through.line, known.id)
            if unsettled:
                await settle.echoed(through.tenant, through.conversation(known.contact))
        else:
            new = await services.store().record(through, known, unread=unread, now=now)
        log.happened("message.stored" if new else "message.repeated", instance=self.bearer.name)
        return None

    async def _recalled(self, past: tuple[Message, ...]) -> None:
        through = await self._through()
        if through is None:
            return await self._bury("own number unknown")
        contacts = {each.contact: each.contact for each in past}

        async def learn(contact: Contact) -> None:
            contacts[contact] = await people.known(through, contact)

        await do_some_at_a_time(AT_ONCE, learn, list(contacts))
        now = epoch_ms(self.now)
        known = await run_aside(len(self.raw), _as_heard, past, contacts, now)
        new = await services.store().recall(through, known, now=now)
        log.happened("history.stored", instance=self.bearer.name, told=len(past), new=new)
        return None

    async def _bury(self, reason: str, items: list[Any] | None = None) -> None:
        """The webhook is a dead letter; only some `items` of it if the whole is too long."""
        raw = self.raw
        if items is not None:
            raw = await run_aside(len(raw), letters.about, self.told, raw, items)
        await letters.bury(self.bearer.name, raw, reason, self.now)

    async def _named(self, contact: Contact, name: str) -> None:
        if through := await self._through():
            await services.store().name(through, contact, name)

    async def _our_phones(self, event: ByPhone) -> ByPhone:
        """Our phone may have written it to a lid: in the chat of whoever is behind that.

        Firestore: 1 read for a bare lid.
        """
        through, lid = self._line, next(filter(None, map(lid_in, event.by)), None)
        known = await services.store().known_by(*through, lid) if lid else None
        return replace(event, by=(*event.by, ours_in(known.contact))) if known else event

    @property
    def _line(self) -> Through:
        """Enough to find a message by its id alone."""
        return Through(self.key.tenant, self.key.line, self.told.own_number or "")

    async def _through(self) -> Through | None:
        """The envelope says under which number; before the first pairing only our record can."""
        number = self.told.own_number
        if number is None:
            instance = await services.store().instance(self.bearer.name)
            number = number_at(instance, self.told.at(self.now)) if instance else None
        return Through(self.key.tenant, self.key.line, number) if number else None


def _as_heard(
    past: Iterable[Message], contacts: Mapping[Contact, Contact], now: int
) -> list[Message]:
    known = (each.model_copy(update={"contact": contacts[each.contact]}) for each in past)
    return [heard_by(now, each) for each in known]


def _bundled(several: Iterable[events.Unreadable]) -> Iterator[events.Unreadable]:
    """Put items of one reason together, in their order, as long as one letter holds them."""
    bundles, sizes = dict[str, list[str]](), Counter[str]()
    for event in several:
        bundle = bundles.setdefault(event.reason, [])
        if bundle and sizes[event.reason] + len(event.item) > ROOM:
            yield events.Unreadable(event.reason, ",".join(bundle))
            bundle.clear()
            sizes[event.reason] = 0
        bundle.append(event.item)
        sizes[event.reason] += len(event.item)
    for reason, bundle in bundles.items():
        yield events.Unreadable(reason, ",".join(bundle))


def _message_of(event: Event) -> str | None:
    """The id that the item which tells the event has."""
    match event:
        case events.Said(message):
            return message.id
        case events.Reacted():
            return event.id
        case _:
            return None
