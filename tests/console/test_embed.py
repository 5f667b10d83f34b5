"""Pages of other origins connect a line with <perene-connect>, if they are allowed to."""

import os
import re
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect
from starlette.responses import HTMLResponse

from infra.local.children import find_free_port
from shared import config
from tests.console.browser import AXE, DESKTOP, FAULTS, HURRY, PHONE, RULES, open_window
from tests.console.conftest import PATIENCE_MS
from tests.perene import Perene, name_of
from tests.serving import HOST, serving

pytestmark = pytest.mark.anyio

MARKUP = "<img src=x onerror=alert(1)>"
POLICY = (
    "default-src 'none'; script-src {perene}; connect-src {perene}; frame-src {perene};"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
"""A strict policy: nothing inline, no pictures, no styles."""

LISTEN = """
window.heard = [];
for (const name of ["code", "open", "error"])
    addEventListener(name, (event) => event instanceof CustomEvent
        && heard.push([event.target.id, name, event.detail]), true);
addEventListener("securitypolicyviolation",
    (event) => heard.push(["page", event.violatedDirective, event.blockedURI]));
"""
CALL = """([url, link]) => fetch(url, {method: "POST", body: JSON.stringify({link}),
    headers: {"content-type": "application/json"}}).then(({status}) => status, () => "refused")"""
FRAME = """(link) => new Promise((resolve) => {
    const frame = document.createElement("iframe");
    Object.assign(frame, {src: link, title: "Perene", onload: resolve});
    document.querySelector("main").append(frame);
})"""
DARK_PIXELS = """() => {
    const canvas = pc0.shadowRoot.querySelector("canvas");
    const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return data.filter((value, index) => index % 4 === 0 && value < 128).length * 4 / data.length;
}"""
FOCUS = "pc0.shadowRoot.activeElement.part.value"
CODE = re.compile(r"^\w{4}–\w{4}$")
SLOW, QUICK = 2_000, 200


@dataclass
class Site:
    """A Perene at a real address, and a page of another origin that shows its element."""

    perene: Perene
    port: int
    page: HTMLResponse = field(default_factory=HTMLResponse)

    @property
    def perene_origin(self) -> str:
        return config.settings().public_url

    @property
    def allowed(self) -> str:
        """Return the page's origin that EMBED_ORIGINS has."""
        return f"http://{HOST}:{self.port}"

    @property
    def stranger(self) -> str:
        """Return the page's origin that it hasn't."""
        return f"http://localhost:{self.port}"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self.page(scope, receive, send)


class Shop:
    """A window in which the page is looked at."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site, self.perene, self.page = site, site.perene, page
        self.origin = site.perene_origin
        self.asked: list[str] = []
        page.on("request", self._note)

    async def show(self, links: Iterable[str], at: str = "") -> None:
        """Open a page with an element per link, `pc0`, `pc1` …, at an origin."""
        element = (await self.perene.http.get("/console/embed")).json()
        script = f'src="{element["src"]}" integrity="{element["integrity"]}"'
        elements = [
            f'<perene-connect id="pc{index}" link="{escape(link)}"></perene-connect>'
            for index, link in enumerate(links)
        ]
        content = (
            '<!doctype html><html lang="pt-BR"><title>Loja</title>'
            '<meta name="viewport" content="width=device-width">'
            '<meta name="color-scheme" content="light dark">'
            f'<script type="module" crossorigin="anonymous" {script}></script>'
            f"<main><h1>Loja</h1>{''.join(elements)}</main></html>"
        )
        headers = {"content-security-policy": POLICY.format(perene=self.origin)}
        self.site.page = HTMLResponse(content, headers=headers)
        await self.page.goto(at or self.site.allowed)

    async def heard(self, name: str = "pc0") -> list[list[Any]]:
        """Return the events that an element fired, and what the page's policy refused."""
        heard: list[list[Any]] = await self.page.evaluate("heard")
        return [event[1:] for event in heard if event[0] in (name, "page")]

    async def wait_for(self, event: str, name: str = "pc0") -> Any:
        """Wait until an element fired an event; return its detail."""
        found = await self.page.wait_for_function(
            "([id, name]) => heard.find((event) => event[0] === id && event[1] === name)",
            arg=[name, event],
        )
        return (await found.json_value())[2]

    def _note(self, request: Any) -> None:
        if request.url == f"{self.origin}/ensure-instance/link" and request.method == "POST":
            self.asked.append(request.post_data)


@pytest.fixture(scope="module")
async def site(firestore_emulator: str, anyio_backend: str) -> AsyncIterator[Site]:
    """Serve Perene and the page on two ports."""
    port, own = find_free_port(), find_free_port()
    async with Perene(main="2.3.6") as perene:
        site = Site(perene, port)
        async with serving(perene.app, own), serving(site, port):
            perene.set(PUBLIC_URL=f"http://{HOST}:{own}", EMBED_ORIGINS=site.allowed)
            yield site


@pytest.fixture
async def shop(
    site: Site, chromium: Browser, request: pytest.FixtureRequest
) -> AsyncIterator[Shop]:
    """Open a window for the page, in which what is asked for every two seconds is soon."""
    window = await open_window(chromium, getattr(request, "param", DESKTOP))
    page = await window.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    await page.add_init_script(LISTEN)
    await page.add_init_script(f"({HURRY})([{SLOW}])")
    yield Shop(site, page)
    await window.close()


async def make_link(perene: Perene, tenant: str, label: str = "Vendas") -> str:
    await perene.ensure(tenant, label=label)
    url: str = (await perene.call("POST", "/instances/default/link", tenant)).json()["url"]
    return url


async def open_link(perene: Perene, link: str) -> None:
    body = {"link": link.partition("#")[2]}
    assert (await perene.http.post("/ensure-instance/link", json=body)).status_code == 200


async def check_access(page: Page) -> None:
    """Require that axe finds no fault, and that nothing sticks out or is too small."""
    await page.evaluate(AXE.read_text())
    assert await page.evaluate(FAULTS, RULES) == []


async def shoot(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png")


# A page that is allowed ----------------------------------------------------------------------


async def test_element_connects_a_line(shop: Shop):
    await shop.show([await make_link(shop.perene, "acme", MARKUP)])

    code = await shop.wait_for("code")
    await expect(shop.page.get_by_role("img", name="QR code")).to_be_visible()
    await expect(shop.page.get_by_text(f"Linha: {MARKUP}")).to_be_visible()
    await expect(shop.page.get_by_text(re.compile(r"se renova em \d+ segundo"))).to_be_visible()
    await check_access(shop.page)
    await shoot(shop.page, "embed-qr")
    dark = await shop.page.evaluate(DARK_PIXELS)
    await shop.perene.evolution.scan(name_of("acme"), "5511999990001")
    await shop.perene.evolution.drain()
    opened = await shop.wait_for("open")

    await expect(shop.page.get_by_text(f"{MARKUP} está conectada")).to_be_visible()
    await check_access(shop.page)
    await shoot(shop.page, "embed-open")
    assert code["expiresAt"] > code["expiresAt"][:4]
    assert 0.2 < dark < 0.8, "the canvas shows a QR code"
    assert opened == {"label": MARKUP}
    assert {event[0] for event in await shop.heard()} == {"code", "open"}
    assert await shop.page.evaluate("sessionStorage.length") == 0


@pytest.mark.parametrize("shop", [PHONE], indirect=True)
async def test_code_can_be_typed_on_the_phone(shop: Shop):
    await shop.show([await make_link(shop.perene, "beta")])
    number = shop.page.get_by_label("Número do celular")
    button = shop.page.get_by_role("button", name="Gerar código")
    await number.fill("9999")
    await button.click()
    await expect(shop.page.get_by_text("falta o DDD")).to_be_visible()

    await number.fill("(11) 99999-0002")
    await number.press("Enter")

    await expect(shop.page.get_by_label("Código para digitar")).to_have_text(CODE)
    await check_access(shop.page)
    await shoot(shop.page, "embed-type")
    assert await shop.page.evaluate(FOCUS) == "input"
    await shop.perene.evolution.pair(name_of("beta"))
    await shop.wait_for("open")
    assert await shop.page.evaluate(FOCUS) == "end"


async def test_connect_page_may_be_framed(shop: Shop):
    link = await make_link(shop.perene, "gamma")
    await shop.show([])

    await shop.page.evaluate(FRAME, link)

    frame = shop.page.frame_locator("iframe")
    await expect(frame.get_by_role("button", name="Mostrar o código")).to_be_visible()


# Pages that aren't ---------------------------------------------------------------------------


async def test_stranger_gets_neither_script_nor_line(shop: Shop):
    link = await make_link(shop.perene, "delta")

    await shop.show([link], at=shop.site.stranger)

    assert await shop.page.evaluate("customElements.get('perene-connect') === undefined")
    url = f"{shop.origin}/ensure-instance/link"
    assert await shop.page.evaluate(CALL, [url, link]) == "refused"
    await shop.page.evaluate(FRAME, link)
    await expect(shop.page.frame_locator("iframe").locator("body")).not_to_contain_text("Conectar")
    await open_link(shop.perene, link)  # nobody has used it


async def test_element_calls_nothing_but_its_link(shop: Shop):
    await shop.show([await make_link(shop.perene, "epsilon")])
    await shop.wait_for("code")

    for path in ("/instances", "/ensure-instance", "/conversations", "/console/config.json"):
        answer = await shop.page.evaluate(CALL, [shop.origin + path, "#x"])
        assert answer == "refused", path


# Links that are over, and elements that come and go ------------------------------------------


async def test_links_that_are_over_say_so(shop: Shop):
    late = await make_link(shop.perene, "late")
    shop.perene.clock.advance(timedelta(hours=25))
    used, revoked = [await make_link(shop.perene, tenant) for tenant in ("used", "revoked")]
    await open_link(shop.perene, used)
    await shop.perene.call("DELETE", "/instances/default", "revoked")
    good = await make_link(shop.perene, "good")

    await shop.show([late, used, revoked, "", "javascript:alert(1)#x", good, good])

    problems = ["link-expired", "link-used", "line-unknown", None, "link-unknown"]
    for index, problem in enumerate(problems):
        if problem:
            error = await shop.wait_for("error", f"pc{index}")
            assert (error["problem"], error["isFinal"]) == (problem, True)
    for name in ("pc5", "pc6"):
        await shop.wait_for("code", name)
    await expect(shop.page.get_by_text("O prazo deste link acabou")).to_be_visible()
    await check_access(shop.page)
    await shoot(shop.page, "embed-over")
    assert sum('"link"' in body for body in shop.asked if body) == 4
    assert await shop.heard("pc3") == []


async def test_removed_element_stops_and_goes_on(shop: Shop):
    await shop.show([await make_link(shop.perene, "zeta")])
    await shop.wait_for("code")
    await shop.page.evaluate("window.gone = document.getElementById('pc0'); gone.remove();")
    await shop.page.wait_for_timeout(100)
    before = len(shop.asked)

    await shop.page.wait_for_timeout(4 * QUICK)
    assert len(shop.asked) == before
    await shop.page.evaluate("document.querySelector('main').append(gone)")
    await expect(shop.page.get_by_role("img", name="QR code")).to_be_visible()
    await shop.page.reload()

    await shop.wait_for("code")
    assert [event[0] for event in await shop.heard()] == ["code"]


async def test_another_link_begins_anew(shop: Shop):
    used = await make_link(shop.perene, "eta")
    await open_link(shop.perene, used)
    await shop.show([used])
    await shop.wait_for("error")

    link = await make_link(shop.perene, "eta", "Loja")
    await shop.page.evaluate("(link) => { pc0.lang = 'en'; pc0.link = link; }", link)

    await shop.wait_for("code")
    await expect(shop.page.get_by_text("Line: Loja")).to_be_visible()
    await expect(shop.page.get_by_text("link was opened already")).to_have_count(0)
