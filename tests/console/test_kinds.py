"""Messages of every kind, as the console shows them."""

from typing import Any

import pytest
from playwright.async_api import expect

from shared.domain.content import Kind
from shared.domain.content.notices import NoticeTopic
from tests.adapters.test_webhooks_structured import SAMPLES
from tests.console.browser import DESKTOP
from tests.console.conftest import Stack, Visit, new_tenant
from tests.console.inbox import Contact, World

pytestmark = pytest.mark.anyio
MARIA = Contact("5521999990001", "Maria")
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
SHOWN = [
    name
    for name in SAMPLES
    if not name.endswith(("V2", "V3", "V5")) and name not in ("ptvMessage", "callLogMesssage")
]
"""Each once: two reports of a call in the same seconds are one line."""


async def test_every_kind_has_component_words_and_icon(visit: Visit):
    tab = await visit("/conversations", DESKTOP)

    listed = await tab.page.evaluate(LISTED)

    for place in ("bodies", "pt", "en"):
        assert sorted(listed[place]) == sorted(Kind), place
    assert set(Kind) - set(listed["icons"]) == {Kind.TEXT}
    assert sorted(listed["notices"]) == sorted(NoticeTopic)


async def test_every_kind_shows_its_words(visit: Visit, stack: Stack):
    world = World(stack, new_tenant())
    world.pair_line("sales", "Vendas")
    names = {world.hear_any("sales", MARIA, {name: SAMPLES[name][0]}): name for name in SHOWN}
    world.hear_any("sales", MARIA, {"conversation": "do anúncio"}, contextInfo=_an_ad())
    conversation = world.find_conversation(MARIA, len(SHOWN) + 1)

    tab = await visit(f"/conversations/{conversation}", DESKTOP, world.tenant)

    for message_id, name in names.items():
        bubble = tab.page.locator(f'.message[data-id="{message_id}"] .bubble')
        for word in SAMPLES[name][2]:
            await expect(bubble).to_contain_text(word.split(" | ")[0])
    await expect(tab.page.locator(".ad")).to_contain_text("Avaliação grátis")
    await tab.check_looks("inbox-kinds")


async def test_notice_of_a_group_names_members(visit: Visit, stack: Stack):
    world = World(stack, new_tenant())
    world.pair_line("sales", "Vendas")
    members = [f"551196666555{digit}@s.whatsapp.net" for digit in (5, 6)]
    stub = {"messageStubType": 27, "messageStubParameters": members}
    key = {"remoteJid": "120363000000000016@g.us", "participant": f"{MARIA.number}@s.whatsapp.net"}
    world.hear_any("sales", MARIA, {"conversation": "oi"}, key=key)
    notice = world.hear_any("sales", MARIA, {}, key=key, **stub)

    tab = await visit("/conversations", DESKTOP, world.tenant)
    await tab.page.locator("a.row").first.click()

    bubble = tab.page.locator(f'.message[data-id="{notice}"]')
    await expect(bubble).to_contain_text("Adicionou ao grupo")
    await expect(bubble).to_contain_text("(11) 96666-5555, (11) 96666-5556")
    await expect(bubble.locator(".reply")).to_have_count(0)


def _an_ad() -> dict[str, Any]:
    ad = {"title": "Avaliação grátis", "sourceType": "ad", "sourceUrl": "https://fb.me/EXAMPLE"}
    return {"externalAdReply": ad, "entryPointConversionApp": "instagram"}
