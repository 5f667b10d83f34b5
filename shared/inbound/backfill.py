"""Fetch from a line's server the messages of a missed window: it keeps every message it posts."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from shared import log, recording, services
from shared.domain import events
from shared.domain.events import Event
from shared.domain.fleet import gaps
from shared.domain.fleet.gaps import Outage, Window
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Message, heard_by
from shared.domain.names import LineKey
from shared.domain.upstream import Connection, Sighting
from shared.inbound import apply_event
from shared.inbound.apply_event import EventSource
from shared.inbound.resolve_contact import resolve_contact
from shared.recording import Backfilled
from shared.store import LineScope
from shared.webhook_token import WebhookIdentity

MOST_PAGES = 40
"""Pages of one line in one go: others have their turn before the rest."""


class BackfillResult(Struct, frozen=True):
    """The number of missed messages that were found and stored.

    `complete`: the server had no more of that time that it doesn't list. `doubtful`: other messages
    may be lost that the server never stored. `rest`: the line as it has to be looked at again, for
    what didn't fit into one go.
    """

    messages: int = 0
    complete: bool = True
    doubtful: bool = False
    rest: Instance | None = None


async def backfill_line(
    line: Instance, sighting: Sighting | None = None, outages: Iterable[Outage] = ()
) -> BackfillResult:
    """Store every message that a line's server has kept since the last look, and its updates.

    `sighting`: the line in its server's last census; `outages`: when we may have been away. They
    tell where messages may be lost for good. Idempotent; bounded, and the next call continues.
    Raises the server's problems. Firestore: 1 read per message, and what storing costs.
    """
    window = gaps.window_of(line, services.now())
    if window is None:
        return BackfillResult()
    backfill = _Backfill(line, window, sighting, gaps.outage_in(window, line, outages))
    result, covered_until = await backfill.run()
    if result.messages:
        log.info("gap.recovered", instance=line.name, recovered=result.messages)
    if not result.complete:
        log.notice("gap.incomplete", instance=line.name)
        await services.store().missed_windows.mark_incomplete(
            backfill.scope, window, epoch_ms(services.now())
        )
    if result.doubtful:
        log.notice("gap.possibly_incomplete", instance=line.name)
        await services.store().missed_windows.mark_doubtful(
            backfill.scope, window, epoch_ms(services.now())
        )
    noted = await services.store().instances.change(
        line.name, lambda current: gaps.note_window(current, window, covered_until), services.now()
    )
    if noted is None or covered_until in (window.until, line.heard_until):
        return result
    rest = gaps.window_of(noted, services.now())
    return replace(result, rest=noted if rest and rest.since > window.since else None)


class _Backfill(Struct, frozen=True):
    """A backfill of one line; `outage`: when an outage of ours began, if there was one."""

    line: Instance
    window: Window
    sighting: Sighting | None
    outage: int | None

    @property
    def scope(self) -> LineScope:
        return LineScope(self.line.tenant, self.line.line, self.window.number)

    async def run(self) -> tuple[BackfillResult, int]:
        """Store page by page, the oldest first; return until when nothing is missing now, too."""
        line, window = self.line, self.window
        evolution = services.evolution(line.server)
        since, until = _moment(window.since), _moment(window.until)
        newest = await evolution.history(line.name, window.number, since, until)
        if newest is None:
            return BackfillResult(), line.heard_until
        running = await self._running_since() if newest.size or self.outage else None
        doubtful = self.outage is not None and not gaps.ran_through(running, self.outage)
        running = None if doubtful else running
        total, newest_stored = 0, window.since
        last = max(newest.pages, 1)
        first = max(last - MOST_PAGES + 1, 1)
        # Page 1 is the newest, so we count down: an interrupted run leaves no hole behind it.
        for number in range(last, first - 1, -1):
            page = (
                newest
                if number == 1
                else await evolution.history(line.name, window.number, since, until, number)
            )
            if page is None:
                return BackfillResult(total, doubtful=doubtful), line.heard_until
            stored, in_doubt = await self._store(page.events, running)
            total, doubtful = total + stored, doubtful or in_doubt
            newest_stored = min(max(newest_stored, page.newest_at), window.until)
        covered_until = window.until if first == 1 else gaps.resumed_at(newest_stored)
        return BackfillResult(total, complete=not newest.cut, doubtful=doubtful), covered_until

    async def _running_since(self) -> int | None:
        """Find since when the server has surely not been restarted; None if that is unknown.

        A restart opens every connection anew, which writes the instance's row; while it isn't open
        again, the server's memory says so and the row doesn't. 1.8 holds nothing back.
        Epoch milliseconds. Upstream: 1 call.
        """
        evolution, sighting = services.evolution(self.line.server), self.sighting
        if not evolution.capabilities.holds_edits_back:
            return 0
        if sighting is None or sighting.updated_at is None:
            return None
        connection = await evolution.find_connection(self.line.name)
        return epoch_ms(sighting.updated_at) if connection is Connection.OPEN else None

    async def _store(self, reported: tuple[Event, ...], running: int | None) -> tuple[int, bool]:
        """Store what is missing; return how many messages, and whether others may be lost."""
        now = services.now()
        messages = [await self._resolve(message, now) for message in _messages(reported)]
        sure = [message for message in messages if gaps.ran_through(running, message.at)]
        unsure = [message for message in messages if not gaps.ran_through(running, message.at)]
        in_doubt = await self._record(unsure, now, doubtful=True)
        stored = await self._record(sure, now)
        for event in reported:
            if await self._is_news(event):
                await apply_event.apply_event(self._source(epoch_ms(now)), event, now)
        return stored + in_doubt, in_doubt > 0

    async def _record(
        self, messages: list[Message], now: datetime, *, doubtful: bool = False
    ) -> int:
        event = Backfilled(tuple(messages), self.window, doubtful)
        return (await recording.record_event(self.scope, event, now)).new

    async def _resolve(self, message: Message, now: datetime) -> Message:
        contact = await resolve_contact(self.scope, message.contact)
        return heard_by(epoch_ms(now), message.model_copy(update={"contact": contact}))

    async def _is_news(self, event: Event) -> bool:
        """Tell whether an event changes a message, and isn't recorded already.

        Messages are none: they are stored before, marked as found in the window.
        Firestore: 1 read for an event that changes a message.
        """
        match event:
            case events.Reacted(target, actor, _, _, reaction_id):
                reactions = (await self._read_fields(target)).get("reactions", {})
                return reaction_id not in reactions.get(actor, {})
            case events.Voted(target, actor, _, _, vote_id):
                votes = (await self._read_fields(target)).get("votes", {})
                return vote_id not in votes.get(actor, {})
            case events.SendRefused(target):
                return not (await self._read_fields(target)).get("refused")
            case events.Edited(target) | events.EditedOutOfSight(target):
                return event.edit_key not in (await self._read_fields(target)).get("edits", {})
            case events.Revoked(target):
                revoked_by = (await self._read_fields(target)).get("revoked_by", {})
                return not {*event.by} <= revoked_by.keys()
            case _:
                return False

    async def _read_fields(self, message_id: str) -> Mapping[str, Any]:
        return await services.store().messages.read_fields(self.scope, message_id)

    def _source(self, now: int) -> EventSource:
        line = self.line
        identity = WebhookIdentity(line.name, line.born)
        return EventSource(identity, LineKey(line.tenant, line.line), self.window.number, now)


def _messages(reported: Iterable[Event]) -> list[Message]:
    """List the messages of histories, the oldest first."""
    messages = [
        message
        for event in reported
        if isinstance(event, events.Recalled)
        for message in event.messages
    ]
    return sorted(messages, key=lambda message: message.at)


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
