"""Load the description of a deployment: its functions, its settings, and its indexes."""

import json
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

INFRA = Path(__file__).parent


class Function(BaseModel):
    """A deployed function: its path, its trust, its callers, and its size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str
    trust: str
    invoker: Literal["public", "scheduler"]
    memory: str
    cpu: str
    concurrency: int
    min_instances: int
    max_instances: int
    timeout_seconds: int
    schedule: str | None = None
    topic: str | None = None
    """The Pub/Sub topic, without `perene-`, whose messages are pushed to `/push` below the path."""


class SettingList(BaseModel):
    """Every setting: secret (with the trusts that get it), computed by the deployment, or plain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: dict[str, frozenset[str]]
    computed: frozenset[str]
    plain: frozenset[str]
    local: frozenset[str]
    """Settings of the local stack alone: no deployment has them."""
    placeholders: dict[str, str]
    """Values for a function that must not know a secret: settings are only valid as a whole."""


class FunctionMap(BaseModel):
    """The content of infra/functions.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime: str
    functions: dict[str, Function]


@cache
def load_function_map() -> FunctionMap:
    """Load and validate infra/functions.json."""
    return FunctionMap.model_validate_json((INFRA / "functions.json").read_text())


@cache
def load_setting_list() -> SettingList:
    """Load and validate infra/settings.json."""
    return SettingList.model_validate_json((INFRA / "settings.json").read_text())


@cache
def load_indexes() -> dict[str, list[dict[str, object]]]:
    """Load infra/firestore.indexes.json: its `indexes` and its `fieldOverrides`."""
    indexes: dict[str, list[dict[str, object]]] = json.loads(
        (INFRA / "firestore.indexes.json").read_text()
    )
    return indexes


def name_service(function: str) -> str:
    """Return the Cloud Run service's name for a function; it may not contain underscores."""
    return function.replace("_", "-")


def name_secret(setting: str) -> str:
    """Return the name in Secret Manager for a setting."""
    return f"perene-{name_service(setting.lower())}"
