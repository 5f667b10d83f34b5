"""Look after the fleet: its state in three seconds, every line, and what the clean-up deletes."""

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.cloud import firestore
from playwright.async_api import Locator, expect

from infra.local.emulator import PROJECT
from shared.domain.fleet.candidates import Candidate, CandidateCause, Stage, candidate_id
from shared.domain.fleet.reports import Report
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineId, LineKey, TenantId, instance_name
from shared.domain.search import parse_search
from shared.operator.fleet_pages import Days
from shared.operator.fleet_views import FleetView
from shared.store.instance_documents import instance_fields
from tests.console.browser import DESKTOP, STORE_DOWN, Tab
from tests.console.conftest import Stack, Visit, wait_until
from tests.console.test_parts import call
from tests.proofs.stage import times

pytestmark = pytest.mark.anyio
MARKUP = "<img src=x onerror=alert(1)><b>Loja</b>"
OF_A_TENANT = {"lines_disconnected", "endpoints_failed", "endpoints_late"}
ATTENTION = "views/fleet/Attention.js"
MANY = times(400, full=5_000)

Change = Callable[[dict[str, Any]], None]
Store = Callable[[str, dict[str, Any]], None]


@pytest.fixture
def store(stack: Stack) -> Iterator[Store]:
    """Store a document for one test: `store("instances/x", {…})`."""
    client = firestore.Client(project=PROJECT)
    references: list[Any] = []

    def store(path: str, document: dict[str, Any]) -> None:
        reference = client.document(path)
        reference.set(document)
        references.append(reference)

    yield store
    for reference in references:
        reference.delete()


def an_instance(owner: str, at: int = 0, **changes: Any) -> Instance:
    line = LineId(f"l{at}")
    fields: dict[str, Any] = {
        "name": instance_name("instance_", LineKey(TenantId(owner), line)),
        "tenant": owner,
        "line": line,
        "label": f"Loja {at}",
        "server": "main",
        "state": State.OPEN,
        "since": datetime.now(UTC) - timedelta(hours=at),
        "number": f"551198{at:07}",
        "created_at": datetime.now(UTC) - timedelta(days=30),
    }
    return Instance.model_validate(fields | changes)


def a_candidate(owner: str, **changes: Any) -> Candidate:
    name = InstanceName(f"instance_{owner}")
    now = datetime.now(UTC)
    fields: dict[str, Any] = {
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
    return Candidate.model_validate(fields | changes)


def store_instance(store: Store, instance: Instance) -> None:
    store(f"instances/{instance.name}", instance_fields(instance))


def store_candidate(store: Store, candidate: Candidate) -> None:
    store(f"sweeps/orphans/candidates/{candidate.id}", candidate.model_dump())


async def open_as_operator(visit: Visit, path: str, **answers: Any) -> Tab:
    return await visit(path, DESKTOP, "op", operator=True, **answers)


async def open_fleet(visit: Visit, change: Change, path: str = "/fleet") -> Tab:
    """Open a page of the fleet, where the function describes a quiet one with a change."""
    return await open_as_operator(visit, path, answers={"/fleet": describe_fleet(change)})


async def show_fleet(tab: Tab, change: Change) -> None:
    """Load the page again, where the function describes a quiet fleet with a change."""
    await tab.answer("/fleet", describe_fleet(change))
    await tab.page.reload()


def describe_fleet(change: Change) -> dict[str, Any]:
    fleet = a_quiet_fleet()
    change(fleet)
    return FleetView.model_validate(fleet).model_dump(mode="json", exclude_none=True)


def a_quiet_fleet() -> dict[str, Any]:
    names = ("servers", "answering", "limit", "reserved", "free", "quarantined", "foreign")
    more = ("open", "pairing", "closed", "never_paired")
    server = {"server": "main", "limit": 100, "reserved": 40, "free": 60, "accepting": True}
    return {
        "totals": dict.fromkeys((*names, *more), 1)
        | {"limit": 100, "open": 30, "free": 60, "counted_at": datetime.now(UTC)},
        "servers": [server],
        "attention": [],
        "sentence": "",
        "sweeps": [a_sweep("capacity", 3), a_sweep("orphans", 20)],
        "awaiting_approval": 0,
    }


def a_sweep(kind: str, hours: float, **changes: Any) -> dict[str, Any]:
    """Describe a run that ended so long ago."""
    ended = datetime.now(UTC) - timedelta(hours=hours)
    run = {"id": f"{kind}-r", "kind": kind, "started_at": ended - timedelta(minutes=1)}
    return run | {"ended_at": ended, "counts": {}} | changes


def fill_server(share: float, limit: int = 100) -> Change:
    """Make the only server so full, with some of everything on it."""
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

    def change(fleet: dict[str, Any]) -> None:
        fleet["servers"] = [
            fleet["servers"][0]
            | {"server": "main", "limit": limit, "reserved": used, "free": limit - used}
            | {"census": census, "share": share, "memory_gb": 12.5, "accepting": True}
            | {"forecast": {"trend": trend, "days": 7, "earliest": 5, "latest": 10}}
        ]
        fleet["attention"] = []

    return change


def an_endpoint(description: str, **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    fields = {"id": f"ep_{description}", "tenant": "acme", "host": "crm.example.com"}
    fields |= {"description": description, "state": "active", "condition": "ok", "failures": 0}
    return fields | {"lag_seconds": 0, "told_at": now} | changes


def add_incidents(*causes: str, severity: str = "warning", **fields: Any) -> Change:
    """Report an incident of each cause, with these further fields."""

    def change(fleet: dict[str, Any]) -> None:
        fill_server(0.93)(fleet)
        since = (datetime.now(UTC) - timedelta(hours=3)).isoformat()
        fleet["attention"] = [
            {
                "severity": severity,
                "cause": cause,
                "subject": "acme" if cause in OF_A_TENANT else "main",
                "count": 2,
                "sentence": f"sentence of {cause}",
                "since": since,
            }
            | fields
            for cause in causes
        ]

    return change


async def read_color(tab: Tab, selector: str) -> tuple[int, int, int]:
    """Return red, green and blue of the first such element's background."""
    color = await tab.page.locator(selector).first.evaluate(
        "(it) => getComputedStyle(it).backgroundColor"
    )
    red, green, blue = map(int, re.findall(r"\d+", color)[:3])
    return red, green, blue


def labels(tab: Tab) -> Locator:
    return tab.page.locator("[role=row] .label strong")


def find_card(tab: Tab, candidate: Candidate) -> Locator:
    return tab.page.locator(".fleet-candidate", has_text=candidate.name)


# The state in three seconds ------------------------------------------------------------------


async def test_quiet_fleet_is_calm(visit: Visit):
    tab = await open_fleet(visit, fill_server(0.4))

    await expect(tab.page.get_by_text(await tab.say("fleet.attention.calm"))).to_be_visible()
    await expect(tab.page.locator(".fleet-warning.bad")).to_have_count(0)
    await tab.check_looks("fleet")


async def test_server_is_red_from_90_percent(visit: Visit):
    tab = await open_fleet(visit, fill_server(0.89))
    warning = tab.page.get_by_text(await tab.say("fleet.servers.red"))
    filling = tab.page.get_by_text(await tab.say("fleet.servers.filling"))
    await expect(filling).to_be_visible()
    await expect(warning).to_have_count(0)
    red, green, _ = await read_color(tab, ".fleet-segment.open")
    assert green > red

    await show_fleet(tab, fill_server(0.9))

    await expect(warning).to_be_visible()
    await expect(tab.page.locator(".fleet-mark")).to_have_count(2)
    red, green, _ = await read_color(tab, ".fleet-segment.open")
    assert red > green
    bar = tab.page.get_by_role("img", name=re.compile("main"))
    await expect(bar).to_have_accessible_name(re.compile("90.?%.*80 .*2 .*4 .*3 .*1 .*10 "))
    await tab.check_looks("fleet-red")


async def test_bar_is_drawn_to_scale(visit: Visit):
    tab = await open_fleet(visit, fill_server(0.5))
    bar = tab.page.locator(".fleet-bar")
    await expect(bar).to_be_visible()

    measured = await bar.evaluate(
        """(bar) => { const {left, width} = bar.getBoundingClientRect();
            return [bar.querySelector('.open').getBoundingClientRect().width / width,
                ...[...bar.querySelectorAll('.fleet-mark')].map(
                    (mark) => (mark.getBoundingClientRect().left - left) / width)]; }"""
    )

    assert measured == pytest.approx([0.4, 0.8, 0.9], abs=0.02)


async def test_incident_has_words_and_one_action(visit: Visit):
    causes = ["server_down", "server_full", "lines_disconnected", "approval_awaited", "violations"]
    causes.append("sweep_braked")
    tab = await open_fleet(visit, add_incidents(*causes, severity="critical"))
    incidents = tab.page.locator(".fleet-trouble")
    await expect(incidents).to_have_count(6)
    for at, cause in enumerate(causes):
        sentence = await tab.say(
            f"fleet.causes.{cause}",
            subject="acme" if cause in OF_A_TENANT else "main",
            n=2,
            used=93,
            limit=100,
        )
        await expect(incidents.nth(at)).to_contain_text(sentence)
        ways = 2 if cause == "lines_disconnected" else 1  # see its lines, or reconnect at once
        await expect(incidents.nth(at).locator("a, button")).to_have_count(ways)
    await tab.check_looks("fleet-attention")

    await incidents.nth(2).get_by_role("link").click()

    assert tab.path == "/fleet/instances?tenant=acme&state=off"


async def test_failed_endpoint_is_found_from_attention(visit: Visit):
    def change(fleet: dict[str, Any]) -> None:
        add_incidents("endpoints_late", "endpoints_failed")(fleet)
        fleet["attention"][0]["subject"] = "fleet"  # of operators: theirs are in Integrations

    tab = await open_fleet(visit, change)
    endpoints = [an_endpoint("n8n"), an_endpoint("CRM", lag_seconds=7260, condition="failing")]
    gone = {"state": "disabled", "reason": "gone", "condition": "disabled"}
    endpoints += [an_endpoint("ERP", disabled_at=datetime.now(UTC).isoformat(), **gone)]
    query = "?tenant=acme&limit=50"
    await tab.answer(f"/fleet/endpoints{query}", {"endpoints": endpoints, "next": None})

    troubles = tab.page.locator(".fleet-trouble")
    await expect(troubles.nth(0)).to_contain_text("sentence of endpoints_late")
    own = troubles.nth(0).get_by_role("link")
    await expect(own).to_have_attribute("href", re.compile("^/console/integrations$"))

    await troubles.nth(1).get_by_role("link").click()

    rows = tab.page.locator(".fleet-list > li")
    assert tab.path == "/fleet/endpoints?tenant=acme"
    lag = await tab.say("operator.endpoints.lag", span="2 h 1 min")
    await expect(rows.nth(1)).to_contain_text(lag)
    await expect(rows.nth(2)).to_contain_text(await tab.say("operator.endpoints.reasons.gone"))
    await tab.check_looks("fleet-endpoints")


async def test_attention_gives_the_reconnect_link(
    visit: Visit, store: Store, stack: Stack, tenant: str
):
    stack.call("PUT", f"/fleet/tenants/{tenant}", "op", operator=True, json={"status": "active"})
    off = {"state": State.CLOSED, "reason": Reason.LOGGED_OUT}
    for at, changes in ((1, off), (2, off), (3, {})):
        store_instance(store, an_instance(tenant, at, **changes))
    tab = await open_fleet(visit, add_incidents("lines_disconnected", subject=tenant))
    name = re.compile("^Link de reconexão")
    await tab.page.locator(".fleet-trouble").get_by_role("button", name=name).click()

    dialog = tab.page.get_by_role("dialog")
    links = dialog.get_by_role("button", name=name)
    await expect(links).to_have_count(2)
    await tab.check_looks("fleet-reconnect")
    await links.first.click()

    address = tab.page.get_by_label(await tab.say("shell.link.address"), exact=True)
    await expect(address).to_have_value(re.compile("^http"))


async def test_attention_says_its_age(visit: Visit):
    running = a_sweep("capacity", 0, ended_at=None)

    def change(fleet: dict[str, Any]) -> None:
        add_incidents("server_full")(fleet)
        fleet["sweeps"] = [running, *fleet["sweeps"], a_sweep("orphans", 44)]

    tab = await open_fleet(visit, change)

    age = "Segundo a última varredura: capacidade há 3 h · limpeza há 20 h"
    await expect(tab.page.locator(".fleet-attention .fleet-as-of")).to_have_text(age)
    await show_fleet(tab, fill_server(0.4))
    await expect(tab.page.locator(".fleet-attention.calm .fleet-as-of")).to_have_text(age)


async def test_unswept_fleet_is_unknown(visit: Visit):
    running = a_sweep("capacity", 0, ended_at=None)

    def never_counted(fleet: dict[str, Any]) -> None:
        fleet["totals"] |= {"counted_at": None, "open": 0, "closed": 0}
        fleet["sweeps"] = [running]

    tab = await open_fleet(visit, never_counted)

    await expect(tab.page.locator(".fleet-figure").first).to_contain_text("–")
    unknown = tab.page.get_by_text(await tab.say("fleet.attention.unknown"), exact=True)
    await expect(unknown).to_be_visible()
    calm = tab.page.get_by_text(await tab.say("fleet.attention.calm"))
    await expect(calm).to_have_count(0)
    await tab.check_looks("fleet-unknown")

    def change(fleet: dict[str, Any]) -> None:
        add_incidents("server_full")(fleet)
        fleet["sweeps"] = [running]

    await show_fleet(tab, change)
    never = await tab.say("fleet.attention.none_ended")
    await expect(tab.page.locator(".fleet-attention .fleet-as-of")).to_have_text(never)


async def test_unknown_cause_uses_functions_sentence(visit: Visit):
    fleet = describe_fleet(add_incidents("server_full"))
    fleet["attention"][0]["cause"] = "comet"
    tab = await open_as_operator(visit, "/fleet", answers={"/fleet": fleet})

    await expect(tab.page.get_by_text("sentence of server_full")).to_be_visible()


async def test_placing_is_stopped_and_resumed(visit: Visit, stack: Stack):
    def is_accepting() -> bool:
        fleet = stack.call("GET", "/fleet", "operator", operator=True).json()
        return bool(fleet["servers"][0]["accepting"])

    tab = await open_fleet(visit, add_incidents("server_filling"))
    await tab.page.get_by_role("button", name="Parar novas linhas").click()
    await expect(tab.page.get_by_text(await tab.say("fleet.servers.last_text"))).to_be_visible()
    await tab.check_looks("fleet-last-server")
    assert is_accepting()
    await tab.page.get_by_role("button", name=await tab.say("fleet.servers.stop_anyway")).click()
    toast = tab.page.locator(".toast")
    await expect(toast).to_contain_text("não recebe mais novas linhas")
    assert not is_accepting()

    await toast.get_by_role("button", name="Desfazer").click()
    await expect(tab.page.get_by_text("voltou a receber novas linhas")).to_be_visible()
    assert is_accepting()


async def test_trend_is_also_a_table(visit: Visit):
    today = datetime.now(UTC).date().toordinal()
    days = [
        {"day": today - ago, "used": {"main": 90 - ago, "b": 5}, "limit": {"main": 100, "b": 10}}
        | {"open": {"main": 60 - ago, "b": 4}}
        for ago in range(20, -1, -1)
    ]
    trend = Days.model_validate({"days": days}).model_dump(mode="json", exclude_none=True)
    answers = {"/fleet": describe_fleet(fill_server(0.9)), "/fleet/days?*": trend}
    tab = await open_as_operator(visit, "/fleet", answers=answers)

    await expect(tab.page.locator(".fleet-chart canvas")).to_be_visible()
    chart = tab.page.locator(".fleet-chart[role=img]")
    await expect(chart).to_have_accessible_name(re.compile(" 95 .* 64 .* 110"))
    await tab.page.get_by_text(await tab.say("fleet.trend.table")).click()
    first = tab.page.locator(".fleet-table tbody tr").first
    await expect(first.locator("td")).to_have_text(["95", "64", "110"])
    await tab.check_looks("fleet-trend")


async def test_silent_server_says_figures_age(visit: Visit):
    def change(fleet: dict[str, Any]) -> None:
        fill_server(0.5)(fleet)
        fleet["servers"][0]["failed_since"] = datetime.now(UTC).isoformat()

    tab = await open_fleet(visit, change)

    await expect(tab.page.locator(".fleet-warning.bad")).to_contain_text("dados de")


async def test_failed_fleet_is_fetched_again(visit: Visit):
    tab = await open_as_operator(visit, "/fleet", answers={"/fleet": STORE_DOWN})
    tab.forgive("503")
    sentence = await tab.say("shell.problems.store-unavailable")
    await expect(tab.page.get_by_text(sentence)).to_be_visible()
    await tab.unseen()
    await tab.check_looks("fleet-failed")

    await tab.answer_until_click()
    await tab.page.get_by_role("button", name=await tab.say("shell.tryAgain")).click()

    await expect(tab.page.get_by_text(await tab.say("fleet.servers.title"))).to_be_visible()


# Every line ----------------------------------------------------------------------------------


async def test_filters_and_order_are_in_address(visit: Visit, store: Store, tenant: str):
    for at in (1, 2, 11):
        store_instance(store, an_instance(tenant, at))
    lost_line = an_instance(
        tenant, 3, state=State.CLOSED, reason=Reason.LOGGED_OUT, number="5521977776666"
    )
    store_instance(store, lost_line)
    tab = await open_as_operator(visit, f"/fleet/instances?tenant={tenant}&sort=-label")
    await expect(labels(tab)).to_have_text(["Loja 11", "Loja 3", "Loja 2", "Loja 1"])
    await tab.check_looks("instances")

    await tab.page.get_by_role("searchbox").fill("(21) 97777")
    await expect(labels(tab)).to_have_text(["Loja 3"])
    row = tab.page.locator("[data-index]")
    await expect(row).to_contain_text("(21) 97777-6666")
    await expect(row).to_contain_text(await tab.say("fleet.reasons.logged_out"))

    await tab.page.get_by_role("searchbox").fill("")
    await expect(labels(tab)).to_have_count(4)
    await tab.page.get_by_label(await tab.say("fleet.instances.state")).select_option("open")
    await expect(labels(tab)).to_have_text(["Loja 11", "Loja 2", "Loja 1"])
    assert tab.path == f"/fleet/instances?tenant={tenant}&sort=-label&state=open"

    await tab.page.reload()
    await expect(labels(tab)).to_have_text(["Loja 11", "Loja 2", "Loja 1"])
    await tab.page.get_by_role("searchbox").fill("nobody has this")
    empty = tab.page.get_by_text(await tab.say("fleet.instances.no_match"), exact=True)
    await expect(empty).to_be_visible()


async def test_column_sorts_both_ways(visit: Visit, store: Store, tenant: str):
    for at in (2, 1, 3):
        store_instance(store, an_instance(tenant, at))
    tab = await open_as_operator(visit, f"/fleet/instances?tenant={tenant}")
    since = tab.page.get_by_role("columnheader", name="Desde")
    await since.get_by_role("button").click()
    await expect(labels(tab)).to_have_text(["Loja 3", "Loja 2", "Loja 1"])
    await since.get_by_role("button").click()
    await expect(labels(tab)).to_have_text(["Loja 1", "Loja 2", "Loja 3"])
    await expect(since).to_have_attribute("aria-sort", "descending")
    assert tab.path.endswith("sort=-since")


async def test_operator_makes_a_link(visit: Visit, store: Store, tenant: str, stack: Stack):
    stack.call("PUT", f"/fleet/tenants/{tenant}", "op", operator=True, json={"status": "active"})
    store_instance(store, an_instance(tenant, 1, state=State.CLOSED, reason=Reason.CONNECTION_LOST))
    store_instance(store, an_instance(tenant, 2))
    tab = await open_as_operator(visit, f"/fleet/instances?tenant={tenant}")
    ask = tab.page.get_by_role("button", name=await tab.say("fleet.instances.link"))
    await expect(ask).to_have_count(1)
    await ask.click()

    address = tab.page.get_by_label(await tab.say("shell.link.address"), exact=True)
    await expect(address).to_have_value(re.compile("^http"))
    await expect(tab.page.get_by_text(await tab.say("shell.link.once"))).to_be_visible()
    await tab.check_looks("link")


async def test_uncopied_link_is_selected(visit: Visit, store: Store, tenant: str, stack: Stack):
    stack.call("PUT", f"/fleet/tenants/{tenant}", "op", operator=True, json={"status": "active"})
    store_instance(store, an_instance(tenant, 1, state=State.CLOSED, reason=Reason.CONNECTION_LOST))
    tab = await open_as_operator(visit, f"/fleet/instances?tenant={tenant}")
    await tab.page.get_by_role("button", name="Link de reconexão").click()
    address = tab.page.get_by_label("Link", exact=True)
    await expect(address).to_have_value(re.compile("^http"))
    await tab.page.evaluate(
        "() => { navigator.clipboard.writeText = () => Promise.reject(new DOMException('no')); }"
    )

    await tab.page.get_by_role("button", name="Copiar").click()

    hint = tab.page.get_by_role("dialog").get_by_text("O link está selecionado")
    await expect(hint).to_be_visible()
    await expect(address).to_be_focused()
    assert await address.evaluate("(it) => it.selectionEnd - it.selectionStart === it.value.length")


async def test_markup_is_shown_as_text(visit: Visit, store: Store, tenant: str):
    owner = f"<i>{tenant}</i>"
    store_instance(store, an_instance(owner, 1, label=MARKUP))
    store_candidate(store, a_candidate(tenant, tenant=owner))
    tab = await open_as_operator(visit, "/fleet/instances")
    await tab.page.get_by_role("searchbox").fill(tenant)
    await expect(labels(tab)).to_have_text([MARKUP])
    await expect(tab.page.get_by_role("button", name=owner)).to_be_visible()

    await tab.go("/fleet/review")
    await expect(tab.page.get_by_text(f"cliente {owner}")).to_be_visible()
    assert await tab.page.locator("main img, main b, main i").count() == 0


async def test_many_lines_come_as_needed(visit: Visit, tenant: str, stack: Stack):
    client = firestore.Client(project=PROJECT)
    owners = [an_instance(f"{tenant}-{at % 400}", at) for at in range(MANY)]
    searched = parse_search(tenant)
    assert searched
    try:
        for start in range(0, MANY, 250):
            batch = client.batch()
            for instance in owners[start : start + 250]:
                # The emulator sorts all tokens of all lines for each search: 3 s for 5,000 lines.
                few = {} if instance == owners[-1] else {"tokens": searched.tokens}
                batch.set(
                    client.document(f"instances/{instance.name}"), instance_fields(instance) | few
                )
            batch.commit()
        page = "/fleet/instances?limit=500"
        wait_until(lambda: stack.call("GET", page, "op", operator=True).is_success)  # indexed
        tab = await open_as_operator(visit, f"/fleet/instances?text={tenant}")
        await expect(tab.page.locator("[data-index]").first).to_be_visible()
        count = tab.page.locator(".toolbar .count")
        await expect(count).to_have_text(await tab.say("fleet.instances.over", n=100))
        assert await tab.page.locator("[data-index]").count() < 60

        await tab.page.evaluate("document.querySelector('main').scrollTop = 4_000")
        await expect(count).to_have_text(await tab.say("fleet.instances.over", n=200))

        last = owners[-1]
        await tab.page.get_by_role("searchbox").fill(f"{last.tenant} {last.label}")
        await expect(labels(tab)).to_have_text([last.label])
    finally:
        for start in range(0, MANY, 500):
            batch = client.batch()
            for instance in owners[start : start + 500]:
                batch.delete(client.document(f"instances/{instance.name}"))
            batch.commit()


async def test_arrows_go_from_row_to_row(visit: Visit, store: Store, tenant: str):
    for at in range(30):
        store_instance(store, an_instance(tenant, at))
    tab = await open_as_operator(visit, f"/fleet/instances?tenant={tenant}")
    await tab.page.locator('[data-index="0"] .fleet-tenant').focus()
    await tab.page.keyboard.press("ArrowDown")
    await expect(tab.page.locator('[data-index="1"] .fleet-tenant')).to_be_focused()
    await tab.page.keyboard.press("End")
    await expect(tab.page.locator('[data-index="29"] .fleet-tenant')).to_be_focused()


# What the clean-up will delete ---------------------------------------------------------------


async def test_deletion_is_approved_and_undone(visit: Visit, store: Store, tenant: str):
    candidate = a_candidate(tenant)
    store_candidate(store, candidate)
    tab = await open_as_operator(visit, "/fleet/review")
    card = find_card(tab, candidate)
    await expect(card).to_contain_text(await tab.say("review.why.orphan"))
    await expect(card).to_contain_text(await tab.say("review.paired"))
    await tab.check_looks("review")

    await card.get_by_role("button", name=await tab.say("review.approve")).click()
    dialog = tab.page.get_by_role("dialog")
    approve = dialog.get_by_role("button", name=await tab.say("review.approve"))
    await expect(approve).to_have_attribute("aria-disabled", "true")
    await tab.check_looks("review-approve")
    await dialog.get_by_role("textbox").fill(await tab.say("shell.words.delete"))
    await approve.click()

    await expect(card).to_contain_text(await tab.say("review.approved.me"))
    stored = firestore.Client(project=PROJECT).document(f"sweeps/orphans/candidates/{candidate.id}")
    assert stored.get().get("approved_by") == "op"

    await card.get_by_role("button", name=await tab.say("review.undo")).click()
    await expect(card).to_have_count(0)
    assert not stored.get().exists


async def test_unpaired_is_approved_by_one_click(visit: Visit, store: Store, tenant: str):
    candidate = a_candidate(tenant, paired=False, cause=CandidateCause.NEVER_PAIRED)
    store_candidate(store, candidate)
    tab = await open_as_operator(visit, "/fleet/review")
    card = find_card(tab, candidate)
    await card.get_by_role("button", name="Aprovar exclusão").click()

    await expect(card).to_contain_text("aprovada por você")
    await expect(card.get_by_role("button", name="Aprovar exclusão")).to_have_count(0)


async def test_candidate_is_kept(visit: Visit, store: Store, tenant: str):
    candidate = a_candidate(tenant, stranger=True, doubtful=True, paired=None)
    store_candidate(store, candidate)
    tab = await open_as_operator(visit, "/fleet/review")
    card = find_card(tab, candidate)
    for warning in ("perhaps", "stranger", "doubtful"):
        await expect(card).to_contain_text(await tab.say(f"review.{warning}"))
    await card.get_by_role("button", name="Manter").click()

    kept_card = tab.page.locator(".fleet-stage.kept .fleet-candidate", has_text=candidate.name)
    await expect(kept_card).to_contain_text("Mantida por você")

    toast = tab.page.locator(".toast", has_text=f"{candidate.name} fica")
    await toast.get_by_role("button", name="Não manter mais").click()
    off = await tab.say("review.undone", instance=candidate.name)
    await expect(tab.page.get_by_text(off)).to_be_visible()
    await expect(kept_card).to_have_count(0)


async def test_begun_deletion_is_final(visit: Visit, store: Store, tenant: str):
    candidate = a_candidate(tenant)
    store_candidate(store, candidate)
    tab = await open_as_operator(visit, "/fleet/review")
    tab.forgive("409|410")
    card = find_card(tab, candidate)
    await expect(card).to_be_visible()
    store_candidate(store, candidate.model_copy(update={"stage": Stage.DELETING}))
    await card.get_by_role("button", name="Tirar da lista").click()

    await expect(card.get_by_role("alert")).to_contain_text("já começou")


async def test_rehearsal_shows_the_plan(visit: Visit):
    tab = await open_as_operator(visit, "/fleet/review")
    await tab.page.get_by_role("button", name=await tab.say("review.simulate")).click()

    dialog = tab.page.get_by_role("dialog")
    await expect(dialog.get_by_text(await tab.say("review.plan.text"))).to_be_visible()
    await tab.check_looks("plan")


async def test_braked_sweep_is_released(visit: Visit):
    report = {
        "id": "r",
        "kind": "orphans",
        "started_at": datetime.now(UTC).isoformat(),
        "counts": {},
        "notes": [],
        "more_notes": 0,
        "brakes": [{"why": "tenants_shrank", "before": 40, "now": 3}],
    }
    latest = Report.model_validate(report).model_dump(mode="json", exclude_none=True)
    run = report | {"braked_by": ["tenants_shrank"], "stopped_at": {}}
    fleet = describe_fleet(lambda fleet: fleet.update(sweeps=[run]))
    answers = {"/fleet": fleet, "/fleet/sweeps/orphans/latest": latest}
    tab = await open_as_operator(visit, "/fleet/review", answers=answers)
    sentence = await tab.say("review.brakes.tenants_shrank", before=40, now=3)
    await expect(tab.page.get_by_text(sentence)).to_be_visible()
    await tab.check_looks("review-braked")

    accept = await tab.say("review.brakes.accept")
    await tab.page.get_by_role("button", name=accept).click()
    await tab.page.get_by_role("dialog").get_by_role("button", name=accept).click()

    sentence = await tab.say("review.brakes.accept_done")
    await expect(tab.page.get_by_text(sentence)).to_be_visible()


# Reports -------------------------------------------------------------------------------------


async def test_report_lists_violations(visit: Visit):
    def change(fleet: dict[str, Any]) -> None:
        fleet["invariants"] = {
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

    tab = await open_fleet(visit, change, "/fleet/report")
    sentence = await tab.say("fleet.invariants.sentence", n=2, instances=412)
    await expect(tab.page.get_by_text(sentence)).to_be_visible()
    for name in ("instance_a", "instance_b"):
        await expect(tab.page.get_by_text(name)).to_be_visible()
    await tab.check_looks("report")


async def test_history_lists_incidents(visit: Visit, store: Store):
    now = datetime.now(UTC)
    store(
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
    tab = await open_as_operator(visit, "/fleet/history")
    incident = await tab.say("fleet.causes.server_down", subject="old")
    row = tab.page.locator("li", has_text=incident)
    await expect(row).to_contain_text("2 h")
    await tab.check_looks("history")


# Clients, dead letters, who did what ---------------------------------------------------------


async def test_client_is_found_changed_and_cancelled(
    visit: Visit, store: Store, stack: Stack, tenant: str
):
    def read_tenant() -> Any:
        return stack.call("GET", f"/fleet/tenants/{tenant}", "op", operator=True).json()

    stack.call("PUT", f"/fleet/tenants/{tenant}", "op", operator=True, json={"status": "active"})
    store_instance(store, an_instance(tenant, 1, state=State.CLOSED, reason=Reason.LOGGED_OUT))
    tab = await open_as_operator(visit, "/fleet/clients")
    await tab.page.get_by_role("searchbox").fill(tenant)
    await expect(tab.page.locator(".fleet-open")).to_have_text([tenant])
    await tab.check_looks("clients")
    await tab.page.locator(".fleet-open").click()

    sheet = tab.page.get_by_role("dialog").first
    await sheet.get_by_label(await tab.say("operator.clients.max_lines")).fill("3")
    await sheet.get_by_role("button", name=await tab.say("operator.clients.save")).first.click()
    saved = tab.page.get_by_text(await tab.say("operator.clients.plan_saved", tenant=tenant))
    await expect(saved).to_be_visible()
    await expect(sheet).to_contain_text("Loja 1")
    await tab.check_looks("client")
    await sheet.get_by_role("button", name=await tab.say("operator.clients.suspend")).click()
    means = await tab.say("operator.clients.means.suspended")
    await expect(sheet.get_by_text(means)).to_be_visible()
    assert (read_tenant()["max_lines"], read_tenant()["status"]) == (3, "suspended")

    cancel = await tab.say("operator.clients.cancel")
    await sheet.get_by_role("button", name=cancel).click()
    confirm = tab.page.get_by_role("dialog").last
    await confirm.get_by_role("textbox").fill(await tab.say("operator.clients.cancel_word"))
    await confirm.get_by_role("button", name=cancel).click()
    means = await tab.say("operator.clients.means.cancelled")
    await expect(sheet.get_by_text(means)).to_be_visible()
    assert read_tenant()["status"] == "cancelled"

    await tab.go(f"/fleet/audit?tenant={tenant}")
    acts = tab.page.locator(".fleet-audit li")
    await expect(acts).to_have_count(4)
    await expect(acts.first).to_contain_text("situação: cancelado")
    await expect(acts.first).to_contain_text("você")
    await tab.check_looks("audit")


async def test_dead_letter_is_read_and_discarded(visit: Visit):
    letter = {"id": "a1", "instance": "instance_acme", "attempts": 2}
    letter |= {"at": datetime.now(UTC).isoformat(), "bytes": 1_200, "cut": False}
    letter |= {"reason": "a message without a time"}
    answers = {
        "/fleet/dead-letters?*": {"letters": [letter]},
        "/fleet/dead-letters/a1": letter | {"content": '{"event": "messages.upsert"}'},
        "/fleet/dead-letters/a1/replay": {"outcome": "dead"},
    }
    tab = await open_as_operator(visit, "/fleet/letters", answers=answers)
    row = tab.page.locator(".fleet-letters li")
    await expect(row).to_contain_text("Evento não processado: uma mensagem sem data e hora")
    await expect(row).to_contain_text("2 tentativas")
    await tab.check_looks("letters")
    await row.get_by_role("button", name="Repetir").click()
    outcome = await tab.say("operator.letters.outcomes.dead")
    await expect(tab.page.get_by_text(outcome)).to_be_visible()

    await row.get_by_role("button", name="Ler").click()
    await expect(tab.page.get_by_text("messages.upsert")).to_be_visible()
    await tab.check_looks("letter")
    await tab.page.keyboard.press("Escape")
    await row.get_by_role("button", name="Descartar").click()
    await tab.answer("/fleet/dead-letters?*", {"letters": []})
    await tab.page.get_by_role("dialog").get_by_role("button", name="Descartar").click()

    await expect(tab.page.get_by_text(await tab.say("operator.letters.none"))).to_be_visible()


async def test_sweep_is_run_and_followed(visit: Visit):
    progress = {"kind": "orphans", "running": False, "ended_at": "2026-11-25T03:00:00Z"}
    answers = {"/fleet/sweeps/orphans/progress": progress, "/fleet/sweeps/orphans/run": progress}
    tab = await open_as_operator(visit, "/fleet/history", answers=answers)
    run = tab.page.get_by_role("button", name=await tab.say("operator.sweeps.run.orphans"))
    going = {**progress, "running": True, "step": "backfill"}
    await run.click()
    await tab.answer("/fleet/sweeps/orphans/progress", going)

    status = tab.page.locator(".fleet-now [role=status]")
    await expect(status).to_contain_text(await tab.say("operator.sweeps.steps.backfill"))
    await tab.check_looks("sweep-running")
    ended = {**progress, "ended_at": "2026-11-26T03:00:00Z"}
    await tab.answer("/fleet/sweeps/orphans/progress", ended)
    await expect(status).to_be_empty()


# Rules ---------------------------------------------------------------------------------------


async def test_rules_of_lists_servers_and_sweeps(visit: Visit):
    tab = await visit("/")
    none = {"text": "", "state": "", "server": "", "tenant": ""}
    off = await call(tab, "views/fleet/lines.js", "queriesOf", none | {"state": "off"})
    asked = {"at": 0, "last": "yesterday"}
    idle = {"running": False, "ended_at": "yesterday"}
    one, other = ({"server": name, "accepting": True} for name in ("one", "other"))
    stopped = other | {"accepting": False}

    assert sorted(query["state"] for query in off) == sorted(set(State) - {State.OPEN})
    last = [await call(tab, ATTENTION, "isLastPlace", one, [one, it]) for it in (stopped, other)]
    assert last == [True, False]
    going = [
        await call(tab, "views/fleet/SweepNow.js", "isGoing", progress, asked, now)
        for progress, now in ((idle, 1), (idle, 99_000), ({**idle, "ended_at": "today"}, 1))
    ]
    assert going == [True, False, False]
