"""The log of events, derived from what is stored anyway.

A page is put together from up to four sources: messages, sends, conversations, lines. Each is read
in the order of its changes from where the reader stands: the first, then the others at once, until
where its page ends. What changed several times since is told once, as it is now; but what is new is
told as new before it is told as changed.

Three things keep it whole and in order. A commit may become visible a moment after one with a later
time, so what is younger than LATENESS isn't told yet. It may take longer still, so the newest of a
source is looked at again when nothing follows it (`checked`). And a full page of changes may hold a
conversation's later message and not an earlier one that has changed since: those are asked for as
well.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final, NamedTuple

from msgspec import Struct

from shared import services
from shared.domain.event_types import EventType
from shared.domain.names import LineId, TenantId
from shared.outbound import log_entries, log_positions
from shared.outbound.facts import Event, Fact
from shared.outbound.log_entries import CLOCKS_DIFFER, LogEntry
from shared.outbound.log_positions import LATEST, OLDEST, LogPosition, SourcePosition
from shared.store.base import CALL_TIMEOUT
from shared.store.logged import Logged, LoggedPage, LogPlace, LogSource, micros_of
from shared.store.messages.read import MOST_WORDS

LATENESS: Final = 0.12
"""Seconds by which a commit may become visible after its time in the log and still be told in
order: what is younger waits (decision 0029)."""

MARGIN: Final = int((CALL_TIMEOUT + 1) * 1_000_000)
"""Microseconds after which a commit is surely visible: longer than any attempt of one lasts."""

MOST_TOLD: Final = 800
"""Events that a position remembers. While it is full, reading waits for MARGIN."""

REMEMBERED: Final = 64
"""Events after which the newest is looked at again although others follow."""

_TYPES: Final = {
    LogSource.MESSAGES: {
        EventType.MESSAGE_RECEIVED,
        EventType.MESSAGE_SENT,
        EventType.MESSAGE_UPDATED,
        EventType.MESSAGE_FAILED,
    },
    LogSource.SENDS: {EventType.SEND_SETTLED},
    LogSource.CONVERSATIONS: {EventType.CONVERSATION_UPDATED},
    LogSource.LINES: {
        EventType.LINE_STATE_CHANGED,
        EventType.LINE_CODE_CHANGED,
        EventType.LINE_RESTRICTED,
    },
}
ALL_TYPES: Final = frozenset[EventType]().union(*_TYPES.values())

_AS_NEW: Final = {EventType.MESSAGE_RECEIVED, EventType.MESSAGE_SENT}
"""Types of which only the time counts at which a message was stored."""


class LogPage(Struct, frozen=True):
    """A page of events in order. `position`: where to go on, to be stored if it isn't `after`.

    `is_last`: there is no more for now; a page that isn't the last may be empty. `is_waiting`: in
    a few seconds there is more. `locate`: return the position before the event of an index. An
    event's id is no such position: of what became visible late it knows nothing. `has_young`: more
    was found that is too young to be told.
    """

    events: list[Event]
    position: str
    is_last: bool
    is_waiting: bool
    locate: Callable[[int], str]
    has_young: bool = False


class LogReader(NamedTuple):
    """Who reads: a tenant (None: an operator, all tenants), and what they want to be told."""

    tenant: TenantId | None
    types: frozenset[EventType]
    lines: frozenset[LineId] | None

    @property
    def is_for_new(self) -> bool:
        """Tell whether it doesn't matter what becomes of messages."""
        return not self.types & (_TYPES[LogSource.MESSAGES] - _AS_NEW)

    def wants(self, event: Event) -> bool:
        """Tell whether the event is of one of their lines."""
        return self.lines is None or event.line in self.lines


async def read_log(
    tenant: TenantId | None,
    after: str,
    limit: int,
    *,
    types: frozenset[EventType] | None = None,
    lines: frozenset[LineId] | None = None,
    until: datetime | None = None,
) -> LogPage:
    """Return what happened to a tenant (None: to all) after a position, at most `limit` events.

    `types` and `lines`: only those; a source is read only if one of its types is wanted, and only
    then the position moves in it. `until`: nothing later. Every event is told at least once, and
    not before it is LATENESS old; those of one conversation in their order, except commits that
    took longer than that. Raises CursorInvalid, StoreUnavailable.
    Firestore: 1 read per changed document and 1 per source without any; of a full page of messages
    1 more for each that changed after it. What is too young is read once more, later; so is what
    was told in the last seconds, when nothing follows it, and a conversation that changed after the
    last of a full page of sends.
    """
    reader = LogReader(tenant, ALL_TYPES if types is None else types, lines)
    position, bound = log_positions.read(after, tenant), micros_of(until) if until else None
    readings = await _read_sources(reader, position, limit, bound)
    return _make_page(reader, position, readings, limit, after)


def position_at(moment: datetime) -> str:
    """Return the position of a reader to whom all is told that happens from then on."""
    return log_positions.write_start(moment)


# One source ----------------------------------------------------------------------------------


class SourceReading(Struct, frozen=True):
    """What a source tells: new entries in their order, complete until `end` (None: all there is).

    `last`: behind which place the reader stands when all is told. `settled`: until when, by the
    database's clock, nothing can become visible any more; 0 if that is unknown. `ripe`: until when
    it may be told already. `passed`: facts that aren't told, being older than the reader's
    beginning.
    """

    source: LogSource
    before: SourcePosition
    entries: list[LogEntry]
    end: LogPlace | None
    last: LogPlace
    settled: int
    ripe: int
    passed: tuple[Fact, ...] = ()

    @property
    def is_of_lines(self) -> bool:
        """Tell whether its entries are dated by our clocks, and belong to no conversation."""
        return self.source is LogSource.LINES


FoundEntry = tuple[LogEntry, SourceReading]
"""An entry, and the reading that found it."""


class _TooMuchUnchecked(Exception):
    """More stands before the position than one that we wrote leaves to be looked at again."""


async def _read_sources(
    reader: LogReader, position: LogPosition, limit: int, until: int | None
) -> list[SourceReading]:
    """Read the first source that is wanted, then the others at once, until where its page ends.

    Lines are few, and read whole. Of none that is wanted nothing is read. Where one can't be read,
    the others are read to their end all the same.
    """

    def read(source: LogSource, bound: int | None) -> Awaitable[SourceReading]:
        return _read_source(source, reader, position.of(source), limit, bound)

    wanted = [source for source in LogSource if _TYPES[source] & reader.types]
    if not wanted:
        return []
    first, *others = wanted
    reading = await read(first, until)
    ends = (until, reading.end.at if reading.end else None)
    end = min((bound for bound in ends if bound is not None), default=None)
    bounds = {LogSource.LINES: until}
    return [reading, *await asyncio.gather(*(read(one, bounds.get(one, end)) for one in others))]


async def _read_source(
    source: LogSource, reader: LogReader, position: SourcePosition, limit: int, until: int | None
) -> SourceReading:
    """Read what follows the position until then, and what became visible before it.

    Positions can be forged: one before which there is too much goes back to where all was
    checked, and what it remembers isn't told again.
    """
    try:
        return await _read_from(source, reader, position, limit, until)
    except _TooMuchUnchecked:
        return await _read_from(source, reader, position.go_back(), limit, until)


async def _read_from(
    source: LogSource, reader: LogReader, position: SourcePosition, limit: int, until: int | None
) -> SourceReading:
    """Read a source from a position on. Raises _TooMuchUnchecked."""
    pages_of = _PageReader(source, reader.tenant, position, reader.is_for_new)
    page = await pages_of.read_following(limit, None if source is LogSource.LINES else until)
    pages, checked_until = [page], None if position.is_checked else position.checked
    end, last = page.last if page.is_full else None, page.last
    if checked_until is not None and (bound := _bound_of_check(page, position)):
        pages.append(await pages_of.read_again(bound, limit))
        checked_until = bound
    if source is LogSource.MESSAGES and not pages_of.by_storing and (end or until is not None):
        moved, end = await pages_of.read_moved(end, until, limit)
        pages.append(moved)
    ripe = _find_ripe(page, source)
    if last and last.at > ripe:
        last = pages_of.find_last(page, ripe)
        end = end if end and end.at <= ripe else None
    documents = {one.path: one for some in pages for one in some.documents}.values()
    entries, passed = log_entries.list_entries(source, documents, position, pages_of.by_storing)
    if source is not LogSource.LINES and end:
        entries = [entry for entry in entries if entry.place.order <= end.order]
    if until is not None:
        entries = [entry for entry in entries if entry.place.at <= until]
    read_at = min((some.read_at for some in pages if some.read_at), default=0)
    settled = read_at - MARGIN if read_at else 0
    return SourceReading(
        source,
        position,
        sorted(entries, key=lambda entry: entry.place.order),
        end,
        end or last or position.place,
        settled if checked_until is None else min(settled, checked_until),
        ripe,
        passed,
    )


def _find_ripe(page: LoggedPage, source: LogSource) -> int:
    """Return until when what a page shows may be told: nothing earlier becomes visible any more.

    A reading at a time sees each commit until then (Firestore's `commit_time`), and a commit
    has its place in the log LATENESS before that, at most. Lines are dated by our clocks, and
    belong to no conversation.
    """
    is_known = page.read_at and source is not LogSource.LINES
    return page.read_at - int(LATENESS * 1_000_000) if is_known else LATEST


def _bound_of_check(page: LoggedPage, position: SourcePosition) -> int | None:
    """Return until where to look again at what was told; None if it is too early.

    All of it when nothing follows; else only what is surely visible by now, once that is much, so
    that an event isn't read again and again while others come.
    """
    if page.last is None:
        return position.place.at
    # By the database's clock, not by the place: that stands still while the position is full.
    bound = min(position.place.at, (page.read_at or 0) - MARGIN)
    is_much = sum(at <= bound for at in position.told.values()) > REMEMBERED
    is_old = position.place.at - position.checked > OLDEST // 2
    return bound if bound > position.checked and (is_much or is_old) else None


class _PageReader(Struct, frozen=True):
    """The queries of one source. `by_storing`: of messages only when they came."""

    source: LogSource
    tenant: TenantId | None
    position: SourcePosition
    is_for_new: bool

    @property
    def by_storing(self) -> bool:
        return self.is_for_new and self.source is LogSource.MESSAGES

    def find_last(self, page: LoggedPage, until: int) -> LogPlace | None:
        """Return the place of the last document of a page until then."""
        times = (
            (one.stored if self.by_storing else one.logged, one.path) for one in page.documents
        )
        places = [LogPlace(at, path) for at, path in times if at is not None and at <= until]
        return max(places, default=None, key=lambda place: place.order)

    async def read_following(self, limit: int, until: int | None) -> LoggedPage:
        return await self._list(self.position.place, limit, until)

    async def read_again(self, until: int, limit: int) -> LoggedPage:
        """Read of what was told and isn't checked, until then, the documents that tell more.

        Raises _TooMuchUnchecked.
        """
        most, after = limit + MOST_TOLD, LogPlace(self.position.checked)
        news, count, read_at = list[Logged](), 0, 0
        while True:
            page = await self._list(after, most, until)
            news += filter(self._has_news, page.documents)
            count, after, read_at = count + page.count, page.last or after, read_at or page.read_at
            if not page.is_full:
                return LoggedPage(news, after, count, False, read_at)
            if count >= most and self.source is not LogSource.LINES:  # there are few lines
                raise _TooMuchUnchecked

    async def read_moved(
        self, end: LogPlace | None, until: int | None, limit: int
    ) -> tuple[LoggedPage, LogPlace | None]:
        """Read messages that were stored before the end of a page, or `until`, and changed after.

        Return them, and until where all is known now. Raises _TooMuchUnchecked.
        """
        bound, since = end.at if end else until or 0, self.position.checked
        most, words = limit, MOST_WORDS
        while True:
            page = await services.store().logged.list_moved(self.tenant, since, bound, most, words)
            if page.last is None or not page.is_full:
                return page, end
            # Of its last moment there may be more, so all is known only until before that.
            if page.last.at > self.position.place.at:
                return page, LogPlace(page.last.at)
            if page.count >= limit + MOST_TOLD and not self.position.is_checked:
                raise _TooMuchUnchecked
            most, words = 2 * most, 2 * words

    def _has_news(self, document: Logged) -> bool:
        entries, passed = log_entries.list_entries(
            self.source, [document], self.position, self.by_storing
        )
        return bool(entries or passed)

    async def _list(self, after: LogPlace, limit: int, until: int | None) -> LoggedPage:
        return await services.store().logged.list_page(
            self.source, self.tenant, after, limit, until=until, by_storing=self.by_storing
        )


# The page ------------------------------------------------------------------------------------


def _make_page(
    reader: LogReader, position: LogPosition, readings: list[SourceReading], limit: int, after: str
) -> LogPage:
    """Merge what the sources tell, and move the position behind what is told."""
    ends = [one.end.at for one in readings if one.end and not one.is_of_lines]
    horizon, now, page = min(ends, default=LATEST), services.now(), list[Event]()
    ripe = min((reading.ripe for reading in readings), default=LATEST)
    told, starts = list[FoundEntry](), list[int]()
    room = MOST_TOLD - _count_remembered(position, readings)
    is_held = is_waiting = has_young = False
    for entry, reading in _in_order(readings):
        if entry.place.at > ripe and not reading.is_of_lines:
            has_young = True
            continue
        if not reading.is_of_lines or len(page) >= limit:
            is_waiting = is_waiting or room <= 0
            is_beyond = entry.place.at > horizon
            is_held = is_held or is_waiting or is_beyond or len(page) >= limit
            if is_held:
                continue
        if entry.fact.type in reader.types and reader.wants(event := entry.make(now)):
            page.append(event)
            starts.append(len(told))
        told.append((entry, reading))
        room -= 1

    def locate(index: int) -> str:
        return _write_position(reader, position, readings, told[: starts[index]], after)

    is_last = not any(one.end for one in readings) and (not is_held or is_waiting)
    end = _write_position(reader, position, readings, told, after)
    is_last = is_last or (end == after and not page)
    return LogPage(page, end, is_last, is_waiting, locate, has_young)


def _count_remembered(position: LogPosition, readings: list[SourceReading]) -> int:
    """Count the events that the position remembers before this page, of all sources."""
    counts = {source: len(position.of(source).told) for source in LogSource}
    counts |= {reading.source: len(_move(reading, []).told) for reading in readings}
    return sum(counts.values())


def _write_position(
    reader: LogReader,
    position: LogPosition,
    readings: list[SourceReading],
    told: list[FoundEntry],
    after: str,
) -> str:
    """Write the position behind these entries; `after` itself if it is the same."""
    end = position
    for reading in readings:
        entries = [entry for entry, of in told if of is reading]
        end = end.at(reading.source, _move(reading, entries))
    return after if end == position and after else log_positions.write(end, reader.tenant)


def _in_order(readings: list[SourceReading]) -> list[FoundEntry]:
    pairs = [(entry, reading) for reading in readings for entry in reading.entries]
    return sorted(pairs, key=lambda pair: pair[0].place.order)


def _move(reading: SourceReading, told: list[LogEntry]) -> SourcePosition:
    """Return how far a source is told after the first of its entries, which these are.

    A document whose facts are told in part is read again: the position stays before it.
    """
    before, is_of_lines = reading.before, reading.is_of_lines
    rest = reading.entries[len(told) :]
    place, checked = reading.last, before.checked
    divided = None
    if not is_of_lines:
        divided = rest[0].place if told and rest and told[-1].place == rest[0].place else None
        reached = [entry.place for entry in told if entry.place != divided]
        reached.append(before.place if rest else reading.last)
        place = max(before.place, *reached, key=lambda place: place.order)
    elif rest:
        place = before.place
    until = place.at
    if divided:
        until = divided.at - 1
    elif rest and (is_of_lines or rest[0].place.order <= place.order):
        until = min(until, rest[0].place.at - 1)
    checked = max(checked, min(until, reading.settled))
    facts = (*(entry.fact for entry in told), *reading.passed)
    remembered = {**before.told, **{fact.short: fact.at for fact in facts}}
    since = checked - CLOCKS_DIFFER if is_of_lines else checked
    if rest:
        since = min(since, rest[0].place.at - 1)
    kept = {digest: at for digest, at in remembered.items() if at > since}
    return SourcePosition(place, checked, kept)
