"""What a line missed is fetched from its server, which keeps every message that it posts."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared import log, services
from shared.domain import events
from shared.domain.events import Event
from shared.domain.fleet import gaps
from shared.domain.fleet.gaps import Outage, Window
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Message, heard_by
from shared.domain.threads import Reaction
from shared.domain.upstream import Connection, Sighting
from shared.evolution import kept
from shared.lines import changes, people
from shared.store import Through

MOST_PAGES = 40
"""Of one line in one go; the next one goes on there."""


@dataclass(frozen=True)
class Recovered:
    """So many messages were missing; `complete` unless its server had more that it never tells.

    `doubtful`: others may be lost that its server never stored.
    """

    messages: int = 0
    complete: bool = True
    doubtful: bool = False


async def recover(
    line: Instance, sighting: Sighting | None = None, outages: Iterable[Outage] = ()
) -> Recovered:
    """Every message that its server keeps since it was last looked at is kept here too, in order,
    and what became of it.

    `sighting`: the line in its server's last census; `outages`: when we may have been away. By them
    it is told where messages may be lost for good.

    Safe to call any number of times; bounded, and the next call goes on.
    Raises the server's problems. Firestore: 1 read per message, and what storing costs.
    """
    window = gaps.window_of(line, services.now())
    if window is None:
        return Recovered()
    look = _Look(line, window, sighting, gaps.outage_in(window, line, outages))
    recovered, heard_until = await look.fetch()
    if recovered.messages:
        log.happened("gap.recovered", instance=line.name, recovered=recovered.messages)
    if not recovered.complete:
        log.refused("gap.incomplete", instance=line.name)
        await services.store().leave_open(look.through, window, epoch_ms(services.now()))
    if recovered.doubtful:
        log.refused("gap.possibly_incomplete", instance=line.name)
        await services.store().leave_in_doubt(look.through, window, epoch_ms(services.now()))
    await services.store().change(
        line.name, lambda current: gaps.heard(current, window, heard_until), services.now()
    )
    return recovered


@dataclass(frozen=True)
class _Look:
    """One look at what a line's server keeps; `outage` is when one of ours began, if there was."""

    line: Instance
    window: Window
    sighting: Sighting | None
    outage: int | None

    @property
    def through(self) -> Through:
        return Through(self.line.tenant, self.line.line, self.window.number)

    async def fetch(self) -> tuple[Recovered, int]:
        """From the oldest page on: how many were missing, and until when nothing is now."""
        line, window = self.line, self.window
        evolution = services.evolution(line.server)
        since, until = _moment(window.since), _moment(window.until)
        newest = await evolution.messages(line.name, since, until)
        if newest is None:
            return Recovered(), line.heard_until
        running = await self._running_since() if newest.records or self.outage else None
        doubtful = self.outage is not None and not gaps.ran_through(running, self.outage)
        running = None if doubtful else running
        recovered, reached = 0, window.since
        last = max(newest.pages, 1)
        first = max(last - MOST_PAGES + 1, 1)
        for number in range(last, first - 1, -1):
            page = (
                newest if number == 1 else await evolution.messages(line.name, since, until, number)
            )
            if page is None:
                return Recovered(recovered, doubtful=doubtful), line.heard_until
            told = kept.meanings(reversed(page.records), window.number)
            found, in_doubt = await self._store(told, running)
            recovered, doubtful = recovered + found, doubtful or in_doubt
            reached = min(max(reached, kept.newest(page.records)), window.until)
        mark = window.until if first == 1 else gaps.resumed_at(reached)
        return Recovered(recovered, complete=not newest.cut, doubtful=doubtful), mark

    async def _running_since(self) -> int | None:
        """Find since when its server has surely not been restarted; None: nobody knows.

        A restart opens every connection anew, which writes the instance's row; while it isn't open
        again, the server's memory says so and the row doesn't. 1.8 holds nothing back.
        Epoch milliseconds. Upstream: 1 call.
        """
        evolution, sighting = services.evolution(self.line.server), self.sighting
        if not evolution.holds_back:
            return 0
        if sighting is None or sighting.updated_at is None:
            return None
        connection = await evolution.connection(self.line.name)
        return epoch_ms(sighting.updated_at) if connection is Connection.OPEN else None

    async def _store(self, told: tuple[Event, ...], running: int | None) -> tuple[int, bool]:
        """Keep what was missing: how many, and whether others of that time may be lost."""
        store, now = services.store(), epoch_ms(services.now())
        said = [
            heard_by(
                now,
                each.model_copy(update={"contact": await people.known(self.through, each.contact)}),
            )
            for each in _said(told)
        ]
        sure = [message for message in said if gaps.ran_through(running, message.at)]
        unsure = [message for message in said if not gaps.ran_through(running, message.at)]
        in_doubt = await store.recover(self.through, unsure, self.window, now=now, doubtful=True)
        recovered = await store.recover(self.through, sure, self.window, now=now)
        for event in told:
            await _changed(self.through, event, now)
        return recovered + in_doubt, in_doubt > 0


def _said(told: tuple[Event, ...]) -> list[Message]:
    past = [message for event in told if isinstance(event, events.Recalled)
            for message in event.messages]  # fmt: skip
    return sorted(past, key=lambda message: message.at)


async def _changed(through: Through, event: Event, now: int) -> None:
    """What happened to a message, if nobody told us of it."""
    store = services.store()
    match event:
        case events.Reacted(target, actor, emoji, at, reaction_id):
            given = (await store.noted(through, target)).get("reactions", {})
            if reaction_id not in given.get(actor, {}):
                reaction = Reaction(emoji=emoji, at=at)
                await store.react(through, target, actor, reaction_id, reaction, now)
        case events.SendRefused(target):
            if not (await store.noted(through, target)).get("refused"):
                await store.refuse(through, target, now)
        case events.Edited():
            if event.edit_key not in (await store.noted(through, event.id)).get("edits", {}):
                await changes.edited(through, event, now)
        case events.Revoked():
            if (
                not {*event.by}
                <= (await store.noted(through, event.id)).get("revoked_by", {}).keys()
            ):
                await changes.revoked(through, event, now)
        case _:
            return


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
