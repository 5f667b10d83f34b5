"""A machine without Chromium: its tests say what they need (CI fails)."""

import pytest

from tests.console import browser


def test_without_chromium_a_test_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("CHROMIUM", raising=False)
    monkeypatch.setattr(browser, "NAMES", ("no-such-browser",))

    with pytest.raises(pytest.skip.Exception, match="apt install chromium"):
        browser.executable()
