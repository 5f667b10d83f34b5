"""A test that a machine lacks something for is skipped there, in CI only if apt lacks it too."""

import os
import subprocess
import sys
from pathlib import Path

from tests.cases import in_each

ROOT = Path(__file__).parents[2]
SKIPPING = """
import pytest

def test_one():
    pytest.skip("needs a thing")

@pytest.fixture
def thing():
    pytest.skip("needs a thing")

def test_other(thing):
    pass
"""


@in_each(("ci", "code", "outcome"), [("", 0, "2 skipped"), ("true", 1, "1 failed")])
def test_skipping_fails_in_ci(tmp_path: Path, ci: str, code: int, outcome: str):
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    ran = run(tmp_path, ci)

    assert (ran.returncode, outcome in ran.stdout) == (code, True), ran.stdout + ran.stderr
    assert ran.stdout.count("CI skips nothing") >= 2 * code
    assert ("1 error" in ran.stdout) == bool(code)


def test_ci_passes_over_what_apt_lacks(tmp_path: Path):
    reasons = ("needs terraform or tofu", "needs the Google Cloud SDK", "needs gcloud")
    for number, reason in enumerate((*reasons, "needs Docker")):
        text = SKIPPING.replace("needs a thing", reason)
        (tmp_path / f"test_skipping_{number}.py").write_text(text)

    ran = run(tmp_path, "true")

    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "8 skipped" in ran.stdout


def run(folder: Path, ci: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of a folder as CI does, or as a person."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.skips", "-c", "/dev/null"]
    return subprocess.run(
        [*command, f"--rootdir={folder}", str(folder)],
        cwd=ROOT, env=dict(os.environ) | {"CI": ci}, capture_output=True, text=True, check=False,
    )  # fmt: skip
