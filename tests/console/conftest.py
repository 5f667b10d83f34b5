"""A whole local stack for all tests of the console, and windows at it."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright

from infra.local import children
from infra.local.run import StackRun
from tests.console import browser as browsers
from tests.console.browser import LIVED, LOOKS, Look, Tab, Windows

ROOT = Path(__file__).parent.parent.parent
READY_SECONDS = 60
PATIENCE_MS = 10_000


@dataclass(frozen=True)
class Stack:
    """`make run`, for tests: the same processes on ports of their own."""

    run: StackRun
    simulator: str

    @property
    def origin(self) -> str:
        return self.run.origin

    def token(self, tenant: str, *, operator: bool = False, seconds: float = 3600) -> str:
        return self.run.sign_token(tenant, seconds / 3600, operator=operator)

    def call(
        self, method: str, path: str, tenant: str, *, operator: bool = False, **more: Any
    ) -> httpx.Response:
        """A request to a function with a good token."""
        headers = {"authorization": f"Bearer {self.token(tenant, operator=operator)}"}
        headers |= more.pop("headers", {})
        return httpx.request(
            method, self.origin + path, headers=headers, timeout=30, trust_env=False, **more
        )

    def simulate(self, path: str, **body: Any) -> httpx.Response:
        """What phones and people do: `simulate("instances/instance_x/scan", number="55…")`."""
        url = f"{self.simulator}/simulator/{path}"
        return httpx.post(url, json=body, timeout=30, trust_env=False)


Visit = Callable[..., Awaitable[Tab]]


@pytest.fixture(scope="session")
def stack(firestore_emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for the session; whoever needs a world of their own takes another tenant."""
    place = tmp_path_factory.mktemp("stack")
    with running(place, "--quick", FIRESTORE_EMULATOR_HOST=firestore_emulator) as it:
        yield it


@contextmanager
def running(place: Path, *options: str, **settings: str) -> Iterator[Stack]:
    """A stack of one's own, with these settings."""
    port, simulator = children.find_free_port(), children.find_free_port()
    usual = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with (place / "stack.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.stack", "--place", place, *options],
            cwd=ROOT,
            env=usual
            | {
                "PORT": str(port),
                "SIMULATOR_PORT": str(simulator),
            }
            | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait(process, place)
        yield Stack(StackRun.load_last(place), f"http://127.0.0.1:{simulator}")
    finally:
        process.terminate()
        process.wait(20)


def _wait(process: subprocess.Popen[bytes], place: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not (place / "run.json").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError((place / "stack.log").read_text())
        time.sleep(0.05)


@pytest.fixture(scope="session")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """One browser for the session; each window of it is its own world."""
    browsers.executable()
    async with async_playwright() as playwright:
        browser = await browsers.launched(playwright)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def windows(chromium: Browser) -> Windows:
    """Windows for whoever needs one, one after the other."""
    return Windows(chromium)


@pytest.fixture(params=LIVED, ids=str)
def look(request: pytest.FixtureRequest) -> Look:
    """Both sizes, each in a language of its own: a test that asks for it runs in each."""
    found: Look = request.param
    return found


@pytest.fixture
def tenant() -> str:
    """Somebody whom no other test knows."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
async def visit(windows: Windows, stack: Stack) -> AsyncIterator[Visit]:
    """`tab = await visit("/lines", look, tenant)`: a window there, signed in if a tenant is given.

    After the test its console must have complained of nothing that wasn't forgiven.
    """
    tabs: list[Tab] = []

    async def visit(
        path: str,
        look: Look = LOOKS[0],
        tenant: str | None = None,
        *,
        operator: bool = False,
        seconds: float = 3600,
    ) -> Tab:
        page = await windows.opened(look)
        page.set_default_timeout(PATIENCE_MS)
        tab = Tab(page, stack.origin, look)
        tabs.append(tab)
        if tenant:
            token = stack.token(tenant, operator=operator, seconds=seconds)
            await page.add_init_script(_signed_in(token, time.time() + seconds))
        await tab.go(path)
        return tab

    yield visit
    for tab in tabs:
        await windows.closed(tab)
    assert [trouble for tab in tabs for trouble in tab.unforgiven()] == []


def _signed_in(token: str, expires: float) -> str:
    """What the page keeps after a sign-in, for a test that isn't about signing in; once."""
    kept = json.dumps(json.dumps({"access": token, "id": token, "expires": expires}))
    return (
        "if (!sessionStorage.getItem('signed-in-by-test')) {"
        f"sessionStorage.setItem('perene.tokens', {kept});"
        "sessionStorage.setItem('signed-in-by-test', '1'); }"
    )
