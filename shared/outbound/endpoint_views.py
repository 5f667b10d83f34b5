"""What callers see of endpoints, and what they may change."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, ConfigDict, Field, field_validator

from shared.domain.endpoints import (
    MOST_ENDPOINTS,
    Attempt,
    DisabledReason,
    Endpoint,
    EndpointState,
)
from shared.domain.event_types import EventType
from shared.domain.names import LINE_LIMIT, LINE_PATTERN, LineId
from shared.domain.record import Record
from shared.outbound import endpoint_addresses

Url = Annotated[
    str,
    Field(
        max_length=endpoint_addresses.LONGEST_URL,
        description="Where events are posted: `https`, on the public web",
    ),
]
Types = Annotated[
    tuple[EventType, ...],
    Field(max_length=len(EventType), description="Only events of these types; empty: all"),
]
Lines = Annotated[
    tuple[Annotated[LineId, Field(pattern=LINE_PATTERN, max_length=LINE_LIMIT)], ...],
    Field(max_length=100, description="Only events of these lines; empty: all"),
]
Condition = Literal["ok", "holding", "failing", "disabled"]
Description = Annotated[str, Field(max_length=200, description="For people")]


class EndpointWanted(Record):
    """A new endpoint."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    types: Types = ()
    lines: Lines = ()
    description: Description = ""

    @field_validator("url")
    @classmethod
    def _require_public(cls, url: str) -> str:
        return require_usable(url)


class EndpointChange(Record):
    """What to change of an endpoint; what is absent stays."""

    model_config = ConfigDict(extra="forbid")

    url: Url | None = None
    types: Types | None = None
    lines: Lines | None = None
    description: Description | None = None
    state: EndpointState | None = Field(
        default=None,
        description="`disabled`: told nothing from now on. `active`: told what happens from now"
        " on; what it missed is there for `replay`",
    )

    @field_validator("url")
    @classmethod
    def _require_public(cls, url: str | None) -> str | None:
        return None if url is None else require_usable(url)


class ReplayWanted(Record):
    """A part of the log to tell again."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    since: AwareDatetime = Field(alias="from", description="At most 30 days ago")
    until: AwareDatetime | None = Field(default=None, alias="to", description="Now, if absent")


class HeldView(Record):
    """A conversation whose events wait, because one of them fails where others succeed."""

    conversation: str
    event: str = Field(description="The event that fails")
    tries: int
    since: AwareDatetime
    retry_at: AwareDatetime


class ReplayView(Record):
    """A replay that isn't over."""

    until: AwareDatetime
    asked_at: AwareDatetime


class EndpointView(Record):
    """An endpoint. Its secret is shown when it is made or changed, and never again."""

    id: str
    url: str
    types: tuple[str, ...]
    lines: tuple[str, ...]
    description: str
    created_at: AwareDatetime
    state: EndpointState
    reason: DisabledReason | None = Field(
        description="Why it is disabled: it was `asked` for, it answered 410 (`gone`), or it was"
        " `failing` for days"
    )
    disabled_at: AwareDatetime | None
    condition: Condition = Field(
        description="`holding`: some conversations wait. `failing`: everything waits"
    )
    failures: int = Field(description="Attempts in a row that failed")
    failing_since: AwareDatetime | None
    retry_at: AwareDatetime | None
    lag_seconds: int = Field(description="Age of the oldest event that waits; 0: none does")
    told_at: AwareDatetime = Field(description="When it was told something last, or made")
    held: tuple[HeldView, ...]
    replay: ReplayView | None
    previous_secret_until: AwareDatetime | None = Field(
        description="Until then the secret before the present one signs as well"
    )


class EndpointList(Record):
    """The caller's endpoints, the oldest first."""

    endpoints: list[EndpointView]
    most: int = Field(default=MOST_ENDPOINTS, description="How many there may be")


class EndpointSecret(Record):
    """An endpoint and its new secret, which is shown this once."""

    endpoint: EndpointView
    secret: str = Field(repr=False, description="`whsec_…`, as Standard Webhooks 1.0 says")


class AttemptView(Record):
    """One POST of an event, and what came of it."""

    event: str
    type: str
    at: AwareDatetime
    ms: int = Field(description="Milliseconds until the answer")
    status: int | None = Field(description="None: no answer came")
    failure: str | None = Field(
        description="Why no answer came: `timed_out`, `unreachable`, `address_refused` (the"
        " name leads to an address that isn't on the public web), or `secret_unusable` (nothing"
        " was posted: rotate the secret)"
    )
    answer: str = Field(repr=False, description="The first kilobyte of the answer")
    succeeded: bool
    replayed: bool
    given_up: bool = Field(description="It isn't tried again; a replay tells it")


class AttemptList(Record):
    """Attempts, the newest first: the last 20 that succeeded, and those that failed in 7 days."""

    attempts: list[AttemptView]


def require_usable(url: str) -> str:
    """Return the URL if it can be an endpoint's. Raises ValueError."""
    if why := endpoint_addresses.explain_refusal(url):
        raise ValueError(why)
    return url


def endpoint_view(endpoint: Endpoint, now: datetime) -> EndpointView:
    """Return what its owner sees of an endpoint."""
    is_rotating = len(endpoint.secrets(now)) > 1
    return EndpointView(
        **endpoint.model_dump(include=_SHOWN),
        condition=condition_of(endpoint),
        lag_seconds=lag_of(endpoint, now),
        told_at=endpoint.moved_at,
        previous_secret_until=endpoint.previous_until if is_rotating else None,
    )


def lag_of(endpoint: Endpoint, now: datetime) -> int:
    """Return the age of the oldest event that waits for an endpoint, in seconds; 0: none does.

    The record alone says it: a run that fails to tell an event, or leaves it to the next, notes
    its time there. So it costs no read of the log, and is as true as the last tick is recent.
    """
    if endpoint.untold_since is None or not endpoint.is_active:
        return 0
    return max(round((now - endpoint.untold_since).total_seconds()), 0)


def condition_of(endpoint: Endpoint) -> Condition:
    """Return in one word how it is with an endpoint."""
    if not endpoint.is_active:
        return "disabled"
    if endpoint.failures:
        return "failing"
    return "holding" if endpoint.held else "ok"


def attempt_view(attempt: Attempt) -> AttemptView:
    """Return what its owner sees of an attempt."""
    succeeded = attempt.status is not None and 200 <= attempt.status < 300
    return AttemptView(**attempt.model_dump(exclude={"retry_after"}), succeeded=succeeded)


_SHOWN = {
    "id", "url", "types", "lines", "description", "created_at", "state", "reason", "disabled_at",
    "failures", "failing_since", "retry_at", "held", "replay",
}  # fmt: skip
