"""What a server told us is recorded, every event of it, or kept as a dead letter."""

import asyncio
import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

from shared import config, log, problems, services
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
from shared.sending import settle
from shared.store import Through, Unfit
from shared.store.letters import LONGEST
from shared.webhook_token import Bearer

ByPhone = TypeVar("ByPhone", Edited, Revoked)
"""What our phone may have ordered."""

AT_ONCE = 32
"""Events of one webhook on their way into the store."""

PATIENCE = 20.0
"""Seconds; a server gives up on us after 30 and posts the event again (EVOLUTION.md §4)."""


async def hear(bearer: Bearer, raw: bytes, now: datetime) -> None:
    """Everything that the webhook tells is recorded; what nobody understands is a dead letter.

    Hearing it again changes nothing. Raises WebhookForged for an envelope of another instance,
    and StoreUnavailable before the sender loses patience.
    """
    key = names.line_key(config.settings().instance_prefix, bearer.name)
    told = webhooks.read(raw)
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
        room = asyncio.Semaphore(AT_ONCE)

        async def one(event: Event) -> None:
            async with room:
                await self._record(event)

        told = dict.fromkeys(map(self._buried_once, self.told.meanings()))
        outcomes = await asyncio.gather(*map(one, told), return_exceptions=True)
        for failure in filter(None, outcomes):
            raise failure

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
                await self._bury(unfit.reason, item)

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
                await self._bury(reason, json.loads(item) if item else None)
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
            new, unsettled = await services.store().echo(through, known, now=now)
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
        for contact in contacts:
            contacts[contact] = await people.known(through, contact)
        now = epoch_ms(self.now)
        known = [each.model_copy(update={"contact": contacts[each.contact]}) for each in past]
        known = [heard_by(now, each) for each in known]
        new = await services.store().recall(through, known, now=now)
        log.happened("history.stored", instance=self.bearer.name, told=len(past), new=new)
        return None

    async def _bury(self, reason: str, item: Any = None) -> None:
        """The webhook is a dead letter; only an `item` of it if the whole is too long."""
        raw = self.raw if item is None else letters.about(self.told, self.raw, item)
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


def _message_of(event: Event) -> str | None:
    """The id that the item which tells the event has."""
    match event:
        case events.Said(message):
            return message.id
        case events.Reacted():
            return event.id
        case _:
            return None
