"""What a machine lacks."""

import os
import re
from collections.abc import Generator

import pytest

NOT_BY_APT = re.compile(r"terraform|tofu|gcloud|Google Cloud SDK|docker", re.IGNORECASE)
"""What Debian doesn't have; all else `.ci/run` installs."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test in CI that skips, unless it names a program that a fresh Debian can't have."""
    report = yield
    if report.skipped and os.environ.get("CI") and not NOT_BY_APT.search(report.longreprtext):
        report.outcome = "failed"
        report.longrepr = f"CI skips nothing: {report.longreprtext}"
    return report
