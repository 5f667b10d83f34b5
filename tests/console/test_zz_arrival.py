"""Measure arrival to display in the list and in an open thread, and requests per minute."""
import statistics, time, asyncio
import pytest
from playwright.async_api import expect
from tests.console.browser import DESKTOP
from tests.console.test_inbox import make_world, a_contact, run_aside, row, bubble
from tests.console.conftest import *  # noqa
pytestmark = pytest.mark.anyio

async def test_arrival(visit, stack):
    world = make_world(stack)
    maria = a_contact("Maria"); world.hear("sales", maria, "Oi")
    conv = world.find_conversation(maria)
    for path, where in (("/conversations", "list"),):
        tab = await visit(path, DESKTOP, world.tenant)
        await expect(row(tab.page, maria)).to_be_visible()
        await asyncio.sleep(3)
        n = []
        tab.page.on("request", lambda r: n.append(r.url.split("/console")[0][-60:]) if "/assets/" not in r.url else None)
        began = time.monotonic()
        await tab.page.evaluate("""() => { window.seen = {}; new MutationObserver(() => { for (const m of document.body.innerText.matchAll(/msg-\\d+/g)) seen[m[0]] ??= Date.now(); }).observe(document.body, {subtree: true, childList: true, characterData: true}); }""")
        waits = []
        for at in range(16):
            text = f"msg-{1000 + at + (500 if where == 'thread' else 0)}"
            await asyncio.sleep(0.9 + (at % 7) * 0.31)
            await run_aside(world.hear, "sales", maria, text)
            sent = time.time() * 1000
            for _ in range(300):
                shown = await tab.page.evaluate("(t) => seen[t]", text)
                if shown: break
                await asyncio.sleep(0.03)
            waits.append(max(0, shown - sent))
        took = time.monotonic() - began
        print(f"\n{where}: median {statistics.median(waits):.0f} ms, worst {max(waits):.0f} ms; {len(n)} requests in {took:.0f} s = {len(n) / took * 60:.0f} a minute (with {len(waits)} arrivals)")
        n.clear(); began = time.monotonic(); await asyncio.sleep(24)
        print(f"{where}, just after: {len(n) / (time.monotonic() - began) * 60:.0f} requests a minute")
        await asyncio.sleep(9); n.clear(); began = time.monotonic(); await asyncio.sleep(30)
        print(f"{where}, quiet: {len(n) / (time.monotonic() - began) * 60:.0f} requests a minute", sorted({u.split('?')[0][-30:] for u in n}))




async def test_bursts(visit, stack):
    """Three bursts of five messages, 40 s apart, nobody moves."""
    world = make_world(stack)
    maria = a_contact("Maria"); world.hear("sales", maria, "Oi"); world.find_conversation(maria)
    tab = await visit("/conversations", DESKTOP, world.tenant)
    await expect(row(tab.page, maria)).to_be_visible()
    await tab.page.evaluate("""() => { window.seen = {}; new MutationObserver(() => { for (const m of document.body.innerText.matchAll(/msg-\\d+/g)) seen[m[0]] ??= Date.now(); }).observe(document.body, {subtree: true, childList: true, characterData: true}); }""")
    n = []; tab.page.on("request", lambda r: n.append(1) if "/assets/" not in r.url else None)
    began = time.monotonic(); waits = []; firsts = []
    for burst in range(3):
        await asyncio.sleep(40 + burst * 0.7)
        for at in range(5):
            text = f"msg-{2000 + burst * 10 + at}"
            await run_aside(world.hear, "sales", maria, text)
            sent = time.time() * 1000
            for _ in range(300):
                shown = await tab.page.evaluate("(t) => seen[t]", text)
                if shown: break
                await asyncio.sleep(0.03)
            waits.append(max(0, shown - sent)); at or firsts.append(waits[-1])
            await asyncio.sleep(2.1 + at * 0.37)
    took = time.monotonic() - began
    print(f"\nbursts: median {statistics.median(waits):.0f} ms, first of each {[round(f) for f in firsts]}; {len(n) / took * 60:.0f} requests a minute")
