"""What a run of the local stack was started with: ports, and secrets that nobody else knows."""

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.local.children import StackError
from infra.local.emulator import HOST_VARIABLE
from infra.local.sign_in.provider import CLIENT
from shared.config import Settings

PLACE = Path(".local")
AUDIENCE = "perene-local"
OPERATOR_CLAIM = "operator"
HOUR = 3600


def _random() -> str:
    return secrets.token_hex(32)


class Secrets(BaseModel):
    """Drawn anew for each run, unless its data is kept."""

    model_config = ConfigDict(frozen=True)

    auth: str = Field(default_factory=_random)
    webhook: str = Field(default_factory=_random)
    evolution: str = Field(default_factory=_random)

    @classmethod
    def kept_in(cls, data: Path) -> Self:
        """The ones that this data was made with."""
        kept = data / "secrets.json"
        if not kept.exists():
            _write_privately(kept, cls())
        return cls.model_validate_json(kept.read_text())


class Run(BaseModel):
    """The run whose tokens are valid now, or were last."""

    model_config = ConfigDict(frozen=True)

    port: int
    secrets: Secrets
    settings: dict[str, str] = Field(default_factory=dict)
    """What its functions were started with, whoever said so."""

    @classmethod
    def last(cls, place: Path = PLACE) -> Self:
        """The run that `place` remembers. Raises StackError if there never was one."""
        try:
            return cls.model_validate_json((place / "run.json").read_text())
        except (FileNotFoundError, ValidationError):
            raise StackError("The local stack was never started here: make run.") from None

    def remember(self, env: Mapping[str, str], place: Path = PLACE) -> None:
        """From now on, `last` is this run, with those of these variables that are settings."""
        names = {*(name.upper() for name in Settings.model_fields), HOST_VARIABLE}
        known = {name: value for name, value in env.items() if name in names}
        _write_privately(place / "run.json", self.model_copy(update={"settings": known}))

    @property
    def origin(self) -> str:
        """Where every function is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        """Who signs the tokens of this run."""
        return f"http://localhost:{self.port}/local"

    def token(self, tenant: str, hours: float = 12, *, operator: bool = False) -> str:
        """What a frontend, or an operator's browser, would have got from the identity provider."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": AUDIENCE,
            "sub": tenant,
            "iat": now,
            "exp": now + int(hours * HOUR),
        }
        claims |= {OPERATOR_CLAIM: True} if operator else {}
        return jwt.encode(claims, self.secrets.auth, algorithm="HS256")

    def environment(self, firestore: str, evolution: str) -> dict[str, str]:
        """The functions' settings; what concerns neither tokens nor Firestore can be overridden."""
        given = {name: value for name, value in os.environ.items() if value}
        ours = {name: value for name, value in given.items() if not name.startswith("AUTH_")}
        return self._usual(evolution) | ours | self._fixed(firestore)

    def _usual(self, evolution: str) -> dict[str, str]:
        return {
            "CORS_ORIGINS": "*",  # whatever frontend is being built
            "EVOLUTION_API_KEY": self.secrets.evolution,
            "EVOLUTION_URL": evolution,
            "INSTANCE_MAX": "100",
            "PUBLIC_URL": self.origin,
            "WEBHOOK_SECRET": self.secrets.webhook,
        }

    def _fixed(self, firestore: str) -> dict[str, str]:
        return {
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_HS256_SECRET": self.secrets.auth,
            "AUTH_ISSUER": self.issuer,
            "AUTH_OPERATOR_CLAIM": OPERATOR_CLAIM,
            "CONSOLE_CLIENT_ID": CLIENT,
            "FIRESTORE_EMULATOR_HOST": firestore,
            "GOOGLE_CLOUD_PROJECT": "perene-local",
            "PYTHONUNBUFFERED": "1",
        }


def _write_privately(file: Path, content: BaseModel) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(content.model_dump_json())
    fresh.replace(file)
