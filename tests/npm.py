"""Run npm and what it installs; a machine that doesn't reach the registry skips the test."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

OFFLINE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ETIMEDOUT|ENOTCACHED|network", re.IGNORECASE
)
QUICKLY = ("--prefer-offline", "--no-audit", "--no-fund")


def run(place: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a folder, in this environment or in another."""
    return subprocess.run(
        words, cwd=place, capture_output=True, text=True, check=False, timeout=300, env=env or None
    )


def require_npm() -> None:
    if not shutil.which("npm"):
        pytest.skip("needs npm")


def install(place: Path, *options: str) -> None:
    """Install what the lock file of a folder pins."""
    ran = run(place, "npm", "ci", *QUICKLY, *options)
    if ran.returncode and OFFLINE.search(ran.stderr):
        pytest.skip("needs the registry of npm")
    assert ran.returncode == 0, ran.stderr
