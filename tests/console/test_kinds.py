"""Messages of every kind, as the console shows them."""

from typing import Any

import pytest
from playwright.async_api import expect

from shared.domain.content import Kind
from tests.adapters.test_webhooks_structured import SAMPLES
from tests.console.browser import LOOKS, Look
from tests.console.conftest import Stack, Visit
from tests.console.inbox import World

pytestmark = pytest.mark.anyio
MARIA = "5521999990001"
LISTED = """async () => {
    const app = document.querySelector('script[type=module]').src;
    const from = (name) => import(new URL(name, app));
    const [{ BODIES }, words, pt, en] = await Promise.all(
        ["views/inbox/Body.js", "views/inbox/words.js", "i18n/inbox.pt.js", "i18n/inbox.en.js"]
            .map(from));
    return { bodies: Object.keys(BODIES), icons: Object.keys(BODIES).filter(words.kindIcon),
        pt: Object.keys(pt.default.kinds), en: Object.keys(en.default.kinds),
        notices: Object.keys(pt.default.notices) };
}"""
SHOWN = [name for name in SAMPLES if not name.endswith(("V2", "V3", "V5")) and name != "ptvMessage"]


@pytest.fixture
def world(stack: Stack, tenant: str) -> World:
    world = World(stack, tenant)
    world.sales = world.line("sales", "Vendas")
    return world


async def test_every_kind_has_component_words_and_icon(visit: Visit):
    tab = await visit("/conversations", LOOKS[0])

    listed = await tab.page.evaluate(LISTED)

    for place in ("bodies", "pt", "en"):
        assert sorted(listed[place]) == sorted(Kind), place
    assert set(Kind) - set(listed["icons"]) == {Kind.TEXT}


async def test_every_kind_is_shown_with_its_words(visit: Visit, look: Look, world: World):
    for number, name in enumerate(SHOWN):
        world.hear_any("sales", MARIA, {name: SAMPLES[name][0]}, key={"id": f"K{number:04}"})
    world.hear_any("sales", MARIA, {"conversation": "do anúncio"}, contextInfo=_an_ad())
    conversation = world.conversation(MARIA)
    world.until(lambda: len(world.messages(conversation)) == len(SHOWN) + 1)

    tab = await visit(f"/conversations/{conversation}", look, world.tenant)

    for number, name in enumerate(SHOWN):
        message = tab.page.locator(f'.message[data-id="K{number:04}"] .bubble')
        for word in SAMPLES[name][2]:
            await expect(message).to_contain_text(word.split(" | ")[0])
    await expect(tab.page.locator(".ad")).to_contain_text("Avaliação grátis")
    await tab.good("inbox-kinds")


def _an_ad() -> dict[str, Any]:
    ad = {"title": "Avaliação grátis", "sourceType": "ad", "sourceUrl": "https://fb.me/EXAMPLE"}
    return {"externalAdReply": ad, "entryPointConversionApp": "instagram"}
