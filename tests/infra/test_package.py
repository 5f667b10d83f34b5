"""The deployed zip starts with requirements.txt and what a deployment grants, and nothing else."""

import compileall
import contextlib
import os
import re
import shutil
import signal
import subprocess
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import jwt
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from infra import deployment, package
from infra.local import children
from tests.cases import in_each
from tests.conventions import issuer
from tests.infra.granted import grant_settings
from tests.perene import AUDIENCE, ISSUER, SECRET, token

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ROOT / "requirements.txt"
FUNCTIONS = deployment.load_function_map().functions
SCHEDULER = "perene-scheduler@packaged.iam.gserviceaccount.com"

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
    "GOOGLE_CLOUD_PROJECT": "packaged",
    "SCHEDULER_EMAIL": SCHEDULER,
}


# Its files -----------------------------------------------------------------------------------


def test_zip_has_functions_shared_and_requirements(tmp_path: Path):
    package.write_zip(tmp_path / "perene.zip")

    with zipfile.ZipFile(tmp_path / "perene.zip") as archive:
        names = archive.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert tops == {"functions", "shared", "requirements.txt"}
    assert not [name for name in names if re.search(r"pycache|\.pyc|test|simulator|/\.", name)]
    assert {f"functions/{name}.py" for name in FUNCTIONS} < set(names)
    assert "functions/openapi/openapi.json" in names


def test_same_files_make_the_same_zip(tmp_path: Path):
    for copy in ("one", "other"):
        shutil.copytree(ROOT / "functions", tmp_path / copy / "functions")
        shutil.copytree(ROOT / "shared", tmp_path / copy / "shared")
        shutil.copy(REQUIREMENTS, tmp_path / copy)
    os.utime(tmp_path / "other" / "requirements.txt", (1, 1))
    (tmp_path / "other" / "shared" / "__pycache__").mkdir(exist_ok=True)
    (tmp_path / "other" / "shared" / "__pycache__" / "x.pyc").touch()
    (tmp_path / "other" / "functions" / ".secret").touch()

    one, other = (
        package.write_zip(tmp_path / f"{copy}.zip", tmp_path / copy) for copy in ("one", "other")
    )

    assert one == other
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        entries = archive.infolist()
    assert {entry.date_time for entry in entries} == {package.EPOCH}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    assert {(entry.create_system, entry.external_attr) for entry in entries} == {
        (package.UNIX, package.READABLE)
    }
    assert "requirements.txt" in {entry.filename for entry in entries}
    assert package.EPOCH == (1980, 1, 1, 0, 0, 0)


# Its requirements ----------------------------------------------------------------------------


def test_requirements_are_pinned_by_hash():
    text = REQUIREMENTS.read_text()
    pinned = re.findall(r"^([a-z][\w.-]*)==(\S+)", text, re.MULTILINE)
    blocks = re.split(r"\n(?=[a-z])", text)[1:]

    assert len(pinned) == len(blocks) > 30
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
    assert "index" not in text


def test_pins_match_the_requirements_by_name():
    requirements = dict(
        re.findall(
            r"^([\w.-]+)(?:\[\w+\])?==(\S+)", (ROOT / "infra" / "requirements.in").read_text(), re.M
        )
    )
    pinned = dict(re.findall(r"^([a-z][\w.-]*)==(\S+)", REQUIREMENTS.read_text(), re.M))

    lowered = {name.lower(): version for name, version in requirements.items()}
    assert lowered
    assert lowered.items() <= pinned.items()


def test_tools_are_not_deployed():
    pinned = set(re.findall(r"^([a-z][\w.-]*)==", REQUIREMENTS.read_text(), re.M))

    assert not pinned & {"pytest", "hypothesis", "mypy", "ruff", "segno", "python-hcl2", "uv"}


# Its start -----------------------------------------------------------------------------------


class Server(NamedTuple):
    """A function that is served from the zip: its URL, and the file of its log."""

    url: str
    log: Path


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack and compile the zip as the platform does."""
    place = tmp_path_factory.mktemp("workspace")
    package.write_zip(place / "perene.zip")
    with zipfile.ZipFile(place / "perene.zip") as archive:
        archive.extractall(place / "unpacked")
    assert compileall.compile_dir(place / "unpacked", quiet=1)
    return place / "unpacked"


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment with requirements.txt and nothing else; return its programs.

    Its files are links to those that `make setup` installed, by their hashes.
    """
    place = tmp_path_factory.mktemp("fresh")
    venv.create(place, with_pip=False, symlinks=True)
    (site,) = place.glob("lib/*/site-packages")
    for requirement in list_pinned():
        link_distribution(requirement.name, site)
    script = place / "bin" / "functions-framework"
    script.write_text(f"#!{place}/bin/python\nfrom functions_framework._cli import _cli\n_cli()\n")
    script.chmod(0o755)
    return place / "bin"


def list_pinned() -> list[Requirement]:
    """List what requirements.txt has for this system."""
    lines = re.findall(r"^([a-z][^\\\n]+)", REQUIREMENTS.read_text(), re.MULTILINE)
    pinned = map(Requirement, lines)
    return [one for one in pinned if one.marker is None or one.marker.evaluate()]


def link_distribution(name: str, site: Path) -> None:
    """Put a distribution that is installed into another environment's packages."""
    for file in metadata.distribution(name).files or ():
        if ".." not in file.parts:  # programs, and what isn't Python's
            (site / file).parent.mkdir(parents=True, exist_ok=True)
            (site / file).symlink_to(file.locate())


@pytest.fixture(scope="module")
def servers(
    workspace: Path, fresh: Path, firestore_emulator: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, Server]]:
    """Serve every function, each once, and `instances` a second time without its settings.

    The first start compiles the modules that it loads; the others then start at the same time.
    """
    logs = tmp_path_factory.mktemp("logs")
    ports: set[int] = set()
    while len(ports) <= len(FUNCTIONS):
        ports.add(children.find_free_port())
    with contextlib.ExitStack() as stack:
        jwks = stack.enter_context(issuer.running()).url
        emulator = {"FIRESTORE_EMULATOR_HOST": firestore_emulator, "SCHEDULER_JWKS_URL": jwks}
        starts: dict[str, tuple[str, Mapping[str, str]]] = {"unset": ("instances", {})}
        for name in FUNCTIONS:
            settings = SETTINGS | emulator | {"SCHEDULER_AUDIENCE": audience_of(name)}
            starts[name] = (name, grant_settings(name, settings))
        started = {}
        for (title, (name, settings)), port in zip(starts.items(), ports, strict=True):
            server = Server(f"http://127.0.0.1:{port}{FUNCTIONS[name].path}", logs / title)
            process = stack.enter_context(serve(name, workspace, fresh, port, server.log, settings))
            started[title] = (process, port, server)
            if len(started) == 1:
                wait_until_loaded(process, port, server)
        for process, port, server in started.values():
            wait_until_loaded(process, port, server)
        yield {title: server for title, (_, _, server) in started.items()}


def audience_of(name: str) -> str:
    return f"https://{deployment.name_service(name)}.run.test"


def test_pinned_versions_are_installed_and_need_nothing_else():
    pinned = {canonicalize_name(one.name): one for one in list_pinned()}

    assert len(pinned) > 30
    for name, requirement in pinned.items():
        installed = metadata.distribution(name)
        assert installed.version in requirement.specifier, name
        for needed in map(Requirement, installed.requires or ()):
            if needed.marker is None or needed.marker.evaluate({"extra": ""}):
                assert canonicalize_name(needed.name) in pinned, f"{name} needs {needed.name}"


CALLS = {
    "ensure_instance": ("POST", "", 502),
    "instances": ("GET", "", 200),
    "conversations": ("GET", "", 200),
    "send_message": ("GET", "/a-key", 404),
    "events": ("GET", "", 200),
    "endpoints": ("GET", "", 200),
    "deliver_events": ("POST", "", 200),
    "store_media": ("POST", "", 200),
    "receive_webhook": ("POST", "", 204),
    "fleet": ("GET", "", 200),
    "openapi": ("GET", "", 200),
    "sweep_capacity": ("POST", "", 200),
    "sweep_orphans": ("POST", "?dry=1", 200),
    "console": ("GET", "/", 200),
    "tenant_feed": ("POST", "", 422),
}
"""A request that each function understands, and its status while no Evolution server answers."""


@in_each("name", FUNCTIONS)
def test_function_starts_from_zip_and_answers(name: str, servers: dict[str, Server]):
    method, path, expected = CALLS[name]
    url, log = servers[name]
    body = {} if method == "POST" else None

    stranger = httpx.request(method, url + path, trust_env=False, timeout=30)
    caller = httpx.request(
        method, url + path, headers=headers(name), json=body, trust_env=False, timeout=30
    )

    assert caller.status_code == expected, f"{caller.text}\n{log.read_text()}"
    if FUNCTIONS[name].trust in ("nobody", "page"):
        assert stranger.status_code == 200
    else:
        assert stranger.status_code == 401
        assert stranger.headers["content-type"] == "application/problem+json"
    assert "Traceback" not in log.read_text()


def test_log_hides_tokens_in_paths(servers: dict[str, Server]):
    url, log = servers["receive_webhook"]
    valid = headers()["x-webhook-token"]
    forged = jwt.encode({"sub": "instance_acme", "born": 1}, "s" * 40)
    envelope = {"event": "presence.update", "instance": "instance_acme", "data": {}}
    before = len(log.read_text())

    statuses = [
        httpx.post(f"{url}/{path}", json=envelope, trust_env=False, timeout=30).status_code
        for path in (valid, forged, f"{valid}/messages-upsert", f"{valid}/a/b/c")
    ]

    assert statuses == [204, 401, 204, 404]
    assert log.read_text()[before:].count("request.answered") == len(statuses)
    assert valid[:40] not in log.read_text()
    assert forged[-30:] not in log.read_text()
    assert WEBHOOKS not in log.read_text()


def test_missing_settings_are_named_in_log(servers: dict[str, Server]):
    url, log = servers["unset"]

    answer = httpx.get(url, headers=headers(), trust_env=False, timeout=30)

    assert answer.status_code == 500
    assert "PUBLIC_URL: Field required" in log.read_text()
    assert "PUBLIC_URL" not in answer.text


def headers(name: str = "") -> dict[str, str]:
    """Make headers of a tenant who is an operator and an instance; of Scheduler for a sweep."""
    claims = {
        "iss": "https://accounts.google.com", "email": SCHEDULER, "email_verified": True,
        "aud": audience_of(name),
    }  # fmt: skip
    scheduled = name and FUNCTIONS[name].invoker == "scheduler"
    bearer = issuer.signed("rsa-1", **claims) if scheduled else token("acme", operator=True)
    return {
        "authorization": f"Bearer {bearer}",
        "x-feed-secret": SETTINGS["TENANT_FEED_SECRET"],
        "x-webhook-token": jwt.encode({"sub": "instance_acme", "born": 1}, WEBHOOKS, "HS256"),
    }


@contextlib.contextmanager
def serve(
    name: str, workspace: Path, fresh: Path, port: int, log: Path, settings: Mapping[str, str]
) -> Iterator[Any]:
    """Serve a function with the framework's own script and the platform's variables."""
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
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until_loaded(process: Any, port: int, server: Server) -> None:
    """Wait for the port, and for an answer: the framework listens before it loads the function."""
    for _ in range(1200):
        assert process.poll() is None, server.log.read_text()
        if not children.is_free(port):
            httpx.get(server.url, trust_env=False, timeout=120)
            return
        time.sleep(0.1)
    raise AssertionError(server.log.read_text())
