"""Drive Debian's Chromium at the console: what a test, and a person who looks at pictures, need."""

import base64
import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Playwright, Route

HERE = Path(__file__).parent
AXE = HERE / "vendor" / "axe-core" / "axe.min.js"
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The shell first: without a window's own pages it takes a third less CPU."""
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
SIZES = {"desktop": (1280, 800), "tablet": (1024, 768), "phone": (390, 844)}
TOUCHED = ("tablet", "phone")
SPEAK = """async ([app, language]) => {
    if (document.querySelector('script[type=module]')?.src !== app) return;
    const { chooseLanguage } = (await import(app)).$modules['i18n/index.js'];
    await chooseLanguage(language);
}"""
"""Choose the console's language; the local sign-in has none to choose."""
REST = """async () => {
    const fading = () => document.getAnimations().filter((one) => one instanceof CSSTransition);
    for (let depth = 0; depth < 100; depth++) {
        await new Promise(requestAnimationFrame);
        if (!fading().length) return;
        for (const transition of fading()) transition.finish();
    }
    throw new Error('colours never come to rest');
}"""
"""End every fade. What inherits a colour that fades, fades after it."""
HURRY = """(waits) => {
    const start = window.setTimeout;
    window.setTimeout = (run, ms, ...more) => start(run, waits.includes(ms) ? 200 : ms, ...more);
}"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FAULTS = """async (rules) => {
    const options = { runOnly: rules, resultTypes: ['violations'] };
    const { violations } = await axe.run(document, options);
    const describe = ({ target, html, failureSummary }) =>
        `${target.join(' ')} ${html.slice(0, 200)} — ${failureSummary.slice(0, 300)}`;
    const faults = violations.map(({ id, help, nodes }) => [id, help, nodes.map(describe)]);
    faults.push(...measure());
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth)
        faults.push(`${scrollWidth - clientWidth} px wider than the window`);
    return faults;

    function measure() {
        const seen = (it) =>
            it.checkVisibility({ visibilityProperty: true }) && it.offsetWidth !== 1;
        const name = (it) => `${it.outerHTML.slice(0, 120)} in ${it.parentElement.className}`;
        const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        const small = new Set();
        for (let text = texts.nextNode(); text; text = texts.nextNode()) {
            const it = text.parentElement;
            if (text.data.trim() && seen(it) && parseFloat(getComputedStyle(it).fontSize) < 12)
                small.add(`text under 12 px: ${name(it)}`);
        }
        if (!matchMedia('(pointer: coarse)').matches) return small;
        const fields = 'select, textarea, input:not([hidden])';
        const targets = `a[href], button, summary, [role=button], ${fields}`;
        for (const it of document.body.querySelectorAll(targets)) {
            const style = getComputedStyle(it);
            const ticked = it.matches('[type=checkbox], [type=radio]');
            const area = (ticked && it.closest('label')) || it;
            const { width, height } = area.getBoundingClientRect();
            if (!seen(it) || style.display === 'inline') continue;
            if (Math.round(Math.min(width, height)) < 44)
                small.add(`${Math.round(width)} x ${Math.round(height)} px: ${name(it)}`);
            if (it.matches(fields) && !ticked && parseFloat(style.fontSize) < 16)
                small.add(`an input under 16 px: ${name(it)}`);
        }
        return small;
    }
}"""
"""List what axe finds, whether anything sticks out to the side, and what is too small: any text
under 12 px; for a finger, targets under 44 px (links within a text excepted) and inputs under 16 px
(iOS zooms into them)."""


class Look(NamedTuple):
    """Describe how a person looks at the console."""

    size: str = "desktop"
    language: str = "pt-BR"
    theme: str = "light"

    def __str__(self) -> str:
        return f"{self.size}-{self.language[:2]}-{self.theme}"


DESKTOP = Look("desktop", "pt-BR")
PHONE = Look("phone", "pt-BR", "dark")
ENGLISH = Look("desktop", "en", "dark")
SAMPLE = [DESKTOP, Look("phone", "en", "dark")]
"""Hold a desktop and a phone, each language and each theme once."""
WHOLE = [DESKTOP, PHONE, ENGLISH, Look("phone", "en"), Look("tablet"), Look("tablet", "en", "dark")]
IS_WHOLE = os.environ.get("PROOF") == "full" or "SCREENSHOTS" in os.environ
LOOKS = WHOLE if IS_WHOLE else SAMPLE
"""Hold the looks at every view: all sizes in both themes for `make prove` and for pictures."""


@dataclass(frozen=True)
class Refusal:
    """A problem with which a function refuses."""

    kind: str
    status: int
    title: str = "x"

    @property
    def problem(self) -> dict[str, Any]:
        return {
            "type": f"urn:perene:problem:{self.kind}",
            "title": self.title,
            "status": self.status,
        }


STORE_DOWN = Refusal("store-unavailable", 503)


@dataclass
class Tab:
    """A page of the console. Whatever its console complains of fails the test, unless forgiven."""

    page: Page
    origin: str
    look: Look
    troubles: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    app: str = ""
    """The address of the page's entry; the page's own is relative, and pages move on."""
    emulation: CDPSession | None = None
    """Turns the page into another size; opened when it is needed first."""
    is_reusable: bool = True
    """False for a page that can't become again what it was."""

    def __post_init__(self) -> None:
        self.page.on("console", self._note_message)
        self.page.on("pageerror", self._note_error)
        self.page.on("requestfailed", self._note_failure)

    def end(self) -> None:
        """Note no more complaints: the test is over."""
        self.page.remove_listener("console", self._note_message)
        self.page.remove_listener("pageerror", self._note_error)
        self.page.remove_listener("requestfailed", self._note_failure)

    def forgive(self, pattern: str) -> None:
        """Accept complaints like this: the test is about them."""
        self.forgiven.append(pattern)

    def unforgiven(self) -> list[str]:
        """Return the complaints that no pattern forgives."""
        return [
            trouble
            for trouble in self.troubles
            if not any(re.search(pattern, trouble) for pattern in self.forgiven)
        ]

    async def go(self, path: str) -> None:
        """Open an address within the console."""
        await self.page.goto(f"{self.origin}/console{path}")
        self.app = await self.page.evaluate("document.querySelector('script[type=module]').src")

    @property
    def path(self) -> str:
        """Return the address within the console, with its query."""
        return self.page.url.removeprefix(f"{self.origin}/console")

    async def say(self, name: str, **values: Any) -> str:
        """Return the console's sentence of that name, in the language that it speaks now."""
        sentence: str = await self.page.evaluate(
            """async ([app, name, values]) => {
                const { speak, t } = (await import(app)).$modules['i18n/index.js'];
                await speak(name.split('.')[0]);
                return t(name, values);
            }""",
            [self.app, name, values],
        )
        return sentence

    async def run_first(self, script: str) -> None:
        """Run a script before the page's own, whenever it is loaded."""
        self.is_reusable = False
        await self.page.add_init_script(script)

    async def answer(self, address: str, answer: Any) -> None:
        """Let a function answer so from now on: JSON, or a `Refusal`.

        `address` is a pattern below the origin, as "/instances" or "/fleet/days?*".
        """
        refused = isinstance(answer, Refusal)
        status, body = (answer.status, answer.problem) if refused else (200, answer)
        await self.page.route(
            self.origin + address, lambda route: route.fulfill(status=status, json=body)
        )

    async def answer_until_click(self) -> None:
        """Let functions answer for themselves from the next click on.

        No sooner: a page that looks again by itself would take the button away.
        """
        await self.page.evaluate(
            "addEventListener('click', () => (window.wasClicked = true), true)"
        )

        async def pass_on(route: Route) -> None:
            was_clicked = await self.page.evaluate("Boolean(window.wasClicked)")
            await (route.continue_() if was_clicked else route.fallback())

        await self.page.route("**/*", pass_on)

    async def unseen(self) -> None:
        """Stop the page's polling, as if nobody saw it: only what is pressed is asked from now on,
        and nothing that a poll brings takes a button away before. For news it asks each 15 s."""
        await self.page.evaluate(
            "Object.defineProperty(document, 'visibilityState', {value: 'hidden'})"
        )

    async def hurry(self, *waits_ms: int) -> None:
        """End the page's timers of these lengths after 0.2 s: the test isn't about the wait."""
        await self.page.evaluate(HURRY, list(waits_ms))

    async def poll(self) -> None:
        """Let the page ask for news now, as it does when a person comes back to it."""
        await self.page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")

    async def check_access(self) -> None:
        """Require that axe finds no fault, and nothing sticks out, in the tab's own look only."""
        faults = await self._find_faults()
        assert faults == [], _explain(faults)

    async def check_looks(self, name: str = "") -> None:
        """Require the same in every look, with a picture of each; then come back to the tab's own.

        All looks are looked at before any fault is reported. A toast or the reason of a failure
        stays in the language in which it appeared.
        """
        faults = {}
        for look in sorted(LOOKS, key=self._count_differences):
            await self._turn_to(look)
            faults[str(look)] = await self._find_faults()
            if name:
                await self.shoot(name, look)
        await self._turn_to(self.look)
        assert not any(faults.values()), _explain(faults)

    async def shoot(self, name: str, look: Look | None = None) -> None:
        """Save a picture in $SCREENSHOTS (`make screenshots`); elsewhere do nothing."""
        if folder := os.environ.get("SCREENSHOTS"):
            place = Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            await self.page.evaluate(REST)
            path = place / f"{name}-{look or self.look}.png"
            if not self.emulation:
                await self.page.screenshot(path=path)
                return
            picture = await self.emulation.send("Page.captureScreenshot")  # in the emulated size
            path.write_bytes(base64.b64decode(picture["data"]))

    def _count_differences(self, look: Look) -> tuple[bool, bool]:
        return look.size != self.look.size, look.theme != self.look.theme

    async def _find_faults(self) -> list[Any]:
        await self.page.evaluate(REST)
        if not await self.page.evaluate("Boolean(window.axe)"):
            await self.page.evaluate(AXE.read_text())
        faults: list[Any] = await self.page.evaluate(FAULTS, RULES)
        return faults

    async def _turn_to(self, look: Look) -> None:
        """Show the page in another size, theme and language, without loading it again."""
        await self._resize(look.size)
        await self.page.emulate_media(color_scheme="dark" if look.theme == "dark" else "light")
        await self.page.evaluate(SPEAK, [self.app, look.language[:2]])

    async def _resize(self, size: str) -> None:
        """Emulate another screen and pointer, as Playwright does for a context.

        Chromium goes on saying `hover: none` afterwards, so the page isn't lent again.
        """
        if not self.emulation:
            if size == self.look.size:
                return
            self.is_reusable = False
            self.emulation = await self.page.context.new_cdp_session(self.page)
        (width, height), is_touched = SIZES[size], size in TOUCHED
        touch = {"enabled": is_touched} | ({"maxTouchPoints": 1} if is_touched else {})
        await self.emulation.send("Emulation.setTouchEmulationEnabled", touch)
        metrics = {"width": width, "height": height, "screenWidth": width, "screenHeight": height}
        await self.emulation.send(
            "Emulation.setDeviceMetricsOverride",
            metrics | {"deviceScaleFactor": 1, "mobile": is_touched},
        )

    def _note_message(self, message: Any) -> None:
        url = message.location.get("url") or ""
        if url.endswith("/favicon.ico"):  # the address where windows wait has no icon
            return
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text} {url}")

    def _note_error(self, error: Any) -> None:
        self.troubles.append(f"error: {error}")

    def _note_failure(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # ours: the answer isn't wanted any more
            self.troubles.append(f"failed: {request.url} {request.failure}")


def _explain(faults: Any) -> str:
    return json.dumps(faults, indent=2, ensure_ascii=False)


async def launch(playwright: Playwright) -> Browser:
    """Start a browser that reaches only this machine; no browser is downloaded."""
    return await playwright.chromium.launch(executable_path=find_executable(), args=FLAGS)


def find_executable() -> str:
    """Return where Chromium is. Without one the test is skipped."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path:
        return path
    pytest.skip(
        "The console's tests need Chromium: apt install chromium-headless-shell, or set CHROMIUM."
    )


class Windows:
    """Lend windows of one browser. One that comes back is lent again, with nothing remembered.

    It keeps the page's files, which needn't be loaded and compiled again, and its process.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.idle: dict[Look, list[BrowserContext]] = {}

    async def lend(self, look: Look, origin: str) -> Page:
        """Return a page of a window that no other test has, at an address without a script."""
        idle = self.idle.setdefault(look, [])
        window = idle.pop() if idle else await open_window(self.browser, look)
        page = window.pages[0] if window.pages else await window.new_page()
        await _park(page, origin)
        return page

    async def take_back(self, tab: Tab) -> None:
        """Close the window's other tabs, and empty its storage."""
        page, window = tab.page, tab.page.context
        tab.end()
        for other in window.pages:
            if other != page:
                await other.close()
        await page.unroute_all(behavior="ignoreErrors")
        await window.set_offline(False)
        await _park(page, tab.origin)
        await page.evaluate("localStorage.clear(), sessionStorage.clear()")
        await window.clear_cookies()
        if not tab.is_reusable:
            await page.close()
        self.idle[tab.look].append(window)


async def _park(page: Page, origin: str) -> None:
    address = f"{origin}/console/config.json"
    if page.url != address:
        await page.goto(address)


async def open_window(browser: Browser, look: Look) -> BrowserContext:
    """Open a window with nothing remembered."""
    width, height = SIZES[look.size]
    is_touched = look.size in TOUCHED
    return await browser.new_context(
        viewport={"width": width, "height": height},
        locale=look.language,
        timezone_id="America/Sao_Paulo",
        color_scheme="dark" if look.theme == "dark" else "light",
        reduced_motion="reduce",
        has_touch=is_touched,
        is_mobile=is_touched,
    )
