"""Start one local stack for all tests of the console, and open windows at it."""

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser, async_playwright, expect

from infra.local import children
from infra.local.run import StackRun
from tests.console import browser as browsers
from tests.console.browser import DESKTOP, Look, Tab, Windows

ROOT = Path(__file__).parent.parent.parent
READY_SECONDS = 60
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.03
PATIENCE_MS = 15_000
SIGN_IN = "(session) => sessionStorage.setItem('perene.tokens', session)"
"""Store what the page stores after a sign-in, for a test that isn't about signing in."""


@dataclass(frozen=True)
class Stack:
    """Run what `make run` does, on ports of its own."""

    run: StackRun
    simulator: str
    http: httpx.Client = field(
        default_factory=lambda: httpx.Client(timeout=30, trust_env=False, verify=False)
    )
    """One client: to make another one costs more than a request to this machine."""

    @property
    def origin(self) -> str:
        return self.run.origin

    def token(self, tenant: str, *, operator: bool = False, seconds: float = 3600) -> str:
        """Sign a token as the issuer."""
        return self.run.sign_token(tenant, seconds / 3600, operator=operator)

    def call(
        self, method: str, path: str, tenant: str, *, operator: bool = False, **more: Any
    ) -> httpx.Response:
        """Call a function with a good token."""
        headers = {"authorization": f"Bearer {self.token(tenant, operator=operator)}"}
        headers |= more.pop("headers", {})
        return self.http.request(method, self.origin + path, headers=headers, **more)

    def simulate(self, path: str, **body: Any) -> httpx.Response:
        """Do what phones and people do: `simulate("instances/instance_x/scan", number="55…")`."""
        return self.http.post(f"{self.simulator}/simulator/{path}", json=body)

    def break_evolution(self, **faults: Any) -> None:
        """Switch the simulator's faults on; None switches one off."""
        answer = self.http.put(f"{self.simulator}/simulator/faults", json=faults)
        assert answer.status_code == 200, answer.text


def wait_until(ask: Callable[[], Any]) -> Any:
    """Ask until the answer is true; return it."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := ask()):
        assert time.monotonic() < deadline, "it never came"
        time.sleep(PAUSE_SECONDS)
    return answer


Visit = Callable[..., Awaitable[Tab]]


@pytest.fixture(scope="session")
def stack(firestore_emulator: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Start one stack for the session; for a world of its own a test takes another tenant."""
    place = tmp_path_factory.mktemp("stack")
    with run_stack(place, "--quick", FIRESTORE_EMULATOR_HOST=firestore_emulator) as stack:
        yield stack


@contextmanager
def run_stack(place: Path, *options: str, **settings: str) -> Iterator[Stack]:
    """Run a stack with these options and settings."""
    port, simulator = children.find_free_port(), children.find_free_port()
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    env |= {"PORT": str(port), "SIMULATOR_PORT": str(simulator)} | settings
    with (place / "stack.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.local.stack", "--place", place, *options],
            cwd=ROOT,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(process, place)
        stack = Stack(StackRun.load_last(place), f"http://127.0.0.1:{simulator}")
        with stack.http:
            yield stack
    finally:
        process.terminate()
        process.wait(20)


def _wait_until_ready(process: subprocess.Popen[bytes], place: Path) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not (place / "run.json").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise AssertionError((place / "stack.log").read_text())
        time.sleep(0.05)


@pytest.fixture(scope="session")
async def chromium(anyio_backend: str) -> AsyncIterator[Browser]:
    """Start one browser for the session; its windows know nothing of each other."""
    browsers.find_executable()
    async with async_playwright() as playwright:
        browser = await browsers.launch(playwright)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
async def windows(chromium: Browser) -> Windows:
    return Windows(chromium)


def new_tenant() -> str:
    """Return a tenant that no other test knows."""
    return f"t-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def tenant() -> str:
    return new_tenant()


@pytest.fixture
async def visit(windows: Windows, stack: Stack) -> AsyncIterator[Visit]:
    """Open a window: `tab = await visit("/lines", PHONE, tenant)`, signed in if a tenant is given.

    `answers` are what the functions answer instead, by their address (`Tab.answer`).
    After the test its console must have complained of nothing that wasn't forgiven.
    """
    tabs: list[Tab] = []

    async def visit(
        path: str,
        look: Look = DESKTOP,
        tenant: str | None = None,
        *,
        operator: bool = False,
        seconds: float = 3600,
        answers: Mapping[str, Any] | None = None,
    ) -> Tab:
        page = await windows.lend(look, stack.origin)
        page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        tab = Tab(page, stack.origin, look)
        tabs.append(tab)
        if tenant:
            token = stack.token(tenant, operator=operator, seconds=seconds)
            session = {"access": token, "id": token, "expires": time.time() + seconds}
            await page.evaluate(SIGN_IN, json.dumps(session))
        for address, answer in (answers or {}).items():
            await tab.answer(address, answer)
        await tab.go(path)
        return tab

    yield visit
    for tab in tabs:
        await windows.take_back(tab)
    assert [trouble for tab in tabs for trouble in tab.unforgiven()] == []
