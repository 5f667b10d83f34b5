"""What a line missed is fetched from its server, which keeps every message that it posts."""

from dataclasses import dataclass
from datetime import UTC, datetime

from shared import log, services
from shared.domain import events
from shared.domain.events import Event
from shared.domain.fleet import gaps
from shared.domain.fleet.gaps import Window
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Message, heard_by
from shared.domain.threads import Reaction
from shared.evolution import kept
from shared.lines import changes, people
from shared.store import Through

MOST_PAGES = 40
"""Of one line in one go; the next one goes on there."""


@dataclass(frozen=True)
class Recovered:
    """So many messages were missing; `complete` unless its server had more that it never tells."""

    messages: int = 0
    complete: bool = True


async def recover(line: Instance) -> Recovered:
    """Every message that its server keeps since it was last looked at is kept here too, in order,
    and what became of it.

    Safe to call any number of times; bounded, and the next call goes on.
    Raises the server's problems. Firestore: 1 read per message, and what storing costs.
    """
    window = gaps.window_of(line, services.now())
    if window is None:
        return Recovered()
    recovered, heard_until = await _fetched(line, window)
    if recovered.messages:
        log.happened("gap.recovered", instance=line.name, recovered=recovered.messages)
    if not recovered.complete:
        log.refused("gap.incomplete", instance=line.name)
        through = Through(line.tenant, line.line, window.number)
        await services.store().leave_open(through, window, epoch_ms(services.now()))
    await services.store().change(
        line.name, lambda current: gaps.heard(current, window, heard_until), services.now()
    )
    return recovered


async def _fetched(line: Instance, window: Window) -> tuple[Recovered, int]:
    """From the oldest page on: how many were missing, and until when nothing is now."""
    evolution = services.evolution(line.server)
    since, until = _moment(window.since), _moment(window.until)
    newest = await evolution.messages(line.name, since, until)
    if newest is None:
        return Recovered(), line.heard_until
    recovered, reached = 0, window.since
    last = max(newest.pages, 1)
    first = max(last - MOST_PAGES + 1, 1)
    for number in range(last, first - 1, -1):
        page = newest if number == 1 else await evolution.messages(line.name, since, until, number)
        if page is None:
            return Recovered(recovered), line.heard_until
        told = kept.meanings(reversed(page.records), window.number)
        recovered += await _stored(line, window, told)
        reached = min(max(reached, kept.newest(page.records)), window.until)
    mark = window.until if first == 1 else gaps.resumed_at(reached)
    return Recovered(recovered, complete=not newest.cut), mark


async def _stored(line: Instance, window: Window, told: tuple[Event, ...]) -> int:
    store, now = services.store(), epoch_ms(services.now())
    through = Through(line.tenant, line.line, window.number)
    said = [
        heard_by(
            now, each.model_copy(update={"contact": await people.known(through, each.contact)})
        )
        for each in _said(told)
    ]
    recovered = await store.recover(through, said, window, now=now)
    for event in told:
        await _changed(through, event, now)
    return recovered


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
