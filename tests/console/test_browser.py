"""Lack Chromium: the tests say what they need (CI fails)."""

import pytest

from tests.console import browser


def test_missing_chromium_is_explained(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "NAMES", ("no-such-browser",))

    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        browser.find_executable()
