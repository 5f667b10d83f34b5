"""Use what views are made of: the parts, the formats, and the calls to the functions."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.console.browser import DESKTOP, ENGLISH, SPEAK, Refusal, Tab
from tests.console.conftest import Visit

pytestmark = pytest.mark.anyio
GALLERY = (Path(__file__).parent / "gallery.js").read_text().partition("\n")[2]
CALL = """async ([module, name, values]) => {
    const app = document.querySelector('script[type=module]').src;
    const call = (await import(new URL(module, app)))[name];
    return call(...values);
}"""
API = """async ([verb, path, body]) => {
    const app = document.querySelector('script[type=module]').src;
    const { api, sentence } = (await import(app)).$modules['api.js'];
    return api[verb](path, body ?? undefined).catch(
        (error) => ({...error, sentence: sentence(error)}));
}"""

TOAST = """async ([words, options]) => {
    const app = document.querySelector('script[type=module]').src;
    (await import(app)).$modules['ui/Toasts.js'].toast(words, options);
}"""


async def call(tab: Tab, module: str, name: str, *values: Any) -> Any:
    """Call a function of the page's module."""
    return await tab.page.evaluate(CALL, [module, name, list(values)])


# Parts ---------------------------------------------------------------------------------------


@pytest.fixture
async def gallery(tab: Tab) -> Tab:
    """Show every part in every state, instead of a view."""
    await tab.page.evaluate(GALLERY, tab.app)
    await expect(tab.page.get_by_role("heading", name="Gallery")).to_be_visible()
    return tab


async def test_parts_are_accessible_in_every_state(gallery: Tab):
    await gallery.check_looks("parts")

    await gallery.page.get_by_role("button", name="Sheet…").click()
    await expect(gallery.page.get_by_role("dialog", name="A sheet")).to_be_visible()
    await gallery.check_looks("parts-sheet")
    await gallery.page.keyboard.press("Escape")
    await expect(gallery.page.get_by_role("dialog")).to_have_count(0)
    await expect(gallery.page.get_by_role("button", name="Sheet…")).to_be_focused()


async def test_typed_word_confirms(gallery: Tab):
    page = gallery.page
    await page.get_by_role("button", name="Confirm…").click()
    act = page.get_by_role("button", name="Let it go")
    await act.click(force=True)
    await page.get_by_role("textbox").fill("venda")
    await page.keyboard.press("Enter")
    assert await page.evaluate("confirmed") == 0
    await gallery.check_looks("parts-confirm")

    await page.get_by_role("textbox").fill("vendas")
    await act.click()
    sentence = await gallery.say("shell.problems.maximum-instances-reached")
    await expect(page.get_by_role("dialog").get_by_text(sentence)).to_be_visible()
    await act.click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await page.evaluate("confirmed") == 1


async def test_arrows_move_through_tabs(gallery: Tab):
    await gallery.page.get_by_role("tab", name="QR").focus()
    await gallery.page.keyboard.press("ArrowRight")

    await expect(gallery.page.get_by_role("tab", name="Code")).to_be_focused()
    await expect(gallery.page.get_by_role("tabpanel")).to_have_text("type")


async def test_toast_is_undone(gallery: Tab):
    await gallery.page.get_by_role("button", name="Toast").click()
    await gallery.check_access()
    await gallery.page.get_by_role("button", name="Undo").click()

    assert await gallery.page.evaluate("undone")
    toasts = gallery.page.locator(".toast")
    await expect(toasts).to_have_count(0)


async def test_toast_dies_with_its_offer(gallery: Tab):
    toasts = gallery.page.locator(".toast > span")
    await gallery.page.evaluate(TOAST, ["archived", {"about": "archive"}])
    await gallery.page.evaluate(TOAST, ["saved", {"seconds": 0.3}])
    await gallery.page.evaluate(TOAST, ["taken back", {"about": "archive"}])

    await expect(toasts).to_have_text(["taken back"])
    await gallery.page.evaluate(TOAST, ["", {"about": "archive"}])
    await expect(toasts).to_have_count(0)


# How things are written ----------------------------------------------------------------------


FORMATTED = {
    "5511988887777": "(11) 98888-7777",
    "551133334444": "(11) 3333-4444",
    "12025550123": "+1 202 555-0123",
    "351912345678": "+351 912 345 678",
    "5491155556666": "+54 911 555 566 66",
    "+447700900123": "+44 770 090 0123",
    "120363000000000000@g.us": "120363000000000000@g.us",
    "": "",
}


async def test_numbers_are_formatted(tab: Tab):
    formatted = {
        number: await call(tab, "format.js", "formatNumber", number) for number in FORMATTED
    }

    assert formatted == FORMATTED


@pytest.fixture
async def tab(visit: Visit) -> Tab:
    """Open a page that asks for nothing by itself."""
    tab = await visit("/fleet", DESKTOP, "acme")  # not theirs
    heading = tab.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text(await tab.say("shell.notFound.title"))
    return tab


async def test_formats_follow_the_language(visit: Visit):
    portuguese, english = await visit("/"), await visit("/", ENGLISH)
    hour = 3_600_000
    formatted = [
        [
            await call(tab, "format.js", "formatAgo", 0, 3 * hour),
            await call(tab, "format.js", "formatAgo", 0, 8 * 24 * hour),
            await call(tab, "format.js", "formatBytes", 1_234_567),
            await call(tab, "format.js", "formatPercent", 0.905),
            await call(tab, "format.js", "formatCount", 5000),
        ]
        for tab in (portuguese, english)
    ]

    assert formatted == [
        ["há 3 h", "há 1 semana", "1,2 MB", "91%", "5.000"],
        ["3 hr. ago", "1 week ago", "1.2 MB", "91%", "5,000"],
    ]


async def test_nothing_is_counted_as_people_do(tab: Tab):
    counts = [await tab.say("inbox.count", n=n) for n in (0, 1, 2)]

    assert counts == ["Nenhuma conversa", "1 conversa", "2 conversas"]
    assert await tab.say("fleet.instances.shown", n=0) == "0 linhas"


# Calling the functions -----------------------------------------------------------------------


async def test_problem_has_a_sentence(visit: Visit, tenant: str, subtests: pytest.Subtests):
    tab = await visit("/lines", DESKTOP, tenant)
    tab.forgive("404")

    for language in ("pt", "en"):
        with subtests.test(language):
            await tab.page.evaluate(SPEAK, [tab.app, language])
            error = await tab.page.evaluate(API, ["get", "instances/absent", None])

            facts = (error["kind"], error["status"], error["problem"])
            assert facts == ("problem", 404, "line-unknown")
            assert error["sentence"] == await tab.say("shell.problems.line-unknown")


async def test_new_problem_shows_its_title(tab: Tab):
    tab.forgive("418")
    await tab.answer("/instances", Refusal("of-tomorrow", 418, "Tomorrow"))

    error = await tab.page.evaluate(API, ["get", "instances", None])

    assert error["sentence"] == "Tomorrow"


async def test_only_reading_is_retried(tab: Tab):
    tab.forgive("ERR_FAILED")
    methods: list[str] = []

    async def fail_twice(route: Route) -> None:
        methods.append(route.request.method)
        if route.request.method == "GET" and methods.count("GET") == 3:
            await route.fulfill(json={"lines": [], "open": 0})
        else:
            await route.abort("failed")

    await tab.page.route("**/instances", fail_twice)
    answer = await tab.page.evaluate(API, ["get", "instances", None])
    error = await tab.page.evaluate(API, ["post", "instances", {}])

    assert (answer["status"], answer["data"]["open"]) == (200, 0)
    assert error["kind"] == "network"
    assert methods == ["GET", "GET", "GET", "POST"]


async def test_unreachable_banner_goes(tab: Tab):
    tab.forgive("ERR_FAILED")
    await tab.unseen()
    await tab.page.route("**/*", lambda route: route.abort("failed"))
    # (The page asks this function nothing by itself, whose answer would take the banner away.)
    await tab.page.evaluate(API, ["post", "send-message", {}])
    banner = tab.page.get_by_text("A Perene não está respondendo")
    await expect(banner).to_be_visible()

    await tab.page.unroute("**/*")
    await tab.page.get_by_role("button", name="Tentar de novo").click()

    await expect(banner).to_have_count(0)


async def test_slow_answer_times_out(tab: Tab):
    tab.forgive("ERR_FAILED|ERR_ABORTED")
    await tab.page.route("**/instances", lambda _: None)

    error = await tab.page.evaluate(API, ["get", "instances", {"timeout": 50}])

    assert error["kind"] == "timeout"
