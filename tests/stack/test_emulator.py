import os
import re
import shutil
import socket
import subprocess
import sys
import uuid
from pathlib import Path

import httpx
import pytest

from infra.local import emulator, emulator_sources
from infra.local.children import StackError
from tests.stack import processes

OWNER = {"Authorization": "Bearer owner"}
OWNING_PROCESS = """
import signal
from infra.local import emulator

with emulator.running() as host:
    print(host, flush=True)
    signal.pause()
"""


@pytest.fixture(autouse=True)
def _unset_host(monkeypatch):
    monkeypatch.delenv("FIRESTORE_EMULATOR_HOST", raising=False)


@pytest.fixture
def log(tmp_path):
    return tmp_path / "emulator.log"


@pytest.fixture
def jar():
    for root in emulator_sources.SDK_ROOTS:
        if (file := Path(root).expanduser() / emulator_sources.SDK_JAR).exists():
            return file
    pytest.skip("needs the Google Cloud SDK's Firestore emulator")


@pytest.fixture
def java():
    return shutil.which("java") or pytest.skip("needs Java")


@pytest.fixture
def bare_machine(tmp_path, monkeypatch):
    """Hide everything that is installed; return the folder that is the whole PATH."""
    binaries = tmp_path / "bin"
    binaries.mkdir()
    monkeypatch.setenv("PATH", str(binaries))
    monkeypatch.setenv("FIREBASE_EMULATORS_PATH", str(tmp_path / "downloads"))
    monkeypatch.delenv("CLOUDSDK_ROOT", raising=False)
    monkeypatch.setattr(emulator_sources, "SDK_ROOTS", ())
    return binaries


def write(host, project, document="notes/one"):
    url = f"http://{host}/v1/projects/{project}/databases/(default)/documents/{document}"
    body = {"fields": {"said": {"stringValue": "olá"}}}
    httpx.patch(url, json=body, headers=OWNER, trust_env=False, timeout=60).raise_for_status()


def status(host, project, document="notes/one"):
    url = f"http://{host}/v1/projects/{project}/databases/(default)/documents/{document}"
    return httpx.get(url, headers=OWNER, trust_env=False, timeout=60).status_code


def test_named_emulator_is_used_and_left_alone(firestore_emulator, monkeypatch):
    one, other = (f"t-{uuid.uuid4().hex[:20]}" for _ in range(2))
    write(firestore_emulator, one)
    write(firestore_emulator, other)

    emulator.reset(firestore_emulator, one)
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", firestore_emulator)
    with emulator.running() as named_host:
        assert named_host == firestore_emulator

    assert status(firestore_emulator, one) == 404
    assert status(firestore_emulator, other) == 200, "a reset, or who only used it, ended it"


def test_data_survives_kill_and_restart(tmp_path, log, monkeypatch):
    data = tmp_path / "data"
    with monkeypatch.context() as patch:
        patch.setattr(emulator, "SAVE_EVERY", 0.1)
        first = emulator.start(log, data=data)
        write(first.host, emulator.PROJECT)
        wait_for_save(data)  # one that may have begun before the write
        wait_for_save(data)
        first.child.stop()
        first.stop()

    with emulator.running(data=data) as host:
        assert status(host, emulator.PROJECT) == 200
        write(host, emulator.PROJECT, "notes/two")

    (saved,) = data.iterdir()
    export = b"".join(file.read_bytes() for file in saved.rglob("output-*"))
    assert set(re.findall(rb'notes"\x03(\w{3})', export)) == {b"one", b"two"}


def wait_for_save(data):
    earlier = set(data.glob("saved-*"))
    assert processes.wait_until(lambda: set(data.glob("saved-*")) - earlier)


def test_killed_owner_takes_emulator_along():
    mark = uuid.uuid4().hex
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNING_PROCESS],
        stdout=subprocess.PIPE,
        env=os.environ | {processes.MARK: mark},
        start_new_session=True,
    )
    with owner:
        owner.stdout.readline()
        assert len(processes.list_marked(mark)) > 1

        owner.kill()

    assert processes.wait_until(lambda: not processes.list_marked(mark))


def test_dead_named_emulator_is_refused(monkeypatch, log):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")

    with pytest.raises(StackError, match=r"127\.0\.0\.1:1, which FIRESTORE_EMULATOR_HOST names"):
        emulator.start(log)


def test_busy_port_is_named(log):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]

        with pytest.raises(StackError, match=f"Port {port}"):
            emulator.start(log, port=port)


def test_bare_machine_gets_instructions(bare_machine, log):
    with pytest.raises(StackError, match="install Java 21 or newer and the Google Cloud SDK"):
        emulator.start(log)


def test_broken_sdk_is_followed_by_download(jar, java, bare_machine, log, tmp_path, monkeypatch):
    broken = tmp_path / "sdk" / emulator_sources.SDK_JAR
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"not a jar")
    monkeypatch.setenv("CLOUDSDK_ROOT", str(tmp_path / "sdk"))
    downloads = tmp_path / "downloads"
    npx = bare_machine / "npx"
    npx.write_text(
        f"#!/bin/sh\n/bin/mkdir {downloads}\n"
        f"/bin/ln -s {jar} {downloads}/cloud-firestore-emulator-v1.jar\n"
    )
    npx.chmod(0o755)
    (bare_machine / "java").symlink_to(java)

    one = emulator.start(log)

    one.stop()
    assert (downloads / "cloud-firestore-emulator-v1.jar").exists()
    assert processes.list_session(one.child.process.pid) == []


def test_docker_gets_port_and_data(bare_machine):
    (bare_machine / "docker").touch(mode=0o755)
    launch = emulator_sources.Launch(8123, Path("/kept/saved-1/new.overall_export_metadata"))

    (source,) = emulator_sources.list_sources(launch)

    assert "127.0.0.1:8123:8080" in source.command
    assert "/kept:/kept" in source.command
    assert source.command[-1] == f"--import-data={launch.imported}"
