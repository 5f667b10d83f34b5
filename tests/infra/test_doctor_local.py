"""`make doctor` alone looks at what `make run` started, as it was started."""

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from infra.local.run import Secrets, StackRun

ROOT = Path(__file__).parents[2]
REAL = "http://127.0.0.1:1"
TUNNEL = "http://127.0.0.2:1"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return where a stack that talked to an Evolution of somebody's own left its traces."""
    run = StackRun(port=1, secrets=Secrets())
    chosen = {
        "EVOLUTION_URL": REAL, "EVOLUTION_API_KEY": "the real one's key", "PUBLIC_URL": TUNNEL,
        "EVOLUTION_VERSION": "1.8.2",
    }  # fmt: skip
    run.remember(run.environment("127.0.0.1:1", "") | chosen | {"PATH": "/bin"}, tmp_path)
    return tmp_path


def examine(place: Path, **more: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", "infra.doctor", f"--place={place}"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **more},
    )  # fmt: skip
    assert ran.returncode == 1, ran.stderr
    return ran.stdout


def test_only_settings_are_remembered(place: Path):
    settings = StackRun.load_last(place).settings

    assert settings["EVOLUTION_URL"] == REAL
    assert "PATH" not in settings
    assert settings["FIRESTORE_EMULATOR_HOST"] == "127.0.0.1:1"
    assert (place / "run.json").stat().st_mode & 0o077 == 0


def test_evolution_of_the_run_is_examined(place: Path, subtests: pytest.Subtests):
    """Examine what the stack was started with, whatever the terminal says now."""
    terminals = {"another terminal": "", "the same one": TUNNEL}

    def examine_in(public_url: str) -> str:
        return examine(place, EVOLUTION_URL="not an address", PUBLIC_URL=public_url)

    with ThreadPoolExecutor() as pool:  # each of them mostly waits
        reports = [*pool.map(examine_in, terminals.values())]

    for terminal, report in zip(terminals, reports, strict=True):
        with subtests.test(terminal):
            assert "✓ Settings: valid" in report
            assert "✗ Server main" in report


def test_another_address_means_another_deployment(place: Path):
    report = examine(place, PUBLIC_URL="https://elsewhere.test")

    assert "✗ Settings" in report


def test_older_run_is_no_crash(tmp_path: Path):
    secrets = json.loads(Secrets().model_dump_json())
    (tmp_path / "run.json").write_text(json.dumps({"port": 1, "secrets": secrets, "evolution": ""}))

    assert "✗ Settings" in examine(tmp_path)
