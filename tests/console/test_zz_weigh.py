"""Measure cold loads (temporary)."""
import json, time, statistics
import pytest
from tests.console import browser as browsers
from tests.console.browser import DESKTOP, PHONE
from tests.console.conftest import SIGN_IN, new_tenant
from tests.console.inbox import Contact, World
pytestmark = pytest.mark.anyio

async def cold(chromium, stack, path, ready, tenant, operator, slow, look=DESKTOP):
    window = await browsers.open_window(chromium, look)
    page = await window.new_page()
    sizes = []
    await page.goto(f"{stack.origin}/console/config.json")
    if tenant:
        token = stack.token(tenant, operator=operator)
        await page.evaluate(SIGN_IN, json.dumps({"access": token, "id": token, "expires": time.time() + 3600}))
    cdp = await window.new_cdp_session(page)
    await cdp.send("Network.enable")
    await cdp.send("Network.setCacheDisabled", {"cacheDisabled": False})
    total = {"n": 0, "bytes": 0}
    cdp.on("Network.requestWillBeSent", lambda e: total.__setitem__("n", total["n"] + 1))
    cdp.on("Network.loadingFinished", lambda e: total.__setitem__("bytes", total["bytes"] + e["encodedDataLength"]))
    if slow:
        await cdp.send("Network.emulateNetworkConditions", {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000})
    began = time.monotonic()
    await page.goto(f"{stack.origin}/console{path}", wait_until="commit")
    await page.locator(ready).first.wait_for(timeout=60_000)
    took = time.monotonic() - began
    res = dict(total)
    await window.close()
    return took, res

async def test_weigh(chromium, stack):
    world = World(stack, new_tenant())
    world.pair_line("sales", "Vendas")
    for n in range(50):
        world.hear("sales", Contact(f"55219999{n:05}", f"Contato {n}"), f"oi, tudo bem? mensagem {n}")
    world.find_conversation(Contact(f"5521999900049", "Contato 49"), 1)
    time.sleep(2)
    url = stack.call("GET", "/conversations?limit=50", world.tenant)
    print("conversations answer", len(url.content))
    for name, path, ready, operator in [
        ("inbox", "/conversations", "a.row, .row", False), ("lines", "/lines", ".line", False), ("fleet", "/fleet", ".fleet-server h3", True), ("door", "/lines", ".door .button.primary", None), ("connect", "/connect#x", ".door .button.primary", None)]:
        for slow in (True, False):
            runs = [await cold(chromium, stack, path, ready, None if operator is None else world.tenant, operator, slow) for _ in range(3)]
            print(name, "slow" if slow else "fast", " ".join(f"{t:.2f}" for t, _ in runs), runs[-1][1])
