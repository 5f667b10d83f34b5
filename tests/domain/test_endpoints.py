"""What an attempt means, when the next one is due, and which endpoints a tick looks at."""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.domain import endpoints
from shared.domain.endpoints import (
    EVERYBODY,
    MOST_REFUSALS,
    STEPS,
    Attempt,
    DisabledReason,
    Endpoint,
    EndpointState,
    Held,
    Outcome,
)
from shared.domain.event_types import LogPart

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
A_MINUTE = timedelta(minutes=1)
A_YEAR = timedelta(days=365)


def an_endpoint(**change: Any) -> Endpoint:
    fields = {"id": "ep_1", "tenant": EVERYBODY, "url": "https://a.test", "secret": "whsec_YQ=="}
    times = {"created_at": NOON, "moved_at": NOON}
    return Endpoint.model_validate({**fields, **times, "cursor": "here", **change})


def an_attempt(status: int | None = 500, **change: Any) -> Attempt:
    return Attempt(event="evt_1", type="message.sent", at=NOON, ms=3, status=status, **change)


def an_entry(**change: Any) -> Held:
    fields = {"conversation": "c", "position": "p", "event": "evt_1", "tries": 1}
    return Held.model_validate({**fields, "since": NOON, "retry_at": NOON, **change})


def test_only_2xx_is_success():
    meanings = {
        Outcome.TOLD: (200, 204, 299),
        Outcome.GONE: (410,),
        Outcome.REFUSED: (400, 401, 403, 404, 422),
        Outcome.FAILED: (None, 100, 301, 302, 308, 408, 425, 429, 500, 503),
    }

    for outcome, statuses in meanings.items():
        assert {an_attempt(status).outcome for status in statuses} == {outcome}


def test_types_belong_to_their_news():
    types = ("message.sent", "send.settled", "conversation.updated", "line.restricted")

    for news, event_type in zip(LogPart, types, strict=True):
        assert [one for one in types if news.is_told_by(one)] == [event_type]


def test_endpoint_down_for_days_is_tried_ten_times():
    endpoint, at, tries = an_endpoint(), NOON, 0

    while not endpoint.is_worn_out:
        assert endpoint.may_be_tried(at)
        tries += 1
        endpoint = endpoints.fail(endpoint, an_attempt(), NOON, at, jitter=0)
        assert endpoint.retry_at is None or not endpoint.may_be_tried(endpoint.retry_at - A_MINUTE)
        at = endpoint.retry_at or at

    assert tries == len(STEPS) + 1 == 10
    assert timedelta(days=3) < at - NOON < timedelta(days=3.5)
    assert endpoint.failing_since == endpoint.waiting_since == NOON


def test_retry_after_is_heeded_within_bounds():
    def pause(retry_after: int | None) -> timedelta:
        retry_at = endpoints.plan_retry(1, NOON, 0, retry_after)
        assert retry_at
        return retry_at - NOON

    assert pause(None) == pause(1) == STEPS[0]
    assert pause(120) == timedelta(minutes=2)
    assert pause(10**9) == timedelta(hours=24)


def test_jitter_only_delays():
    retry_at = endpoints.plan_retry(4, NOON, jitter=1)

    assert retry_at == NOON + STEPS[3] * 1.1


def test_success_forgets_failures():
    failing = endpoints.fail(an_endpoint(), an_attempt(), NOON, NOON, 0)

    assert endpoints.succeed(failing) == an_endpoint()


def test_refusal_is_given_up_sooner():
    refused = [an_entry(tries=tries) for tries in (MOST_REFUSALS - 1, MOST_REFUSALS)]

    assert [endpoints.has_tries_left(one, Outcome.REFUSED) for one in refused] == [True, False]
    assert endpoints.has_tries_left(refused[1], Outcome.FAILED)


def test_both_secrets_sign_for_a_day():
    rotated = endpoints.rotate(an_endpoint(), "whsec_Yg==", NOON)
    a_day_later = NOON + endpoints.ROTATION

    assert rotated.secrets(a_day_later - A_MINUTE) == ("whsec_Yg==", "whsec_YQ==")
    assert rotated.secrets(a_day_later) == ("whsec_Yg==",)


def test_enabled_endpoint_starts_from_now():
    failed = endpoints.disable(an_endpoint(held=(an_entry(),)), DisabledReason.FAILING, NOON)
    assert failed.has_failed

    enabled = endpoints.enable(failed, "now", NOON + A_MINUTE)

    assert (enabled.state, enabled.reason) == (EndpointState.ACTIVE, None)
    assert (enabled.cursor, enabled.held, enabled.untold_since) == ("now", (), None)
    asked = endpoints.disable(enabled, DisabledReason.ASKED, NOON)
    assert not asked.has_failed


def test_oldest_event_that_waits_counts():
    earlier = NOON - A_MINUTE
    endpoint = an_endpoint(waiting_since=NOON, held=(an_entry(since=earlier),))

    assert endpoint.untold_since == earlier
    assert (endpoint.is_late, an_endpoint().is_late) == (True, False)
    assert endpoint.holds("c")
    assert not endpoint.holds("d")


def test_lease_of_another_ends():
    leased = an_endpoint(leased_by="a", leased_until=NOON + A_MINUTE)

    assert leased.is_leased_to_other("b", NOON)
    assert not leased.is_leased_to_other("a", NOON)
    assert not leased.is_leased_to_other("b", NOON + A_MINUTE)
    assert not an_endpoint().is_leased_to_other("b", NOON)


def test_pause_of_wrong_clock_is_over():
    for retry_at, is_due in ((NOON, True), (NOON + A_MINUTE, False), (NOON + A_YEAR, True)):
        assert an_endpoint(retry_at=retry_at).may_be_tried(NOON) is is_due
        assert an_entry(retry_at=retry_at).may_be_tried(NOON) is is_due


def test_only_last_successes_are_kept():
    endpoint = an_endpoint()
    for _ in range(3):
        endpoint = endpoints.keep_recent(endpoint, (an_attempt(200),) * 9)

    assert len(endpoint.recent) == endpoints.RECENT


def test_tick_looks_where_something_waits():
    idle_since = NOON - timedelta(days=1)
    idle = {"moved_at": idle_since}
    due = [
        an_endpoint(id="just-told"),
        an_endpoint(id="retried", retry_at=NOON, **idle),
        an_endpoint(id="waiting", waiting_since=idle_since, **idle),
        an_endpoint(id="leased", leased_by="a", leased_until=idle_since, **idle),
    ]
    others = [
        an_endpoint(id="later", retry_at=NOON + A_MINUTE),
        endpoints.disable(an_endpoint(id="disabled"), DisabledReason.ASKED, NOON),
    ]

    listed = list(endpoints.list_due([*due, *others], NOON, are_poked=True))

    assert listed == due


def test_idle_endpoint_is_looked_at_every_quarter_of_an_hour():
    idle = an_endpoint(moved_at=NOON - timedelta(days=1))
    minutes = [NOON + A_MINUTE * index for index in range(endpoints.IDLE_MINUTES)]

    looks = [list(endpoints.list_due([idle], at, are_poked=True)) for at in minutes]

    assert looks.count([idle]) == 1
    assert list(endpoints.list_due([idle], minutes[0], are_poked=False)) == [idle]
