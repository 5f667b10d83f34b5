"""Connect lines by scanning or typing, disconnect them, change their number, give a link."""

import re

import pytest
from playwright.async_api import Locator, expect

from tests.console.browser import DESKTOP, PHONE, STORE_DOWN, Refusal, Tab
from tests.console.conftest import Stack, Visit, wait_until
from tests.perene import name_of

pytestmark = pytest.mark.anyio
NUMBERS = iter(range(5511970000000, 5511979999999))
MARKUP = "<img src=x onerror=alert(1)>"
LOOK_MS = 2_000
"""The pause after which the sheet asks again how far the pairing is."""
HOLD = """() => { const start = setTimeout; window.held = [];
    window.setTimeout = (run, ms, ...more) =>
        ms === 2_500 ? held.push(run) : start(run, ms, ...more); }"""
"""Keep the sheet of a connected line open until the test has looked at it."""


def a_number() -> tuple[str, str]:
    """Return a number that nobody has, as it is and as Brazilians write it."""
    number = str(next(NUMBERS))
    return number, f"({number[2:4]}) {number[4:9]}-{number[9:]}"


async def press(tab: Tab, words: str, **values: object) -> None:
    """Press the button that says so."""
    await tab.page.get_by_role("button", name=await tab.say(words, **values), exact=True).click()


async def expect_words(tab: Tab, words: str, **values: object) -> None:
    """Wait until these words are on the page."""
    await expect(tab.page.get_by_text(await tab.say(words, **values)).first).to_be_visible()


def pair(stack: Stack, tenant: str, number: str, line: str = "default") -> None:
    """Open the tenant's line with the number."""
    body = {"line": line, "label": "Vendas"}
    assert stack.call("POST", "/ensure-instance", tenant, json=body).status_code == 200
    scan(stack, tenant, number, line)
    wait_for_state(stack, tenant, "open", line)


def wait_for_state(stack: Stack, tenant: str, state: str, line: str = "default") -> None:
    """Wait until the functions answer that the line is in this state."""
    path = f"/instances/{line}"
    wait_until(lambda: stack.call("GET", path, tenant).json()["state"] == state)


def scan(stack: Stack, tenant: str, number: str, line: str = "default") -> None:
    """Scan the line's code with a phone of that number."""
    answer = stack.simulate(f"instances/{name_of(tenant, line)}/scan", number=number)
    assert answer.status_code == 200, answer.text


async def expect_code(tab: Tab) -> Locator:
    """Wait for the QR code; let the page look for its scan without a pause. Return the image."""
    code = tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))
    await expect(code).to_be_visible()
    await tab.hurry(LOOK_MS)
    return code


async def expect_number(tab: Tab, spelling: str) -> None:
    """Wait until the number is in the list of lines."""
    await expect(tab.page.get_by_role("main").get_by_text(spelling).first).to_be_visible()


async def test_first_line_is_one_press_away(visit: Visit, stack: Stack, tenant: str):
    number, spelling = a_number()
    tab = await visit("/lines", DESKTOP, tenant)
    await tab.page.evaluate(HOLD)
    await expect_words(tab, "lines.empty.title")
    await tab.check_looks("lines-empty")

    await press(tab, "lines.empty.connect")
    code = await expect_code(tab)
    assert tab.path == "/lines/default/connect"
    assert re.match(r"data:image/png", await code.get_attribute("src") or "")
    await tab.check_looks("lines-qr")
    scan(stack, tenant, number)

    await expect_words(tab, "lines.pairing.connected", label="Principal")
    await tab.check_looks("lines-connected")
    await tab.page.evaluate("held.forEach((run) => run())")
    await expect(tab.page.get_by_role("dialog")).to_have_count(0)
    await expect_number(tab, spelling)
    assert tab.path == "/lines"
    await tab.check_looks("lines")


async def test_code_is_typed_on_the_phone(visit: Visit, stack: Stack, tenant: str):
    _, spelling = a_number()
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines/default/connect", DESKTOP, tenant)
    await tab.hurry(LOOK_MS)
    await tab.page.get_by_role("tab", name=await tab.say("lines.pairing.type")).click()

    field = tab.page.get_by_label(await tab.say("lines.pairing.number"))
    await field.fill("123")
    await press(tab, "lines.pairing.ask")
    await expect_words(tab, "lines.pairing.numberWrong")
    await field.fill(spelling)
    await press(tab, "lines.pairing.ask")
    code = tab.page.get_by_label(await tab.say("lines.pairing.yourCode"))
    await expect(code).to_have_text(re.compile(r"^\w{4}–\w{4}$"))
    await tab.page.evaluate(
        "() => { navigator.clipboard.writeText = async (text) => { window.copied = text; }; }"
    )
    await press(tab, "lines.pairing.copy")
    await expect_words(tab, "lines.pairing.copied")
    typed = (await code.inner_text()).replace("–", "")
    assert await tab.page.evaluate("window.copied") == typed
    await tab.check_looks("lines-code")
    answer = stack.simulate(f"instances/{name_of(tenant)}/pair")

    assert answer.status_code == 200, answer.text
    await expect_number(tab, spelling)


async def test_expired_code_is_asked_anew(visit: Visit, stack: Stack, tenant: str):
    tab = await visit("/lines/default/connect", PHONE, tenant)
    await choose_scanning(tab)
    await expect_code(tab)
    stack.simulate(f"instances/{name_of(tenant)}/qr-limit")

    await expect_words(tab, "lines.pairing.ended.text")
    await tab.check_looks("lines-ended")
    await press(tab, "lines.pairing.ended.again")

    await expect_code(tab)


async def test_next_code_replaces_the_last(visit: Visit, stack: Stack, tenant: str):
    tab = await visit("/lines/default/connect", DESKTOP, tenant)
    code = await expect_code(tab)
    source = await code.get_attribute("src") or ""

    stack.simulate(f"instances/{name_of(tenant)}/expire-code")

    await expect(code).not_to_have_attribute("src", source)


async def test_typed_word_disconnects_a_line(visit: Visit, stack: Stack, tenant: str):
    number, spelling = a_number()
    pair(stack, tenant, number)
    tab = await visit("/lines", DESKTOP, tenant)
    await press(tab, "lines.disconnect.action")
    dialog = tab.page.get_by_role("dialog")
    await expect_words(tab, "lines.mayNotComeBack")
    await tab.check_looks("lines-disconnect")
    button = dialog.get_by_role("button", name=await tab.say("lines.disconnect.action"))

    await button.click(force=True)
    assert stack.call("GET", "/instances/default", tenant).json()["state"] == "open"
    await dialog.get_by_role("textbox").fill(await tab.say("shell.words.disconnect"))
    await button.click()

    await expect_words(tab, "lines.disconnect.done", label="Vendas")
    await expect_words(tab, "lines.states.closed")
    await expect_words(tab, "lines.lastNumber", number=spelling)
    assert stack.call("GET", "/instances/default", tenant).json()["state"] == "closed"


async def test_line_is_renamed_and_deleted(visit: Visit, stack: Stack, tenant: str):
    pair(stack, tenant, a_number()[0])
    tab = await visit("/lines", DESKTOP, tenant)
    await press(tab, "lines.rename.action")
    await tab.page.get_by_label(await tab.say("lines.new.label")).fill("Suporte")
    await tab.check_looks("lines-rename")
    await press(tab, "lines.rename.save")
    await expect(tab.page.get_by_role("heading", name="Suporte", exact=True)).to_be_visible()
    assert stack.call("GET", "/instances/default", tenant).json()["label"] == "Suporte"

    await press(tab, "lines.delete.action")
    dialog = tab.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(await tab.say("shell.words.delete"))
    await tab.check_looks("lines-delete")
    await dialog.get_by_role("button", name=await tab.say("lines.delete.action")).click()

    await expect_words(tab, "lines.empty.title")
    assert stack.call("GET", "/instances", tenant).json()["lines"] == []


async def test_line_changes_its_number(visit: Visit, stack: Stack, tenant: str):
    (old_number, _), (new_number, spelling) = a_number(), a_number()
    pair(stack, tenant, old_number)
    tab = await visit("/lines", PHONE, tenant)
    await press(tab, "lines.release.action")
    dialog = tab.page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill(await tab.say("shell.words.release"))
    await tab.check_looks("lines-change")
    await dialog.get_by_role("button", name=await tab.say("lines.release.action")).click()

    await choose_scanning(tab)
    await expect_code(tab)
    scan(stack, tenant, new_number)

    await expect_number(tab, spelling)
    (line,) = stack.call("GET", "/instances", tenant).json()["lines"]
    assert (line["label"], line["number"], line["state"]) == ("Vendas", new_number, "open")


async def test_plan_allows_a_second_line(visit: Visit, stack: Stack, tenant: str):
    pair(stack, tenant, a_number()[0])
    tab = await visit("/lines", DESKTOP, tenant)
    button = tab.page.get_by_role("button", name="Nova linha")
    await expect(button).to_have_attribute("aria-disabled", "true")
    await expect(button).to_have_attribute("title", "Seu plano permite 1 linha.")

    plan = {"max_lines": 2}
    stack.call("PUT", f"/fleet/tenants/{tenant}", "operator", operator=True, json=plan)
    await tab.page.reload()
    await button.click()
    await tab.page.get_by_label("Nome da linha").fill("Pós-venda")
    await tab.check_looks("lines-naming")
    tab.forgive("503")
    await tab.answer("/ensure-instance", STORE_DOWN)
    await press(tab, "lines.new.go")
    await expect_words(tab, "shell.problems.store-unavailable")
    await tab.page.unroute_all()
    await tab.page.reload()
    await expect_code(tab)

    assert tab.path == "/lines/pos-venda/connect"
    lines = stack.call("GET", "/instances", tenant).json()["lines"]
    assert {(line["line"], line["label"]) for line in lines} == {
        ("default", "Vendas"),
        ("pos-venda", "Pós-venda"),
    }


async def test_used_number_is_exchanged_in_place(visit: Visit, stack: Stack, tenant: str):
    (used_number, _), (free_number, spelling) = a_number(), a_number()
    pair(stack, f"{tenant}-owner", used_number)
    tab = await visit("/lines/default/connect", DESKTOP, tenant)
    code = await expect_code(tab)
    scan(stack, tenant, used_number)

    await press(tab, "lines.pairing.other")
    await expect(code).to_be_visible()
    scan(stack, tenant, free_number)

    await expect_number(tab, spelling)


async def test_countdown_follows_the_functions_clock(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant)
    await tab.run_first("const real = Date.now; Date.now = () => real() - 3_600_000;")
    await tab.go("/lines/default/connect")
    await expect_code(tab)

    countdown = await tab.page.locator(".renews").inner_text()

    assert 0 <= int(re.findall(r"\d+", countdown)[0]) <= 60


async def test_markup_is_shown_as_text(visit: Visit, stack: Stack, tenant: str):
    stack.call("POST", "/ensure-instance", tenant, json={"label": MARKUP})

    tab = await visit("/lines", DESKTOP, tenant)

    await expect(tab.page.get_by_role("heading", name=MARKUP)).to_be_visible()
    assert await tab.page.locator("main img").count() == 0


async def test_unnamed_line_is_the_main_one(visit: Visit, stack: Stack, tenant: str):
    stack.call("POST", "/ensure-instance", tenant, json={})
    tab = await visit("/lines", DESKTOP, tenant)
    await expect(tab.page.get_by_role("heading", name="Principal")).to_be_visible()
    await press(tab, "lines.release.action")
    await expect(tab.page.get_by_role("dialog", name="Principal")).to_be_visible()

    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    await tab.page.reload()

    await expect(tab.page.get_by_role("heading", name="Vendas")).to_be_visible()


async def test_operator_is_led_to_the_fleet(visit: Visit, tenant: str):
    tab = await visit("/lines", DESKTOP, tenant, operator=True)

    for view, words in (("lines", "lines.empty.title"), ("conversations", "inbox.empty.title")):
        await tab.go(f"/{view}")
        await expect_words(tab, words)
        await tab.check_looks(f"{view}-operator")
        await tab.page.get_by_role("link", name=await tab.say("shell.operators.go")).click()
        heading = tab.page.get_by_role("heading", level=1)
        await expect(heading).to_have_text(await tab.say("shell.views.fleet"))


async def test_tenantless_operator_is_led_to_fleet(visit: Visit, tenant: str):
    answers = dict.fromkeys(("/instances", "/conversations?*"), Refusal("tenant-unusable", 403))
    tab = await visit("/lines", DESKTOP, tenant, operator=True, answers=answers)
    tab.forgive("403")

    for view in ("lines", "conversations"):
        await tab.go(f"/{view}")
        await expect(tab.page.get_by_role("link", name="Ir para a Frota")).to_be_visible()


async def test_closed_line_says_what_helps(visit: Visit, stack: Stack, tenant: str):
    pair(stack, tenant, a_number()[0])
    stack.simulate(f"instances/{name_of(tenant)}/unpair")
    wait_for_state(stack, tenant, "closed")

    tab = await visit("/lines", DESKTOP, tenant)

    await expect_words(tab, "lines.states.closed")
    await expect_words(tab, "lines.reasons.closed.logged_out")


async def test_failed_lines_come_back(visit: Visit, stack: Stack, tenant: str):
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines", DESKTOP, tenant, answers={"/instances": STORE_DOWN})
    tab.forgive("503")
    await expect_words(tab, "shell.problems.store-unavailable")
    await tab.unseen()
    await tab.check_looks("lines-failed")

    await tab.answer_until_click()
    await press(tab, "shell.tryAgain")

    await expect(tab.page.get_by_role("heading", name="Vendas")).to_be_visible()


# A link --------------------------------------------------------------------------------------


async def choose_scanning(tab: Tab) -> None:
    """Choose the code to scan: a phone is shown first what can be typed on it."""
    await tab.page.get_by_role("tab", name=await tab.say("lines.pairing.scan")).click()


async def make_link(tab: Tab) -> str:
    """Return the address that the dialog shows."""
    await press(tab, "lines.link.action")
    field = tab.page.get_by_label(await tab.say("shell.link.address"), exact=True)
    await expect(field).to_be_visible()
    return await field.input_value()


async def test_link_connects_without_signing_in(visit: Visit, stack: Stack, tenant: str):
    number, spelling = a_number()
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    tab = await visit("/lines", DESKTOP, tenant)
    url = await make_link(tab)
    await tab.check_looks("lines-link")

    other = await visit("/connect" + url.partition("/connect")[2], PHONE)
    await expect_words(other, "lines.linked.welcome")
    assert other.path == "/connect"
    await other.check_looks("link")
    await press(other, "lines.linked.go")
    await choose_scanning(other)
    await expect_code(other)
    await other.check_looks("link-qr")
    await other.page.reload()
    await choose_scanning(other)
    await expect_code(other)
    scan(stack, tenant, number)

    await expect_words(other, "lines.linked.over")
    await expect(other.page.get_by_text(spelling)).to_have_count(0)
    assert await other.page.evaluate("sessionStorage.getItem('perene.link')") is None
    assert stack.call("GET", "/instances/default", tenant).json()["number"] == number


async def test_link_opens_once(visit: Visit, stack: Stack, tenant: str):
    stack.call("POST", "/ensure-instance", tenant, json={"label": "Vendas"})
    url = stack.call("POST", "/instances/default/link", tenant).json()["url"]
    path = "/connect" + url.partition("/connect")[2]
    first, second = await visit(path, PHONE), await visit(path, PHONE)
    second.forgive("410")
    await press(first, "lines.linked.go")
    await choose_scanning(first)
    await expect_code(first)

    await press(second, "lines.linked.go")

    await expect_words(second, "lines.linked.failed")
    await expect_words(second, "shell.problems.link-used")
    await second.check_looks("link-used")


async def test_link_names_the_agency(visit: Visit):
    brand = {"name": "Agência Ipê", "color": "#c94f1d", "ink": "#ffffff"}
    config = {"api": "../", "missing": [], "tenant_claim": "sub", "time_zone": "UTC"}
    answers = {"/console/config.json": config | {"brand": brand}}

    tab = await visit("/connect#token", PHONE, answers=answers)

    await expect_words(tab, "lines.linked.welcomeOf", brand="Agência Ipê")
    await expect(tab.page).to_have_title(re.compile("· Agência Ipê$"))
    button = tab.page.get_by_role("button", name=await tab.say("lines.linked.go"))
    color = await button.evaluate("(it) => getComputedStyle(it).backgroundColor")
    assert color == "rgb(201, 79, 29)"
    await tab.check_looks("link-branded")


async def test_missing_link_says_so(visit: Visit):
    tab = await visit("/connect", PHONE)

    await expect_words(tab, "lines.linked.none.title")
    await tab.check_access()
