"""Decide whose turn it is: which endpoints are told now, at the same time, and for how long."""

import asyncio
import random
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from typing import Final

from shared import config, log, problems, services
from shared.domain import endpoints as rules
from shared.domain.endpoints import Endpoint
from shared.domain.event_types import WHOLE_LOG, LogPart
from shared.domain.names import TenantId
from shared.outbound import endpoint_run, event_log
from shared.outbound.endpoint_run import EndpointRun

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

FAILING_AT_ONCE: Final = 32
"""Endpoints beside them whose last attempt failed. Each may hang for the whole time of an attempt,
and those that answer don't wait for them."""


@dataclass
class _Pokes:
    """What there is news of, when the last poke came (monotonic seconds), and how many joined."""

    news: frozenset[LogPart]
    last: float
    joined: int = 0

    def add(self, other: "_Pokes") -> None:
        self.news, self.last = self.news | other.news, max(self.last, other.last)
        self.joined += 1


_waiting: dict[TenantId, _Pokes] = {}
"""Pokes whose news is too young to be told."""

_running: dict[str, _Pokes] = {}
"""The endpoints that this process tells now, by id, and the pokes since it looked."""

_ids_of: dict[TenantId, tuple[str, ...]] = {}
"""The endpoints that a tenant had when this process looked last."""


async def deliver_tenant(tenant: TenantId, news: frozenset[LogPart] = WHOLE_LOG) -> None:
    """Tell a tenant's endpoints, and those of operators, what is new in a part of its log.

    It is told as soon as it is old enough, and pokes that wait for that at the same time are one.
    An endpoint that this process is telling already is only marked: it looks again, and no
    caller waits for it. Raises StoreUnavailable if one wasn't told for want of the database:
    Pub/Sub then pushes again. Firestore: 1 read for each endpoint; per page of events 1 write and
    what reading the log costs.
    """
    pokes = _Pokes(news, time.monotonic())
    if tenant in _waiting:
        _waiting[tenant].add(pokes)
        return
    await _wait_with_others(tenant, pokes)
    try:
        await _tell_tenant(tenant, pokes)
    except problems.StoreUnavailable:
        if others := pokes.news - news:  # of pokes that were answered already
            await services.poke(tenant, *others)
        raise


async def _tell_tenant(tenant: TenantId, pokes: _Pokes) -> None:
    names = _ids_of.get(tenant, ())
    if names and all(name in _running for name in names):
        for name in names:
            _running[name].add(pokes)
        return
    endpoints = await services.store().endpoints.list_told(tenant)
    active = [endpoint for endpoint in endpoints if endpoint.is_active]
    _ids_of[tenant] = tuple(endpoint.id for endpoint in active)
    await _tell_all(active, pokes)


async def _wait_with_others(tenant: TenantId, pokes: _Pokes) -> None:
    """Wait until the news may be told, also that of the pokes which came meanwhile.

    What was committed before a poke is LATENESS old after that time, by whichever clock.
    """
    _waiting[tenant] = pokes
    try:
        await services.pause(event_log.LATENESS)
    finally:
        del _waiting[tenant]  # who comes from now on waits for the next reading
    await services.pause(max(pokes.last + event_log.LATENESS - time.monotonic(), 0))


async def deliver_due() -> int:
    """Tell the endpoints that are due; return how many were. Firestore: 1 read per active one."""
    are_poked = config.settings().events_topic is not None
    active = await services.store().endpoints.list_active()
    due = list(rules.list_due(active, services.now(), are_poked=are_poked))
    random.shuffle(due)  # no tenant comes first every time
    now = time.monotonic()
    with suppress(problems.StoreUnavailable):  # the next tick looks again
        await _tell_all(due, _Pokes(WHOLE_LOG, now), now + TICK_SECONDS)
    return len(due)


async def _tell_all(endpoints: Iterable[Endpoint], pokes: _Pokes, start_by: float = inf) -> None:
    """Tell each endpoint in a task of its own; one that fails or waits holds up no other.

    Those that can't begin by `start_by` are left to the next tick. Raises StoreUnavailable in the
    end, if one wasn't told for want of the database.
    """
    tasks = []
    for endpoint in endpoints:
        if endpoint.id in _running:
            _running[endpoint.id].add(pokes)
            continue
        _running[endpoint.id] = replace(pokes)
        tasks.append(asyncio.create_task(_tell(endpoint, start_by)))
    for failure in filter(None, await asyncio.gather(*tasks)):
        raise failure


async def _tell(endpoint: Endpoint, start_by: float) -> problems.StoreUnavailable | None:
    """Tell an endpoint when it has a place; return why its log couldn't be read."""
    failure, is_left, pokes = None, False, _running[endpoint.id]
    joined = pokes.joined
    try:
        async with _choose_places(endpoint):
            if time.monotonic() <= start_by:
                is_left = await _tell_in_rounds(endpoint)
            else:
                is_left = pokes.joined > joined
    except problems.StoreUnavailable as unavailable:
        log.notice("endpoint.not_told", endpoint=endpoint.id, problem=unavailable.slug())
        failure, is_left = unavailable, pokes.joined > joined
    except Exception as error:  # noqa: BLE001 - one endpoint must not stop the others
        log.error("endpoint.broke", error, endpoint=endpoint.id)
    finally:
        del _running[endpoint.id]
    if is_left:  # a poke that came while it was running would only be noted
        await services.poke(endpoint.tenant, *LogPart)
    return failure


def _choose_places(endpoint: Endpoint) -> asyncio.Semaphore:
    """Return the places of which a run takes one."""
    kind, most = ("failing", FAILING_AT_ONCE) if endpoint.failures else ("answering", AT_ONCE)
    places: asyncio.Semaphore = services.once(
        f"deliveries to {kind} endpoints", partial(asyncio.Semaphore, most)
    )
    return places


async def _tell_in_rounds(endpoint: Endpoint) -> bool:
    """Tell an endpoint, anew if it was overtaken or there was news meanwhile, within the time.

    Return whether something may be left.
    """
    deadline, overtaken = time.monotonic() + RUN_SECONDS, 0
    current: Endpoint | None = endpoint
    pokes, news = _running[endpoint.id], frozenset[LogPart]()
    while current and overtaken < MOST_ROUNDS:
        news, pokes.news = news | pokes.news, frozenset()
        run = EndpointRun(current, news, deadline, wants_lease=overtaken > 0)
        try:
            await run.tell()
        except endpoint_run.TimeOver:
            return True
        except endpoint_run.Stopped:
            current = await _wait_for_short_step(run.stored)
            continue
        except endpoint_run.Overtaken:
            overtaken += 1
            current = await services.store().endpoints.find(endpoint.id)
            continue
        except endpoint_run.LeasedOut:
            return False
        if pokes.news <= news and run.has_told_until(pokes.last):
            return False
        if time.monotonic() >= deadline:
            return True
        if not pokes.news:
            return False
        current, news = await _look_again(run), frozenset()
    return current is not None  # others overtook it, and may have looked before


async def _look_again(run: EndpointRun) -> Endpoint | None:
    """Return the endpoint's record for another look, which comes LATENESS after the last one.

    So that what is too young is read twice at most, however often there is news.
    """
    seconds = run.looked_at + event_log.LATENESS - time.monotonic()
    if seconds <= 0:
        return run.stored
    await services.pause(seconds)
    return await services.store().endpoints.find(run.stored.id)


async def _wait_for_short_step(endpoint: Endpoint) -> Endpoint | None:
    """Wait for the next attempt if it is due in seconds; None if it isn't."""
    if not endpoint.is_active or endpoint.retry_at is None:
        return None
    seconds = (endpoint.retry_at - services.now()).total_seconds()
    if seconds > SHORT_STEP:
        return None
    await services.pause(max(seconds, 0))
    return endpoint if endpoint.may_be_tried(services.now()) else None
