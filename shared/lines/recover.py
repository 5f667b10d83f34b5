"""What a line missed is fetched from its server, which keeps every message that it posts."""

from datetime import UTC, datetime

from shared import log, services
from shared.domain import events
from shared.domain.events import Event
from shared.domain.fleet import gaps
from shared.domain.fleet.gaps import Window
from shared.domain.instances import Instance, epoch_ms
from shared.domain.messages import Message
from shared.domain.threads import Reaction
from shared.evolution import kept
from shared.lines import changes, people
from shared.store import Through

MOST_PAGES = 40
"""Of one line in one go; the next one goes on there."""


async def recover(line: Instance) -> int:
    """Every message that its server keeps since it was last looked at is kept here too, in order.

    How many were missing. Safe to call any number of times; bounded, and the next call goes on.
    Raises the server's problems. Firestore: 1 read per message, and what storing costs.
    """
    window = gaps.window_of(line, services.now())
    if window is None:
        return 0
    recovered, heard_until = await _fetched(line, window)
    if recovered:
        log.happened("gap.recovered", instance=line.name, recovered=recovered)
    await services.store().change(
        line.name, lambda current: gaps.heard(current, window, heard_until), services.now()
    )
    return recovered


async def _fetched(line: Instance, window: Window) -> tuple[int, int]:
    """From the oldest page on: how many were missing, and until when nothing is now."""
    evolution = services.evolution(line.server)
    since, until = _moment(window.since), _moment(window.until)
    newest = await evolution.messages(line.name, since, until)
    if newest is None:
        return 0, line.heard_until
    recovered, reached = 0, window.since
    last = max(newest.pages, 1)
    first = max(last - MOST_PAGES + 1, 1)
    for number in range(last, first - 1, -1):
        page = newest if number == 1 else await evolution.messages(line.name, since, until, number)
        if page is None:
            return recovered, line.heard_until
        told = kept.meanings(reversed(page.records), window.number)
        recovered += await _stored(line, window, told)
        reached = max(reached, kept.newest(page.records))
    return recovered, window.until if first == 1 else gaps.resumed_at(reached)


async def _stored(line: Instance, window: Window, told: tuple[Event, ...]) -> int:
    store, now = services.store(), epoch_ms(services.now())
    through = Through(line.tenant, line.line, window.number)
    said = [
        message.model_copy(update={"contact": await people.known(through, message.contact)})
        for message in _said(told)
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
