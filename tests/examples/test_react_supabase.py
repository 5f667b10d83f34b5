"""The example is installed, built, and used in Chromium; `make prove` alone does it."""

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from infra.local import children
from tests import npm
from tests.console.browser import AXE, DESKTOP, FAULTS, PHONE, RULES, open_window
from tests.console.conftest import PATIENCE_MS, Stack, run_stack, wait_until
from tests.console.conftest import chromium as chromium
from tests.console.conftest import tenant as tenant
from tests.perene import name_of

pytestmark = pytest.mark.anyio
ROOT = Path(__file__).parents[2]
EXAMPLE, CLIENT = Path("infra/examples/react-supabase"), Path("infra/clients/typescript")
ROBOT = "supabase/functions/perene/index.js"
MARIA, JOSE = "5521988887777", "5521988886666"
NUMBERS = map(str, itertools.count(5511999990001))
SUPABASE = "http://supabase.localhost"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the example and the client, as a clone has them, and install them."""
    npm.require_npm()
    place = tmp_path_factory.mktemp("clone")
    for folder in (EXAMPLE, CLIENT):
        ignored = shutil.ignore_patterns("node_modules", "dist", ".env.local")
        shutil.copytree(ROOT / folder, place / folder, ignore=ignored)
    npm.install(place / EXAMPLE)
    return place / EXAMPLE


@pytest.fixture(scope="module")
def port() -> int:
    return children.find_free_port()


@pytest.fixture(scope="module")
def stack(
    firestore_emulator: str, tmp_path_factory: pytest.TempPathFactory, port: int
) -> Iterator[Stack]:
    """Start a stack that lets the example's pages show the element."""
    settings = {
        "FIRESTORE_EMULATOR_HOST": firestore_emulator,
        "EMBED_ORIGINS": f"http://localhost:{port}",
    }
    with run_stack(tmp_path_factory.mktemp("stack"), "--quick", **settings) as stack:
        yield stack


@pytest.fixture
async def page(chromium: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Page]:
    """Open a window; its console must complain of nothing."""
    window = await open_window(chromium, getattr(request, "param", DESKTOP))
    page = await window.new_page()
    page.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: said.type == "error" and troubles.append(said.text))
    yield page
    await window.close()
    assert troubles == []


@pytest.fixture(scope="module")
def site(project: Path, stack: Stack, port: int) -> Iterator[str]:
    """Build the example for the stack, and serve it."""
    with serving_build(project, "dist", port, stack) as address:
        yield address


@contextmanager
def serving_build(
    project: Path, folder: str, port: int, stack: Stack, **settings: str
) -> Iterator[str]:
    """Build the example into a folder, and serve it as `npm run preview` does."""
    env = os.environ | {"VITE_PERENE_URL": stack.origin} | settings
    built = npm.run(project, "npm", "run", "build", "--", f"--outDir={folder}", **env)
    assert built.returncode == 0, built.stdout + built.stderr
    command = ("node_modules/.bin/vite", "preview", f"--port={port}", f"--outDir={folder}")
    with running(project, *command):
        yield f"http://localhost:{port}/"


@contextmanager
def running(place: Path, *command: str, **env: str) -> Iterator[None]:
    """Run a program, once it says that it is ready."""
    process = subprocess.Popen(
        command, cwd=place, env=os.environ | env, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    try:
        with process.stdout as output:
            assert any(re.search("localhost:|listening", line) for line in output), command
            yield
    finally:
        process.terminate()
        process.wait(20)


async def check(page: Page, name: str) -> None:
    """Require that axe finds no fault, and that nothing sticks out; save a picture if asked."""
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/example-{name}.png")
    await page.evaluate(AXE.read_text())
    assert await page.evaluate(FAULTS, RULES) == []


async def press(page: Page, name: str | re.Pattern[str]) -> None:
    await page.get_by_role("button", name=name).click()


async def enter(page: Page, site: str, tenant: str) -> None:
    """Sign in by the local stack, as a tenant whom no other test knows."""
    await page.goto(site)
    await press(page, "Entrar")
    await page.get_by_label("Outro cliente").fill(tenant)
    await page.get_by_role("button", name="Entrar", exact=True).click()


async def connect(page: Page, stack: Stack, tenant: str, button: str, number: str) -> None:
    """Press the button, and scan the code that appears."""
    await press(page, button)
    await expect(page.get_by_text("O código está na tela")).to_be_visible()
    await check(page, "code")
    answer = stack.simulate(f"instances/{name_of(tenant)}/scan", number=number)
    assert answer.status_code == 200, answer.text
    await expect(page.get_by_text("WhatsApp conectado")).to_be_visible()


def read_simulator(stack: Stack, tenant: str) -> tuple[int, list[str]]:
    """Return how many instances a tenant has, and the texts that left them."""
    state: dict[str, Any] = stack.http.get(f"{stack.simulator}/simulator/state").json()
    name = name_of(tenant)
    instances = [instance for instance in state["instances"] if instance["name"].startswith(name)]
    sent = [message["text"] for message in state["sent"] if message["instance"] == name]
    return len(instances), sent


@pytest.mark.parametrize("page", [DESKTOP, PHONE], indirect=True, ids=str)
async def test_customer_is_answered(page: Page, site: str, stack: Stack, tenant: str):
    receive = f"instances/{name_of(tenant)}/receive"
    await enter(page, site, tenant)
    await connect(page, stack, tenant, "Criar e conectar WhatsApp", next(NUMBERS))
    await check(page, "connected")

    await press(page, "Conversas")
    await expect(page.get_by_text("Nenhuma conversa ainda")).to_be_visible()
    stack.simulate(receive, **{"from": MARIA, "text": "Abrem hoje?", "push_name": "Maria"})
    await press(page, re.compile("Maria 1 Abrem hoje"))
    await page.get_by_label("Mensagem").fill("Sim, até as 18 h")
    await press(page, "Enviar")

    thread = page.get_by_role("log")
    answer = thread.get_by_role("paragraph").filter(has_text="Sim, até as 18 h")
    await expect(answer).to_contain_text("✓✓")
    await expect(page.locator("mark")).to_have_count(0)
    assert read_simulator(stack, tenant) == (1, ["Sim, até as 18 h"])
    stack.simulate(receive, **{"from": MARIA, "text": "Obrigada!"})
    await expect(thread.get_by_text("Obrigada!")).to_be_visible()
    stack.simulate(receive, **{"from": JOSE, "text": "Bom dia"})
    await expect(page.get_by_role("button", name=re.compile("Bom dia"))).to_be_visible()
    await check(page, "inbox")


async def test_line_keeps_its_one_instance(page: Page, site: str, stack: Stack, tenant: str):
    page.on("dialog", lambda dialog: dialog.accept())
    await enter(page, site, tenant)
    number = next(NUMBERS)
    await connect(page, stack, tenant, "Criar e conectar WhatsApp", number)

    stack.simulate(f"instances/{name_of(tenant)}/unpair")
    await connect(page, stack, tenant, "Gerar QR Code", number)
    await page.reload()
    await expect(page.get_by_text("WhatsApp conectado")).to_be_visible()
    assert read_simulator(stack, tenant)[0] == 1
    await press(page, "Trocar de número…")
    await connect(page, stack, tenant, "Criar e conectar WhatsApp", next(NUMBERS))

    assert read_simulator(stack, tenant)[0] == 1


async def test_robot_answers(page: Page, site: str, project: Path, stack: Stack, tenant: str):
    await enter(page, site, tenant)
    await connect(page, stack, tenant, "Criar e conectar WhatsApp", next(NUMBERS))
    port = children.find_free_port()
    url = f"http://127.0.0.1:{port}/"
    secret = stack.call("POST", "/endpoints", tenant, json={"url": url}).json()["secret"]
    env = {"PERENE_URL": stack.origin, "PERENE_TOKEN": stack.token(tenant)}

    with running(project, "node", ROBOT, PERENE_SECRET=secret, PORT=str(port), **env):
        question = {"from": MARIA, "text": "Qual é o horário?"}
        stack.simulate(f"instances/{name_of(tenant)}/receive", **question)
        await press(page, "Conversas")
        await press(page, re.compile("horário"))
        tell = ("POST", "/deliver-events", "operator")
        wait_until(lambda: stack.call(*tell, operator=True) and read_simulator(stack, tenant)[1])

    await expect(page.get_by_role("log").get_by_text("das 9h às 18h")).to_be_visible()
    assert len(read_simulator(stack, tenant)[1]) == 1


async def test_person_signs_in_with_supabase(page: Page, project: Path, stack: Stack, tenant: str):
    """Supabase itself isn't here: its answer is what its documentation shows."""
    token = stack.token(tenant)
    user = {"id": tenant, "email": "ana@padaria.example", "aud": "authenticated"}
    session = {"access_token": token, "refresh_token": "r", "token_type": "bearer", "user": user}
    session |= {"expires_in": 3600, "expires_at": 4_000_000_000}
    await page.route(f"{SUPABASE}/auth/v1/token?*", lambda route: route.fulfill(json=session))
    settings = {"VITE_SUPABASE_URL": SUPABASE, "VITE_SUPABASE_ANON_KEY": "public"}

    port = children.find_free_port()
    with serving_build(project, "dist-supabase", port, stack, **settings) as address:
        await page.goto(address)
        await expect(page.get_by_label("E-mail")).to_be_visible()
        await check(page, "sign-in")
        await page.get_by_label("E-mail").fill(user["email"])
        await page.get_by_label("Senha").fill("padaria")
        await press(page, "Entrar")

        await expect(page.get_by_text(user["email"])).to_be_visible()
        await expect(page.get_by_role("button", name="Criar e conectar")).to_be_visible()
    scripts = [path.read_text() for path in (project / "dist-supabase" / "assets").glob("*.js")]
    assert not any("perene-console" in script for script in scripts), "the local sign-in is in it"
