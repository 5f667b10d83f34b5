"""A machine without Chromium: said, and in CI not passed over."""

import pytest

from tests.console import browser


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "NAMES", ("no-such-browser",))
    return monkeypatch


def test_without_chromium_ci_fails(nowhere: pytest.MonkeyPatch):
    nowhere.setenv("CI", "true")

    with pytest.raises(pytest.fail.Exception, match="apt install chromium"):
        browser.executable()


def test_without_chromium_somebody_elses_machine_skips(nowhere: pytest.MonkeyPatch):
    nowhere.delenv("CI", raising=False)

    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        browser.executable()
