"""One incident, one alert, in every channel, whoever looks and however often."""

import asyncio
import hashlib
import hmac
import json
import smtplib
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared import services
from shared.alerts import channels, notify
from shared.domain.fleet import detect
from shared.domain.fleet.incidents import Cause, Trouble
from tests.cases import in_each
from tests.journeys.test_numbers_that_change import send_while_it_changes
from tests.journeys.test_sending import OWN, talk
from tests.perene import Perene
from tests.proofs.stage import times

SECRET = "the alerts' secret of the tests, 32 long"
FIVE = timedelta(minutes=5)


class Hook:
    """Keep what is posted to an alert webhook, and answer with `status`."""

    def __init__(self) -> None:
        self.posts: list[tuple[bytes, dict[str, str]]] = []
        self.status = 200
        self.app = Starlette(routes=[Route("/{rest:path}", self._take, methods=["POST"])])

    async def _take(self, request: Request) -> Response:
        if self.status == 200:
            self.posts.append((await request.body(), dict(request.headers)))
        return Response(status_code=self.status)

    @property
    def said(self) -> list[Any]:
        return [json.loads(body) for body, _ in self.posts]


@pytest.fixture
async def hook(on_2: Perene) -> Hook:
    """Alerts are posted here."""
    return connect_hook(on_2)


def connect_hook(perene: Perene) -> Hook:
    hook = Hook()
    for host in ("alerts.test", "hooks.slack.com", "chat.googleapis.com"):
        perene.hosts.transports[host] = httpx.ASGITransport(hook.app)
    perene.set(ALERT_WEBHOOK_URL="http://alerts.test/in", ALERT_LANGUAGE="en")
    return hook


async def counted(perene: Perene, looks: int = 1, apart: timedelta = FIVE) -> None:
    """Capacity is looked at so often."""
    for _ in range(looks):
        perene.clock.advance(apart)
        await perene.sweep("/sweep-capacity")


async def test_dead_server_is_one_alert(
    on_2: Perene, hook: Hook, capsys: pytest.CaptureFixture[str]
):
    for at in range(times(6, 80)):
        await on_2.pair(f"t{at}", f"55119999{at:05}")
    await counted(on_2)
    on_2.evolution.faults.turn_on("down")
    await counted(on_2, 4, 3 * FIVE)
    on_2.evolution.faults.turn_off("down")
    await counted(on_2, 2, 3 * FIVE)

    posted = [
        (incident["cause"], incident["news"])
        for post in hook.said
        for incident in post["incidents"]
    ]
    assert posted == [("server_down", "raised"), ("server_down", "resolved")]
    assert hook.said[1]["text"] == "🟢 Resolved: Server main doesn't answer (lasted 1 h)"
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    alerts = [line for line in lines if line.get("alert")]
    assert [(line["message"], line["severity"]) for line in alerts] == [
        ("incident.raised", "CRITICAL"),
        ("incident.resolved", "CRITICAL"),
    ]
    assert 3600 <= alerts[1]["seconds"] < 3660


async def test_concurrent_sweeps_raise_one_alert(on_2: Perene, hook: Hook):
    trouble = Trouble(cause=Cause.SERVER_DOWN, subject="main")

    await asyncio.gather(
        *(notify.update_incidents([trouble], detect.OF_CAPACITY) for _ in range(8))
    )
    await asyncio.gather(*(notify.update_incidents([], detect.OF_CAPACITY) for _ in range(8)))

    news = [incident["news"] for post in hook.said for incident in post["incidents"]]
    assert news == ["raised", "resolved"]


async def test_lasting_incident_is_reminded_daily(on_2: Perene, hook: Hook):
    on_2.set(SWEEP_OVERDUE_HOURS="999")
    on_2.evolution.faults.turn_on("down")

    await counted(on_2, 9, timedelta(hours=6))

    news = [incident["news"] for post in hook.said for incident in post["incidents"]]
    assert news == ["raised", "reminded", "reminded"]


async def test_failing_channel_is_tried_again(on_2: Perene, hook: Hook):
    on_2.evolution.faults.turn_on("down")
    hook.status = 500
    await counted(on_2, 3)
    assert hook.said == []

    hook.status = 200
    await counted(on_2, 3)

    assert [incident["news"] for post in hook.said for incident in post["incidents"]] == ["raised"]


async def test_refused_alert_is_given_up(
    on_2: Perene, hook: Hook, capsys: pytest.CaptureFixture[str]
):
    on_2.evolution.faults.turn_on("down")
    hook.status = 410
    await counted(on_2, 3)

    (incident,) = on_2.documents("incidents").values()
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    given_up = [line for line in lines if line["message"] == "alert.given_up"]
    assert (incident["given_up"], incident["told"]) == ({"webhook": 1}, {"log": 1})
    assert not incident["pending"]
    assert [(line["channel"], line["why"], line["incidents"]) for line in given_up] == [
        ("webhook", "status 410", [incident["id"]])
    ]


async def test_refusing_channel_gets_later_news(on_2: Perene, hook: Hook):
    on_2.evolution.faults.turn_on("down")
    hook.status = 403
    await counted(on_2, 2)

    hook.status = 200
    on_2.evolution.faults.turn_off("down")
    await counted(on_2, 3)

    assert [incident["news"] for post in hook.said for incident in post["incidents"]] == [
        "resolved"
    ]


@in_each(
    ("status", "is_permanent"),
    [*((status, True) for status in (400, 403, 404, 410)), *((s, False) for s in (408, 429, 500))],
)
async def test_webhook_failure_is_transient_or_permanent(
    on_2: Perene, hook: Hook, status: int, is_permanent: bool
):
    hook.status = status

    with pytest.raises(channels.DeliveryFailed) as failure:
        await channels.post_webhook([])

    assert failure.value.is_permanent == is_permanent


async def test_transient_failure_stays_pending(on_2: Perene, hook: Hook):
    on_2.evolution.faults.turn_on("down")
    hook.status = 500
    await counted(on_2)

    (incident,) = on_2.documents("incidents").values()
    assert (incident["given_up"], incident["pending"]) == ({}, True)


@in_each(
    ("error", "is_permanent"),
    [
        pytest.param(TimeoutError(), False, id="no answer"),
        pytest.param(smtplib.SMTPServerDisconnected(), False, id="disconnected"),
        pytest.param(smtplib.SMTPDataError(451, b"later"), False, id="4xx"),
        pytest.param(smtplib.SMTPAuthenticationError(535, b"no"), True, id="wrong password"),
        pytest.param(smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no")}), True, id="refused"),
        pytest.param(
            smtplib.SMTPRecipientsRefused({"a@b.c": (550, b"no"), "d@e.f": (450, b"later")}),
            False,
            id="one of two later",
        ),
        pytest.param(smtplib.SMTPNotSupportedError(), True, id="no STARTTLS"),
    ],
)
async def test_email_failure_is_transient_or_permanent(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch, error: Exception, is_permanent: bool
):
    on_2.set(
        ALERT_EMAIL_HOST="mail.test",
        ALERT_EMAIL_FROM="perene@agency.test",
        ALERT_EMAIL_TO="ops@agency.test",
    )

    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(smtplib, "SMTP", refuse)

    with pytest.raises(channels.DeliveryFailed) as failure:
        await channels.send_email([])

    assert failure.value.is_permanent == is_permanent


async def test_sweep_resolves_only_its_incidents(on_2: Perene, hook: Hook):
    on_2.evolution.faults.turn_on("down")
    await counted(on_2)

    await on_2.sweep("/sweep-orphans")

    (incident,) = on_2.documents("incidents").values()
    assert incident["open"]


async def test_disconnected_lines_alert_once_per_tenant(on_2: Perene, hook: Hook):
    on_2.write("tenants/acme", tenant="acme", max_lines=3)
    for at, line in enumerate(("default", "vendas", "suporte")):
        name = await on_2.pair("acme", f"551199999000{at}", line=line)
        await on_2.evolution.unpair(name)
    calm = await on_2.pair("calm", "5511999990007")
    await on_2.call("POST", "/instances/default/disconnect", "calm")
    await on_2.evolution.drain()

    await counted(on_2)
    assert hook.said == []
    await counted(on_2, 14)

    assert calm
    assert [post["text"] for post in hook.said] == ["🔴 Client acme: 3 lines disconnected"]


async def test_any_tenant_id_is_alerted(on_2: Perene, hook: Hook):
    name = await on_2.pair("a/b|c")
    await on_2.evolution.unpair(name)
    await on_2.evolution.drain()

    await counted(on_2, 14)

    assert [post["text"] for post in hook.said] == ["🔴 Client a/b|c: 1 line disconnected"]


async def test_dead_server_resolves_no_incident(on_2: Perene, hook: Hook):
    on_2.set(CAPACITY_ALERT_RATIO="0.01")
    name = await on_2.pair("acme")
    await on_2.evolution.unpair(name)
    await on_2.evolution.drain()
    await counted(on_2, 14)
    on_2.evolution.faults.turn_on("down")
    await counted(on_2, 2)

    alerts = [
        (incident["cause"], incident["news"])
        for post in hook.said
        for incident in post["incidents"]
    ]
    assert sorted(alerts) == [
        ("lines_disconnected", "raised"),
        ("server_down", "raised"),
        ("server_filling", "raised"),
    ]


async def test_a_post_is_signed(on_2: Perene, hook: Hook):
    on_2.set(ALERT_WEBHOOK_SECRET=SECRET)
    on_2.evolution.faults.turn_on("down")

    await counted(on_2)

    ((body, headers),) = hook.posts
    at, signature = (part.partition("=")[2] for part in headers["x-perene-signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature == expected


@pytest.mark.parametrize("host", ["hooks.slack.com", "chat.googleapis.com"])
async def test_chats_get_a_text_in_portuguese(on_2: Perene, hook: Hook, host: str):
    on_2.set(ALERT_WEBHOOK_URL=f"https://{host}/x", ALERT_LANGUAGE="pt-BR")
    on_2.evolution.faults.turn_on("key_rotated")

    await counted(on_2)

    assert hook.said == [{"text": "🔴 O servidor main recusa a nossa chave"}]


class Letters(socketserver.ThreadingTCPServer):
    """A mail server that keeps what it is given."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Postman)
        self.letters: list[str] = []


class Postman(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 mail.test\r\n")
        while line := self.rfile.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                lines = iter(self.rfile.readline, b".\r\n")
                self.server.letters.append(b"".join(lines).decode())  # type: ignore[attr-defined]
            if verb == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


@contextmanager
def mail_server() -> Iterator[Letters]:
    with Letters() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


async def test_email_is_retried_until_sent(on_2: Perene):
    with mail_server() as server:
        port = server.server_address[1]
        on_2.set(
            ALERT_EMAIL_HOST="127.0.0.1",
            ALERT_EMAIL_PORT="1",
            ALERT_EMAIL_SECURITY="none",
            ALERT_EMAIL_FROM="perene@agency.test",
            ALERT_EMAIL_TO="ops@agency.test, boss@agency.test",
        )
        on_2.evolution.faults.turn_on("down")
        await counted(on_2)
        assert server.letters == []

        on_2.set(ALERT_EMAIL_PORT=str(port))
        await counted(on_2, 2)

        (letter,) = server.letters
        assert "To: ops@agency.test, boss@agency.test" in letter
        assert "Subject: Perene: 1 aviso\r\n" in letter


async def test_interrupted_alert_is_delivered_later(on_2: Perene, hook: Hook):
    store, now = services.store(), services.now()
    trouble = Trouble(cause=Cause.SERVER_DOWN, subject="main")
    raised = await store.incidents.follow(trouble.id, trouble, now, timedelta(days=1))
    await store.incidents.claim_news(raised, "somebody who died", now)

    await notify.deliver_news()
    assert hook.said == []
    on_2.clock.advance(FIVE)
    await notify.deliver_news()

    assert [incident["news"] for post in hook.said for incident in post["incidents"]] == ["raised"]


async def test_braked_sweep_is_alerted(on_2: Perene, hook: Hook):
    for at in range(10):
        await on_2.ensure(f"t{at}")
    await on_2.sweep()
    for at in range(5):
        await on_2.evolution.vanish(f"instance_t{at}")

    await on_2.sweep()

    (post,) = hook.said
    assert "nothing was deleted: many instances disappeared at once" in post["text"]


@pytest.mark.parametrize("days", [0, 8], ids=["next sweep", "sweep after a week"])
async def test_request_raises_and_sweep_delivers(
    on_2: Perene, capsys: pytest.CaptureFixture[str], days: int
):
    """Requests know only the log: settings.json gives the other channels' secrets to sweeps."""
    await on_2.pair(number=OWN)
    await send_while_it_changes(on_2, conversation=await talk(on_2))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines if line.get("alert")] == ["incident.raised"]
    hook = connect_hook(on_2)

    await counted(on_2, 1, timedelta(days=days))
    await counted(on_2)

    assert [alert for alert in alerted(hook) if alert[0] == "wrong_number"][:1] == [
        ("wrong_number", "acme", "raised")
    ]
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "incident.raised" not in [
        line["message"] for line in lines if line.get("cause") == "wrong_number"
    ]


# Sweeps that nobody would miss ---------------------------------------------------------------


def alerted(hook: Hook) -> list[tuple[str, str, str]]:
    """List cause, subject and news of what was posted, in order."""
    posted = [incident for post in hook.said for incident in post["incidents"]]
    return [(incident["cause"], incident["subject"], incident["news"]) for incident in posted]


@pytest.mark.parametrize("ran_before", [True, False], ids=["died since", "never ran"])
async def test_overdue_sweep_is_one_alert(on_2: Perene, hook: Hook, ran_before: bool):
    await on_2.pair()
    if ran_before:
        await on_2.sweep()
    await counted(on_2, 1, timedelta(hours=1))
    await counted(on_2, 6, timedelta(hours=5))
    assert alerted(hook) == []

    await counted(on_2, 4, timedelta(hours=2))
    seen = (await on_2.operate("GET", "/fleet")).json()
    await on_2.sweep()

    about = ("sweep_overdue", "orphans")
    assert alerted(hook) == [(*about, "raised"), (*about, "resolved")]
    assert seen["overdue"] == ["orphans"]
    assert "consistency sweep has " in seen["attention"][0]["sentence"]
    assert (await on_2.operate("GET", "/fleet")).json()["overdue"] == []


async def test_dying_sweep_is_reported_by_other(
    on_2: Perene, hook: Hook, monkeypatch: pytest.MonkeyPatch
):
    await on_2.pair()
    await on_2.sweep()

    async def dies(*_: Any) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("shared.sweeps.surveying.take", dies)
        for _ in range(2):
            on_2.clock.advance(timedelta(days=1))
            assert (await on_2.operate("POST", "/sweep-orphans")).status_code == 500
            await on_2.sweep("/sweep-capacity")

    assert alerted(hook) == [("sweep_overdue", "orphans", "raised")]


async def test_unclaimed_paired_instances_alert_once(on_2: Perene, hook: Hook):
    await on_2.pair()
    for at in range(3):
        await on_2.plant_orphan(f"instance_ghost{at}", f"551197777000{at}", open=True)
    for _ in range(4):
        on_2.clock.advance(timedelta(days=1))
        await on_2.sweep()
    seen = (await on_2.operate("GET", "/fleet")).json()

    for at in range(3):
        await on_2.operate("POST", f"/fleet/candidates/main~instance_ghost{at}/keep")
    decided = (await on_2.operate("GET", "/fleet")).json()
    await on_2.sweep()

    about = ("approval_awaited", "main")
    alerts = [alert for alert in alerted(hook) if alert[0] == about[0]]
    assert [alert[2] for alert in alerts if alert[2] != "reminded"] == ["raised", "resolved"]
    assert seen["awaiting_approval"] == 3
    assert "approval_awaited" not in [about["cause"] for about in decided["attention"]]
    assert "3 instances without a line" in json.dumps(seen["attention"])


# What somebody wrote, or a clock that was wrong, silences nothing -----------------------------


def raised(perene: Perene, cause: str, subject: str, **more: Any) -> None:
    """An incident is there, as if it had been raised just now."""
    now, name = perene.clock(), f"{cause}~{subject}"
    fields = {"id": name, "cause": cause, "subject": subject, "facts": {}, "number": 1, "count": 1}
    fields |= {"raised_at": now, "news": "raised", "news_at": now, "open": True, "told": {}}
    perene.write(f"incidents/{name}", **{**fields, "pending": True, **more})


@pytest.mark.parametrize(
    ("cause", "facts"),
    [
        pytest.param("server_full", {"used": "a", "limit": "b"}, id="no numbers"),
        pytest.param("sweep_braked", {"why": [1]}, id="no words"),
        pytest.param("sweep_braked", {"why": None}, id="no list"),
    ],
)
async def test_odd_facts_cost_no_alert(on_2: Perene, hook: Hook, cause: str, facts: dict[str, Any]):
    raised(on_2, cause, "odd", facts=facts)
    on_2.evolution.faults.turn_on("down")

    await counted(on_2)

    assert ("server_down", "main", "raised") in alerted(hook)
    for path in ("/fleet", "/fleet/incidents"):
        assert (await on_2.operate("GET", path)).status_code == 200


async def test_wrong_clock_silences_no_alert(on_2: Perene, hook: Hook):
    on_2.evolution.faults.turn_on("down")
    hook.status = 500
    await counted(on_2)
    (name,) = on_2.documents("incidents")
    ahead = on_2.clock() + timedelta(days=365)
    on_2.write(f"incidents/{name}", teller="who died", teller_until=ahead)

    hook.status = 200
    await counted(on_2)

    assert alerted(hook) == [("server_down", "main", "raised")]


async def test_sweep_ended_in_future_is_overdue(on_2: Perene, hook: Hook):
    await on_2.sweep()
    await counted(on_2)
    on_2.write("sweeps/orphans", ended_at=on_2.clock() + timedelta(days=365))

    await counted(on_2, 2, timedelta(days=1))

    assert alerted(hook) == [("sweep_overdue", "orphans", "raised")]


async def test_unreadable_candidate_still_awaits_approval(on_2: Perene, hook: Hook):
    await on_2.pair()
    await on_2.plant_orphan("instance_ghost", "5511977770000", open=True)
    for _ in range(2):
        on_2.clock.advance(timedelta(days=1))
        await on_2.sweep()
    on_2.write("sweeps/orphans/candidates/main~instance_ghost", paired="odd")
    on_2.clock.advance(timedelta(hours=1))

    await on_2.sweep()

    alerts = [news for cause, _, news in alerted(hook) if cause == "approval_awaited"]
    assert alerts == ["raised"]


async def test_incident_pages_skip_none(on_2: Perene):
    for at in range(4):
        ago = on_2.clock() - timedelta(hours=at)
        raised(on_2, "server_down", f"s{at}", news_at=ago, pending=False)
    first = (await on_2.operate("GET", "/fleet/incidents?limit=2")).json()
    on_2.write("incidents/server_down~s1", news_at=on_2.clock() + timedelta(hours=1))

    query = {"limit": "2", "cursor": first["next"]}
    second = (await on_2.operate("GET", "/fleet/incidents", params=query)).json()

    subjects = [incident["subject"] for incident in first["incidents"] + second["incidents"]]
    assert subjects == ["s0", "s1", "s2", "s3"]
