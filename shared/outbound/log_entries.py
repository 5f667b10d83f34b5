"""List what a changed document tells: its facts, each with its place in the log."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Final, NamedTuple

from shared.domain.event_types import EventType
from shared.domain.instances import CODE_LIFETIME, Instance
from shared.outbound.facts import Event, Fact
from shared.outbound.log_positions import SourcePosition
from shared.store.logged import Logged, LogPlace, LogSource, micros_of

CLOCKS_DIFFER: Final = 60 * 1_000_000
"""Microseconds: the changes of a line are dated by our own clocks, and a commit may be repeated."""


class LogEntry(NamedTuple):
    """A fact in a source: its place there, and how its event is made."""

    place: LogPlace
    fact: Fact
    make: Callable[[datetime], Event]


def list_entries(
    source: LogSource,
    documents: Iterable[Logged],
    position: SourcePosition,
    by_storing: bool,
) -> tuple[list[LogEntry], tuple[Fact, ...]]:
    """List what the documents tell that wasn't told yet; and what of a line is too old to tell."""
    if source is LogSource.LINES:
        every = [entry for one in documents for entry in _line_entries(one)]
        fresh = [entry for entry in every if _is_fresh(entry, position)]
        return fresh, tuple(entry.fact for entry in every if entry not in fresh)
    by_source: dict[LogSource, Callable[[Logged, bool], Iterator[LogEntry]]] = {
        LogSource.MESSAGES: _message_entries,
        LogSource.SENDS: partial(_only_entry, EventType.SEND_SETTLED),
        LogSource.CONVERSATIONS: partial(_only_entry, EventType.CONVERSATION_UPDATED),
    }
    entries = (entry for one in documents for entry in by_source[source](one, by_storing))
    return [entry for entry in entries if _is_new(entry, position)], ()


def _is_new(entry: LogEntry, position: SourcePosition) -> bool:
    is_later = entry.place.order > position.place.order or entry.place.at > position.checked
    return is_later and entry.fact.short not in position.told


def _is_fresh(entry: LogEntry, position: SourcePosition) -> bool:
    """Tell whether a change of a line wasn't told, whose time is by another clock."""
    since = position.checked - (CLOCKS_DIFFER if position.place.path else 0)
    return entry.fact.at > since and entry.fact.short not in position.told


def _message_entries(one: Logged, by_storing: bool) -> Iterator[LogEntry]:
    """Yield that a message came, where it was stored, and that it changed, where it changed last.

    Of two commits in one millisecond only the time of writing tells that there were two.
    """
    message, stored, logged = one.record, one.stored, one.logged

    def entry(kind: EventType, place: int, at: int, *marks: int) -> LogEntry:
        fact = Fact.of(kind, at, one.path, *marks)

        def make(now: datetime) -> Event:
            from shared.outbound import event_views  # a page may have no event

            return event_views.message_event(fact, one.tenant, message, now)

        return LogEntry(LogPlace(place, one.path), fact, make)

    if stored is not None:
        kind = EventType.MESSAGE_SENT if message.from_me else EventType.MESSAGE_RECEIVED
        place = stored if by_storing or logged is None else min(stored, logged)
        yield entry(kind, place, stored)
    if logged is None or by_storing:
        return
    is_changed = logged != stored or one.written != one.created
    if is_changed or message.failed:
        kind = EventType.MESSAGE_FAILED if message.failed else EventType.MESSAGE_UPDATED
        yield entry(kind, logged, logged, one.written)


def _only_entry(kind: EventType, one: Logged, _: bool) -> Iterator[LogEntry]:
    """Yield the one fact that a send or a conversation tells, where it changed last."""
    if one.logged is None:
        return
    fact = Fact.of(kind, one.logged, one.path)

    def make(_: datetime) -> Event:
        from shared.outbound import event_views  # a page may have no event

        if kind is EventType.SEND_SETTLED:
            return event_views.send_event(fact, one.tenant, one.record)
        return event_views.conversation_event(fact, one.tenant, one.record)

    yield LogEntry(LogPlace(one.logged, one.path), fact, make)


def _line_entries(one: Logged) -> Iterator[LogEntry]:
    """Yield the last changes of a line's state, its code, and that its number is restricted."""
    line: Instance = one.record

    def entry(kind: EventType, moment: datetime, shown: Instance, *marks: object) -> LogEntry:
        fact = Fact.of(kind, micros_of(moment), one.path, *marks)

        def make(now: datetime) -> Event:
            from shared.outbound import event_views  # a page may have no event

            return event_views.line_event(fact, shown, now)

        return LogEntry(LogPlace(fact.at, one.path), fact, make)

    for change in line.changes:
        shown = line.model_copy(update=dict(change))
        yield entry(EventType.LINE_STATE_CHANGED, change.since, shown, change.state, change.reason)
    if line.code:
        shown_at = line.code.expires_at - CODE_LIFETIME
        yield entry(EventType.LINE_CODE_CHANGED, shown_at, line)
    if line.restricted_since:
        yield entry(EventType.LINE_RESTRICTED, line.restricted_since, line)
