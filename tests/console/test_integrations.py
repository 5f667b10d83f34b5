"""Make an integration, look after it, and take it away again."""

from typing import Any

import pytest
from playwright.async_api import Locator, expect

from tests.console.browser import DESKTOP, SPEAK, Tab
from tests.console.conftest import Stack, Visit
from tests.console.test_parts import call

pytestmark = pytest.mark.anyio
RULES = "views/integrations/rules.js"
HOUR_MS = 3_600_000
NOW = "2026-11-26T12:00:00Z"
ONE: dict[str, Any] = {
    "id": "ep_0123456789abcdef01234567",
    "url": "https://crm.example.com/perene/events",
    "types": ["message.received", "message.sent"],
    "lines": [],
    "description": "",
    "created_at": "2026-11-01T12:00:00Z",
    "state": "active",
    "reason": None,
    "disabled_at": None,
    "condition": "ok",
    "failures": 0,
    "failing_since": None,
    "retry_at": None,
    "lag_seconds": 0,
    "told_at": NOW,
    "held": [],
    "replay": None,
    "previous_secret_until": None,
}
HELD = {
    "conversation": "c", "event": "evt_1", "tries": 2, "since": NOW, "retry_at": NOW,
}  # fmt: skip
STATES: list[dict[str, Any]] = [
    {"condition": "holding", "held": [HELD], "lag_seconds": 400, "description": "ERP"},
    {"condition": "failing", "failures": 4, "lag_seconds": 7200, "retry_at": NOW},
    {"condition": "disabled", "state": "disabled", "reason": "failing", "description": "n8n"},
    {"replay": {"until": NOW, "asked_at": NOW}, "previous_secret_until": NOW, "lines": ["sales"]},
]
ATTEMPT: dict[str, Any] = {
    "event": "evt_1", "type": "message.received", "at": NOW, "ms": 123, "status": 200,
    "failure": None, "answer": "", "succeeded": True, "replayed": True, "given_up": False,
}  # fmt: skip
ATTEMPTS = [
    ATTEMPT,
    ATTEMPT | {"status": 500, "succeeded": False, "answer": "<b>Internal</b> error"},
    ATTEMPT | {"status": None, "succeeded": False, "failure": "timed_out", "ms": 15_000},
    ATTEMPT | {"status": 400, "succeeded": False, "given_up": True, "type": "message.updated"},
]


async def press(tab: Tab, words: str, within: Locator | None = None) -> None:
    """Press the button that begins with these words, in the dialog or the list."""
    name = await tab.say(words)
    await (within or tab.page.locator("main")).get_by_role("button", name=name).first.click()


async def test_integration_from_first_to_last(visit: Visit, stack: Stack, tenant: str):
    tab = await visit("/integrations", DESKTOP, tenant)
    dialog, page = tab.page.get_by_role("dialog"), tab.page
    await expect(page.get_by_text(await tab.say("integrations.empty.text"))).to_be_visible()
    await tab.check_looks("integrations-empty")

    await press(tab, "integrations.add.action")
    url = f"{stack.origin}/local/receiver"
    await dialog.get_by_label(await tab.say("integrations.add.url")).fill(url)
    await dialog.get_by_label(await tab.say("integrations.add.description")).fill("CRM")
    await dialog.locator("summary").first.click()
    await dialog.get_by_label(await tab.say("integrations.types.message_received")).check()
    await tab.check_looks("integrations-add")
    await press(tab, "integrations.add.go", dialog)
    secret = dialog.get_by_label(await tab.say("integrations.secret.label"), exact=True)
    first = await secret.input_value()
    assert first.startswith("whsec_")
    await tab.check_looks("integrations-secret")
    await press(tab, "integrations.secret.done", dialog)

    (made,) = stack.call("GET", "/endpoints", tenant).json()["endpoints"]
    assert (made["url"], made["types"]) == (url, ["message.received"])
    await press(tab, "integrations.test.action")
    answered = await tab.say("integrations.outcomes.answered", status="204")
    await expect(page.locator(".integrations-attempts li").get_by_text(answered)).to_be_visible()
    assert "CRM" in stack.http.get(f"{url}/rows").text

    await press(tab, "integrations.rotate.action")
    await press(tab, "integrations.rotate.go", dialog)
    assert await secret.input_value() != first
    await press(tab, "integrations.secret.done", dialog)
    await press(tab, "integrations.replay.action")
    await press(tab, "integrations.replay.go", dialog)
    await expect(dialog).to_have_count(0)
    await press(tab, "integrations.disable.action")
    await press(tab, "integrations.disable.action", dialog)
    reason = await tab.say("integrations.reasons.disabled.asked")
    await expect(page.get_by_text(reason)).to_be_visible()
    await press(tab, "integrations.enable.action")
    await expect(page.get_by_text(reason)).to_have_count(0)

    await press(tab, "integrations.delete.action")
    await dialog.get_by_role("textbox").fill("crm")
    await press(tab, "integrations.delete.action", dialog)
    await expect(page.get_by_text(await tab.say("integrations.empty.text"))).to_be_visible()
    assert stack.call("GET", "/endpoints", tenant).json()["endpoints"] == []


async def test_trouble_is_explained(visit: Visit, tenant: str):
    endpoints = [ONE | {"id": f"ep_{at}"} | state for at, state in enumerate(STATES)]
    answers = {
        "/endpoints?everybody=true": {"endpoints": endpoints, "most": 5},
        "/endpoints/*/attempts?everybody=true": {"attempts": ATTEMPTS},
    }
    tab = await visit("/integrations", DESKTOP, tenant, operator=True, answers=answers)
    await (
        tab.page.locator("summary", has_text=await tab.say("integrations.attempts.title"))
        .nth(1)
        .click()
    )

    await expect(tab.page.get_by_text("<b>Internal</b> error")).to_be_visible()
    for reason in ("holding", "failing"):
        n = 1 if reason == "holding" else 4
        sentence = await tab.say(f"integrations.reasons.{reason}", n=n)
        await expect(tab.page.get_by_text(sentence)).to_be_visible()
    await tab.check_looks("integrations")


# Rules ---------------------------------------------------------------------------------------


@pytest.fixture
async def tab(visit: Visit) -> Tab:
    """Open a page that asks for nothing by itself."""
    tab = await visit("/")
    await tab.page.evaluate(SPEAK, [tab.app, "pt"])
    return tab


async def test_rules_of_integrations(tab: Tab):
    noon = 1_800_000_000_000
    cases: list[tuple[str, list[Any], Any]] = [
        ("toneOf", [{"condition": "failing"}], "bad"),
        ("toneOf", [{"condition": "new"}], ""),
        ("reasonOf", [{"condition": "ok"}], None),
        ("reasonOf", [{"condition": "disabled", "reason": "gone"}], "disabled.gone"),
        ("reasonOf", [{"condition": "holding"}], "holding"),
        ("nameOf", [{"description": " CRM ", "url": "https://a.example/x"}], "CRM"),
        ("nameOf", [{"description": " ", "url": "https://a.example:8443/x"}], "a.example:8443"),
        ("splitLag", [59], {"n": 59, "unit": "seconds"}),
        ("splitLag", [3599], {"n": 60, "unit": "minutes"}),
        ("splitLag", [172_800], {"n": 2, "unit": "days"}),
        ("findUrlFault", [" "], "empty"),
        ("findUrlFault", ["crm.example"], "address"),
        ("findUrlFault", ["javascript:alert(1)"], "address"),
        ("findUrlFault", [" https://a.example/x "], None),
        ("readSpan", ["", "", noon], {"fault": "empty"}),
        ("outcomeOf", [ATTEMPTS[0]], {"tone": "good", "key": "answered"}),
        ("outcomeOf", [ATTEMPTS[2]], {"tone": "warn", "key": "timed_out"}),
        ("outcomeOf", [ATTEMPTS[3]], {"tone": "bad", "key": "answered"}),
    ]
    results = [(name, values, await call(tab, RULES, name, *values)) for name, values, _ in cases]
    assert results == cases

    local = [
        await call(tab, RULES, "toLocalInput", noon - hours * HOUR_MS) for hours in (1, 2, 721)
    ]
    spans = [
        await call(tab, RULES, "readSpan", *span, noon)
        for span in ((local[1], local[0]), (local[0], local[1]), (local[2], ""))
    ]
    assert spans == [
        {"from": "2027-01-15T06:00:00.000Z", "to": "2027-01-15T07:00:00.000Z"},
        {"fault": "order"},
        {"fault": "old"},
    ]
