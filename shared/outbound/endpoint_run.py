"""Tell one endpoint what is new, what was held back, and what is replayed.

An endpoint's cursor moves in one commit after its events were told, and only while the record is
what was read: a crash, or a second deliverer, repeats events and loses none. Deliverers that start
from one cursor tell in the log's order, so what is received first is in order, too; for more than a
handful of events one of them takes a lease.
"""

import random
import secrets
import time
from datetime import datetime, timedelta
from typing import Final, Never

from shared import log, problems, services
from shared.domain import endpoints as rules
from shared.domain.endpoints import (
    EVERYBODY,
    LEASE,
    Attempt,
    DisabledReason,
    Endpoint,
    Held,
    Outcome,
    Replay,
)
from shared.domain.event_types import EventType, LogPart
from shared.outbound import delivery_attempts, event_log
from shared.outbound.delivery_attempts import Down, Suspicious, Try, Unsubscribed, Up
from shared.outbound.event_log import LogPage
from shared.outbound.facts import Event
from shared.outbound.incidents import disable_failed

PAGE: Final = 25
WAIT: Final = timedelta(seconds=10)
"""How long what is held back waits when the log has more in a few seconds."""

HELD_PAGE: Final = 100
"""Events that are read at once for a conversation that was held back: most are of others."""

HANDFUL: Final = 5
"""Events that are told without a lease, which would be a write of its own."""


class Overtaken(Exception):
    """The endpoint's record isn't what this run read: another deliverer or a person changed it."""


class LeasedOut(Exception):
    """Another deliverer tells the endpoint: it looks once more after it gave its lease back."""


class Stopped(Exception):
    """The endpoint failed, or is told nothing any more: this run is over."""


class TimeOver(Exception):
    """The run's time is over, and something is left."""


class EndpointRun:
    """One deliverer's work at one endpoint. `stored`: the record as Firestore has it.

    `looked_at`: when it looked last for what is new (monotonic seconds).
    """

    def __init__(
        self, endpoint: Endpoint, news: frozenset[LogPart], deadline: float, *, wants_lease: bool
    ) -> None:
        """`news`: the parts of the log to read. `deadline`: when to stop, in monotonic seconds."""
        self.stored = self._endpoint = endpoint
        self._types = _list_types(endpoint)
        self._new_types = frozenset(t for t in self._types if any(n.is_told_by(t) for n in news))
        self._deadline, self._wants_lease = deadline, wants_lease
        self._holder = secrets.token_hex(8)
        self.looked_at, self._left_young = float("-inf"), False
        self._told: list[Attempt] = []
        self._failed: list[Attempt] = []

    async def tell(self) -> None:
        """Tell what is new, then what was held back, then what is replayed, until time is over.

        Raises Overtaken, LeasedOut, Stopped, TimeOver.
        """
        now = services.now()
        if not self._endpoint.may_be_tried(now):
            raise Stopped
        if self._endpoint.is_leased_to_other(self._holder, now):
            raise LeasedOut
        if self._wants_lease or self._endpoint.leased_by:
            await self._take_lease()
        while not self._is_over:
            page = await self._read_new(self._endpoint.cursor)
            if page.events:
                await self._tell_page(page)
            else:
                await self._move_behind(page)
            if page.is_last and not await self._tell_aside():
                if self._endpoint.leased_by is None:
                    return
                await self._give_lease_back()
        await self._give_lease_back()
        raise TimeOver

    def has_told_until(self, moment: float) -> bool:
        """Tell whether it told all that was committed until then (monotonic seconds)."""
        return moment <= self.looked_at and not self._left_young

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._deadline

    # What is new -----------------------------------------------------------------------------

    async def _tell_page(self, page: LogPage) -> None:
        """Tell a page of the log in order, and move the cursor behind it."""
        if not page.is_last or len(page.events) > HANDFUL:
            await self._take_lease()
        suspect = delivery_attempts.find_suspect(page.events, self._endpoint)
        for index, event in enumerate(page.events):
            is_behind_suspect = suspect and suspect.event.order == event.order
            if is_behind_suspect or self._endpoint.holds(event.order):
                continue
            if self._is_over:
                await self._stop_before(suspect or Try(event, index, 0, None), page)
            attempt = await self._post(event)
            match delivery_attempts.judge_attempt(event, index, attempt, suspect, self._endpoint):
                case Up(failing):
                    suspect = None
                    self._note_success(failing, page)
                case Suspicious(suspect):
                    pass
                case Down(since):
                    await self._fail(since, page, attempt)
                case Unsubscribed():
                    await self._disable(DisabledReason.GONE)
        if suspect and suspect.attempt:
            await self._fail(suspect, page, suspect.attempt)
        self._update(cursor=page.position, moved_at=services.now(), waiting_since=None)
        await self._commit()

    async def _move_behind(self, page: LogPage) -> None:
        """Move the cursor behind a page without events; if that is all there is, nothing waits.

        Its owner may want other events now than the one that waited.
        """
        is_all = page.is_last and not page.is_waiting and self._new_types == self._types
        waiting_since = None if is_all else self._endpoint.waiting_since
        self._update(cursor=page.position, waiting_since=waiting_since)
        await self._commit()

    def _note_success(self, suspect: Try | None, page: LogPage) -> None:
        """Take the endpoint for up; what was suspected holds back its own conversation only."""
        self._endpoint = rules.succeed(self._endpoint)
        if suspect is None:
            return
        now, attempt = services.now(), suspect.attempt
        entry = Held(
            conversation=suspect.event.order,
            position=page.locate(suspect.index),
            event=suspect.event.id,
            tries=suspect.tries,
            since=suspect.event.timestamp,
            retry_at=(attempt and self._plan_retry(suspect.tries, attempt)) or now,
        )
        self._update(held=(*self._endpoint.held, entry))

    async def _fail(self, since: Try, page: LogPage, attempt: Attempt) -> Never:
        """Hold everything back where it failed, and plan the next attempt. Raises Stopped."""
        self._update(cursor=page.locate(since.index))
        await self._fail_at(since.event.timestamp, attempt)

    async def _fail_at(self, untold: datetime, attempt: Attempt) -> Never:
        self._endpoint = rules.fail(
            self._endpoint, attempt, untold, services.now(), random.random()
        )
        self._update(**_NO_LEASE)
        await self._commit()
        if self._endpoint.is_worn_out:
            await self._disable(DisabledReason.FAILING)
        raise Stopped

    async def _stop_before(self, first: Try, page: LogPage) -> Never:
        """Leave the rest of a page to the next run. Raises TimeOver, or Stopped if it failed."""
        if first.attempt:
            await self._fail(first, page, first.attempt)
        where = {"cursor": page.locate(first.index), "waiting_since": first.event.timestamp}
        self._update(**where, moved_at=services.now(), **_NO_LEASE)
        await self._commit()
        raise TimeOver

    # What is aside ---------------------------------------------------------------------------

    async def _tell_aside(self) -> bool:
        """Tell one conversation that was held back, or one page of a replay; False: none is due."""
        now = services.now()
        for entry in self._endpoint.held:
            if entry.may_be_tried(now):
                await self._tell_held(entry)
                return True
        return self._endpoint.replay is not None and await self._tell_replay()

    async def _tell_held(self, entry: Held) -> None:
        """Tell a page of what a conversation was held back; free it once nothing is left."""
        page = await self._read(entry.position, HELD_PAGE)
        events = [one for one in enumerate(page.events) if one[1].order == entry.conversation]
        if len(events) > HANDFUL:
            await self._take_lease()
        for index, event in events:
            if self._is_over:
                self._put_held(entry.model_copy(update={"position": page.locate(index)}))
                await self._commit()
                return
            attempt = await self._post(event)
            if attempt.outcome is Outcome.GONE:
                await self._disable(DisabledReason.GONE)
            if attempt.outcome is not Outcome.TOLD:
                entry = _count_try(entry, event)
                if rules.has_tries_left(entry, attempt.outcome):
                    retry_at = self._plan_retry(entry.tries, attempt) or services.now()
                    change = {"position": page.locate(index), "retry_at": retry_at}
                    self._put_held(entry.model_copy(update=change))
                    await self._commit()
                    return
                self._give_up(attempt)
            entry = entry.model_copy(update={"event": "", "tries": 0})
        entry = entry.model_copy(update={"position": page.position})
        if page.is_waiting:
            entry = entry.model_copy(update={"retry_at": services.now() + WAIT})
        self._put_held(entry, is_over=page.is_last and not page.is_waiting)
        if events or page.is_last:
            await self._commit()

    async def _tell_replay(self) -> bool:
        """Tell one page of what a person asked for again; False: it has to wait.

        Raises Stopped if the endpoint fails.
        """
        replay = self._endpoint.replay
        assert replay
        await self._take_lease()
        page, is_up = await self._read(replay.position, until=replay.until), False
        for index, event in enumerate(page.events):
            attempt = None if self._is_over else await self._post(event, is_replay=True)
            match attempt and attempt.outcome:
                case Outcome.TOLD:
                    is_up = True
                    self._endpoint = rules.succeed(self._endpoint)
                case Outcome.REFUSED if is_up and attempt:
                    self._give_up(attempt)
                case Outcome.GONE:
                    await self._disable(DisabledReason.GONE)
                case _:
                    self._move_replay(replay, page.locate(index))
                    if attempt:
                        await self._fail_at(services.now(), attempt)
                    await self._commit()
                    return True
        is_waiting = page.is_waiting or page.has_young
        self._move_replay(replay if is_waiting or not page.is_last else None, page.position)
        self._update(moved_at=services.now())
        await self._commit()
        return not is_waiting

    def _move_replay(self, replay: Replay | None, position: str) -> None:
        self._update(replay=replay and replay.model_copy(update={"position": position}))

    def _put_held(self, entry: Held, *, is_over: bool = False) -> None:
        others = [one for one in self._endpoint.held if one.conversation != entry.conversation]
        self._update(held=tuple(others) if is_over else (*others, entry))

    def _give_up(self, attempt: Attempt) -> None:
        """Record that an event is told no more. It stays in the log, for a replay."""
        self._failed[-1] = attempt.model_copy(update={"given_up": True})
        log.notice("event.given_up", endpoint=self._endpoint.id, event_id=attempt.event)

    # How -------------------------------------------------------------------------------------

    async def _read_new(self, position: str) -> LogPage:
        """Read the part of the log that has news."""
        if not self._new_types:
            return LogPage([], position, True, False, locate=lambda _: position)
        self.looked_at = time.monotonic()
        page = await self._read(position, types=self._new_types)
        self._left_young = page.has_young
        return page

    async def _read(
        self,
        position: str,
        most: int = PAGE,
        types: frozenset[EventType] | None = None,
        until: datetime | None = None,
    ) -> LogPage:
        tenant, lines = self._endpoint.tenant, frozenset(self._endpoint.lines)
        try:
            return await event_log.read_log(
                None if tenant == EVERYBODY else tenant,
                position,
                most,
                types=types or self._types,
                lines=lines or None,
                until=until,
            )
        except problems.CursorInvalid:  # written by hand, or by a later version: people hear of it
            self._update(waiting_since=self._endpoint.waiting_since or services.now())
            await self._commit()
            raise

    async def _post(self, event: Event, *, is_replay: bool = False) -> Attempt:
        attempt = await delivery_attempts.post_event(self._endpoint, event, is_replay=is_replay)
        is_told = attempt.outcome is Outcome.TOLD
        (self._told if is_told else self._failed).append(attempt)
        return attempt

    def _plan_retry(self, tries: int, attempt: Attempt) -> datetime | None:
        return rules.plan_retry(tries, services.now(), random.random(), attempt.retry_after)

    def _update(self, **change: object) -> None:
        self._endpoint = self._endpoint.model_copy(update=change)

    async def _take_lease(self) -> None:
        """Take the lease, or keep it for its whole length from now. Raises Overtaken."""
        until = services.now() + LEASE
        left = self._endpoint.leased_until
        if self._endpoint.leased_by == self._holder and left and until - left < LEASE / 2:
            return
        self._update(leased_by=self._holder, leased_until=until)
        await self._commit()

    async def _give_lease_back(self) -> None:
        """Give the lease back, if we have it. The caller looks once more, at the whole log: others
        that had news meanwhile left it to us."""
        self._new_types = self._types
        self._update(**_NO_LEASE)
        await self._commit()

    async def _disable(self, reason: DisabledReason) -> Never:
        """Tell the endpoint nothing any more, and raise its incident. Raises Stopped."""
        self._update(**_NO_LEASE)
        await self._commit()
        await disable_failed(self._endpoint, reason)
        raise Stopped

    async def _commit(self) -> None:
        """Write what changed, if the record is still what was read. Raises Overtaken."""
        changed = rules.keep_recent(self._endpoint, tuple(self._told))
        if changed == self.stored and not self._failed:
            return
        stored = await services.store().endpoints.advance(self.stored, changed, tuple(self._failed))
        delivery_attempts.log_attempts(changed, len(self._told), self._failed)
        self._told, self._failed = [], []
        if stored is None:
            raise Overtaken
        self.stored = self._endpoint = stored


def _list_types(endpoint: Endpoint) -> frozenset[EventType]:
    """Return the types that the endpoint wants; a type that we don't know any more is none."""
    wanted = frozenset(kind for kind in EventType if kind in endpoint.types)
    return (wanted or frozenset(EventType)) - {EventType.ENDPOINT_TEST}


def _count_try(entry: Held, event: Event) -> Held:
    """Return the entry after one more attempt of an event of its conversation."""
    tries = entry.tries + 1 if event.id == entry.event else 1
    return entry.model_copy(update={"event": event.id, "tries": tries})


_NO_LEASE: Final = {"leased_by": None, "leased_until": None}
