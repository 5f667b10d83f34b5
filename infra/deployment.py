"""What is deployed: the map of functions, and which settings there are and who gets which."""

import json
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

INFRA = Path(__file__).parent


class Function(BaseModel):
    """One deployed function: where it answers, for whom, and how large it is."""

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


class Listed(BaseModel):
    """Every setting: secret (and for which trusts), computed by the deployment, or plain."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    secret: dict[str, frozenset[str]]
    computed: frozenset[str]
    plain: frozenset[str]
    placeholders: dict[str, str]
    """In place of what a function may not know: settings are valid only as a whole."""


class Deployed(BaseModel):
    """infra/functions.json."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime: str
    functions: dict[str, Function]


@cache
def deployed() -> Deployed:
    """The map, validated."""
    return Deployed.model_validate_json((INFRA / "functions.json").read_text())


@cache
def listed() -> Listed:
    """The list, validated."""
    return Listed.model_validate_json((INFRA / "settings.json").read_text())


@cache
def indexes() -> dict[str, list[dict[str, object]]]:
    """infra/firestore.indexes.json."""
    found: dict[str, list[dict[str, object]]] = json.loads(
        (INFRA / "firestore.indexes.json").read_text()
    )
    return found


def service_name(function: str) -> str:
    """What the platform calls a function: no underscores there."""
    return function.replace("_", "-")


def secret_name(setting: str) -> str:
    """What Secret Manager calls a setting."""
    return f"perene-{service_name(setting.lower())}"
