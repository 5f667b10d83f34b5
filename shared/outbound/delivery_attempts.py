"""Post an event to an endpoint, and decide what the attempt means for what waits."""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from shared import log, services
from shared.domain.endpoints import (
    MOST_HELD,
    Answer,
    Attempt,
    Endpoint,
    Outcome,
)
from shared.outbound import signatures
from shared.outbound.facts import Event

REPLAY_HEADER: Final = "perene-replay"
USER_AGENT: Final = "Perene"
UNSIGNED: Final = Answer(0, failure="secret_unusable")


class Try(Struct, frozen=True):
    """An event of a page that was tried, and its place there; `attempt`: None if it was left out.

    One that failed is suspected until another one tells whether the endpoint is down or only it.
    """

    event: Event
    index: int
    tries: int
    attempt: Attempt | None


class Up(Struct, frozen=True):
    """The endpoint is up, and what was suspected holds back its own conversation only."""

    suspect: Try | None = None


class Down(Struct, frozen=True):
    """The endpoint is down: everything waits, from this event on."""

    since: Try


class Suspicious(Struct, frozen=True):
    """The next attempt tells whether the endpoint is down or only this event fails."""

    suspect: Try


class Unsubscribed(Struct, frozen=True):
    """The endpoint wants to be told nothing any more."""


Verdict = Up | Down | Suspicious | Unsubscribed


def judge_attempt(
    event: Event, index: int, attempt: Attempt, suspect: Try | None, endpoint: Endpoint
) -> Verdict:
    """Decide what an attempt means; `suspect`: the event that failed before it.

    An endpoint that holds back as many conversations as it may counts as down.
    """
    this = Try(event, index, 1, attempt)
    match attempt.outcome:
        case Outcome.GONE:
            return Unsubscribed()
        case Outcome.TOLD if suspect is None or len(endpoint.held) < MOST_HELD:
            return Up(suspect)
        case _ if suspect or endpoint.failures:
            return Down(suspect or this)
        case _:
            return Suspicious(this)


def find_suspect(events: list[Event], endpoint: Endpoint) -> Try | None:
    """Suspect the event that failed last, if there is another conversation to try instead.

    At every other step of the schedule: so each is one attempt, and still it comes out in the
    second whether the endpoint is down or one event fails.
    """
    free = [event for event in events if not endpoint.holds(event.order)]
    if not endpoint.failures % 2 or len({event.order for event in free}) < 2:
        return None
    return Try(free[0], events.index(free[0]), endpoint.failures, None)


async def post_event(endpoint: Endpoint, event: Event, *, is_replay: bool = False) -> Attempt:
    """Post one event, signed, and return what became of it. Firestore: 0.

    Nothing is posted unsigned: a secret that was written by hand may not sign.
    """
    secrets = [one for one in endpoint.secrets(services.now()) if signatures.can_sign(one)]
    answer = await _post_signed(endpoint.url, event, secrets, is_replay) if secrets else UNSIGNED
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


async def _post_signed(url: str, event: Event, secrets: list[str], is_replay: bool) -> Answer:
    from shared.outbound import sender  # and httpx: a run that has nothing to tell needs neither

    body = event.model_dump_json(exclude_none=True).encode()
    at = datetime.now(UTC)  # a receiver compares it with its own clock
    headers = {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        **signatures.build_headers(event.id, body, secrets, at),
        **({REPLAY_HEADER: "true"} if is_replay else {}),
    }
    return await sender.post(url, body, headers)


def log_attempts(endpoint: Endpoint, told: int, failed: list[Attempt]) -> None:
    """Log how many attempts succeeded, and each that failed."""
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
