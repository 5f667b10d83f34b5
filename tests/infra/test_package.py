"""The zip that is deployed starts by itself: nothing but it, and what requirements.txt pins."""

import compileall
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import pytest

from infra import deployment, gcloud, package
from infra.gcloud import Choice
from infra.local import children
from tests.house import issuer
from tests.infra.test_gcloud import flags, variables_of
from tests.perene import AUDIENCE, ISSUER, SECRET, token

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
FUNCTIONS = deployment.deployed().functions
OFFLINE = re.compile(r"No matching distribution|connection|resolve|Retry|timed out", re.IGNORECASE)

WEBHOOKS = "the webhooks' secret of this test"
SETTINGS = {
    "EVOLUTION_SERVERS": '[{"id": "main", "url": "http://127.0.0.1:1", "api_key": "key"}]',
    "PUBLIC_URL": "https://perene.test",
    "WEBHOOK_SECRET": WEBHOOKS,
    "AUTH_ISSUER": ISSUER,
    "AUTH_AUDIENCE": AUDIENCE,
    "AUTH_HS256_SECRET": SECRET,
    "AUTH_OPERATOR_CLAIM": "operator",
    "TENANT_FEED_SECRET": "of the table, long enough to be one",
}


# What is in it -------------------------------------------------------------------------------


def test_only_functions_what_they_share_and_requirements_are_in_it(tmp_path: Path):
    package.write(tmp_path / "perene.zip")

    with zipfile.ZipFile(tmp_path / "perene.zip") as made:
        names = made.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert tops == {"functions", "shared", "requirements.txt"}
    assert not [name for name in names if re.search(r"pycache|\.pyc|test|simulator|/\.", name)]
    assert {f"functions/{name}.py" for name in FUNCTIONS} < set(names)
    assert "functions/openapi/openapi.json" in names


def test_the_same_files_make_the_same_zip(tmp_path: Path):
    for copy in ("one", "other"):
        shutil.copytree(ROOT / "functions", tmp_path / copy / "functions")
        shutil.copytree(ROOT / "shared", tmp_path / copy / "shared")
        shutil.copy(REQUIREMENTS, tmp_path / copy)
    os.utime(tmp_path / "other" / "requirements.txt", (1, 1))
    (tmp_path / "other" / "shared" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "other" / "shared" / "__pycache__" / "x.pyc").touch()
    (tmp_path / "other" / "functions" / ".secret").touch()

    one, other = (
        package.write(tmp_path / f"{copy}.zip", tmp_path / copy) for copy in ("one", "other")
    )

    assert one == other
    with zipfile.ZipFile(tmp_path / "one.zip") as made:
        assert {each.date_time for each in made.infolist()} == {package.EPOCH}
        assert {each.compress_type for each in made.infolist()} == {zipfile.ZIP_STORED}
        assert {(each.create_system, each.external_attr) for each in made.infolist()} == {
            (package.UNIX, package.READABLE)
        }
        assert {each.filename for each in made.infolist()} >= {"requirements.txt"}
    assert package.EPOCH == (1980, 1, 1, 0, 0, 0)


def test_what_is_uploaded_by_hand_is_what_is_in_the_zip():
    ignored = (ROOT / ".gcloudignore").read_text().splitlines()

    kept = {line.removeprefix("!/").rstrip("/") for line in ignored if line.startswith("!")}
    assert ignored[1] == "/*"
    assert kept == {*package.FOLDERS, *package.ALONE}
    assert {f"**/{name}/" for name in package.LEFT_OUT} <= set(ignored)


# What it needs -------------------------------------------------------------------------------


def test_everything_is_pinned_with_hashes_and_nothing_says_where_from():
    text = REQUIREMENTS.read_text()
    pinned = re.findall(r"^([a-z][\w.-]*)==(\S+)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z])", text)[1:]

    assert len(pinned) == len(blocks) > 30
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index" not in text


def test_what_we_ask_for_by_name_is_what_is_pinned():
    asked = dict(
        re.findall(
            r"^([\w.-]+)(?:\[\w+\])?==(\S+)", (ROOT / "infra" / "requirements.in").read_text(), re.M
        )
    )
    pinned = dict(re.findall(r"^([a-z][\w.-]*)==(\S+)", REQUIREMENTS.read_text(), re.M))

    assert asked
    assert {name.lower(): version for name, version in asked.items()}.items() <= pinned.items()


def test_no_tool_of_ours_is_deployed():
    pinned = set(re.findall(r"^([a-z][\w.-]*)==", REQUIREMENTS.read_text(), re.M))

    assert not pinned & {"pytest", "hypothesis", "mypy", "ruff", "segno", "python-hcl2", "uv"}


# That it starts ------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The zip, unpacked and compiled as the platform does."""
    place = tmp_path_factory.mktemp("workspace")
    package.write(place / "perene.zip")
    with zipfile.ZipFile(place / "perene.zip") as made:
        made.extractall(place / "unpacked")
    assert compileall.compile_dir(place / "unpacked", quiet=1)
    return place / "unpacked"


@pytest.fixture(scope="session")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new virtual environment with what requirements.txt says and nothing else."""
    place = tmp_path_factory.mktemp("fresh")
    venv.create(place, with_pip=True)
    install = ["-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(REQUIREMENTS)]
    ran = subprocess.run(
        [place / "bin" / "python", *install], capture_output=True, text=True, timeout=500
    )
    if ran.returncode and OFFLINE.search(ran.stderr) and "hash" not in ran.stderr.lower():
        pytest.skip("needs a package index")
    assert ran.returncode == 0, ran.stderr
    return place / "bin"


def test_the_environment_has_nothing_but_what_is_pinned(fresh: Path):
    listed = subprocess.run(
        [fresh / "python", "-m", "pip", "freeze"], capture_output=True, text=True, check=True
    )
    pinned = set(re.findall(r"^([a-z][\w.-]*)==", REQUIREMENTS.read_text(), re.M))

    there = {re.sub("[_.]", "-", line.partition("==")[0].lower()) for line in listed.stdout.split()}
    assert there <= pinned


CALLS = {
    "ensure_instance": ("POST", "", "502"),
    "instances": ("GET", "", "200"),
    "conversations": ("GET", "", "200"),
    "send_message": ("GET", "/a-key", "404"),
    "receive_webhook": ("POST", "", "204"),
    "fleet": ("GET", "", "200"),
    "openapi": ("GET", "", "200"),
    "sweep_capacity": ("POST", "", "200"),
    "sweep_orphans": ("POST", "?dry=1", "200"),
    "console": ("GET", "/", "200"),
    "tenant_feed": ("POST", "", "422"),
}
"""A request that each must understand, and its answer when no Evolution server is there."""


def chosen(settings: dict[str, str]) -> Choice:
    given = settings | {"GOOGLE_CLOUD_PROJECT": "packaged"}
    return Choice(given, "southamerica-east1", "America/Sao_Paulo", "1")


def deployed_with(name: str, settings: dict[str, str]) -> dict[str, str]:
    """The function's variables, and the secrets that it may know and no other."""
    choice = chosen(settings)
    commands = [command for _, some in gcloud.steps(choice) for command in some]
    (deploy,) = [each for each in commands if f"--function={name}" in each]
    secrets = re.findall(r"(\w+)=perene-", flags(deploy).get("set-secrets", ""))
    given = variables_of(deploy) | {secret: settings[secret] for secret in secrets}
    return {each: value for each, value in given.items() if each != "PYTHONPATH"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_starts_from_the_zip_with_what_it_may_know_and_answers(
    name: str, workspace: Path, fresh: Path, firestore_emulator: str, tmp_path: Path
):
    method, path, expected = CALLS[name]
    with (
        issuer.running() as google,
        started(
            name, workspace, fresh, tmp_path / "log",
            FIRESTORE_EMULATOR_HOST=firestore_emulator,
            **deployed_with(name, SETTINGS | {"SCHEDULER_JWKS_URL": google.url}),
        ) as origin,
    ):  # fmt: skip
        nobody = httpx.request(method, origin + path, trust_env=False, timeout=30)
        known = httpx.request(
            method, origin + path, headers=headers(name), json=event(method), trust_env=False,
            timeout=30,
        )  # fmt: skip

    log = (tmp_path / "log").read_text()
    assert known.status_code == int(expected), f"{known.text}\n{log}"
    if FUNCTIONS[name].trust in ("nobody", "page"):
        assert nobody.status_code == 200
    else:
        assert nobody.status_code == 401
        assert nobody.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in log


@pytest.mark.parametrize(
    "name", [name for name, each in FUNCTIONS.items() if each.trust in ("nobody", "page")]
)
def test_who_serves_pages_loads_nothing_that_it_does_not_need(name: str):
    heavy = ("google.cloud.firestore", "httpx", "cryptography")
    asked = (
        f"import sys, functions.{name}; print([each for each in {heavy} if each in sys.modules])"
    )

    seen = subprocess.run(
        [sys.executable, "-c", asked], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert seen.stdout.strip() == "[]"


def test_no_log_has_the_token_that_a_1_8_servers_address_holds(
    workspace: Path, fresh: Path, firestore_emulator: str, tmp_path: Path
):
    emulator = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "GOOGLE_CLOUD_PROJECT": "packaged"}
    good = headers()["x-webhook-token"]
    forged = jwt.encode({"sub": "instance_acme", "born": 1}, "s" * 40)
    said = {"event": "presence.update", "instance": "instance_acme", "data": {}}

    with started(
        "receive_webhook", workspace, fresh, tmp_path / "log", **SETTINGS, **emulator
    ) as origin:
        answers = [
            httpx.post(f"{origin}/{each}", json=said, trust_env=False, timeout=30).status_code
            for each in (good, forged, f"{good}/messages-upsert", f"{good}/a/b/c")
        ]

    log = (tmp_path / "log").read_text()
    assert answers == [204, 401, 204, 404]
    assert log.count("request.answered") == len(answers)
    assert good[:40] not in log
    assert forged[-30:] not in log
    assert WEBHOOKS not in log


def test_a_function_without_its_settings_says_which_are_missing(
    workspace: Path, fresh: Path, tmp_path: Path
):
    with started("instances", workspace, fresh, tmp_path / "log") as origin:
        answer = httpx.get(origin, headers=headers(), trust_env=False, timeout=30)

    assert answer.status_code == 500
    assert "PUBLIC_URL: Field required" in (tmp_path / "log").read_text()
    assert "PUBLIC_URL" not in answer.text


def headers(name: str = "") -> dict[str, str]:
    """Of a tenant, an operator and an instance, all in one; a sweep is asked by Scheduler."""
    born = {"sub": "instance_acme", "born": 1}
    theirs = {
        "iss": "https://accounts.google.com", "email": chosen(SETTINGS).account("scheduler"),
        "email_verified": True, "aud": chosen(SETTINGS).url(name),
    }  # fmt: skip
    scheduled = name and FUNCTIONS[name].invoker == "scheduler"
    bearer = issuer.signed("rsa-1", **theirs) if scheduled else token("acme", operator=True)
    return {
        "authorization": f"Bearer {bearer}",
        "x-feed-secret": SETTINGS["TENANT_FEED_SECRET"],
        "x-webhook-token": jwt.encode(born, WEBHOOKS, "HS256"),
    }


def event(method: str) -> Any:
    return {} if method == "POST" else None


@contextlib.contextmanager
def started(name: str, workspace: Path, fresh: Path, log: Path, **settings: str) -> Iterator[str]:
    """The framework's own script serves the function, with the variables the platform sets."""
    port = children.free_port()
    environment = {
        "FUNCTION_TARGET": name,
        "FUNCTION_SOURCE": f"functions/{name}.py",
        "PYTHONPATH": str(workspace),
        "PORT": str(port),
        "PATH": f"{fresh}:/usr/bin:/bin",
        **settings,
    }
    with log.open("w") as output:
        process = subprocess.Popen(
            [fresh / "functions-framework"], cwd=workspace, env=environment,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        until_listening(process, port, log)
        yield f"http://127.0.0.1:{port}{FUNCTIONS[name].path}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def until_listening(process: Any, port: int, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        if not children.is_free(port):
            return
        time.sleep(0.05)
    raise AssertionError(log.read_text())
