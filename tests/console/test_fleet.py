"""Frota: the state in three seconds, every line, and what the clean-up will delete."""

import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from playwright.async_api import expect

from infra.local.emulator import PROJECT
from shared.domain.fleet.candidates import Candidate, CandidateCause, Stage, candidate_id
from shared.domain.fleet.reports import Report
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineId, LineKey, TenantId, instance_name
from shared.operator.fleet_pages import Days
from shared.operator.fleet_views import FleetView
from tests.console.browser import LOOKS, Look, Tab
from tests.console.conftest import Stack, Visit

pytestmark = pytest.mark.anyio
DESKTOP, PHONE = LOOKS[0], LOOKS[1]
MARKUP = "<img src=x onerror=alert(1)><b>Loja</b>"
MANY = 5_000

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def keep(stack: Stack) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """`keep("instances/x", {…})`: a document that is there for one test."""
    client = firestore.Client(project=PROJECT)
    kept: list[Any] = []

    def keep(path: str, content: dict[str, Any]) -> None:
        reference = client.document(path)
        reference.set(content)
        kept.append(reference)

    yield keep
    for reference in kept:
        reference.delete()


Keep = Callable[[str, dict[str, Any]], None]


def line(owner: str, at: int = 0, **change: Any) -> Instance:
    name = LineId(f"l{at}")
    known: dict[str, Any] = {
        "name": instance_name("instance_", LineKey(TenantId(owner), name)),
        "tenant": owner,
        "line": name,
        "label": f"Loja {at}",
        "server": "main",
        "state": State.OPEN,
        "since": datetime.now(UTC) - timedelta(hours=at),
        "number": f"551198{at:07}",
        "created_at": datetime.now(UTC) - timedelta(days=30),
    }
    return Instance.model_validate(known | change)


def candidate(owner: str, **change: Any) -> Candidate:
    name = InstanceName(f"instance_{owner}")
    now = datetime.now(UTC)
    known: dict[str, Any] = {
        "id": candidate_id("main", name),
        "server": "main",
        "name": name,
        "tenant": owner,
        "line": "default",
        "cause": CandidateCause.ORPHAN,
        "paired": True,
        "needs_approval": True,
        "stage": Stage.QUARANTINED,
        "run": "r",
        "suspected_at": now - timedelta(days=2),
        "quarantined_at": now - timedelta(days=1),
    }
    return Candidate.model_validate(known | change)


def keep_line(keep: Keep, known: Instance) -> None:
    keep(f"instances/{known.name}", known.model_dump())


def keep_candidate(keep: Keep, known: Candidate) -> None:
    keep(f"sweeps/orphans/candidates/{known.id}", known.model_dump())


async def fleet_is(tab: Tab, change: Change) -> None:
    """What the function says of the fleet: a quiet one, with a change."""
    said = quiet()
    change(said)
    answer = FleetView.model_validate(said).model_dump(mode="json", exclude_none=True)
    await tab.page.route(f"{tab.origin}/fleet", lambda route: route.fulfill(json=answer))
    await tab.page.reload()


def quiet() -> dict[str, Any]:
    names = ("servers", "answering", "limit", "reserved", "free", "quarantined", "foreign")
    more = ("open", "pairing", "closed", "never_paired")
    server = {"server": "main", "limit": 100, "reserved": 40, "free": 60, "accepting": True}
    sweeps = [swept("capacity", 3), swept("orphans", 20)]
    return {
        "totals": dict.fromkeys((*names, *more), 1) | {"limit": 100, "open": 30, "free": 60},
        "servers": [server],
        "attention": [],
        "sentence": "",
        "sweeps": sweeps,
        "awaiting_approval": 0,
    }


def swept(kind: str, hours: float, **change: Any) -> dict[str, Any]:
    """A run that ended so long ago."""
    ended = datetime.now(UTC) - timedelta(hours=hours)
    run = {"id": f"{kind}-r", "kind": kind, "started_at": ended - timedelta(minutes=1)}
    return run | {"ended_at": ended, "counts": {}} | change


def full(share: float, limit: int = 100) -> Change:
    """One server that is so full, with some of everything on it."""
    used = round(share * limit)
    census = {
        "at": datetime.now(UTC).isoformat(),
        "limit": limit,
        "reserved": used,
        "open": used - 10,
        "pairing": 2,
        "closed": 4,
        "never_paired": 3,
        "quarantined": 1,
        "foreign": 2,
        "corrected": 0,
    }
    trend = {"a_day": 1.5, "low": 1.1, "high": 1.9, "days": 28}

    def change(said: dict[str, Any]) -> None:
        said["servers"] = [
            said["servers"][0]
            | {"server": "main", "limit": limit, "reserved": used, "free": limit - used}
            | {"census": census, "share": share, "memory_gb": 12.5, "accepting": True}
            | {"forecast": {"trend": trend, "days": 7, "earliest": 5, "latest": 10}}
        ]
        said["attention"] = []

    return change


def troubled(*causes: str, severity: str = "warning") -> Change:
    def change(said: dict[str, Any]) -> None:
        full(0.93)(said)
        since = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
        said["attention"] = [
            {
                "severity": severity,
                "cause": cause,
                "subject": "acme" if cause == "lines_disconnected" else "main",
                "count": 2,
                "sentence": f"said of {cause}",
                "since": since,
            }
            for cause in causes
        ]

    return change


async def color(tab: Tab, selector: str) -> tuple[int, int, int]:
    text = await tab.page.locator(selector).first.evaluate(
        "(it) => getComputedStyle(it).backgroundColor"
    )
    red, green, blue = map(int, re.findall(r"\d+", text)[:3])
    return red, green, blue


# The state in three seconds ------------------------------------------------------------------


async def test_nothing_to_do_is_said_calmly(visit: Visit, look: Look):
    tab = await visit("/fleet", look, "operator", operator=True)
    await fleet_is(tab, full(0.4))

    await expect(tab.page.get_by_text(await tab.say("fleet.attention.calm"))).to_be_visible()
    await expect(tab.page.locator(".fleet-warning.bad")).to_have_count(0)
    await tab.good("fleet")


async def test_a_server_is_red_from_90_percent_on_and_not_before(visit: Visit, look: Look):
    tab = await visit("/fleet", look, "operator", operator=True)
    await fleet_is(tab, full(0.89))
    warning = tab.page.get_by_text(await tab.say("fleet.servers.red"))
    filling = tab.page.get_by_text(await tab.say("fleet.servers.filling"))
    await expect(filling).to_be_visible()
    await expect(warning).to_have_count(0)
    red, green, _ = await color(tab, ".fleet-segment.open")
    assert green > red

    await fleet_is(tab, full(0.9))

    await expect(warning).to_be_visible()
    await expect(tab.page.locator(".fleet-mark")).to_have_count(2)
    red, green, _ = await color(tab, ".fleet-segment.open")
    assert red > green
    bar = tab.page.get_by_role("img", name=re.compile("main"))
    await expect(bar).to_have_accessible_name(re.compile("90.?%.*80 .*2 .*4 .*3 .*1 .*10 "))
    await tab.good("fleet-red")


async def test_the_width_of_a_segment_is_its_share_and_marks_are_where_they_say(visit: Visit):
    tab = await visit("/fleet", DESKTOP, "operator", operator=True)
    await fleet_is(tab, full(0.5))
    bar = tab.page.locator(".fleet-bar")
    await expect(bar).to_be_visible()

    measured = await bar.evaluate(
        """(bar) => { const {left, width} = bar.getBoundingClientRect();
            return [bar.querySelector('.open').getBoundingClientRect().width / width,
                ...[...bar.querySelectorAll('.fleet-mark')].map(
                    (mark) => (mark.getBoundingClientRect().left - left) / width)]; }"""
    )

    assert measured == pytest.approx([0.4, 0.8, 0.9], abs=0.02)


async def test_each_trouble_has_words_of_the_language_and_one_thing_to_do(visit: Visit, look: Look):
    causes = ["server_down", "server_full", "lines_disconnected", "approval_awaited", "violations"]
    tab = await visit("/fleet", look, "operator", operator=True)
    await fleet_is(tab, troubled(*causes, "sweep_braked", severity="critical"))
    troubles = tab.page.locator(".fleet-trouble")
    await expect(troubles).to_have_count(6)
    for at, cause in enumerate([*causes, "sweep_braked"]):
        said = await tab.say(
            f"fleet.causes.{cause}",
            subject="acme" if cause == "lines_disconnected" else "main",
            n=2,
            used=93,
            limit=100,
        )
        await expect(troubles.nth(at)).to_contain_text(said)
        await expect(troubles.nth(at).locator("a, button")).to_have_count(1)
    await tab.good("fleet-attention")

    await troubles.nth(2).get_by_role("link").click()

    assert tab.path == "/fleet/instances?tenant=acme&state=off"


async def test_what_needs_attention_says_how_old_it_is(visit: Visit):
    tab = await visit("/fleet", DESKTOP, "operator", operator=True)
    running = swept("capacity", 0, ended_at=None)

    def change(said: dict[str, Any]) -> None:
        troubled("server_full")(said)
        said["sweeps"] = [running, *said["sweeps"], swept("orphans", 44)]

    await fleet_is(tab, change)

    said = "Segundo a última varredura: capacidade há 3 h · limpeza há 20 h"
    await expect(tab.page.locator(".fleet-attention .fleet-as-of")).to_have_text(said)
    await fleet_is(tab, full(0.4))
    await expect(tab.page.locator(".fleet-attention.calm .fleet-as-of")).to_have_text(said)


async def test_before_the_first_sweep_has_ended_nobody_says_that_all_is_well(
    visit: Visit, look: Look
):
    tab = await visit("/fleet", look, "operator", operator=True)
    running = swept("capacity", 0, ended_at=None)
    await fleet_is(tab, lambda said: said.update(sweeps=[running]))

    unknown = tab.page.get_by_text(await tab.say("fleet.attention.unknown"), exact=True)
    await expect(unknown).to_be_visible()
    calm = tab.page.get_by_text(await tab.say("fleet.attention.calm"))
    await expect(calm).to_have_count(0)
    await tab.good("fleet-unknown")

    def known(said: dict[str, Any]) -> None:
        troubled("server_full")(said)
        said["sweeps"] = [running]

    await fleet_is(tab, known)
    none = await tab.say("fleet.attention.none_ended")
    await expect(tab.page.locator(".fleet-attention .fleet-as-of")).to_have_text(none)


async def test_a_cause_that_the_console_does_not_know_is_said_as_the_function_says_it(visit: Visit):
    tab = await visit("/fleet", DESKTOP, "operator", operator=True)
    await fleet_is(tab, troubled("comet"))

    await expect(tab.page.get_by_text("said of comet")).to_be_visible()


async def test_new_lines_are_stopped_and_let_in_again(visit: Visit, stack: Stack):
    def accepting() -> bool:
        said = stack.call("GET", "/fleet", "operator", operator=True).json()
        return bool(said["servers"][0]["accepting"])

    tab = await visit("/fleet", DESKTOP, "operator", operator=True)
    await fleet_is(tab, troubled("server_filling"))
    await tab.page.get_by_role("button", name="Parar novas linhas").click()
    toast = tab.page.locator(".toast")
    await expect(toast).to_contain_text("não recebe mais novas linhas")
    assert not accepting()

    await toast.get_by_role("button", name="Desfazer").click()
    await expect(tab.page.get_by_text("voltou a receber novas linhas")).to_be_visible()
    assert accepting()


async def test_the_trend_is_drawn_and_can_be_read_as_a_table(visit: Visit, look: Look):
    today = datetime.now(UTC).date().toordinal()
    days = [
        {"day": today - ago, "used": {"main": 90 - ago, "b": 5}, "limit": {"main": 100, "b": 10}}
        | {"open": {"main": 60 - ago, "b": 4}}
        for ago in range(20, -1, -1)
    ]
    tab = await visit("/fleet", look, "operator", operator=True)
    where = re.compile(r"/fleet/days\?")
    answer = Days.model_validate({"days": days}).model_dump(mode="json", exclude_none=True)
    await tab.page.route(where, lambda route: route.fulfill(json=answer))
    await fleet_is(tab, full(0.9))

    await expect(tab.page.locator(".fleet-chart canvas")).to_be_visible()
    chart = tab.page.locator(".fleet-chart[role=img]")
    await expect(chart).to_have_accessible_name(re.compile(" 95 .* 64 .* 110"))
    await tab.page.get_by_text(await tab.say("fleet.trend.table")).click()
    first = tab.page.locator(".fleet-table tbody tr").first
    await expect(first.locator("td")).to_have_text(["95", "64", "110"])
    await tab.good("fleet-trend")


async def test_a_server_that_does_not_answer_says_how_old_its_figures_are(visit: Visit, look: Look):
    def change(said: dict[str, Any]) -> None:
        full(0.5)(said)
        said["servers"][0]["failed_since"] = datetime.now(UTC).isoformat()

    tab = await visit("/fleet", look, "operator", operator=True)
    await fleet_is(tab, change)

    data = "dados de" if look.language == "pt-BR" else "data of"
    await expect(tab.page.locator(".fleet-warning.bad")).to_contain_text(data)


async def test_a_fleet_that_can_not_be_had_says_so_and_is_asked_again(visit: Visit, look: Look):
    tab = await visit("/fleet", look, "operator", operator=True)
    tab.forgive("503")
    down = {"type": "urn:perene:problem:store-unavailable", "title": "x", "status": 503}
    await tab.page.route(f"{tab.origin}/fleet", lambda route: route.fulfill(status=503, json=down))
    await tab.page.reload()
    said = await tab.say("shell.problems.store-unavailable")
    await expect(tab.page.get_by_text(said)).to_be_visible()
    await tab.unseen()
    await tab.good("fleet-failed")

    await tab.page.unroute(f"{tab.origin}/fleet")
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).click()

    await expect(tab.page.get_by_text(await tab.say("fleet.servers.title"))).to_be_visible()


# Every line ----------------------------------------------------------------------------------


async def test_lines_are_filtered_and_sorted_and_the_address_says_how(
    visit: Visit, look: Look, keep: Keep, tenant: str
):
    for at in (1, 2, 11):
        keep_line(keep, line(tenant, at))
    lost = line(tenant, 3, state=State.CLOSED, reason=Reason.LOGGED_OUT, number="5521977776666")
    keep_line(keep, lost)
    tab = await visit(f"/fleet/instances?tenant={tenant}&sort=-label", look, "op", operator=True)
    labels = tab.page.locator("[role=row] .label strong")
    await expect(labels).to_have_text(["Loja 11", "Loja 3", "Loja 2", "Loja 1"])
    await tab.good("instances")

    await tab.page.get_by_role("searchbox").fill("(21) 97777")
    await expect(labels).to_have_text(["Loja 3"])
    row = tab.page.locator("[data-index]")
    await expect(row).to_contain_text("(21) 97777-6666")
    await expect(row).to_contain_text(await tab.say("fleet.reasons.logged_out"))

    await tab.page.get_by_role("searchbox").fill("")
    await expect(labels).to_have_count(4)
    await tab.page.get_by_label(await tab.say("fleet.instances.state")).select_option("open")
    await expect(labels).to_have_text(["Loja 11", "Loja 2", "Loja 1"])
    assert tab.path == f"/fleet/instances?tenant={tenant}&sort=-label&state=open"

    await tab.page.reload()
    await expect(labels).to_have_text(["Loja 11", "Loja 2", "Loja 1"])
    await tab.page.get_by_role("searchbox").fill("nobody has this")
    none = tab.page.get_by_text(await tab.say("fleet.instances.no_match"), exact=True)
    await expect(none).to_be_visible()


async def test_a_click_on_a_column_sorts_by_it_and_another_the_other_way(
    visit: Visit, keep: Keep, tenant: str
):
    for at in (2, 1, 3):
        keep_line(keep, line(tenant, at))
    tab = await visit(f"/fleet/instances?tenant={tenant}", DESKTOP, "op", operator=True)
    labels = tab.page.locator("[role=row] .label strong")
    since = tab.page.get_by_role("columnheader", name="Desde")
    await since.get_by_role("button").click()
    await expect(labels).to_have_text(["Loja 3", "Loja 2", "Loja 1"])
    await since.get_by_role("button").click()
    await expect(labels).to_have_text(["Loja 1", "Loja 2", "Loja 3"])
    await expect(since).to_have_attribute("aria-sort", "descending")
    assert tab.path.endswith("sort=-since")


async def test_whoever_has_the_phone_gets_a_link(
    visit: Visit, look: Look, keep: Keep, tenant: str, stack: Stack
):
    stack.call("PUT", f"/fleet/tenants/{tenant}", "op", operator=True, json={"status": "active"})
    keep_line(keep, line(tenant, 1, state=State.CLOSED, reason=Reason.CONNECTION_LOST))
    keep_line(keep, line(tenant, 2))
    tab = await visit(f"/fleet/instances?tenant={tenant}", look, "op", operator=True)
    ask = tab.page.get_by_role("button", name=await tab.say("fleet.instances.link"))
    await expect(ask).to_have_count(1)
    await ask.click()

    address = tab.page.get_by_label(await tab.say("shell.link.address"), exact=True)
    await expect(address).to_have_value(re.compile("^http"))
    await expect(tab.page.get_by_text(await tab.say("shell.link.once"))).to_be_visible()
    await tab.good("link")


async def test_a_link_that_the_browser_does_not_copy_is_selected_and_that_is_said(
    visit: Visit, keep: Keep, tenant: str, stack: Stack
):
    stack.call("PUT", f"/fleet/tenants/{tenant}", "op", operator=True, json={"status": "active"})
    keep_line(keep, line(tenant, 1, state=State.CLOSED, reason=Reason.CONNECTION_LOST))
    tab = await visit(f"/fleet/instances?tenant={tenant}", DESKTOP, "op", operator=True)
    await tab.page.get_by_role("button", name="Link de reconexão").click()
    address = tab.page.get_by_label("Link", exact=True)
    await expect(address).to_have_value(re.compile("^http"))
    await tab.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no')); }"
    )

    await tab.page.get_by_role("button", name="Copiar").click()

    said = tab.page.get_by_role("dialog").get_by_text("O link está selecionado")
    await expect(said).to_be_visible()
    await expect(address).to_be_focused()
    assert await address.evaluate("(it) => it.selectionEnd - it.selectionStart === it.value.length")


async def test_labels_and_tenants_full_of_markup_are_shown_as_text(
    visit: Visit, keep: Keep, tenant: str
):
    odd = f"<i>{tenant}</i>"
    keep_line(keep, line(odd, 1, label=MARKUP))
    keep_candidate(keep, candidate(tenant, tenant=odd))
    tab = await visit("/fleet/instances", DESKTOP, "op", operator=True)
    await tab.page.get_by_role("searchbox").fill(tenant)
    await expect(tab.page.locator("[role=row] .label strong")).to_have_text([MARKUP])
    await expect(tab.page.get_by_role("button", name=odd)).to_be_visible()

    await tab.go("/fleet/review")
    await expect(tab.page.get_by_text(f"cliente {odd}")).to_be_visible()
    assert await tab.page.locator("main img, main b, main i").count() == 0


async def test_five_thousand_lines_are_as_quick_as_ten(visit: Visit, tenant: str, stack: Stack):
    client = firestore.Client(project=PROJECT)
    known = [line(f"{tenant}-{at % 400}", at) for at in range(MANY)]
    try:
        for start in range(0, MANY, 500):
            batch = client.batch()
            for each in known[start : start + 500]:
                batch.set(client.document(f"instances/{each.name}"), each.model_dump())
            batch.commit()
        began = time.monotonic()
        tab = await visit(f"/fleet/instances?text={tenant}", DESKTOP, "op", operator=True)
        count = tab.page.locator(".toolbar .count")
        await expect(tab.page.locator("[data-index]").first).to_be_visible()
        first = time.monotonic() - began
        await expect(count).to_contain_text("5.0", timeout=60_000)
        await expect(count).not_to_contain_text("carregando", timeout=60_000)
        print(f"first lines after {first:.1f} s, {MANY} after {time.monotonic() - began:.1f} s")
        assert await tab.page.locator("[data-index]").count() < 60

        slowest = await tab.page.evaluate(
            """async () => {
                const main = document.querySelector('main');
                const frame = () => new Promise(requestAnimationFrame);
                let last = performance.now(), worst = 0;
                for (let top = 0; top < main.scrollHeight; top += 13_000) {
                    main.scrollTop = top; await frame(); await frame();
                    if (!document.querySelector('[data-index]')) throw new Error('nothing');
                    worst = Math.max(worst, performance.now() - last);
                    last = performance.now();
                }
                return worst;
            }"""
        )
        print(f"slowest step of scrolling through {MANY} lines: {slowest:.0f} ms")
        await expect(tab.page.locator(f'[data-index="{MANY - 1}"]')).to_have_count(1)

        await tab.page.get_by_role("searchbox").fill(f"{tenant}-399 Loja 4799")
        await expect(tab.page.locator("[role=row] .label strong")).to_have_text(["Loja 4799"])
    finally:
        for start in range(0, MANY, 500):
            batch = client.batch()
            for each in known[start : start + 500]:
                batch.delete(client.document(f"instances/{each.name}"))
            batch.commit()


async def test_the_arrow_keys_go_from_row_to_row(visit: Visit, keep: Keep, tenant: str):
    for at in range(30):
        keep_line(keep, line(tenant, at))
    tab = await visit(f"/fleet/instances?tenant={tenant}", DESKTOP, "op", operator=True)
    await tab.page.locator('[data-index="0"] .fleet-tenant').focus()
    await tab.page.keyboard.press("ArrowDown")
    await expect(tab.page.locator('[data-index="1"] .fleet-tenant')).to_be_focused()
    await tab.page.keyboard.press("End")
    await expect(tab.page.locator('[data-index="29"] .fleet-tenant')).to_be_focused()


# What the clean-up will delete ---------------------------------------------------------------


async def test_a_deletion_is_approved_by_typing_the_name_and_undone(
    visit: Visit, look: Look, keep: Keep, tenant: str, stack: Stack
):
    known = candidate(tenant)
    keep_candidate(keep, known)
    tab = await visit("/fleet/review", look, "op", operator=True)
    card = tab.page.locator(".fleet-candidate", has_text=known.name)
    await expect(card).to_contain_text(await tab.say("review.why.orphan"))
    await expect(card).to_contain_text(await tab.say("review.paired"))
    await tab.good("review")

    await card.get_by_role("button", name=await tab.say("review.approve")).click()
    dialog = tab.page.get_by_role("dialog")
    approve = dialog.get_by_role("button", name=await tab.say("review.approve"))
    await expect(approve).to_have_attribute("aria-disabled", "true")
    await tab.good("review-approve")
    await dialog.get_by_role("textbox").fill(known.name)
    await approve.click()

    await expect(card).to_contain_text(await tab.say("review.approved", who="op"))
    stored = firestore.Client(project=PROJECT).document(f"sweeps/orphans/candidates/{known.id}")
    assert stored.get().get("approved_by") == "op"

    await card.get_by_role("button", name=await tab.say("review.undo")).click()
    await expect(card).to_have_count(0)
    assert not stored.get().exists


async def test_what_was_never_paired_is_approved_with_one_click(
    visit: Visit, keep: Keep, tenant: str
):
    known = candidate(tenant, paired=False, cause=CandidateCause.NEVER_PAIRED)
    keep_candidate(keep, known)
    tab = await visit("/fleet/review", DESKTOP, "op", operator=True)
    card = tab.page.locator(".fleet-candidate", has_text=known.name)
    await card.get_by_role("button", name="Aprovar exclusão").click()

    await expect(card).to_contain_text("aprovada por op")
    await expect(card.get_by_role("button", name="Aprovar exclusão")).to_have_count(0)


async def test_what_is_kept_stays_and_nobody_asks_again(visit: Visit, keep: Keep, tenant: str):
    known = candidate(tenant, stranger=True, doubtful=True, paired=None)
    keep_candidate(keep, known)
    tab = await visit("/fleet/review", DESKTOP, "op", operator=True)
    card = tab.page.locator(".fleet-candidate", has_text=known.name)
    for warning in ("perhaps", "stranger", "doubtful"):
        await expect(card).to_contain_text(await tab.say(f"review.{warning}"))
    await card.get_by_role("button", name="Manter").click()

    kept = tab.page.locator(".fleet-stage.kept .fleet-candidate", has_text=known.name)
    await expect(kept).to_contain_text("mantida por op")

    toast = tab.page.locator(".toast", has_text=f"{known.name} fica")
    await toast.get_by_role("button", name="Não manter mais").click()
    off = f"{known.name} saiu da lista. Se a causa continuar, a varredura recomeça do início."
    await expect(tab.page.get_by_text(off)).to_be_visible()
    await expect(kept).to_have_count(0)


async def test_a_deletion_that_has_begun_can_not_be_undone_and_that_is_said(
    visit: Visit, keep: Keep, tenant: str
):
    known = candidate(tenant)
    keep_candidate(keep, known)
    tab = await visit("/fleet/review", DESKTOP, "op", operator=True)
    tab.forgive("409|410")
    card = tab.page.locator(".fleet-candidate", has_text=known.name)
    await expect(card).to_be_visible()
    keep_candidate(keep, known.model_copy(update={"stage": Stage.DELETING}))
    await card.get_by_role("button", name="Tirar da lista").click()

    await expect(card.get_by_role("alert")).to_contain_text("já começou")


async def test_a_rehearsal_shows_the_plan_and_changes_nothing(visit: Visit, look: Look):
    tab = await visit("/fleet/review", look, "op", operator=True)
    await tab.page.get_by_role("button", name=await tab.say("review.simulate")).click()

    dialog = tab.page.get_by_role("dialog")
    await expect(dialog.get_by_text(await tab.say("review.plan.text"))).to_be_visible()
    await tab.good("plan")


async def test_a_brake_is_said_in_words_and_a_loss_can_be_accepted(visit: Visit, look: Look):
    tab = await visit("/fleet/review", look, "op", operator=True)
    report = {
        "id": "r",
        "kind": "orphans",
        "started_at": datetime.now(UTC).isoformat(),
        "counts": {},
        "notes": [],
        "more_notes": 0,
        "brakes": [{"why": "tenants_shrank", "before": 40, "now": 3}],
    }
    where = f"{tab.origin}/fleet/sweeps/orphans/latest"
    answer = Report.model_validate(report).model_dump(mode="json", exclude_none=True)
    await tab.page.route(where, lambda route: route.fulfill(json=answer))
    run = report | {"braked_by": ["tenants_shrank"], "stopped_at": {}}
    await fleet_is(tab, lambda said: said.update(sweeps=[run]))
    said = await tab.say("review.brakes.tenants_shrank", before=40, now=3)
    await expect(tab.page.get_by_text(said)).to_be_visible()
    await tab.good("review-braked")

    accept = await tab.say("review.brakes.accept")
    await tab.page.get_by_role("button", name=accept).click()
    await tab.page.get_by_role("dialog").get_by_role("button", name=accept).click()

    done = await tab.say("review.brakes.accept_done")
    await expect(tab.page.get_by_text(done)).to_be_visible()


# Reports -------------------------------------------------------------------------------------


async def test_each_violation_is_in_the_report(visit: Visit, look: Look):
    def change(said: dict[str, Any]) -> None:
        said["invariants"] = {
            "checked_at": datetime.now(UTC).isoformat(),
            "instances": 412,
            "lines": 411,
            "count": 2,
            "by_rule": {"line_without_instance": 1, "number_on_two_lines": 1},
            "violations": [
                {"rule": "line_without_instance", "server": "main", "instance": "instance_a"},
                {"rule": "number_on_two_lines", "instance": "instance_b", "tenant": "b"},
            ],
            "unseen": ["reserve"],
        }

    tab = await visit("/fleet/report", look, "op", operator=True)
    await fleet_is(tab, change)
    sentence = await tab.say("fleet.invariants.sentence", n=2, instances=412)
    await expect(tab.page.get_by_text(sentence)).to_be_visible()
    for name in ("instance_a", "instance_b"):
        await expect(tab.page.get_by_text(name)).to_be_visible()
    await tab.good("report")


async def test_runs_and_incidents_are_in_the_history(visit: Visit, look: Look, keep: Keep):
    now = datetime.now(UTC)
    keep(
        "incidents/server_down~old",
        {
            "id": "server_down~old",
            "cause": "server_down",
            "subject": "old",
            "count": 1,
            "facts": {},
            "raised_at": now - timedelta(hours=3),
            "news": "resolved",
            "news_at": now - timedelta(hours=1),
            "number": 2,
            "resolved_at": now - timedelta(hours=1),
            "open": False,
            "told": {},
            "pending": False,
        },
    )
    tab = await visit("/fleet/history", look, "op", operator=True)
    said = await tab.say("fleet.causes.server_down", subject="old")
    row = tab.page.locator("li", has_text=said)
    await expect(row).to_contain_text("2 h")
    await tab.good("history")
