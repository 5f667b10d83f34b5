"""What views are made of: the parts, how things are written, and how the functions are called."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Route, expect

from tests.console.browser import LOOKS, Look, Tab
from tests.console.conftest import Visit

pytestmark = pytest.mark.anyio
GALLERY = (Path(__file__).parent / "gallery.js").read_text().partition("\n")[2]
CALL = """async ([module, name, given]) => {
    const app = document.querySelector('script[type=module]').src;
    const found = (await import(new URL(module, app)))[name];
    return found(...given);
}"""
API = """async ([verb, path, body]) => {
    const app = document.querySelector('script[type=module]').src;
    const { api, sentence } = await import(new URL('api.js', app));
    return api[verb](path, body ?? undefined).catch((error) => ({...error, said: sentence(error)}));
}"""


async def ours(tab: Tab, module: str, name: str, *given: Any) -> Any:
    return await tab.page.evaluate(CALL, [module, name, list(given)])


# Parts ---------------------------------------------------------------------------------------


@pytest.fixture
async def gallery(visit: Visit, look: Look, tenant: str) -> Tab:
    tab = await visit("/lines", look, tenant)
    await expect(tab.page.get_by_role("heading", level=1)).to_be_visible()
    app = await tab.page.evaluate("document.querySelector('script[type=module]').src")
    await tab.page.evaluate(GALLERY, app)
    await expect(tab.page.get_by_role("heading", name="Gallery")).to_be_visible()
    return tab


async def test_every_part_is_accessible_in_every_state(gallery: Tab):
    await gallery.good("parts")

    await gallery.page.get_by_role("button", name="Sheet…").click()
    await expect(gallery.page.get_by_role("dialog", name="A sheet")).to_be_visible()
    await gallery.good("parts-sheet")
    await gallery.page.keyboard.press("Escape")
    await expect(gallery.page.get_by_role("dialog")).to_have_count(0)
    await expect(gallery.page.get_by_role("button", name="Sheet…")).to_be_focused()


async def test_nothing_is_confirmed_before_the_word_is_typed(gallery: Tab):
    page = gallery.page
    await page.get_by_role("button", name="Confirm…").click()
    act = page.get_by_role("button", name="Let it go")
    await act.click(force=True)
    await page.get_by_role("textbox").fill("venda")
    await page.keyboard.press("Enter")
    assert await page.evaluate("confirmed") == 0
    await gallery.good("parts-confirm")

    await page.get_by_role("textbox").fill("vendas")
    await act.click()
    sentence = await gallery.say("shell.problems.maximum-instances-reached")
    await expect(page.get_by_role("dialog").get_by_text(sentence)).to_be_visible()
    await act.click()

    await expect(page.get_by_role("dialog")).to_have_count(0)
    assert await page.evaluate("confirmed") == 1


async def test_tabs_are_moved_through_by_arrows(gallery: Tab):
    await gallery.page.get_by_role("tab", name="QR").focus()
    await gallery.page.keyboard.press("ArrowRight")

    await expect(gallery.page.get_by_role("tab", name="Code")).to_be_focused()
    await expect(gallery.page.get_by_role("tabpanel")).to_have_text("type")


async def test_what_a_toast_says_can_be_undone(gallery: Tab):
    await gallery.page.get_by_role("button", name="Toast").click()
    await gallery.accessible()
    await gallery.page.get_by_role("button", name="Undo").click()

    assert await gallery.page.evaluate("undone")
    await expect(gallery.page.locator(".toast")).to_have_count(0)


# How things are written ----------------------------------------------------------------------


WRITTEN = {
    "5511988887777": "(11) 98888-7777",
    "551133334444": "(11) 3333-4444",
    "12025550123": "+1 202 555-0123",
    "351912345678": "+351 912 345 678",
    "5491155556666": "+54 911 555 566 66",
    "+447700900123": "+44 770 090 0123",
    "120363000000000000@g.us": "120363000000000000@g.us",
    "": "",
}


async def test_numbers_are_written_as_people_write_them(tab: Tab):
    found = {each: await ours(tab, "format.js", "formatNumber", each) for each in WRITTEN}

    assert found == WRITTEN


@pytest.fixture
async def tab(visit: Visit) -> Tab:
    """A tab for what doesn't depend on how it looks, where the page asks for nothing by itself."""
    tab = await visit("/fleet", LOOKS[0], "acme")  # not theirs
    heading = tab.page.get_by_role("heading", level=1)
    await expect(heading).to_have_text(await tab.say("shell.notFound.title"))
    return tab


async def test_times_sizes_and_shares_are_written_in_the_language(visit: Visit):
    portuguese, english = await visit("/", LOOKS[0]), await visit("/", LOOKS[2])
    hour = 3_600_000
    written = [
        [
            await ours(tab, "format.js", "formatAgo", 0, 3 * hour),
            await ours(tab, "format.js", "formatBytes", 1_234_567),
            await ours(tab, "format.js", "formatPercent", 0.905),
            await ours(tab, "format.js", "formatCount", 5000),
        ]
        for tab in (portuguese, english)
    ]

    assert written == [
        ["há 3 h", "1,2 MB", "91%", "5.000"],
        ["3 hr. ago", "1.2 MB", "91%", "5,000"],
    ]


# Calling the functions -----------------------------------------------------------------------


async def test_a_problem_is_said_in_the_persons_language(visit: Visit, look: Look, tenant: str):
    tab = await visit("/lines", look, tenant)
    tab.forgive("404")

    failed = await tab.page.evaluate(API, ["get", "instances/absent", None])

    assert (failed["kind"], failed["status"], failed["problem"]) == ("problem", 404, "line-unknown")
    assert failed["said"] == await tab.say("shell.problems.line-unknown")


async def test_a_problem_that_nobody_knows_yet_is_said_by_its_title(tab: Tab):
    tab.forgive("418")
    new = {"type": "urn:perene:problem:of-tomorrow", "title": "Tomorrow", "status": 418}
    await tab.page.route("**/instances", lambda route: route.fulfill(status=418, json=new))

    failed = await tab.page.evaluate(API, ["get", "instances", None])

    assert failed["said"] == "Tomorrow"


async def test_reading_is_tried_again_when_the_network_fails_and_writing_never(tab: Tab):
    tab.forgive("ERR_FAILED")
    asked: list[str] = []

    async def fails_twice(route: Route) -> None:
        asked.append(route.request.method)
        if route.request.method == "GET" and asked.count("GET") == 3:
            await route.fulfill(json={"lines": [], "open": 0})
        else:
            await route.abort("failed")

    await tab.page.route("**/instances", fails_twice)
    read = await tab.page.evaluate(API, ["get", "instances", None])
    written = await tab.page.evaluate(API, ["post", "instances", {}])

    assert (read["status"], read["data"]["open"]) == (200, 0)
    assert written["kind"] == "network"
    assert asked == ["GET", "GET", "GET", "POST"]


async def test_who_can_not_be_reached_is_a_banner_until_it_answers(tab: Tab):
    tab.forgive("ERR_FAILED")
    await tab.unseen()
    await tab.page.route("**/*", lambda route: route.abort("failed"))
    await tab.page.evaluate(API, ["post", "instances", {}])
    banner = tab.page.get_by_text("A Perene não está respondendo")
    await expect(banner).to_be_visible()

    await tab.page.unroute("**/*")
    await tab.page.get_by_role("button", name="Tentar de novo").click()

    await expect(banner).to_have_count(0)


async def test_an_answer_that_takes_too_long_is_given_up(tab: Tab):
    tab.forgive("ERR_FAILED|ERR_ABORTED")
    await tab.page.route("**/instances", lambda _: None)

    failed = await tab.page.evaluate(API, ["get", "instances", {"timeout": 50}])

    assert failed["kind"] == "timeout"
