"""The story as people live it: a line, a conversation, another number, a fleet that fills."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.browser import Look, Tab
from tests.console.conftest import Stack, Visit, running
from tests.perene import name_of

pytestmark = pytest.mark.anyio
SLOTS = 10
OLD, NEW, MARIA = "5511999990001", "5511999990002", "5521988887777"
GHOST = "instance_ghost"
NEWS_MS = 10_000
RED = "rgb(181, 53, 42)"


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    """A fleet of its own, with a small server and an empty database."""
    with running(tmp_path, INSTANCE_MAX=str(SLOTS)) as small:
        yield small


async def enters(tab: Tab, door: str, who: str) -> None:
    """Somebody signs in, as people do; `door` is what the button says."""
    await tab.page.get_by_role("button", name=door).click()
    await tab.page.get_by_role("button", name=who).click()
    await expect(tab.page.get_by_role("navigation")).to_be_visible()


async def goes(tab: Tab, view: str) -> None:
    """To another view, by the navigation."""
    link = tab.page.get_by_role("link", name=await tab.say(f"shell.views.{view}"), exact=True)
    await link.click()


async def press(tab: Tab, words: str, **values: object) -> None:
    await tab.page.get_by_role("button", name=await tab.say(words, **values), exact=True).click()


async def scanned(tab: Tab, stack: Stack, number: str) -> None:
    """The code on the page is scanned by the phone of that number."""
    code = tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))
    await expect(code).to_be_visible(timeout=NEWS_MS)
    answer = stack.simulate(f"instances/{name_of('demo')}/scan", number=number)
    assert answer.status_code == 200, answer.text
    await expect(tab.page.get_by_role("dialog")).to_have_count(0, timeout=NEWS_MS)


async def two_nights(stack: Stack) -> None:
    """The clean-up has run twice."""
    for _ in range(2):
        moved = stack.call("POST", "/local/clock", "operator", operator=True, json={"days": 1})
        assert moved.status_code == 200, moved.text
        swept = stack.call("POST", "/sweep-orphans", "operator", operator=True)
        assert swept.status_code == 200, swept.text


async def test_a_line_is_connected_spoken_through_given_another_number_and_the_fleet_fills(
    visit: Visit, stack: Stack, look: Look
):
    tab = await visit("/lines", look)
    door = await tab.say("shell.door.enter")
    await enters(tab, door, "Padaria Aurora")

    # A new line, its QR code, a phone that scans it.
    await press(tab, "lines.connect")
    await tab.page.get_by_label(await tab.say("lines.new.label")).fill("Vendas")
    await press(tab, "lines.new.go")
    await scanned(tab, stack, OLD)
    await expect(tab.page.get_by_role("main").get_by_text("(11) 99999-0001")).to_be_visible()

    # A conversation arrives by itself, is answered, and the ticks turn.
    await goes(tab, "conversations")
    said = {"from": MARIA, "text": "Vocês abrem hoje?", "push_name": "Maria"}
    stack.simulate(f"instances/{name_of('demo')}/receive", **said)
    await tab.page.get_by_text("Vocês abrem hoje?").first.click(timeout=NEWS_MS)
    await tab.page.get_by_role("textbox").last.fill("Sim, até as 18 h")
    await tab.page.keyboard.press("Enter")
    delivered = tab.page.get_by_role("img", name=await tab.say("inbox.delivery.delivered"))
    await expect(delivered).to_be_visible(timeout=NEWS_MS)
    await tab.good("story-conversation")

    # Another number: the old conversation can be read, and not answered by mistake.
    conversation = tab.path
    await tab.go("/lines")
    await press(tab, "lines.release.action")
    await tab.page.get_by_role("dialog").get_by_role("textbox").fill("Vendas")
    confirm = tab.page.get_by_role("dialog").get_by_role(
        "button", name=await tab.say("lines.release.action")
    )
    await confirm.click()
    await scanned(tab, stack, NEW)
    await expect(tab.page.get_by_role("main").get_by_text("(11) 99999-0002")).to_be_visible()
    await tab.go(conversation)
    await expect(tab.page.get_by_text("Sim, até as 18 h").last).to_be_visible()
    why = await tab.say("inbox.mute.changed", line="Vendas", number="(11) 99999-0001")
    await expect(tab.page.get_by_text(why)).to_be_visible()
    await tab.good("story-changed")

    # The server fills up, and something is left over.
    for at in range(SLOTS - 3):
        stack.call("POST", "/ensure-instance", f"c{at}", json={})
    stack.simulate(f"instances/{GHOST}/plant", number="5511977770000", open=True)
    assert stack.call("POST", "/sweep-capacity", "operator", operator=True).status_code == 200
    await two_nights(stack)
    await tab.page.locator("summary").first.click()
    await press(tab, "shell.account.leave")
    await enters(tab, door, "Olívia")
    await tab.go("/fleet")
    await expect(tab.page.get_by_text(await tab.say("fleet.servers.red"))).to_be_visible()
    red = tab.page.locator(".fleet-server.red")
    await expect(red.locator(".fleet-segment.open")).to_have_css("background-color", RED)
    await expect(red.locator(".fleet-percent")).to_have_text(re.compile(r"^(9\d|100)%$"))
    await tab.good("story-fleet")

    # It waits for a person, who takes it off the list.
    await tab.go("/fleet/review")
    await expect(tab.page.get_by_text(GHOST).first).to_be_visible()
    await tab.good("story-review")
    undo = f"{await tab.say('review.undo')}: {GHOST}"
    await tab.page.get_by_role("button", name=undo).click()
    await expect(tab.page.get_by_role("listitem").filter(has_text=GHOST)).to_have_count(0)
    found = stack.call("GET", "/fleet/candidates", "operator", operator=True).json()
    assert found["candidates"] == []
