import os
import shutil
import signal
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

for number in (signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)  # the tests' parent (nohup) may ignore them

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


def test_the_emulator_answers_until_it_is_stopped_and_leaves_no_process(log):
    one = emulator.start(log)
    answer = httpx.get(f"http://{one.host}/", trust_env=False, timeout=60)

    one.stop()

    assert answer.text.strip() == "Ok"
    assert processes.list_session(one.child.process.pid) == []


def test_a_reset_empties_one_project_and_leaves_the_others_alone():
    with emulator.running() as host:
        write(host, "one")
        write(host, "other")

        emulator.reset(host, "one")

        assert status(host, "one") == 404
        assert status(host, "other") == 200


def test_what_is_kept_is_there_again_after_every_restart_and_kept_once(tmp_path):
    for document in ("notes/one", "notes/two"):
        with emulator.running(data=tmp_path, project="kept") as host:
            write(host, "kept", document)

    assert len(list(tmp_path.iterdir())) == 1
    with emulator.running(data=tmp_path, project="kept") as host:
        assert status(host, "kept", "notes/one") == 200
        assert status(host, "kept", "notes/two") == 200


def test_what_is_kept_is_saved_now_and_then_so_that_a_kill_loses_little(tmp_path, log, monkeypatch):
    monkeypatch.setattr(emulator, "SAVE_EVERY", 0.1)
    killed = emulator.start(log, data=tmp_path / "data")
    write(killed.host, emulator.PROJECT)
    saved_before = set((tmp_path / "data").glob("saved-*"))
    assert processes.wait_until(lambda: set((tmp_path / "data").glob("saved-*")) - saved_before)

    killed.child.stop()
    killed.stop()

    with emulator.running(data=tmp_path / "data") as host:
        assert status(host, emulator.PROJECT) == 200


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL, signal.SIGHUP])
def test_an_owner_that_is_killed_takes_its_emulator_along(how):
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

        owner.send_signal(how)

    assert processes.wait_until(lambda: not processes.list_marked(mark))


def test_an_emulator_that_the_environment_names_is_used_and_left_running(monkeypatch):
    with emulator.running() as theirs:
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", theirs)

        with emulator.running() as ours:
            assert ours == theirs

        assert httpx.get(f"http://{theirs}/", trust_env=False, timeout=60).text.strip() == "Ok"


def test_a_dead_emulator_that_the_environment_names_is_named(monkeypatch, log):
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", "127.0.0.1:1")

    with pytest.raises(StackError, match=r"127\.0\.0\.1:1, which FIRESTORE_EMULATOR_HOST names"):
        emulator.start(log)


def test_a_busy_port_is_named(log):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]

        with pytest.raises(StackError, match=f"Port {port}"):
            emulator.start(log, port=port)


def test_a_machine_with_nothing_is_told_what_to_install(bare_machine, log):
    with pytest.raises(StackError, match="install Java 21 or newer and the Google Cloud SDK"):
        emulator.start(log)


def test_an_sdk_that_does_not_work_is_followed_by_firebases_download(
    jar, java, bare_machine, log, tmp_path, monkeypatch
):
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


def test_docker_gets_the_port_and_what_was_kept(bare_machine):
    (bare_machine / "docker").touch(mode=0o755)
    launch = emulator_sources.Launch(8123, Path("/kept/saved-1/new.overall_export_metadata"))

    (source,) = emulator_sources.list_sources(launch)

    assert "127.0.0.1:8123:8080" in source.command
    assert "/kept:/kept" in source.command
    assert source.command[-1] == f"--import-data={launch.imported}"
