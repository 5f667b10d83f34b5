"""A deployment's settings, and the lines that it logs."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any
from unittest import mock

import pytest

from shared import config, log
from tests.conventions import issuer
from tests.conventions.callers import HS256, TRUST
from tests.conventions.issuer import Issuer

SETTINGS = {
    "EVOLUTION_URL": "http://evolution.test",
    "EVOLUTION_API_KEY": "the key of the tests",
    "PUBLIC_URL": "https://perene.test",
    "WEBHOOK_SECRET": "the webhooks' secret of the tests",
}

NOWHERE = {"FIRESTORE_EMULATOR_HOST": "127.0.0.1:1", "GOOGLE_CLOUD_PROJECT": "nowhere"}
"""A database that nobody reaches, so that nobody looks for a real one."""

Deploy = Callable[..., None]
Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def deploy() -> Iterator[Deploy]:
    """`deploy(AUTH_ISSUER=…)`: the settings are the least there may be, and these."""

    def with_settings(**variables: str) -> None:
        os.environ.clear()
        os.environ.update(SETTINGS | NOWHERE | variables)
        config.settings.cache_clear()

    with mock.patch.dict(os.environ):
        with_settings()
        yield with_settings
    config.settings.cache_clear()


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """The lines logged since it was asked for last, read as JSON."""
    log.set_trace(None)
    yield lambda: [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    log.set_trace(None)


@pytest.fixture
def published() -> Iterator[Issuer]:
    """An issuer on loopback."""
    with issuer.running() as running:
        yield running


@pytest.fixture
def by_keys(deploy: Deploy, published: Issuer) -> Issuer:
    """A deployment that checks tokens by the keys that their issuer publishes."""
    deploy(**TRUST, AUTH_JWKS_URL=published.url)
    return published


@pytest.fixture
def by_secret(deploy: Deploy) -> Deploy:
    """A deployment that shares a secret with its issuer."""
    deploy(**HS256)
    return deploy
