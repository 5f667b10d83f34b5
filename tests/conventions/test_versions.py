"""Versions of Evolution are read strictly: what nobody tried is refused at start."""

import json
from pathlib import Path
from typing import get_args

import pytest

from shared import config
from shared.config import ConfigurationError
from shared.evolution import capabilities, dialects, message_dialects
from tests.conventions.conftest import SETTINGS

DOCUMENTS = Path(__file__).parent.parent.parent / "infra" / "docs"
UNKNOWN = ["2", "2.3", "latest", "v2.3.6", "1.7.4", "2.1.1", "2.30.1", "2.99.0", "3.0.0", "10.0.0"]
UNKNOWN += ["2.3.6; x", "2.4.0-", "2.3.6 ", "\u0662.3.6", "2.3.\u0666"]
KNOWN = ["1.8.2", "2.2.3", "2.3.6", "2.3.7", "2.4.0", "2.4.0-rc2"]


def refusal(**variables: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        config.read({**SETTINGS, **variables})
    return str(refused.value)


def fleet(version: str) -> str:
    return json.dumps([{"id": "a", "url": "http://a.test", "api_key": "k", "version": version}])


@pytest.mark.parametrize("version", [version for version in UNKNOWN if version == version.strip()])
def test_refused_version_names_known_ones(version: str):
    fault = refusal(EVOLUTION_VERSION=version)

    assert fault.startswith("EVOLUTION_VERSION: ")
    assert config.KNOWN_VERSIONS in fault


@pytest.mark.parametrize("version", UNKNOWN)
def test_unknown_fleet_version_is_refused(version: str):
    fault = refusal(EVOLUTION_SERVERS=fleet(version))

    assert fault.startswith("EVOLUTION_SERVERS.0.version: ")
    assert config.KNOWN_VERSIONS in fault


def test_unknown_version_is_not_quoted():
    assert "hunter2" not in refusal(EVOLUTION_VERSION="hunter2")


@pytest.mark.parametrize("version", KNOWN)
def test_known_version_is_read(version: str):
    for variables in ({"EVOLUTION_VERSION": version}, {"EVOLUTION_SERVERS": fleet(version)}):
        (server,) = config.read({**SETTINGS, **variables}).servers.values()

        assert server.version == version


def test_documents_name_known_versions():
    for name in ("configuration.md", "operations.md"):
        assert config.KNOWN_VERSIONS in (DOCUMENTS / name).read_text(), name


def test_every_dialect_is_complete():
    spoken = set(get_args(config.DialectName))

    assert spoken == set(config.DIALECT_OF_VERSION.values()) == set(dialects.DIALECTS)
    assert spoken == set(message_dialects.DIALECTS) == set(capabilities._BY_DIALECT)
