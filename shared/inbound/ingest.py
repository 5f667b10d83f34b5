"""Ingest a webhook: record every event that it reports, or keep it as a dead letter."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import Any

from msgspec import Struct

from shared import config, problems, untrusted
from shared.domain import events, names
from shared.domain.events import Event, LetterReason
from shared.domain.names import LineKey
from shared.evolution.events.envelope import Envelope, read_envelope, read_instance_name
from shared.inbound import PATIENCE, apply_event, dead_letters
from shared.inbound.apply_event import EventSource, Inapplicable
from shared.inbound.concurrency import run_aside, run_some_at_a_time
from shared.store import Unfit
from shared.store.dead_letters import LONGEST
from shared.webhook_token import WebhookIdentity

AT_ONCE = 32
"""Events of one webhook on their way into the store."""

ROOM = LONGEST // 2
"""Bytes of items (whose JSON is ASCII) that one dead letter holds, beside the envelope."""


async def ingest_webhook(identity: WebhookIdentity, raw: bytes, now: datetime) -> None:
    """Record every event of a webhook, and keep what is unreadable as a dead letter.

    Idempotent. Raises WebhookForged for an envelope of another instance, and StoreUnavailable
    before the sender loses patience.
    """
    key = names.line_key(config.settings().instance_prefix, identity.name)
    if read_instance_name(raw) not in (None, identity.name):
        raise problems.WebhookForged()
    envelope = await run_aside(len(raw), read_envelope, raw)
    if key is None or (envelope and envelope.instance != identity.name):
        raise problems.WebhookForged()
    try:
        async with asyncio.timeout(PATIENCE):
            if envelope is None:
                await dead_letters.store_dead_letter(identity.name, raw, "no webhook", now)
            else:
                await _Ingestion(identity, key, envelope, raw, now).record_all()
    except TimeoutError:
        raise problems.StoreUnavailable("Recording took too long.") from None


class _Ingestion(Struct, frozen=True, dict=True):
    """A webhook on its way into the store."""

    identity: WebhookIdentity
    key: LineKey
    envelope: Envelope
    raw: bytes
    now: datetime

    async def record_all(self) -> None:
        """Record every event, some at a time: their order means nothing.

        Raises what the first event raises that can't be recorded: then the sender posts it again.
        """
        reported = await run_aside(len(self.raw), self._list_events)
        await run_some_at_a_time(AT_ONCE, self._record, reported)

    def _list_events(self) -> list[Event]:
        """List the events, each once; unreadable ones in bundles that fit into a dead letter."""
        readable, unreadable = list[Event](), list[events.Unreadable]()
        for event in dict.fromkeys(map(self._without_kept_item, self.envelope.events())):
            if isinstance(event, events.Unreadable) and event.item:
                unreadable.append(event)
            else:
                readable.append(event)
        return [*readable, *_bundle(unreadable)]

    def _without_kept_item(self, event: Event) -> Event:
        """Leave out the unreadable item of a webhook that is small enough to be kept whole."""
        if isinstance(event, events.Unreadable) and len(self.raw) <= LONGEST:
            return replace(event, item="")
        return event

    async def _record(self, event: Event) -> None:
        try:
            await apply_event.apply_event(self._source, event, self.now)
        except Inapplicable as failure:
            await self._store_dead_letter(failure.reason, _unreadable_items(event))
        except Unfit as unfit:
            for item in self._unfit_items(event, unfit):
                await self._store_dead_letter(unfit.reason, None if item is None else [item])

    @cached_property
    def _source(self) -> EventSource:
        return EventSource(
            self.identity,
            self.key,
            self.envelope.own_number,
            self.envelope.occurred_at(self.now),
            len(self.raw),
        )

    def _unfit_items(self, event: Event, unfit: Unfit) -> list[Any]:
        match event:
            case events.Edited(target) | events.EditedOutOfSight(target) | events.Revoked(target):
                return [self.envelope.find_order(target)]
            case _:
                message_ids = unfit.args or (_message_id(event),)
                return [self.envelope.find_item(message_id) for message_id in message_ids]

    async def _store_dead_letter(self, reason: LetterReason, items: list[Any] | None) -> None:
        """Keep the webhook as a dead letter; only some `items` of it if the whole is too long."""
        raw = self.raw
        if items is not None:
            raw = await run_aside(len(raw), dead_letters.narrow, self.envelope, raw, items)
        await dead_letters.store_dead_letter(self.identity.name, raw, reason, self.now)


def _unreadable_items(event: Event) -> list[Any] | None:
    """Return the items that a bundle of unreadable events holds; None for the whole webhook."""
    if isinstance(event, events.Unreadable) and event.item:
        items: list[Any] = untrusted.read_lenient(f"[{event.item}]")
        return items
    return None


def _bundle(unreadable: Iterable[events.Unreadable]) -> Iterator[events.Unreadable]:
    """Join items of one reason, in their order, as long as one dead letter holds them."""
    bundles, sizes = dict[LetterReason, list[str]](), Counter[LetterReason]()
    for event in unreadable:
        bundle = bundles.setdefault(event.reason, [])
        if bundle and sizes[event.reason] + len(event.item) > ROOM:
            yield events.Unreadable(event.reason, ",".join(bundle))
            bundle.clear()
            sizes[event.reason] = 0
        bundle.append(event.item)
        sizes[event.reason] += len(event.item)
    for reason, bundle in bundles.items():
        yield events.Unreadable(reason, ",".join(bundle))


def _message_id(event: Event) -> str | None:
    """Return the id that the event's item has in its envelope."""
    match event:
        case events.Said(message):
            return message.id
        case events.Reacted() | events.Voted():
            return event.id
        case _:
            return None
