"""A test that a machine lacks something for is passed over there, and never in CI."""

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
def test_a_test_that_skips_fails_in_ci(tmp_path: Path, ci: str, code: int, outcome: str):
    (tmp_path / "test_skipping.py").write_text(SKIPPING)
    pytest_alone = [sys.executable, "-m", "pytest", "-q", "-p", "tests.skips", "-c", "/dev/null"]

    ran = subprocess.run(
        [*pytest_alone, f"--rootdir={tmp_path}", str(tmp_path)],
        cwd=ROOT, env=dict(os.environ) | {"CI": ci}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (ran.returncode, outcome in ran.stdout) == (code, True), ran.stdout + ran.stderr
    assert ran.stdout.count("CI skips nothing") >= 2 * code
    assert ("1 error" in ran.stdout) == bool(code)
