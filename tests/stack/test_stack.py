import os
import pty
import re
import signal
import socket
import subprocess
import sys

import httpx
import jwt
import pytest

from infra.local import emulator
from tests.stack import processes
from tests.stack.conftest import PATIENCE, ROOT

CALLED = "somebody called"
CONSOLE = f"""
import functions_framework.aio

@functions_framework.aio.http
async def console(request):
    print("{CALLED}", flush=True)
    return ""
"""
"""A page that tells the terminal of each call."""


def verify(token, settings):
    return jwt.decode(
        token,
        settings["AUTH_HS256_SECRET"],
        algorithms=["HS256"],
        audience=settings["AUTH_AUDIENCE"],
        issuer=settings["AUTH_ISSUER"],
        options={"require": ["exp", "iat", "iss", "aud", "sub"]},
    )


def print_token(place, *options):
    command = [sys.executable, "-m", "infra.local.token", "--place", str(place), *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def document_url(stack):
    host = stack.settings()["FIRESTORE_EMULATOR_HOST"]
    return f"http://{host}/v1/projects/perene-local/databases/(default)/documents/notes/one"


def fetch_object(stack):
    settings = stack.settings()
    bucket = f"{settings['STORAGE_EMULATOR_HOST']}/storage/v1/b/{settings['MEDIA_BUCKET']}"
    return httpx.get(f"{bucket}/o/acme%2Fa?alt=media", trust_env=False, timeout=60)


def write_object(stack):
    settings = stack.settings()
    url = f"{settings['STORAGE_EMULATOR_HOST']}/upload/storage/v1/b/{settings['MEDIA_BUCKET']}/o"
    query = {"uploadType": "resumable", "name": "acme/a"}
    session = httpx.post(url, params=query, trust_env=False, timeout=60).headers["location"]
    httpx.put(session, content=b"abc", headers={"content-range": "bytes 0-2/3"}, trust_env=False)


@pytest.fixture
def shared(firestore_emulator):
    """The setting of a stack that starts no emulator: to start one takes half of its time."""
    return {emulator.HOST_VARIABLE: firestore_emulator}


def test_stack_serves_functions_and_prints_tokens(start, functions, shared, tmp_path):
    (functions / "console.py").write_text(CONSOLE)
    stack = start(
        INSTANCE_MAX="3", AUTH_JWKS_URL="http://elsewhere", WEBHOOK_SECRET="", **shared
    ).wait_until_ready()

    settings = stack.settings()
    tenant = verify(stack.read_export("TOKEN"), settings)
    operator = verify(stack.read_export("OPERATOR_TOKEN"), settings)
    another = print_token(tmp_path / "place", "--tenant", "acme", "--hours", "1")
    second = start()

    assert settings["PUBLIC_URL"] == f"http://127.0.0.1:{stack.port}"
    assert settings["GOOGLE_CLOUD_PROJECT"] == "perene-local"
    assert tenant["sub"] == "demo"
    assert settings["AUTH_OPERATOR_CLAIM"] not in tenant
    assert operator[settings["AUTH_OPERATOR_CLAIM"]] is True
    assert verify(another.stdout.strip(), settings)["sub"] == "acme"
    assert CALLED not in stack.output, "lines of the functions come before the welcome"
    assert_environment_wins(settings)
    assert second.wait_for_end() == 1
    assert "is running here already" in second.output
    stack.process.kill()
    assert processes.wait_until(lambda: not stack.list_processes())


def assert_environment_wins(settings):
    """Check that the environment's settings win, except for who is calling and empty ones."""
    assert settings["INSTANCE_MAX"] == "3"
    assert settings["EVOLUTION_API_KEY"] == "of-a-test"
    assert len(settings["WEBHOOK_SECRET"]) >= 32
    assert "AUTH_JWKS_URL" not in settings


@pytest.mark.parametrize(
    ("key", "signal_number", "has_own_emulator"),
    [("", signal.SIGTERM, True), ("-begins-like-an-option", signal.SIGINT, False)],
    ids=["drawn", "given"],
)
def test_simulator_runs_until_a_signal(start, shared, key, signal_number, has_own_emulator):
    more = {} if has_own_emulator else shared
    stack = start(EVOLUTION_URL="", EVOLUTION_API_KEY=key, **more).wait_until_ready()

    settings = stack.settings()
    page = httpx.get(f"{settings['EVOLUTION_URL']}/simulator", trust_env=False, timeout=60)

    assert f"{settings['EVOLUTION_URL']}/simulator" in stack.output
    assert page.status_code == 200
    for part in ("infra.local.gateway", "infra.local.simulator"):
        assert stack.list_processes(part)
    assert bool(stack.list_processes("CloudFirestore")) == has_own_emulator
    assert stack.stop_with(signal_number) == 0
    assert stack.list_processes() == []


@pytest.fixture
def muted():
    """Ignore hang-ups, as under `nohup`; what the test starts inherits that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_hang_up_ends_the_stack(start, muted, shared):
    stack = start(**shared).wait_until_ready()

    assert stack.stop_with(signal.SIGHUP) == 0
    assert stack.list_processes() == []


def test_closed_terminal_ends_the_stack(start, shared):
    ours, theirs = pty.openpty()
    stack = start(stdout=theirs, **shared)
    os.close(theirs)
    with open(ours) as terminal:
        stack.wait_until_ready(terminal)

    assert stack.process.wait(PATIENCE) == 0
    assert stack.list_processes() == []


def test_signal_during_start_leaves_nothing(start):
    stack = start()
    assert processes.wait_until(lambda: stack.list_processes("CloudFirestore"))

    assert stack.stop_with(signal.SIGTERM) == 0
    assert stack.list_processes() == []


def test_dead_part_ends_the_stack(start):
    stack = start().wait_until_ready()

    for pid in stack.list_processes("CloudFirestore"):
        os.kill(pid, signal.SIGKILL)

    assert stack.wait_for_end() == 1
    assert re.search(r"The Firestore emulator stopped by itself; its log ends:\n.+", stack.output)
    assert stack.list_processes() == []


def test_broken_function_ends_the_stack(start, functions, shared):
    (functions / "broken.py").write_text("import nothing_of_the_kind")
    stack = start(**shared)

    assert stack.wait_for_end() == 1
    assert "nothing_of_the_kind" in stack.output
    assert "The functions' gateway stopped by itself" in stack.output


@pytest.mark.parametrize("variable", ["PORT", "SIMULATOR_PORT"])
def test_busy_port_is_named(start, tmp_path, variable):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]

        stack = start(**{variable: str(port), "EVOLUTION_URL": "", "EVOLUTION_API_KEY": ""})

        assert stack.wait_for_end() == 1
    assert stack.output.count("\n") == 1
    assert f"Port {port} is in use" in stack.output
    assert f"{variable}={port + 10} make run" in stack.output
    assert not list((tmp_path / "place").glob("*.log"))


def test_evolution_without_key_is_refused(start):
    stack = start(EVOLUTION_API_KEY="")

    assert stack.wait_for_end() == 1
    assert "EVOLUTION_URL needs its EVOLUTION_API_KEY" in stack.output


def test_kept_data_survives_a_fresh_run(start):
    first = start(KEEP="1").wait_until_ready()
    secrets = first.settings()
    httpx.patch(
        document_url(first), json={"fields": {}}, trust_env=False, timeout=60
    ).raise_for_status()
    write_object(first)
    for number in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):  # by an impatient person
        first.process.send_signal(number)
    assert first.wait_for_end() == 0
    assert first.list_processes() == []

    fresh = start().wait_until_ready()
    status = httpx.get(document_url(fresh), trust_env=False, timeout=60).status_code
    no_object = fetch_object(fresh).status_code
    new_secret = fresh.settings()["AUTH_HS256_SECRET"]
    fresh.stop_with(signal.SIGINT)
    again = start(KEEP="1").wait_until_ready()

    assert (status, no_object) == (404, 404)
    assert new_secret != secrets["AUTH_HS256_SECRET"]
    assert httpx.get(document_url(again), trust_env=False, timeout=60).status_code == 200
    assert fetch_object(again).content == b"abc"
    for secret in ("WEBHOOK_SECRET", "AUTH_HS256_SECRET"):
        assert again.settings()[secret] == secrets[secret]


def test_token_before_first_run_is_refused(tmp_path):
    refused = print_token(tmp_path)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == "The local stack was never started here: make run.\n"
