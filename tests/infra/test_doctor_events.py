"""The doctor sees what keeps events from being told and files from being kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from infra.doctor import endpoint_secrets, pushed_functions
from infra.doctor.diagnosis import Diagnosis, Verdict
from shared import config
from tests.cases import in_each
from tests.conventions.conftest import SETTINGS
from tests.domain.test_endpoints import an_endpoint
from tests.infra import google
from tests.infra.google import (
    DEAD,
    JOB,
    MEDIA_JOB,
    MEDIA_PUSH,
    MEDIA_TOPIC,
    PUSH,
    TOPIC,
    Google,
)
from tests.perene import Perene

OF_SCHEDULER = {"SCHEDULER_EMAIL": google.SCHEDULER_EMAIL, "SCHEDULER_AUDIENCE": "https://a.test"}


async def examine(host: httpx.AsyncBaseTransport, **settings: str) -> list[Diagnosis]:
    """Check topics and ticks of a deployment whose Google answers so."""
    chosen = config.read(SETTINGS | google.SETTINGS | OF_SCHEDULER | settings)
    async with httpx.AsyncClient(transport=host) as http:
        found = pushed_functions.check_pushed(chosen, http, lambda: "of-the-doctor", local=False)
        return [diagnosis async for diagnosis in found]


async def test_good_deployment_is_good():
    assert [one.verdict for one in await examine(Google())] == [Verdict.GOOD] * 4


async def test_nothing_is_asked_about_media_without_a_bucket():
    found = await examine(Google(), MEDIA_BUCKET="")

    assert {one.subject for one in found} == {"Events"}


def without(*path: str) -> Any:
    """Take one thing away."""

    def change(resources: dict[str, Any]) -> None:
        *way, last = path
        for name in way:
            resources = resources[name]
        del resources[last]

    return change


def instead(value: Any, *path: str) -> Any:
    """Give one thing another value."""

    def change(resources: dict[str, Any]) -> None:
        *way, last = path
        for name in way:
            resources = resources[name]
        resources[last] = value

    return change


OLD = (datetime.now(UTC) - timedelta(minutes=9)).isoformat()
ELSEWHERE = {"subscriptions": ["projects/p/subscriptions/other"]}


@in_each(
    ("change", "statement"),
    [
        (without(TOPIC), "its topic is missing"),
        (without(f"{TOPIC}/subscriptions"), "no subscription pushes"),
        (instead(ELSEWHERE, f"{TOPIC}/subscriptions"), "no subscription pushes"),
        (instead("https://x.test/", PUSH, "pushConfig", "pushEndpoint"), "no subscription pushes"),
        (without(PUSH, "pushConfig", "oidcToken"), "aren't signed"),
        (instead("https://x.test", PUSH, "pushConfig", "oidcToken", "audience"), "aren't signed"),
        (instead("x@x.test", PUSH, "pushConfig", "oidcToken", "serviceAccountEmail"), "signed"),
        (instead("RESOURCE_ERROR", PUSH, "state"), "doesn't push"),
        (without(PUSH, "deadLetterPolicy"), "no dead-letter topic"),
        (without(JOB), "no job calls"),
        (without(MEDIA_TOPIC), "store_media is called once a minute only"),
        (without(MEDIA_PUSH), "no subscription pushes"),
        (without(MEDIA_JOB), "no job calls store_media"),
        (instead("PAUSED", JOB, "state"), "no job calls"),
        (without(JOB, "lastAttemptTime"), "wasn't called for minutes"),
        (instead(OLD, JOB, "lastAttemptTime"), "wasn't called for minutes"),
        (instead(16, JOB, "status", "code"), "failed at its last call (code 16)"),
    ],
)
async def test_every_fault_is_named(change: Any, statement: str):
    host = Google()
    change(host.resources)

    (ill,) = [one for one in await examine(host) if one.verdict is not Verdict.GOOD]

    assert ill.verdict in (Verdict.BAD, Verdict.DOUBTFUL)
    assert statement in ill.statement
    assert ill.remedy


@in_each("absent", [DEAD, f"{DEAD}/subscriptions"])
async def test_dead_letters_of_both_are_missed(absent: str):
    host = Google()
    del host.resources[absent]

    ill = [one for one in await examine(host) if one.verdict is not Verdict.GOOD]

    assert [(one.subject, one.verdict) for one in ill] == [
        ("Events", Verdict.DOUBTFUL),
        ("Media", Verdict.DOUBTFUL),
    ]
    assert all("dead" in one.statement for one in ill)


async def test_what_may_not_be_seen_is_no_fault():
    forbidden = httpx.MockTransport(lambda _: httpx.Response(403))
    broken = httpx.MockTransport(lambda _: httpx.Response(200, text="["))

    verdicts = [one.verdict for host in (forbidden, broken) for one in await examine(host)]

    assert verdicts == [Verdict.UNSEEN] * 8


async def test_secrets_that_cannot_sign_are_named(on_2: Perene):
    store, good = on_2.store.endpoints, "whsec_" + "YQ" * 16
    for name, fields in {
        "ep_good": {"secret": good},
        "ep_off": {"secret": good, "state": "disabled"},
    }.items():
        await store.create(an_endpoint(id=name, tenant="acme", **fields))
    (healthy,) = [await endpoint_secrets.check_endpoints()]
    on_2.write("endpoints/ep_off", secret="whsec_short")
    (unsigned,) = [await endpoint_secrets.check_endpoints()]
    on_2.write("endpoints/ep_off", secret=good)
    on_2.database.document("outbound/told_tenants").delete()
    (unlisted,) = [await endpoint_secrets.check_endpoints()]

    assert str(healthy).endswith("1 active endpoint(s), all with secrets that sign")
    assert (unsigned.verdict, unsigned.statement) == (
        Verdict.BAD,
        "unusable secret: ep_off",
    )
    assert (unlisted.verdict, unlisted.statement) == (Verdict.BAD, "nothing pokes for ep_good")
    assert good not in f"{healthy}{unsigned}{unlisted}"


@pytest.mark.parametrize("status", [200, 403])
async def test_local_tick_is_tried(on_2: Perene, status: int):
    settings = config.read(on_2.environment())
    host = httpx.MockTransport(lambda _: httpx.Response(status, json={"due": 0}))

    async with httpx.AsyncClient(transport=host) as http:
        found = pushed_functions.check_pushed(settings, http, lambda: "", local=True)
        topic, tick = [diagnosis async for diagnosis in found]

    assert (topic.verdict, "once a minute" in topic.statement) == (Verdict.DOUBTFUL, True)
    assert tick.verdict is (Verdict.GOOD if status == 200 else Verdict.BAD)
