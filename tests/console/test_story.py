"""Live through the whole story: a line, a conversation, another number, a fleet that fills."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.console.browser import Look, Tab
from tests.console.conftest import Stack, Visit, run_stack
from tests.perene import name_of

pytestmark = pytest.mark.anyio
LOOK = Look("phone", "en")
"""Most flows run on a desktop in Portuguese; this one has everything that a phone shows."""
SLOTS = 10
OLD, NEW, MARIA = "5511999990001", "5511999990002", "5521988887777"
GHOST = "instance_ghost"
NEWS_MS = 10_000
LOOK_MS, CLOSE_MS = 2_000, 2_500
"""The pauses of the sheet that pairs a line: between two looks, and before it closes."""
RED = "rgb(181, 53, 42)"


@pytest.fixture
def stack(tmp_path: Path, firestore_emulator: str) -> Iterator[Stack]:
    """Start a fleet of its own, with a small server and an empty database."""
    own = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "FIRESTORE_DATABASE": "story"}
    with run_stack(tmp_path, "--quick", INSTANCE_MAX=str(SLOTS), **own) as stack:
        yield stack


async def enter(tab: Tab, door: str, name: str) -> None:
    """Sign in as people do; `door` is what the button says."""
    await tab.page.get_by_role("button", name=door).click()
    await tab.page.get_by_role("button", name=name).click()
    await expect(
        tab.page.get_by_role("navigation", name=await tab.say("shell.navigation"))
    ).to_be_visible()


async def navigate(tab: Tab, view: str) -> None:
    """Go to another view, by the navigation."""
    link = tab.page.get_by_role("link", name=await tab.say(f"shell.views.{view}"), exact=True)
    await link.click()


async def press(tab: Tab, words: str, **values: object) -> None:
    await tab.page.get_by_role("button", name=await tab.say(words, **values), exact=True).click()


async def scan(tab: Tab, stack: Stack, number: str) -> None:
    """Scan the code on the page with the phone of that number."""
    await tab.page.get_by_role("tab", name=await tab.say("lines.pairing.scan")).click()
    code = tab.page.get_by_alt_text(await tab.say("lines.pairing.qr"))
    await expect(code).to_be_visible(timeout=NEWS_MS)
    await tab.hurry(LOOK_MS, CLOSE_MS)
    answer = stack.simulate(f"instances/{name_of('demo')}/scan", number=number)
    assert answer.status_code == 200, answer.text
    await expect(tab.page.get_by_role("dialog")).to_have_count(0, timeout=NEWS_MS)


async def look_at(tab: Tab, name: str) -> None:
    """Check the view as this person sees it; other tests check it in the other looks."""
    await tab.check_access()
    await tab.shoot(name)


async def pass_two_nights(stack: Stack) -> None:
    """Run the clean-up twice, a day apart."""
    for _ in range(2):
        answer = stack.call("POST", "/local/clock", "operator", operator=True, json={"days": 1})
        assert answer.status_code == 200, answer.text
        answer = stack.call("POST", "/sweep-orphans", "operator", operator=True)
        assert answer.status_code == 200, answer.text


async def test_line_lives_in_a_filling_fleet(visit: Visit, stack: Stack):
    tab = await visit("/lines", LOOK)
    door = await tab.say("shell.door.enter")
    await enter(tab, door, "Padaria Aurora")

    # A new line, its QR code, a phone that scans it.
    await press(tab, "lines.empty.connect")
    await scan(tab, stack, OLD)
    await expect(tab.page.get_by_role("main").get_by_text("(11) 99999-0001")).to_be_visible()
    await press(tab, "lines.rename.action")
    await tab.page.get_by_label(await tab.say("lines.new.label")).fill("Vendas")
    await press(tab, "lines.rename.save")
    await expect(tab.page.get_by_role("heading", name="Vendas", exact=True)).to_be_visible()

    # A conversation arrives by itself, is answered, and the ticks turn.
    await navigate(tab, "conversations")
    message = {"from": MARIA, "text": "Vocês abrem hoje?", "push_name": "Maria"}
    stack.simulate(f"instances/{name_of('demo')}/receive", **message)
    await tab.page.get_by_text("Vocês abrem hoje?").first.click(timeout=NEWS_MS)
    await tab.page.get_by_role("textbox").last.fill("Sim, até as 18 h")
    await tab.page.keyboard.press("Enter")
    delivered = tab.page.get_by_role("img", name=await tab.say("inbox.delivery.delivered"))
    await expect(delivered).to_be_visible(timeout=NEWS_MS)
    await look_at(tab, "story-conversation")

    # Another number: the old conversation can be read, and not answered by mistake.
    conversation = tab.path
    await tab.go("/lines")
    await press(tab, "lines.release.action")
    word = await tab.say("shell.words.release")
    await tab.page.get_by_role("dialog").get_by_role("textbox").fill(word)
    confirm = tab.page.get_by_role("dialog").get_by_role(
        "button", name=await tab.say("lines.release.action")
    )
    await confirm.click()
    await scan(tab, stack, NEW)
    await expect(tab.page.get_by_role("main").get_by_text("(11) 99999-0002")).to_be_visible()
    await tab.go(conversation)
    await expect(tab.page.get_by_text("Sim, até as 18 h").last).to_be_visible()
    reason = await tab.say("inbox.mute.changed", line="Vendas", number="(11) 99999-0001")
    await expect(tab.page.get_by_text(reason)).to_be_visible()
    await look_at(tab, "story-changed")

    # The server fills up, and something is left over.
    for at in range(SLOTS - 3):
        stack.call("POST", "/ensure-instance", f"c{at}", json={})
    stack.simulate(f"instances/{GHOST}/plant", number="5511977770000", open=True)
    assert stack.call("POST", "/sweep-capacity", "operator", operator=True).status_code == 200
    await pass_two_nights(stack)
    await tab.page.locator("summary").first.click()
    await press(tab, "shell.account.leave")
    await enter(tab, door, "Olívia")
    await tab.go("/fleet")
    await expect(tab.page.get_by_text(await tab.say("fleet.servers.red"))).to_be_visible()
    red = tab.page.locator(".fleet-server.red")
    await expect(red.locator(".fleet-segment.open")).to_have_css("background-color", RED)
    await expect(red.locator(".fleet-percent")).to_have_text(re.compile(r"^(9\d|100)%$"))
    await look_at(tab, "story-fleet")

    # It waits for a person, who takes it off the list.
    await tab.go("/fleet/review")
    await expect(tab.page.get_by_text(GHOST).first).to_be_visible()
    await look_at(tab, "story-review")
    undo = f"{await tab.say('review.undo')}: {GHOST}"
    await tab.page.get_by_role("button", name=undo).click()
    await expect(tab.page.get_by_role("listitem").filter(has_text=GHOST)).to_have_count(0)
    answer = stack.call("GET", "/fleet/candidates", "operator", operator=True)
    assert answer.json()["candidates"] == []
