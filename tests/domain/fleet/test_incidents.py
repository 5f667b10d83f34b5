"""One incident, one alert: raised once, reminded of, resolved once."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.fleet import detect, incidents
from shared.domain.fleet.capacity import Census
from shared.domain.fleet.incidents import (
    SEVERITY,
    Cause,
    Incident,
    IncidentNews,
    Trouble,
    decide_incident,
    plan_incidents,
)
from shared.domain.instances import Reason, State
from shared.problems import Problem
from tests.builders import NOON, a_line
from tests.cases import in_each
from tests.domain.fleet.worlds import DAY, closed, unpaired
from tests.domain.test_endpoints import an_endpoint

HOUR = timedelta(hours=1)


def a_trouble(cause: Cause = Cause.SERVER_DOWN, subject: str = "main", **more: Any) -> Trouble:
    return Trouble(cause=cause, subject=subject, **more)


def looked(incident: Incident | None, trouble: Trouble | None, now: Any = NOON) -> Incident | None:
    return decide_incident(incident, trouble, now, DAY)


def raised(trouble: Trouble | None = None) -> Incident:
    incident = looked(None, trouble or a_trouble())
    assert incident
    return incident


def test_new_trouble_raises_an_incident():
    incident = raised()

    assert (incident.news, incident.pending, incident.number) == (IncidentNews.RAISED, True, 1)
    assert incident.id == "server_down~main"


def test_unchanged_trouble_is_no_news():
    assert looked(raised(), a_trouble(), NOON + HOUR) is None


def test_growing_trouble_sends_no_news():
    grown = looked(raised(), a_trouble(count=9), NOON + HOUR)

    assert grown
    assert (grown.count, grown.number, grown.news) == (9, 1, IncidentNews.RAISED)


def test_lasting_trouble_sends_a_reminder():
    reminded = looked(raised(), a_trouble(), NOON + DAY)

    assert reminded
    assert (reminded.news, reminded.number) == (IncidentNews.REMINDED, 2)
    assert looked(reminded, a_trouble(), NOON + DAY + HOUR) is None


def test_disconnected_lines_are_not_reminded_of():
    trouble = a_trouble(Cause.LINES_DISCONNECTED, "acme")

    assert looked(raised(trouble), trouble, NOON + 9 * DAY) is None


def test_ended_trouble_resolves_its_incident():
    resolved = looked(raised(), None, NOON + HOUR)

    assert resolved
    assert (resolved.open, resolved.news, resolved.lasted) == (False, IncidentNews.RESOLVED, HOUR)
    assert resolved.expires_at
    assert looked(resolved, None, NOON + DAY) is None


def test_returning_trouble_is_raised_again():
    resolved = looked(raised(), None, NOON + HOUR)

    again = looked(resolved, a_trouble(), NOON + DAY)

    assert again
    assert (again.open, again.news, again.raised_at) == (True, IncidentNews.RAISED, NOON + DAY)
    assert (again.lasted, again.expires_at, again.number) == (None, None, 3)


def test_absent_incident_is_not_resolved():
    assert looked(None, None) is None


def test_only_checked_causes_are_resolved():
    incidents_by_id = {
        incident.id: incident
        for incident in (raised(), raised(a_trouble(Cause.VIOLATIONS, "fleet")))
    }

    planned = dict(plan_incidents(incidents_by_id, [], frozenset({Cause.SERVER_DOWN})))

    assert planned == {"server_down~main": None}


def test_unseen_subject_is_not_resolved():
    incidents_by_id = {raised().id: raised()}

    assert not dict(plan_incidents(incidents_by_id, [], frozenset(Cause), {"server_down~main"}))


def test_silent_server_hides_its_incidents():
    full = {"full": Census(at=NOON, limit=1, reserved=1)}
    lines = [closed(server="down"), closed(tenant="other")]

    assert detect.unsure(full, ["down"], lines) == {
        "server_full~down",
        "server_filling~down",
        "server_filling~full",
        "lines_disconnected~acme",
        "lines_banned~acme",
    }


def test_every_trouble_is_decided():
    incidents_by_id = {raised().id: raised()}
    full = a_trouble(Cause.SERVER_FULL)

    planned = dict(plan_incidents(incidents_by_id, [a_trouble(), full], frozenset(Cause)))

    assert planned == {"server_down~main": a_trouble(), "server_full~main": full}


@in_each("cause", Cause, ids=lambda cause: cause.value)
def test_every_cause_has_a_severity(cause: Cause):
    assert cause in SEVERITY
    assert raised(a_trouble(cause)).severity is SEVERITY[cause]


def test_any_subject_makes_an_id():
    assert a_trouble(subject="a/b").id == "server_down~a~2fb"


# What is wrong, by what caused it ------------------------------------------------------------


def servers(silent: dict[str, str] | None = None, **censuses: Census) -> list[tuple[str, Cause]]:
    troubles = detect.of_servers(censuses, silent or {}, 0.9)
    return [(trouble.subject, trouble.cause) for trouble in troubles]


@in_each(("reserved", "cause"), [(8, None), (9, Cause.SERVER_FILLING), (10, Cause.SERVER_FULL)])
def test_filling_server_is_in_trouble(reserved: int, cause: Cause | None):
    census = Census(at=NOON, limit=10, reserved=reserved)

    assert servers(main=census) == ([("main", cause)] if cause else [])


def test_silent_server_has_its_cause():
    silent = {
        "a": "evolution-unreachable",
        "b": "evolution-refused-key",
        "c": "server-not-licensed",
    }

    assert servers(silent) == [
        ("a", Cause.SERVER_DOWN),
        ("b", Cause.SERVER_KEY_REFUSED),
        ("c", Cause.SERVER_NOT_LICENSED),
    ]


def test_unlicensed_server_names_its_manager():
    managers = {"a": "https://a.test/manager", "b": "https://b.test/manager"}
    silent = {"a": "server-not-licensed", "b": "evolution-unreachable"}

    troubles = detect.of_servers({}, silent, 0.9, managers)

    assert [trouble.facts for trouble in troubles] == [{"address": "https://a.test/manager"}, {}]


def test_slugs_of_silent_servers_are_problems():
    assert set(detect.SILENCES) <= set(Problem.registry)


def disconnected(*lines: Any, **more: Any) -> list[tuple[str, int]]:
    given = {"silent": set(), "away": set(), "after": HOUR, "idle": 30 * DAY, **more}
    troubles = detect.of_lines(lines, now=NOON + 2 * HOUR, **given)
    return [(trouble.subject, trouble.count) for trouble in troubles]


def test_tenant_has_one_disconnection_trouble():
    lines = [closed(), closed(line="vendas"), closed(tenant="other")]

    assert disconnected(*lines) == [("acme", 2), ("other", 1)]


@in_each(
    "line",
    [
        pytest.param(a_line(open=True), id="open"),
        pytest.param(unpaired(), id="never paired"),
        pytest.param(closed(reason=Reason.DISCONNECTED), id="disconnected by somebody"),
        pytest.param(closed(closed_since=NOON + HOUR + HOUR), id="just now"),
        pytest.param(closed(closed_since=NOON - 40 * DAY), id="idle for long"),
        pytest.param(closed(server="down"), id="on a server that is down"),
        pytest.param(closed(tenant="away"), id="of a tenant that is away"),
        pytest.param(a_line(State.PAIRING), id="pairing"),
    ],
)
def test_other_lines_are_nobodys_trouble(line: Any):
    assert disconnected(line, silent={"down"}, away={"away"}) == []


def test_single_event_stays_open_for_days():
    wrong = Trouble(cause=Cause.WRONG_NUMBER, subject="acme")
    down = Trouble(cause=Cause.SERVER_DOWN, subject="main")
    untold = decide_incident(None, wrong, NOON, timedelta(hours=1))
    assert untold
    happened = untold.model_copy(update={"pending": False})
    seen = decide_incident(None, down, NOON, timedelta(hours=1))

    assert incidents.lasts(happened, NOON + timedelta(days=6))
    assert not incidents.lasts(happened, NOON + timedelta(days=7))
    assert incidents.lasts(untold, NOON + timedelta(days=7))
    assert not incidents.lasts(seen, NOON)


def test_late_endpoints_are_told_by_tenant():
    late = [an_endpoint(id=name, tenant=name[0]) for name in ("a1", "b1", "a2")]

    troubles = list(detect.of_endpoints([*late, an_endpoint(id="ours")]))

    assert [(one.subject, one.facts["endpoints"]) for one in troubles] == [
        ("fleet", ["ours"]), ("a", ["a1", "a2"]), ("b", ["b1"]),
    ]  # fmt: skip


def test_blocked_numbers_have_their_own_trouble():
    fresh = closed(line="a", reason=Reason.BANNED, closed_since=NOON + 2 * HOUR)
    old = closed(line="b", reason=Reason.BANNED, closed_since=NOON - 40 * DAY)

    troubles = detect.of_lines(
        [fresh, old, closed()], set(), set(), HOUR, 30 * DAY, NOON + 2 * HOUR
    )

    assert [(trouble.cause, trouble.count) for trouble in troubles] == [
        (Cause.LINES_BANNED, 1),
        (Cause.LINES_DISCONNECTED, 1),
    ]
