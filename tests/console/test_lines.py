"""My lines: connected by scanning or by typing, disconnected, given another number, given away."""

import re

import pytest
from playwright.async_api import expect

from tests.console.browser import LOOKS, Look, Tab
from tests.console.conftest import Stack, Visit
from tests.perene import name_of

pytestmark = pytest.mark.anyio
DESKTOP, PHONE = LOOKS[0], LOOKS[1]
NUMBERS = iter(range(5511970000000, 5511979999999))
MARKUP = "<img src=x onerror=alert(1)>"
HELD = """{ const real = setTimeout; window.held = [];
    window.setTimeout = (run, ms, ...more) =>
        ms === 2_500 ? held.push(run) : real(run, ms, ...more); }"""
"""The sheet of a line that is connected closes once the test has seen it."""


def a_number() -> tuple[str, str]:
    """One that nobody has, as it is and as Brazilians write it."""
    number = str(next(NUMBERS))
    return number, f"({number[2:4]}) {number[4:9]}-{number[9:]}"


async def press(tab: Tab, words: str, **values: object) -> None:
    """The button that says so."""
    await tab.page.get_by_role("button", name=await tab.say(words, **values), exact=True).click()


async def sees(tab: Tab, words: str, **values: object) -> None:
    """These words are on the page."""
    await expect(tab.page.get_by_text(await tab.say(words, **values)).first).to_be_visible()


def paired(stack: Stack, tenant: str, number: str, line: str = "default") -> None:
    """The tenant's line is open with the number."""
    asked = {"line": line, "label": "Vendas"}
    assert stack.call("POST", "/ensure-instance", tenant, json=asked).status_code == 200
    scanned(stack, tenant, number, line)


def scanned(stack: Stack, tenant: str, number: str, line: str = "default") -> None:
    """A phone with that number scanned the line's code."""
    answer = stack.simulate(f"instances/{name_of(tenant, line)}/scan", number=number)
    assert answer.status_code == 200, answer.text


async def test_a_first_line_is_named_scanned_and_there(
    visit: Visit, stack: Stack, tenant: str, look: Look
):
    number, written = a_number()
    tab = await visit("/lines", look, tenant)
    await tab.page.add_init_script(HELD)
    await tab.page.reload()
    await sees(tab, "lines.empty.title")
    await tab.good("lines-empty")

    await press(tab, "lines.connect")
    await tab.page.get_by_label(await tab.say("lines.new.label")).fill("Vendas")
    await tab.good("lines-naming")
    await press(tab, "lines.new.go")
    code = tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))
    await expect(code).to_be_visible()
    assert tab.path == "/lines/default/connect"
    assert re.match(r"data:image/png", await code.get_attribute("src") or "")
    await tab.good("lines-qr")
    scanned(stack, tenant, number)

    await sees(tab, "lines.pairing.connected", label="Vendas")
    await tab.good("lines-connected")
    await tab.page.evaluate("held.forEach((run) => run())")
    await expect(tab.page.get_by_role("dialog")).to_have_count(0)
    await expect(tab.page.get_by_role("main").get_by_text(written).first).to_be_visible()
    assert tab.path == "/lines"
    await tab.good("lines")


async def test_a_code_is_typed_on_the_phone_instead(
    visit: Visit, stack: Stack, tenant: str, look: Look
):
    number, written = a_number()
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines/default/connect", look, tenant)
    await tab.page.get_by_role("tab", name=await tab.say("lines.pairing.type")).click()

    field = tab.page.get_by_label(await tab.say("lines.pairing.number"))
    await field.fill("123")
    await press(tab, "lines.pairing.ask")
    await sees(tab, "lines.pairing.numberWrong")
    await field.fill(written)
    await press(tab, "lines.pairing.ask")
    shown = tab.page.get_by_label(await tab.say("lines.pairing.yourCode"))
    await expect(shown).to_have_text(re.compile(r"^\w{4}–\w{4}$"))
    await tab.good("lines-code")
    answer = stack.simulate(f"instances/{name_of(tenant)}/pair")

    assert answer.status_code == 200, answer.text
    await expect(tab.page.get_by_role("main").get_by_text(written).first).to_be_visible()
    assert number


async def test_who_comes_back_too_late_asks_for_a_new_code(visit: Visit, stack: Stack, tenant: str):
    tab = await visit("/lines/default/connect", PHONE, tenant)
    await expect(tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))).to_be_visible()
    stack.simulate(f"instances/{name_of(tenant)}/qr-limit")

    await sees(tab, "lines.pairing.ended.text")
    await tab.good("lines-ended")
    await press(tab, "lines.pairing.ended.again")

    await expect(tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))).to_be_visible()


async def test_the_next_code_replaces_the_one_that_is_shown(
    visit: Visit, stack: Stack, tenant: str
):
    tab = await visit("/lines/default/connect", DESKTOP, tenant)
    code = tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))
    await expect(code).to_be_visible()
    before = await code.get_attribute("src") or ""

    stack.simulate(f"instances/{name_of(tenant)}/expire-code")

    await expect(code).not_to_have_attribute("src", before)


async def test_a_line_is_disconnected_only_once_its_name_is_typed(
    visit: Visit, stack: Stack, tenant: str, look: Look
):
    paired(stack, tenant, a_number()[0])
    tab = await visit("/lines", look, tenant)
    await press(tab, "lines.disconnect.action")
    dialog = tab.page.get_by_role("dialog")
    await sees(tab, "lines.mayNotComeBack")
    await tab.good("lines-disconnect")
    button = dialog.get_by_role("button", name=await tab.say("lines.disconnect.action"))

    await button.click(force=True)
    assert stack.call("GET", "/instances/default", tenant).json()["state"] == "open"
    await dialog.get_by_role("textbox").fill("vendas")
    await button.click()

    await sees(tab, "lines.disconnect.done", label="Vendas")
    await sees(tab, "lines.states.closed")
    assert stack.call("GET", "/instances/default", tenant).json()["state"] == "closed"


async def test_a_line_gets_another_number_in_one_go(visit: Visit, stack: Stack, tenant: str):
    (old, _), (new, written) = a_number(), a_number()
    paired(stack, tenant, old)
    tab = await visit("/lines", PHONE, tenant)
    await press(tab, "lines.release.action")
    dialog = tab.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("Vendas")
    await tab.good("lines-change")
    await dialog.get_by_role("button", name=await tab.say("lines.release.action")).click()

    await expect(tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))).to_be_visible()
    scanned(stack, tenant, new)

    await expect(tab.page.get_by_role("main").get_by_text(written).first).to_be_visible()
    (line,) = stack.call("GET", "/instances", tenant).json()["lines"]
    assert (line["label"], line["number"], line["state"]) == ("Vendas", new, "open")


async def test_a_second_line_is_there_when_the_plan_allows_it(
    visit: Visit, stack: Stack, tenant: str
):
    paired(stack, tenant, a_number()[0])
    tab = await visit("/lines", DESKTOP, tenant)
    more = tab.page.get_by_role("button", name="Nova linha")
    await expect(more).to_have_attribute("aria-disabled", "true")
    await expect(more).to_have_attribute("title", "Seu plano permite 1 linha.")

    plan = {"max_lines": 2}
    stack.call("PUT", f"/fleet/tenants/{tenant}", "operator", operator=True, json=plan)
    await tab.page.reload()
    await more.click()
    await tab.page.get_by_label("Nome da linha").fill("Pós-venda")
    await press(tab, "lines.new.go")
    await expect(tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))).to_be_visible()

    assert tab.path == "/lines/pos-venda/connect"
    found = stack.call("GET", "/instances", tenant).json()["lines"]
    assert {(line["line"], line["label"]) for line in found} == {
        ("default", "Vendas"),
        ("pos-venda", "Pós-venda"),
    }


async def test_a_number_that_is_in_use_is_exchanged_for_another_in_place(
    visit: Visit, stack: Stack, tenant: str
):
    (taken, _), (free, written) = a_number(), a_number()
    paired(stack, f"{tenant}-owner", taken)
    tab = await visit("/lines/default/connect", DESKTOP, tenant)
    code = tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))
    await expect(code).to_be_visible()
    scanned(stack, tenant, taken)

    await press(tab, "lines.pairing.other")
    await expect(code).to_be_visible()
    scanned(stack, tenant, free)

    await expect(tab.page.get_by_role("main").get_by_text(written).first).to_be_visible()


async def test_a_countdown_goes_by_the_functions_clock_and_not_by_the_browsers(
    visit: Visit, stack: Stack, tenant: str
):
    tab = await visit("/lines", DESKTOP, tenant)
    await tab.page.add_init_script("const real = Date.now; Date.now = () => real() - 3_600_000;")
    await tab.go("/lines/default/connect")
    await expect(tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))).to_be_visible()

    left = await tab.page.locator(".renews").inner_text()

    assert 0 <= int(re.findall(r"\d+", left)[0]) <= 60


async def test_markup_in_a_lines_name_is_words(visit: Visit, stack: Stack, tenant: str):
    asked = {"label": MARKUP}
    stack.call("POST", "/ensure-instance", tenant, json=asked)

    tab = await visit("/lines", DESKTOP, tenant)

    await expect(tab.page.get_by_role("heading", name=MARKUP)).to_be_visible()
    assert await tab.page.locator("main img").count() == 0


async def test_the_line_that_everybody_has_is_the_main_one_until_it_is_named(
    visit: Visit, stack: Stack, tenant: str
):
    stack.call("POST", "/ensure-instance", tenant, json={})
    tab = await visit("/lines", DESKTOP, tenant)
    await expect(tab.page.get_by_role("heading", name="Principal")).to_be_visible()
    await press(tab, "lines.release.action")
    await expect(tab.page.get_by_text("digite “Principal”")).to_be_visible()

    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    await tab.page.reload()

    await expect(tab.page.get_by_role("heading", name="Vendas")).to_be_visible()


async def test_an_operator_without_lines_is_led_to_the_fleet(visit: Visit, look: Look, tenant: str):
    for view, empty in (("lines", "lines.empty.title"), ("conversations", "inbox.empty.title")):
        tab = await visit(f"/{view}", look, tenant, operator=True)
        await sees(tab, empty)
        await tab.good(f"{view}-operator")
        await tab.page.get_by_role("link", name=await tab.say("shell.operators.go")).click()
        heading = tab.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(await tab.say("shell.views.fleet"))


async def test_an_operator_of_no_tenant_is_led_to_the_fleet(visit: Visit, tenant: str):
    tab = await visit("/connect", DESKTOP, tenant, operator=True)
    tab.forgive("403")
    none = {"type": "urn:perene:problem:tenant-unusable", "title": "x", "status": 403}
    for path in (f"{tab.origin}/instances", f"{tab.origin}/conversations?*"):
        await tab.page.route(path, lambda route: route.fulfill(status=403, json=none))

    for view in ("lines", "conversations"):
        await tab.go(f"/{view}")
        await expect(tab.page.get_by_role("link", name="Ir para a Frota")).to_be_visible()


async def test_a_state_says_what_to_do_about_it(visit: Visit, stack: Stack, tenant: str):
    paired(stack, tenant, a_number()[0])
    stack.simulate(f"instances/{name_of(tenant)}/unpair")

    tab = await visit("/lines", DESKTOP, tenant)

    await sees(tab, "lines.states.closed")
    await sees(tab, "lines.reasons.closed.logged_out")


async def test_lines_that_cannot_be_had_say_so_and_come_back(
    visit: Visit, stack: Stack, tenant: str, look: Look
):
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/connect", look, tenant)
    tab.forgive("503")
    problem = {"type": "urn:perene:problem:store-unavailable", "title": "x", "status": 503}
    await tab.page.route(
        f"{tab.origin}/instances", lambda route: route.fulfill(status=503, json=problem)
    )
    await tab.go("/lines")
    await sees(tab, "shell.problems.store-unavailable")
    await tab.unseen()
    await tab.good("lines-failed")

    await tab.page.unroute(f"{tab.origin}/instances")
    await press(tab, "shell.tryAgain")

    await expect(tab.page.get_by_role("heading", name="Vendas")).to_be_visible()


# A link --------------------------------------------------------------------------------------


async def scanning(tab: Tab) -> None:
    """The code to scan is chosen: a phone is shown first what can be typed on it."""
    await tab.page.get_by_role("tab", name=await tab.say("lines.pairing.scan")).click()


async def linked(tab: Tab) -> str:
    """The address that the dialog shows."""
    await press(tab, "lines.link.action")
    field = tab.page.get_by_label(await tab.say("shell.link.address"), exact=True)
    await expect(field).to_be_visible()
    return await field.input_value()


async def test_a_link_connects_a_line_without_signing_in(
    visit: Visit, stack: Stack, tenant: str, look: Look
):
    number, written = a_number()
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines", look, tenant)
    url = await linked(tab)
    await tab.good("lines-link")

    other = await visit("/connect" + url.partition("/connect")[2], look)
    await sees(other, "lines.linked.welcome")
    assert other.path == "/connect"
    await other.good("link")
    await press(other, "lines.linked.go")
    await scanning(other)
    code = other.page.get_by_alt_text(await other.say("lines.pairing.qr"))
    await expect(code).to_be_visible()
    await other.good("link-qr")
    await other.page.reload()
    await scanning(other)
    await expect(code).to_be_visible()
    scanned(stack, tenant, number)

    await sees(other, "lines.linked.over")
    await expect(other.page.get_by_text(written)).to_have_count(0)
    assert await other.page.evaluate("sessionStorage.getItem('perene.link')") is None
    assert stack.call("GET", "/instances/default", tenant).json()["number"] == number


async def test_a_link_that_was_opened_opens_nothing_for_the_next(
    visit: Visit, stack: Stack, tenant: str
):
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    url = stack.call("POST", "/instances/default/link", tenant).json()["url"]
    path = "/connect" + url.partition("/connect")[2]
    first, second = await visit(path, PHONE), await visit(path, PHONE)
    second.forgive("410")
    await press(first, "lines.linked.go")
    await scanning(first)
    await expect(first.page.get_by_alt_text(await first.say("lines.pairing.qr"))).to_be_visible()

    await press(second, "lines.linked.go")

    await sees(second, "lines.linked.failed")
    await sees(second, "shell.problems.link-used")
    await second.good("link-used")


async def test_an_address_without_its_link_says_so(visit: Visit):
    tab = await visit("/connect", PHONE)

    await sees(tab, "lines.linked.none.title")
    await tab.accessible()
