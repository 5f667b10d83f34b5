"""Tell endpoints what is new, from where each stands in the log.

An endpoint's cursor moves in one commit after its events were told, and only while the record is
what was read: a crash, or a second deliverer, repeats events and loses none. Deliverers that start
from one cursor tell in the log's order, so what is received first is in order, too; for more than a
handful of events one of them takes a lease.
"""

import asyncio
import random
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import inf
from typing import Final

from shared import config, log, services
from shared.domain import endpoints as rules
from shared.domain.endpoints import (
    EVERYBODY,
    LEASE,
    MOST_HELD,
    WHOLE_LOG,
    Attempt,
    DisabledReason,
    Endpoint,
    Held,
    LogPart,
    Outcome,
    Replay,
)
from shared.domain.names import TenantId
from shared.outbound import event_log, sender, signatures
from shared.outbound.event_log import LogPage
from shared.outbound.event_models import Event, EventType
from shared.outbound.incidents import update_incident

PAGE: Final = 25
HANDFUL: Final = 5
"""Events that are told without a lease, which would be a write of its own."""

RUN_SECONDS: Final = 25.0
"""How long one run tells an endpoint before others get their turn. What is left is poked again."""

TICK_SECONDS: Final = 45.0
"""How long one tick begins to tell endpoints: the next one comes after a minute."""

SHORT_STEP: Final = 6.0
"""Seconds until the next attempt for which a run waits itself: the tick comes once a minute."""

MOST_ROUNDS: Final = 5
"""How often a run begins anew because another deliverer changed the endpoint's record."""

AT_ONCE: Final = 64
"""Endpoints that one process tells at the same time."""

REPLAY_HEADER: Final = "perene-replay"
USER_AGENT: Final = "Perene"

_running: dict[str, set[LogPart]] = {}
"""The endpoints that this process tells now, by id, and what there is news of since it looked."""

_ids_of: dict[TenantId, tuple[str, ...]] = {}
"""The endpoints that a tenant had when this process looked last."""


class _Overtaken(Exception):
    """The endpoint's record isn't what this run read: another deliverer or a person changed it."""


class _LeasedOut(Exception):
    """Another deliverer tells the endpoint: it looks once more after it gave its lease back."""


class _Stopped(Exception):
    """The endpoint failed, or is told nothing any more: this run is over."""


async def deliver_tenant(tenant: TenantId, news: frozenset[LogPart] = WHOLE_LOG) -> None:
    """Tell a tenant's endpoints, and those of operators, what is new in a part of its log.

    An endpoint that this process is telling already is only marked: it looks again, and no
    caller waits for it. Firestore: 1 read for each endpoint; per page of events 1 write and what
    reading the log costs.
    """
    names = _ids_of.get(tenant, ())
    if names and all(name in _running for name in names):
        for name in names:
            _running[name] |= news
        return
    endpoints = await services.store().endpoints.list_told(tenant)
    active = [endpoint for endpoint in endpoints if endpoint.is_active]
    _ids_of[tenant] = tuple(endpoint.id for endpoint in active)
    await _tell_all(active, news)


async def deliver_due() -> int:
    """Tell the endpoints that are due; return how many were. Firestore: 1 read per active one."""
    are_poked = config.settings().events_topic is not None
    active = await services.store().endpoints.list_active()
    due = list(rules.list_due(active, services.now(), are_poked=are_poked))
    random.shuffle(due)  # no tenant comes first every time
    await _tell_all(due, WHOLE_LOG, time.monotonic() + TICK_SECONDS)
    return len(due)


async def post_event(endpoint: Endpoint, event: Event, *, is_replay: bool = False) -> Attempt:
    """Post one event, signed, and return what became of it. Firestore: 0."""
    body = event.model_dump_json(exclude_none=True).encode()
    at = datetime.now(UTC)  # a receiver compares it with its own clock
    headers = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signatures.build_headers(event.id, body, endpoint.secrets(services.now()), at),
        **({REPLAY_HEADER: "true"} if is_replay else {}),
    }
    answer = await sender.post(endpoint.url, body, headers)
    return Attempt(
        event=event.id,
        type=event.type,
        at=services.now(),
        ms=answer.ms,
        status=answer.status,
        failure=answer.failure,
        answer=answer.text,
        retry_after=answer.retry_after,
        replayed=is_replay,
    )


async def _tell_all(
    endpoints: Iterable[Endpoint], news: frozenset[LogPart], start_by: float = inf
) -> None:
    """Tell each endpoint in a task of its own; one that fails or waits holds up no other.

    Those that can't begin by `start_by` are left to the next tick.
    """
    tasks = []
    for endpoint in endpoints:
        if endpoint.id in _running:
            _running[endpoint.id] |= news
            continue
        _running[endpoint.id] = set(news)
        tasks.append(asyncio.create_task(_tell(endpoint, start_by)))
    await asyncio.gather(*tasks)


async def _tell(endpoint: Endpoint, start_by: float) -> None:
    slots: asyncio.Semaphore = services.once("deliveries", partial(asyncio.Semaphore, AT_ONCE))
    try:
        async with slots:
            if time.monotonic() <= start_by:
                await _tell_in_rounds(endpoint)
    except Exception as error:  # noqa: BLE001 - one endpoint must not stop the others
        log.error("endpoint.broke", error, endpoint=endpoint.id)
    finally:
        del _running[endpoint.id]


async def _tell_in_rounds(endpoint: Endpoint) -> None:
    """Tell an endpoint, anew if it was overtaken or there was news meanwhile, within the time."""
    deadline, overtaken = time.monotonic() + RUN_SECONDS, 0
    current: Endpoint | None = endpoint
    news = set[LogPart]()
    while current and overtaken < MOST_ROUNDS:
        news |= _running[endpoint.id]
        _running[endpoint.id] = set()
        run = _Run(current, frozenset(news), deadline, wants_lease=overtaken > 0)
        try:
            await run.tell()
            current, news = run.stored, set()
        except _Stopped:
            current = await _wait_for_short_step(run.stored)
            continue
        except _Overtaken:
            overtaken += 1
            current = await services.store().endpoints.find(endpoint.id)
            continue
        except _LeasedOut:
            if _running[endpoint.id]:
                current = await services.store().endpoints.find(endpoint.id)
        if time.monotonic() >= deadline:
            await services.poke(endpoint.tenant, *LogPart)
            return
        if not _running[endpoint.id]:
            return


async def _wait_for_short_step(endpoint: Endpoint) -> Endpoint | None:
    """Wait for the next attempt if it is due in seconds; None if it isn't."""
    if not endpoint.is_active or endpoint.retry_at is None:
        return None
    seconds = (endpoint.retry_at - services.now()).total_seconds()
    if seconds > SHORT_STEP:
        return None
    await services.pause(max(seconds, 0))
    return endpoint if endpoint.may_be_tried(services.now()) else None


@dataclass(frozen=True)
class _Try:
    """An event of a page that was tried, and its place there; `attempt`: None if it was left out.

    One that failed is suspected until another one tells whether the endpoint is down or only it.
    """

    event: Event
    index: int
    tries: int
    attempt: Attempt | None


class _Run:
    """One deliverer's work at one endpoint. `stored`: the record as Firestore has it."""

    def __init__(
        self, endpoint: Endpoint, news: frozenset[LogPart], deadline: float, *, wants_lease: bool
    ) -> None:
        self.stored = self._endpoint = endpoint
        self._types = _list_types(endpoint)
        self._new_types = frozenset(t for t in self._types if any(n.is_told_by(t) for n in news))
        self._deadline, self._wants_lease = deadline, wants_lease
        self._holder = secrets.token_hex(8)
        self._told: list[Attempt] = []
        self._failed: list[Attempt] = []

    async def tell(self) -> None:
        """Tell what is new, then what was held back, then what is replayed, until time is over.

        Raises _Overtaken, _LeasedOut, _Stopped.
        """
        now = services.now()
        if not self._endpoint.may_be_tried(now):
            raise _Stopped
        if self._endpoint.is_leased_to_other(self._holder, now):
            raise _LeasedOut
        if self._wants_lease or self._endpoint.leased_by:
            await self._take_lease()
        while not self._is_over:
            page = await self._read_new(self._endpoint.cursor)
            if page.events:
                await self._tell_page(page)
            elif page.position != self._endpoint.cursor:
                self._update(cursor=page.position)
                await self._commit()
            if page.is_last and not await self._tell_aside():
                if self._endpoint.leased_by is None:
                    return
                await self._give_lease_back()

    @property
    def _is_over(self) -> bool:
        return time.monotonic() >= self._deadline

    # What is new -----------------------------------------------------------------------------

    async def _tell_page(self, page: LogPage) -> None:
        """Tell a page of the log in order, and move the cursor behind it."""
        if not page.is_last or len(page.events) > HANDFUL:
            await self._take_lease()
        suspect = self._find_suspect(page.events) if self._endpoint.failures % 2 else None
        for index, event in enumerate(page.events):
            order = _order_of(event)
            if self._endpoint.holds(order) or (suspect and _order_of(suspect.event) == order):
                continue
            if self._is_over:
                await self._stop_before(suspect or _Try(event, index, 0, None), page)
            this = _Try(event, index, 1, await self._post(event))
            suspect = await self._judge(this, suspect, page)
        if suspect and suspect.attempt:
            await self._fail(suspect, page, suspect.attempt)
        self._update(cursor=page.position, moved_at=services.now(), waiting_since=None)
        await self._commit()

    async def _judge(self, this: _Try, suspect: _Try | None, page: LogPage) -> _Try | None:
        """Decide by an attempt and the one that failed before; return what is suspected now.

        Raises _Stopped if the endpoint is down, or gone.
        """
        assert this.attempt
        is_told = this.attempt.outcome is Outcome.TOLD
        if this.attempt.outcome is Outcome.GONE:
            await self._disable(DisabledReason.GONE)
        if is_told and not (suspect and len(self._endpoint.held) >= MOST_HELD):
            await self._note_success(suspect, page)
            return None
        if suspect or self._endpoint.failures:
            await self._fail(suspect or this, page, this.attempt)
        return this

    def _find_suspect(self, events: list[Event]) -> _Try | None:
        """Suspect the event that failed last, if there is another conversation to try instead.

        So each step of the schedule is one attempt, and still it comes out in the second whether
        the endpoint is down or one event fails.
        """
        free = [event for event in events if not self._endpoint.holds(_order_of(event))]
        if len({_order_of(event) for event in free}) < 2:
            return None
        return _Try(free[0], events.index(free[0]), self._endpoint.failures, None)

    async def _note_success(self, suspect: _Try | None, page: LogPage) -> None:
        """Take the endpoint for up; what was suspected holds back its own conversation only."""
        self._endpoint = rules.succeed(self._endpoint)
        if suspect is None:
            return
        now, attempt = services.now(), suspect.attempt
        entry = Held(
            conversation=_order_of(suspect.event),
            position=await self._locate(page, suspect.index),
            event=suspect.event.id,
            tries=suspect.tries,
            since=suspect.event.timestamp,
            retry_at=(attempt and self._plan_retry(suspect.tries, attempt)) or now,
        )
        self._update(held=(*self._endpoint.held, entry))

    async def _fail(self, suspect: _Try, page: LogPage, attempt: Attempt) -> None:
        """Hold everything back where the suspect is, and plan the next attempt. Raises _Stopped."""
        cursor = await self._locate(page, suspect.index)
        self._update(cursor=cursor)
        await self._fail_at(suspect.event.timestamp, attempt)

    async def _fail_at(self, untold: datetime, attempt: Attempt) -> None:
        self._endpoint = rules.fail(
            self._endpoint, attempt, untold, services.now(), random.random()
        )
        self._update(**_NO_LEASE)
        await self._commit()
        if self._endpoint.is_worn_out:
            await self._disable(DisabledReason.FAILING)
        raise _Stopped

    async def _stop_before(self, suspect: _Try, page: LogPage) -> None:
        """Leave the rest of a page, from the suspect on, to the next run. Raises _Stopped."""
        if suspect.attempt:
            await self._fail(suspect, page, suspect.attempt)
        cursor = await self._locate(page, suspect.index)
        untold = suspect.event.timestamp
        self._update(cursor=cursor, waiting_since=untold, moved_at=services.now(), **_NO_LEASE)
        await self._commit()
        await services.poke(self._endpoint.tenant, *LogPart)
        raise _Stopped

    async def _locate(self, page: LogPage, index: int) -> str:
        """Return the position before an event of the page that begins at the cursor.

        Only what fails, or is left for the next run, is located. Firestore: what a page costs.
        """
        if index == 0:
            return self._endpoint.cursor
        before = await self._read_new(self._endpoint.cursor, index)
        return _end_of(before, page.events[:index])

    # What is aside ---------------------------------------------------------------------------

    async def _tell_aside(self) -> bool:
        """Tell one conversation that was held back, or one page of a replay; False: none is due."""
        now = services.now()
        for entry in self._endpoint.held:
            if entry.retry_at <= now:
                await self._tell_held(entry)
                return True
        if self._endpoint.replay:
            await self._tell_replay()
            return True
        return False

    async def _tell_held(self, entry: Held) -> None:
        """Tell a page of what a conversation was held back; free it once nothing is left."""
        page = await self._read(entry.position)
        for event in page.events:
            if _order_of(event) != entry.conversation:
                continue
            attempt = await self._post(event)
            match attempt.outcome:
                case Outcome.TOLD:
                    entry = _move(entry, event.id)
                case Outcome.GONE:
                    await self._disable(DisabledReason.GONE)
                case outcome:
                    tries = entry.tries + 1 if event.id == entry.event else 1
                    failing = entry.model_copy(update={"event": event.id, "tries": tries})
                    if rules.has_tries_left(failing, outcome):
                        retry_at = self._plan_retry(tries, attempt) or services.now()
                        self._put_held(failing.model_copy(update={"retry_at": retry_at}))
                        await self._commit()
                        return
                    self._give_up(attempt)
                    entry = _move(entry, event.id)
        self._put_held(entry.model_copy(update={"position": page.position}), is_over=page.is_last)
        await self._commit()

    async def _tell_replay(self) -> None:
        """Tell one page of what a person asked for again. Raises _Stopped if the endpoint fails."""
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
                    self._update(replay=await self._stop_replay(replay, page, index))
                    if attempt:
                        await self._fail_at(services.now(), attempt)
                    await self._commit()
                    return
        moved = replay.model_copy(update={"position": page.position})
        self._update(replay=None if page.is_last else moved, moved_at=services.now())
        await self._commit()

    async def _stop_replay(self, replay: Replay, page: LogPage, index: int) -> Replay:
        """Return a replay that goes on with an event of its page."""
        if index == 0:
            return replay
        before = await self._read(replay.position, index, until=replay.until)
        where = _end_of(before, page.events[:index])
        return replay.model_copy(update={"position": where})

    def _put_held(self, entry: Held, *, is_over: bool = False) -> None:
        others = [one for one in self._endpoint.held if one.conversation != entry.conversation]
        self._update(held=tuple(others) if is_over else (*others, entry))

    def _give_up(self, attempt: Attempt) -> None:
        """Record that an event is told no more. It stays in the log, for a replay."""
        self._failed[-1] = attempt.model_copy(update={"given_up": True})
        log.notice("event.given_up", endpoint=self._endpoint.id, event_id=attempt.event)

    # How -------------------------------------------------------------------------------------

    async def _read_new(self, position: str, most: int = PAGE) -> LogPage:
        """Read the part of the log that has news."""
        if not self._new_types:
            return LogPage([], position, is_last=True)
        return await self._read(position, most, self._new_types)

    async def _read(
        self,
        position: str,
        most: int = PAGE,
        types: frozenset[EventType] | None = None,
        until: datetime | None = None,
    ) -> LogPage:
        tenant, lines = self._endpoint.tenant, frozenset(self._endpoint.lines)
        return await event_log.read_log(
            None if tenant == EVERYBODY else tenant,
            position,
            most,
            types=types or self._types,
            lines=lines or None,
            until=until,
        )

    async def _post(self, event: Event, *, is_replay: bool = False) -> Attempt:
        attempt = await post_event(self._endpoint, event, is_replay=is_replay)
        is_told = attempt.outcome is Outcome.TOLD
        (self._told if is_told else self._failed).append(attempt)
        return attempt

    def _plan_retry(self, tries: int, attempt: Attempt) -> datetime | None:
        return rules.plan_retry(tries, services.now(), random.random(), attempt.retry_after)

    def _update(self, **change: object) -> None:
        self._endpoint = self._endpoint.model_copy(update=change)

    async def _take_lease(self) -> None:
        """Take the lease, or keep it for its whole length from now. Raises _Overtaken."""
        until = services.now() + LEASE
        left = self._endpoint.leased_until
        if self._endpoint.leased_by == self._holder and left and until - left < LEASE / 2:
            return
        self._update(leased_by=self._holder, leased_until=until)
        await self._commit()

    async def _give_lease_back(self) -> None:
        """Give the lease back. The caller looks once more, at the whole log: others that had news
        meanwhile left it to us."""
        self._new_types = self._types
        self._update(**_NO_LEASE)
        await self._commit()

    async def _disable(self, reason: DisabledReason) -> None:
        """Tell the endpoint nothing any more, and raise its incident. Raises _Stopped."""
        self._update(**_NO_LEASE)
        await self._commit()
        await disable(self._endpoint, reason)
        raise _Stopped

    async def _commit(self) -> None:
        """Write what changed, if the record is still what was read. Raises _Overtaken."""
        changed = rules.keep_recent(self._endpoint, tuple(self._told))
        if changed == self.stored and not self._failed:
            return
        stored = await services.store().endpoints.advance(self.stored, changed, tuple(self._failed))
        _log_attempts(changed, len(self._told), self._failed)
        self._told, self._failed = [], []
        if stored is None:
            raise _Overtaken
        self.stored = self._endpoint = stored


async def disable(endpoint: Endpoint, reason: DisabledReason) -> None:
    """Disable an endpoint that failed, and raise the incident of its tenant. Safe to repeat."""
    now = services.now()

    def decide(current: Endpoint) -> Endpoint:
        return rules.disable(current, reason, now) if current.is_active else current

    await services.store().endpoints.change(endpoint.id, decide)
    log.notice("endpoint.disabled", endpoint=endpoint.id, reason=reason)
    await update_incident(endpoint.tenant)


def _list_types(endpoint: Endpoint) -> frozenset[EventType]:
    """Return the types that the endpoint wants; a type that we don't know any more is none."""
    wanted = frozenset(kind for kind in EventType if kind in endpoint.types)
    return (wanted or frozenset(EventType)) - {EventType.ENDPOINT_TEST}


def _end_of(before: LogPage, events: list[Event]) -> str:
    """Return the position behind these events: that of a page of them, if it is the same ones."""
    is_same = [event.id for event in before.events] == [event.id for event in events]
    return before.position if is_same else events[-1].id


def _order_of(event: Event) -> str:
    """Return what an event is told in order with: its conversation, or else its line."""
    return event.conversation or f"line {event.line}"


def _move(entry: Held, position: str) -> Held:
    return entry.model_copy(update={"position": position, "tries": 0, "event": ""})


def _log_attempts(endpoint: Endpoint, told: int, failed: list[Attempt]) -> None:
    if told:
        log.info("endpoint.told", endpoint=endpoint.id, count=told)
    for attempt in failed:
        log.notice(
            "endpoint.failed",
            endpoint=endpoint.id,
            status=attempt.status,
            failure=attempt.failure,
            failures=endpoint.failures,
        )


_NO_LEASE: Final = {"leased_by": None, "leased_until": None}
