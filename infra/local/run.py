"""Remember what a run of the local stack was started with: ports, secrets and settings."""

import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import jwt
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from infra.local.bucket_emulator import BUCKET
from infra.local.children import LOOPBACK, StackError
from infra.local.emulator import HOST_VARIABLE
from infra.local.pubsub_emulator import name_topics
from infra.local.sign_in.provider import CLIENT
from shared.config import Settings

PLACE = Path(".local")
AUDIENCE = "perene-local"
OPERATOR_CLAIM = "operator"
HOUR = 3600


def _draw_secret() -> str:
    return secrets.token_hex(32)


class Secrets(BaseModel):
    """The secrets of a run, drawn anew for each run unless its data is kept."""

    model_config = ConfigDict(frozen=True)

    auth: str = Field(default_factory=_draw_secret)
    webhook: str = Field(default_factory=_draw_secret)
    evolution: str = Field(default_factory=_draw_secret)

    @classmethod
    def load_or_draw(cls, data: Path) -> Self:
        """Return the secrets of a data folder; draw and store them the first time."""
        file = data / "secrets.json"
        if not file.exists():
            _write_privately(file, cls())
        return cls.model_validate_json(file.read_text())


class StackRun(BaseModel):
    """A run of the local stack, as `run.json` remembers it."""

    model_config = ConfigDict(frozen=True)

    port: int
    secrets: Secrets
    settings: dict[str, str] = Field(default_factory=dict)
    """Environment variables of the functions that are settings, from the stack or the terminal."""

    @classmethod
    def load_last(cls, place: Path = PLACE) -> Self:
        """Return the last run in `place`. Raises StackError if there never was one."""
        try:
            return cls.model_validate_json((place / "run.json").read_text())
        except (FileNotFoundError, ValidationError):
            raise StackError("The local stack was never started here: make run.") from None

    def remember(self, env: Mapping[str, str], place: Path = PLACE) -> None:
        """Store this run for `load_last`, with those variables of `env` that are settings."""
        names = {*(name.upper() for name in Settings.__struct_fields__), HOST_VARIABLE}
        settings = {name: value for name, value in env.items() if name in names}
        _write_privately(place / "run.json", self.model_copy(update={"settings": settings}))

    @property
    def origin(self) -> str:
        """Return the origin of every function."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        """Return the issuer of this run's tokens: the local sign-in."""
        return f"http://localhost:{self.port}/local"

    def sign_token(self, tenant: str, hours: float = 12, *, operator: bool = False) -> str:
        """Sign a token as the identity provider would for a tenant's or an operator's browser."""
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

    def environment(
        self, firestore: str, evolution: str, *, pubsub: str | None = None, bucket: int = 0
    ) -> dict[str, str]:
        """Return the functions' settings. `pubsub`: the host of its emulator, `bucket`: the port
        of its emulator, if there is one.

        The terminal's variables win, except those for tokens and what the stack started itself.
        """
        overrides = {
            name: value
            for name, value in os.environ.items()
            if value and not name.startswith("AUTH_")
        }
        pokes = {**name_topics(), "PUBSUB_EMULATOR_HOST": pubsub} if pubsub else {}
        origin = f"http://{LOOPBACK}:{bucket}"
        media = {"MEDIA_BUCKET": BUCKET, "STORAGE_EMULATOR_HOST": origin} if bucket else {}
        return self._defaults(evolution) | overrides | self._fixed(firestore) | pokes | media

    def _defaults(self, evolution: str) -> dict[str, str]:
        return {
            "ENDPOINTS_ON_LOOPBACK": "true",
            "CORS_ORIGINS": "*",  # the origin of a frontend in development isn't known
            "EMBED_ORIGINS": "http://localhost:5173",  # Vite's development server
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
    draft = file.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(content.model_dump_json())
    draft.replace(file)
