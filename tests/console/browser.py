"""Debian's Chromium at the console: what a test, and a person who looks at pictures, need of it."""

import json
import os
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Browser, BrowserContext, Page, Playwright

HERE = Path(__file__).parent
AXE = HERE / "vendor" / "axe-core" / "axe.min.js"
NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
SIZES = {"desktop": (1280, 800), "phone": (390, 844)}
FADED = """async () => {
    const fading = () => document.getAnimations().filter((each) => each instanceof CSSTransition);
    for (let depth = 0; depth < 100; depth++) {
        await new Promise(requestAnimationFrame);
        if (!fading().length) return;
        for (const each of fading()) each.finish();
    }
    throw new Error('colours never come to rest');
}"""
"""What inherits a colour that fades fades after it."""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class Look(NamedTuple):
    """How somebody looks at the console."""

    size: str = "desktop"
    language: str = "pt-BR"
    theme: str = "light"

    def __str__(self) -> str:
        return f"{self.size}-{self.language[:2]}-{self.theme}"

    @property
    def other(self) -> "Look":
        """The same size in the other language and the other theme."""
        language = "en" if self.language == "pt-BR" else "pt-BR"
        return Look(self.size, language, "dark" if self.theme == "light" else "light")


LOOKS = [
    Look("desktop", "pt-BR"),
    Look("phone", "pt-BR", "dark"),
    Look("desktop", "en", "dark"),
    Look("phone", "en"),
]
"""Both sizes, both languages, both themes, without all of their combinations."""

LIVED = [LOOKS[0], LOOKS[3]]
"""In these a test is lived through; where it looks at the page, it looks at their others too."""


@dataclass
class Tab:
    """A page of the console. Whatever its console complains of fails the test, unless forgiven."""

    page: Page
    origin: str
    look: Look
    troubles: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)
    app: str = ""
    """Where the page's entry is; its address in the page is relative, and pages move on."""

    def __post_init__(self) -> None:
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        self.page.on("requestfailed", self._failed)

    def forgive(self, pattern: str) -> None:
        """Complaints like this are what the test is about."""
        self.forgiven.append(pattern)

    def unforgiven(self) -> list[str]:
        return [
            trouble
            for trouble in self.troubles
            if not any(re.search(pattern, trouble) for pattern in self.forgiven)
        ]

    async def go(self, path: str) -> None:
        """The address within the console is open."""
        await self.page.goto(f"{self.origin}/console{path}")
        self.app = await self.page.evaluate("document.querySelector('script[type=module]').src")

    @property
    def path(self) -> str:
        """The address within the console, with its query."""
        return self.page.url.removeprefix(f"{self.origin}/console")

    async def say(self, name: str, **values: Any) -> str:
        """What the console says by that name, in the language that it speaks now."""
        said: str = await self.page.evaluate(
            """async ([app, name, values]) => {
                const { speak, t } = await import(new URL('i18n/index.js', app));
                await speak(name.split('.')[0]);
                return t(name, values);
            }""",
            [self.app, name, values],
        )
        return said

    async def unseen(self) -> None:
        """From now on the page asks for nothing by itself, as if nobody saw it: only what is
        pressed is asked, and nothing that polling brings takes a button away before."""
        await self.page.evaluate(
            "Object.defineProperty(document, 'visibilityState', {value: 'hidden'})"
        )

    async def accessible(self) -> None:
        """axe finds nothing to complain of in what is shown, once no colour fades any more."""
        await self.page.evaluate(FADED)
        if not await self.page.evaluate("Boolean(window.axe)"):
            await self.page.evaluate(AXE.read_text())
        found = await self.page.evaluate(
            """async (rules) => (await axe.run(document, {runOnly: rules})).violations.map(
                (each) => [each.id, each.help, each.nodes.map((node) => node.target.join(' ')
                    + ' ' + node.html.slice(0, 200) + ' — '
                    + node.failureSummary.slice(0, 300))])""",
            RULES,
        )
        assert found == [], json.dumps(found, indent=2, ensure_ascii=False)

    async def fits(self) -> None:
        """Nothing sticks out to the side."""
        wider = await self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        assert wider <= 0, f"{wider} px wider than the window"

    async def shot(self, name: str, look: Look | None = None) -> None:
        """A picture in $SCREENSHOTS (`make screenshots`); elsewhere nothing."""
        if folder := os.environ.get("SCREENSHOTS"):
            place = Path(folder)
            place.mkdir(parents=True, exist_ok=True)
            await self.page.evaluate(FADED)
            await self.page.screenshot(path=place / f"{name}-{look or self.look}.png")

    async def good(self, name: str = "") -> None:
        """It is accessible and fits the window, in this look and its other; pictures of that name.

        What was said already, in a toast or as a failure's reason, stays in its language.
        """
        for look in (self.look.other, self.look):
            await self._seen_in(look)
            await self.accessible()
            await self.fits()
            if name:
                await self.shot(name, look)

    async def _seen_in(self, look: Look) -> None:
        await self.page.emulate_media(color_scheme="dark" if look.theme == "dark" else "light")
        await self.page.evaluate(
            """async ([app, language]) => {
                if (document.querySelector('script[type=module]')?.src === app) {
                    const { chooseLanguage } = await import(new URL('i18n/index.js', app));
                    await chooseLanguage(language);
                }
            }""",
            [self.app, look.language[:2]],
        )

    def _said(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.troubles.append(f"{message.type}: {message.text} {message.location.get('url')}")

    def _failed(self, request: Any) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # ours: nobody wants the answer any more
            self.troubles.append(f"failed: {request.url} {request.failure}")


async def launched(playwright: Playwright) -> Browser:
    """A browser that reaches nothing but this machine; no browser is downloaded."""
    return await playwright.chromium.launch(executable_path=executable(), args=FLAGS)


def executable() -> str:
    """Where Chromium is. Without one a test is skipped."""
    given = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if given:
        return given
    pytest.skip("The console's tests need Chromium: apt install chromium, or set CHROMIUM.")


class Windows:
    """Windows of one browser: one that somebody closed is the next one's, with nothing remembered.

    What it keeps are the page's files, which nobody has to load and to compile again.
    """

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.idle: dict[Look, list[BrowserContext]] = {}

    async def opened(self, look: Look) -> Page:
        """A window that nobody else has."""
        idle = self.idle.setdefault(look, [])
        return await (idle.pop() if idle else await context(self.browser, look)).new_page()

    async def closed(self, tab: Tab) -> None:
        """All tabs of the window are gone, and what they stored."""
        window = tab.page.context
        session = await window.new_cdp_session(tab.page)
        everything = {"origin": tab.origin, "storageTypes": "local_storage,session_storage"}
        await session.send("Storage.clearDataForOrigin", everything)
        await window.clear_cookies()
        await window.set_offline(False)
        for page in window.pages:
            await page.close()
        self.idle[tab.look].append(window)


async def context(browser: Browser, look: Look) -> BrowserContext:
    """A window of its own, with nothing remembered."""
    width, height = SIZES[look.size]
    phone = look.size == "phone"
    return await browser.new_context(
        viewport={"width": width, "height": height},
        locale=look.language,
        timezone_id="America/Sao_Paulo",
        color_scheme="dark" if look.theme == "dark" else "light",
        reduced_motion="reduce",
        has_touch=phone,
        is_mobile=phone,
    )
