"""Endpoints: URLs that are told events; what an attempt means, and when the next one is due."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum, auto
from typing import Any, Final, NamedTuple

from pydantic import AwareDatetime, Field, computed_field

from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept, Record

EVERYBODY: Final = TenantId("")
"""The tenant of an operator's endpoint: it is told the events of all tenants."""

MOST_ENDPOINTS: Final = 5
"""Endpoints that a tenant may have, and operators as many for all tenants."""

STEPS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""Pauses between attempts while an endpoint fails, as Standard Webhooks suggests them."""

MOST_JITTER: Final = 0.1
"""The share of a pause by which it may be longer, so that endpoints of one host don't all come
back at once."""

LONGEST_PAUSE: Final = timedelta(hours=24)
"""The longest `Retry-After` that is heeded."""

MOST_REFUSALS: Final = 5
"""Permanent refusals of one event, where others are taken, after which it is given up."""

MOST_HELD: Final = 20
"""Conversations that one endpoint may hold back; if another one fails, the whole endpoint does."""

RECENT: Final = 20
"""Attempts that succeeded and are kept in the endpoint's own record: no write of their own."""

ANSWER_LIMIT: Final = 1024
"""Bytes of an answer that are kept."""

ATTEMPTS_KEPT: Final = timedelta(days=7)
ROTATION: Final = timedelta(hours=24)
"""How long the secret before the present one signs as well."""

REPLAYABLE: Final = timedelta(days=30)
LEASE: Final = timedelta(seconds=90)
"""Longer than one run of a deliverer and the attempt that it may end with."""

BUSY: Final = timedelta(minutes=10)
"""After its last event an endpoint is looked at every minute for so long."""

LATE: Final = timedelta(hours=1)
"""How long an event may wait for its endpoint before people hear of it."""

IDLE_MINUTES: Final = 15
"""Minutes between looks at an endpoint that was told nothing for a while, against lost pokes."""


class EndpointState(StrEnum):
    """Whether an endpoint is told events."""

    ACTIVE = "active"
    DISABLED = "disabled"


class DisabledReason(StrEnum):
    """Why an endpoint is told nothing: a person asked for it, it answered 410, or it failed for
    days."""

    ASKED = "asked"
    GONE = "gone"
    FAILING = "failing"


class Outcome(StrEnum):
    """What an attempt means: told; try again; never this event; never this endpoint."""

    TOLD = auto()
    FAILED = auto()
    REFUSED = auto()
    GONE = auto()


class Answer(NamedTuple):
    """The outcome of one POST: the answer's status and beginning, or why there was none."""

    ms: int
    status: int | None = None
    text: str = ""
    retry_after: int | None = None
    failure: str | None = None


class Attempt(Record):
    """One POST of an event to an endpoint. Without a `status` no answer came; `failure` says why.

    `retry_after`: seconds that the answer asked to wait.
    """

    event: str
    type: str
    at: AwareDatetime
    ms: int
    status: int | None = None
    failure: str | None = None
    answer: str = Field(default="", repr=False)
    retry_after: int | None = None
    replayed: bool = False
    given_up: bool = False

    @property
    def outcome(self) -> Outcome:
        """Return what the attempt means. Only 2xx is success; a redirect is a failure."""
        status = self.status
        if status is not None and 200 <= status < 300:
            return Outcome.TOLD
        if status == 410:
            return Outcome.GONE
        if status is not None and 400 <= status < 500 and status not in (408, 425, 429):
            return Outcome.REFUSED
        return Outcome.FAILED


class Held(Record):
    """A conversation held back: its event fails where others succeed.

    `position`: where in the log its events begin that weren't told. `tries`: attempts of `event`.
    """

    conversation: str
    position: str
    event: str
    tries: int
    since: AwareDatetime
    retry_at: AwareDatetime

    def may_be_tried(self, now: datetime) -> bool:
        """Tell whether its next attempt is due."""
        return _is_over(self.retry_at, now)


class Replay(Record):
    """A part of the log that is told again: from `position` to `until`."""

    position: str
    until: AwareDatetime
    asked_at: AwareDatetime


class Endpoint(Kept):
    """A URL that is told the events of a tenant, and how far it has got in their log.

    Empty `types` or `lines` mean all. `cursor`: the position in the log up to which it was told,
    but for what `held` names. `failures`: attempts in a row that failed, while nothing succeeds.
    `waiting_since`: the time of the oldest event that it wasn't told although it was tried.
    """

    id: str
    tenant: TenantId
    url: str
    types: tuple[str, ...] = ()
    lines: tuple[LineId, ...] = ()
    description: str = ""
    created_at: AwareDatetime
    state: EndpointState = EndpointState.ACTIVE
    reason: DisabledReason | None = None
    disabled_at: AwareDatetime | None = None
    secret: str = Field(repr=False)
    previous_secret: str | None = Field(default=None, repr=False)
    previous_until: AwareDatetime | None = None
    cursor: str
    moved_at: AwareDatetime
    failures: int = 0
    failing_since: AwareDatetime | None = None
    retry_at: AwareDatetime | None = None
    waiting_since: AwareDatetime | None = None
    held: tuple[Held, ...] = ()
    replay: Replay | None = None
    recent: tuple[Attempt, ...] = Field(default=(), repr=False)
    leased_by: str | None = None
    leased_until: AwareDatetime | None = None

    @property
    def is_active(self) -> bool:
        return self.state is EndpointState.ACTIVE

    @property
    def has_failed(self) -> bool:
        """Tell whether it was disabled because it failed: a person has to look."""
        return not self.is_active and self.reason is not DisabledReason.ASKED

    @property
    def is_worn_out(self) -> bool:
        """Tell whether it failed through all steps of the schedule, so that it is disabled."""
        return self.failures > len(STEPS)

    @computed_field  # type: ignore[prop-decorator]  # pydantic's own way; stored, to be asked for
    @property
    def untold_since(self) -> datetime | None:
        """Return the time of the oldest event that waits for it, as far as one was tried."""
        times = [self.waiting_since, *(entry.since for entry in self.held)]
        return min(filter(None, times), default=None)

    @property
    def is_late(self) -> bool:
        """Tell whether an event waits for it."""
        return self.is_active and self.untold_since is not None

    def secrets(self, now: datetime) -> tuple[str, ...]:
        """Return the secrets that sign now, the present one first."""
        previous, until = self.previous_secret, self.previous_until
        if previous and until and now < until:
            return (self.secret, previous)
        return (self.secret,)

    def holds(self, conversation: str) -> bool:
        """Tell whether the conversation is held back."""
        return any(entry.conversation == conversation for entry in self.held)

    def is_leased_to_other(self, holder: str, now: datetime) -> bool:
        """Tell whether another deliverer has the exclusive right to tell it."""
        is_live = self.leased_until is not None and now < self.leased_until <= now + 2 * LEASE
        return self.leased_by not in (None, holder) and is_live

    def may_be_tried(self, now: datetime) -> bool:
        """Tell whether an attempt is due now, or isn't waited with."""
        return self.is_active and (self.retry_at is None or _is_over(self.retry_at, now))


def _is_over(pause: datetime, now: datetime) -> bool:
    """Tell whether a pause is over; one that is longer than any of ours is a wrong clock's."""
    return not now < pause <= now + 2 * LONGEST_PAUSE


def find_step(tries: int) -> timedelta | None:
    """Return the pause after so many failures in a row; None if it was the last."""
    return STEPS[tries - 1] if tries <= len(STEPS) else None


def plan_retry(
    tries: int, now: datetime, jitter: float, retry_after: int | None = None
) -> datetime | None:
    """Return when to try again after so many failures in a row; None: never.

    `jitter`: from 0 to 1, drawn by the caller. `retry_after`: what the endpoint asked for.
    """
    step = find_step(tries)
    if step is None:
        return None
    asked = min(timedelta(seconds=retry_after or 0), LONGEST_PAUSE)
    return now + max(step * (1 + MOST_JITTER * jitter), asked)


def disable(endpoint: Endpoint, reason: DisabledReason, now: datetime) -> Endpoint:
    """Return the endpoint as it is told nothing any more. Where it stands is kept."""
    change: dict[str, Any] = {"state": EndpointState.DISABLED, "reason": reason, "disabled_at": now}
    return endpoint.model_copy(update=change | {"retry_at": None, "replay": None} | _FREE)


def enable(endpoint: Endpoint, position: str, now: datetime) -> Endpoint:
    """Return the endpoint as it is told events again, from this position in the log on.

    What it missed is there for replay.
    """
    change: dict[str, Any] = {"state": EndpointState.ACTIVE, "reason": None, "disabled_at": None}
    change |= {"cursor": position, "moved_at": now, "held": (), **_CALM, **_FREE}
    return endpoint.model_copy(update=change)


def succeed(endpoint: Endpoint) -> Endpoint:
    """Return the endpoint after an attempt that succeeded: it is up."""
    return endpoint.model_copy(update=_CALM)


def fail(
    endpoint: Endpoint, attempt: Attempt, untold: datetime, now: datetime, jitter: float
) -> Endpoint:
    """Return the endpoint after a failure that concerns all of it; in the end it is worn out.

    `untold`: the time of the event that it wasn't told.
    """
    failures = endpoint.failures + 1
    retry_at = plan_retry(failures, now, jitter, attempt.retry_after)
    change = {
        "failures": failures,
        "failing_since": endpoint.failing_since or now,
        "waiting_since": endpoint.waiting_since or untold,
        "retry_at": retry_at,
    }
    return endpoint.model_copy(update=change)


def has_tries_left(entry: Held, outcome: Outcome) -> bool:
    """Tell whether the event that a conversation waits for may be tried again."""
    most = MOST_REFUSALS if outcome is Outcome.REFUSED else len(STEPS) + 1
    return entry.tries < most


def rotate(endpoint: Endpoint, secret: str, now: datetime) -> Endpoint:
    """Return the endpoint with a new secret; the present one signs as well for a day."""
    change = {"secret": secret, "previous_secret": endpoint.secret}
    return endpoint.model_copy(update=change | {"previous_until": now + ROTATION})


def keep_recent(endpoint: Endpoint, attempts: tuple[Attempt, ...]) -> Endpoint:
    """Return the endpoint with attempts that succeeded, the last ones of them."""
    return endpoint.model_copy(update={"recent": (*endpoint.recent, *attempts)[-RECENT:]})


def list_due(endpoints: list[Endpoint], now: datetime, *, are_poked: bool) -> Iterator[Endpoint]:
    """List the endpoints that the minute's tick looks at.

    Those that wait for an attempt, that were told something lately, and each idle one every
    quarter of an hour; all, if nothing pokes (`are_poked`).
    """
    minute = int(now.timestamp()) // 60
    for endpoint in endpoints:
        if not endpoint.may_be_tried(now):
            continue
        is_behind = endpoint.retry_at or endpoint.replay or endpoint.leased_by
        is_behind = is_behind or endpoint.untold_since
        is_turn = (minute + sum(endpoint.id.encode())) % IDLE_MINUTES == 0
        if is_behind or now - endpoint.moved_at < BUSY or is_turn or not are_poked:
            yield endpoint


_FREE: Final[dict[str, Any]] = {"leased_by": None, "leased_until": None}
_CALM: Final[dict[str, Any]] = {
    "failures": 0,
    "failing_since": None,
    "retry_at": None,
    "waiting_since": None,
}
