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

from tests.stack import processes
from tests.stack.conftest import ROOT


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


def test_a_stack_serves_the_functions_and_prints_tokens_that_they_accept(start, tmp_path):
    stack = start().wait_until_ready()

    settings = stack.settings()
    tenant = verify(stack.read_export("TOKEN"), settings)
    operator = verify(stack.read_export("OPERATOR_TOKEN"), settings)
    another = print_token(tmp_path / "place", "--tenant", "acme", "--hours", "1")

    assert settings["PUBLIC_URL"] == f"http://127.0.0.1:{stack.port}"
    assert settings["GOOGLE_CLOUD_PROJECT"] == "perene-local"
    assert tenant["sub"] == "demo"
    assert settings["AUTH_OPERATOR_CLAIM"] not in tenant
    assert operator[settings["AUTH_OPERATOR_CLAIM"]] is True
    assert verify(another.stdout.strip(), settings)["sub"] == "acme"


def test_settings_from_the_environment_win_except_for_who_is_calling(start):
    stack = start(
        INSTANCE_MAX="3", AUTH_JWKS_URL="http://elsewhere", WEBHOOK_SECRET=""
    ).wait_until_ready()

    settings = stack.settings()

    assert settings["INSTANCE_MAX"] == "3"
    assert settings["EVOLUTION_API_KEY"] == "of-a-test"
    assert len(settings["WEBHOOK_SECRET"]) >= 32
    assert "AUTH_JWKS_URL" not in settings


@pytest.mark.parametrize("key", ["", "-begins-like-an-option"], ids=["drawn", "given"])
def test_without_an_evolution_of_ones_own_there_is_a_simulated_one(start, key):
    stack = start(EVOLUTION_URL="", EVOLUTION_API_KEY=key).wait_until_ready()

    settings = stack.settings()
    page = httpx.get(f"{settings['EVOLUTION_URL']}/simulator", trust_env=False, timeout=60)

    assert f"{settings['EVOLUTION_URL']}/simulator" in stack.output
    assert page.status_code == 200
    assert stack.stop_with(signal.SIGTERM) == 0
    assert stack.list_processes() == []


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_stack_and_leaves_nothing_behind(start, how):
    stack = start().wait_until_ready()
    assert stack.list_processes("CloudFirestore")
    assert stack.list_processes("infra.local.gateway")

    assert stack.stop_with(how) == 0
    assert stack.list_processes() == []


@pytest.fixture
def muted():
    """Ignore hang-ups, as under `nohup`; what the test starts inherits that."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_hang_up_ends_the_stack_although_the_tests_hear_none(start, muted):
    stack = start().wait_until_ready()

    assert stack.stop_with(signal.SIGHUP) == 0
    assert stack.list_processes() == []


def test_a_terminal_that_hangs_up_without_a_signal_ends_the_stack(start):
    ours, theirs = pty.openpty()
    stack = start(stdout=theirs)
    os.close(theirs)
    with open(ours) as terminal:
        stack.wait_until_ready(terminal)

    assert stack.process.wait(20) == 0
    assert stack.list_processes() == []


def test_a_signal_while_it_starts_leaves_nothing_behind(start):
    stack = start()
    assert processes.wait_until(lambda: stack.list_processes("CloudFirestore"))

    assert stack.stop_with(signal.SIGTERM) == 0
    assert stack.list_processes() == []


def test_impatience_does_not_leave_anything_behind(start):
    stack = start(KEEP="1").wait_until_ready()

    for how in (signal.SIGINT, signal.SIGINT, signal.SIGTERM):
        stack.process.send_signal(how)

    assert stack.wait_for_end() == 0
    assert stack.list_processes() == []


def test_a_stack_that_is_killed_takes_everything_along(start):
    stack = start().wait_until_ready()

    stack.process.kill()

    assert processes.wait_until(lambda: not stack.list_processes())


@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("CloudFirestore", r"The Firestore emulator stopped by itself; its log ends:\n.+"),
        ("infra.local.gateway", "The functions' gateway stopped by itself"),
    ],
    ids=["emulator", "gateway"],
)
def test_the_death_of_a_part_ends_the_stack_and_is_named(start, command, named):
    stack = start().wait_until_ready()

    for pid in stack.list_processes(command):
        os.kill(pid, signal.SIGKILL)

    assert stack.wait_for_end() == 1
    assert re.search(named, stack.output)
    assert stack.list_processes() == []


def test_a_function_that_cannot_be_loaded_ends_the_stack(start, functions):
    (functions / "broken.py").write_text("import nothing_of_the_kind")
    stack = start()

    assert stack.wait_for_end() == 1
    assert "nothing_of_the_kind" in stack.output
    assert "The functions' gateway stopped by itself" in stack.output


@pytest.mark.parametrize("variable", ["PORT", "SIMULATOR_PORT"])
def test_a_busy_port_is_named_and_nothing_is_started(start, tmp_path, variable):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]

        stack = start(**{variable: str(port), "EVOLUTION_URL": "", "EVOLUTION_API_KEY": ""})

        assert stack.wait_for_end() == 1
    assert stack.output.count("\n") == 1
    assert f"Port {port} is in use" in stack.output
    assert f"{variable}={port + 10} make run" in stack.output
    assert not list((tmp_path / "place").glob("*.log"))


def test_a_second_stack_in_the_same_place_is_refused(start):
    start().wait_until_ready()

    second = start()

    assert second.wait_for_end() == 1
    assert "is running here already" in second.output


def test_an_evolution_without_its_key_is_told(start):
    stack = start(EVOLUTION_API_KEY="")

    assert stack.wait_for_end() == 1
    assert "EVOLUTION_URL needs its EVOLUTION_API_KEY" in stack.output


def test_keep_keeps_documents_and_secrets_and_a_fresh_run_leaves_them_alone(start):
    kept = start(KEEP="1").wait_until_ready()
    secrets = kept.settings()
    httpx.patch(
        document_url(kept), json={"fields": {}}, trust_env=False, timeout=60
    ).raise_for_status()
    kept.stop_with(signal.SIGINT)

    fresh = start().wait_until_ready()
    nothing = httpx.get(document_url(fresh), trust_env=False, timeout=60).status_code
    drawn_anew = fresh.settings()["AUTH_HS256_SECRET"]
    fresh.stop_with(signal.SIGINT)
    again = start(KEEP="1").wait_until_ready()

    assert nothing == 404
    assert drawn_anew != secrets["AUTH_HS256_SECRET"]
    assert httpx.get(document_url(again), trust_env=False, timeout=60).status_code == 200
    for secret in ("WEBHOOK_SECRET", "AUTH_HS256_SECRET"):
        assert again.settings()[secret] == secrets[secret]


def test_a_token_before_the_first_run_is_refused_in_a_sentence(tmp_path):
    refused = print_token(tmp_path)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == "The local stack was never started here: make run.\n"
