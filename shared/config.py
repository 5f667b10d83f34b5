"""Read the settings from the environment, once, and validate them at start."""

import os
import re
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    HttpUrl,
    Json,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from shared.domain.fleet.rules import Approval

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""Pydantic would look for plugins among all packages before it builds its first model: 10 ms."""

JOBS = r"^projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/jobs$"
TOPIC = r"^projects/[^/]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$"
WEB_ORIGIN = r"^(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?$"
BUCKET = r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$"
SERVER_ID = r"^[a-z0-9][a-z0-9-]{0,31}$"
DialectName = Literal["2", "1.8"]
DIALECT_OF_VERSION: Mapping[str, DialectName] = {"1.8": "1.8", "2.2": "2", "2.3": "2", "2.4": "2"}
"""The versions of Evolution that Perene knows, whatever their patch, and how they are spoken to."""

*_ALL_BUT_LAST, _LAST = DIALECT_OF_VERSION
KNOWN_VERSIONS = f"{', '.join(_ALL_BUT_LAST)} and {_LAST}"
VERSION = re.compile(r"([0-9]+\.[0-9]+)\.[0-9]+(-[0-9A-Za-z.]+)?")


REGION = "BR"
TIME_ZONE = "America/Sao_Paulo"


class ConfigurationError(Exception):
    """A setting is missing or wrong; the message names each, and never shows a value."""


def _origin(value: Any) -> Any:
    return value.rstrip("/") if isinstance(value, str) else value


def _url(value: str) -> str:
    TypeAdapter(HttpUrl).validate_python(value)
    return value


def _words(value: Any) -> Any:
    return tuple(filter(None, re.split(r"[\s,]+", value))) if isinstance(value, str) else value


def dialect_of(version: str) -> DialectName | None:
    """Return how a server of that version is spoken to; None if Perene doesn't know it."""
    match = VERSION.fullmatch(version)
    return DIALECT_OF_VERSION.get(match[1]) if match else None


def _version(value: str) -> str:
    if dialect_of(value) is None:
        raise ValueError(f"Perene knows {KNOWN_VERSIONS}, each with its patch, as in 2.3.6")
    return value


def _region(value: str) -> str:
    if value != REGION:
        import phonenumbers  # takes 25 ms at the start of a function

        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ValueError("must be a country's two letters, as in BR")
    return value


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, ValueError, OSError):
        raise ValueError("must be a name of the time zone database, as America/Sao_Paulo") from None
    return value


Picture = Annotated[
    str, BeforeValidator(_url), Field(max_length=500, pattern=r"^https://[^@\s;,]+$")
]
Url = Annotated[str, BeforeValidator(_url), BeforeValidator(_origin)]
Address = Annotated[str, BeforeValidator(_url)]
Version = Annotated[str, AfterValidator(_version)]
Region = Annotated[str, AfterValidator(_region), Field(pattern=r"^[A-Z]{2}$")]
TimeZone = Annotated[str, AfterValidator(_time_zone), Field(max_length=60)]
Words = Annotated[tuple[str, ...], BeforeValidator(_words)]
Origins = Annotated[tuple[Annotated[str, Field(pattern=WEB_ORIGIN)], ...], BeforeValidator(_words)]
Secret = Annotated[SecretStr, Field(min_length=32)]
Days = Annotated[float, Field(ge=0, le=3650)]

MEMORY_GB = {100: 4.0, 500: 16.0, 1000: 32.0}
"""Gigabytes of memory that a server needs for so many instances, as Evolution's users plan it."""


class Server(BaseModel):
    """An Evolution deployment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: Annotated[str, Field(pattern=SERVER_ID)]
    url: Url
    api_key: Annotated[SecretStr, Field(min_length=1)]
    instance_max: Annotated[int, Field(ge=0)] = 100
    version: Version = "2.3.6"

    @property
    def dialect(self) -> DialectName:
        """Return which request and response shapes the server speaks."""
        dialect = dialect_of(self.version)
        assert dialect
        return dialect


class Settings(BaseModel):
    """The choices of a deployment. Field names are the environment's variables in lower case."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    evolution_url: Url | None = None
    evolution_api_key: SecretStr | None = None
    evolution_version: Version = "2.3.6"
    instance_max: Annotated[int, Field(ge=0)] = 100
    evolution_servers: Json[tuple[Server, ...]] = ()
    instance_prefix: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$")] = (
        "instance_"
    )

    public_url: Url
    webhook_secret: Secret
    webhook_secret_previous: Secret | None = None

    auth_issuer: str | None = None
    auth_audience: str | None = None
    auth_jwks_url: Url | None = None
    auth_hs256_secret: Secret | None = None
    auth_tenant_claim: str = "sub"
    auth_operator_claim: str | None = None

    console_client_id: str | None = None
    console_scopes: Words = ("openid", "profile", "email")
    console_connect: Words = ()
    brand_name: Annotated[str | None, Field(max_length=60)] = None
    brand_logo_url: Picture | None = None
    brand_color: Annotated[str | None, Field(pattern=r"^#[0-9A-Fa-f]{6}$")] = None

    send_burst: Annotated[int, Field(ge=1, le=10_000)] = 20
    send_per_minute: Annotated[int, Field(ge=1, le=60_000)] = 30
    send_new_contacts_per_day: Annotated[int, Field(ge=0, le=100_000)] = 50

    default_region: Region = REGION
    time_zone: TimeZone = TIME_ZONE

    cors_origins: Words = ()
    embed_origins: Origins = ()
    tenants_on_first_use: bool = True
    tenant_feed_secret: Secret | None = None
    tenant_feed_secret_previous: Secret | None = None

    scheduler_issuer: str = "https://accounts.google.com"
    scheduler_jwks_url: Url = "https://www.googleapis.com/oauth2/v3/certs"
    scheduler_audience: str | None = None
    scheduler_email: str | None = None

    events_topic: Annotated[str, Field(pattern=TOPIC)] | None = None
    media_topic: Annotated[str, Field(pattern=TOPIC)] | None = None
    media_bucket: Annotated[str, Field(pattern=BUCKET)] | None = None
    media_max_bytes: Annotated[int, Field(ge=1, le=2 * 1024**3)] = 100 * 1024**2
    media_history_days: Days = 30
    endpoints_on_loopback: bool = False

    capacity_alert_ratio: Annotated[float, Field(gt=0, le=1)] = 0.9
    capacity_memory_gb: Json[dict[Annotated[int, Field(gt=0)], Annotated[float, Field(gt=0)]]] = (
        MEMORY_GB
    )
    orphan_grace_days: Days = 30
    never_paired_days: Days = 7
    quarantine_days: Days = 7
    sweep_max_deletes: Annotated[int, Field(ge=0)] = 20
    sweep_max_loss: Annotated[float, Field(ge=0, lt=1)] = 0.2
    sweep_approval: Approval = Approval.ACTIVE
    sweep_overdue_hours: Annotated[float, Field(gt=0)] = 36
    sweep_jobs: Annotated[str | None, Field(pattern=JOBS)] = None
    sweep_seconds: Annotated[int, Field(ge=1, le=3600)] = 540

    alert_language: Literal["pt-BR", "en"] = "pt-BR"
    alert_remind_hours: Annotated[float, Field(gt=0)] = 24
    alert_disconnected_minutes: Annotated[float, Field(ge=0)] = 60
    alert_webhook_url: Annotated[Address | None, Field(repr=False)] = None
    alert_webhook_kind: Literal["slack", "google_chat", "json"] | None = None
    alert_webhook_secret: Secret | None = None
    alert_email_host: str | None = None
    alert_email_port: Annotated[int, Field(gt=0, lt=65536)] = 587
    alert_email_security: Literal["starttls", "tls", "none"] = "starttls"
    alert_email_user: str | None = None
    alert_email_password: SecretStr | None = None
    alert_email_from: str | None = None
    alert_email_to: Words = ()

    pubsub_emulator_host: str | None = None
    storage_emulator_host: Url | None = None
    google_cloud_project: str | None = None
    firestore_database: str = "(default)"

    @model_validator(mode="after")
    def _require_servers(self) -> Self:
        if not self.evolution_servers and not (self.evolution_url and self.evolution_api_key):
            raise ValueError(
                "EVOLUTION_URL with EVOLUTION_API_KEY, or EVOLUTION_SERVERS, is needed"
            )
        ids = [server.id for server in self.evolution_servers]
        if len(set(ids)) != len(ids):
            raise ValueError("EVOLUTION_SERVERS names a server twice")
        urls = {HttpUrl(server.url) for server in self.evolution_servers}
        if len(urls) != len(ids):
            raise ValueError("EVOLUTION_SERVERS has one url under two ids")
        return self

    @model_validator(mode="after")
    def _require_complete_groups(self) -> Self:
        if self.alert_email_host and not (self.alert_email_from and self.alert_email_to):
            raise ValueError("ALERT_EMAIL_HOST needs ALERT_EMAIL_FROM and ALERT_EMAIL_TO")
        if bool(self.scheduler_audience) != bool(self.scheduler_email):
            raise ValueError("SCHEDULER_AUDIENCE and SCHEDULER_EMAIL need each other")
        if self.endpoints_on_loopback and self.scheduler_email:
            raise ValueError("ENDPOINTS_ON_LOOPBACK is only for the local stack")
        return self

    @model_validator(mode="after")
    def _require_name_of_brand(self) -> Self:
        if (self.brand_logo_url or self.brand_color) and not self.brand_name:
            raise ValueError("BRAND_LOGO_URL and BRAND_COLOR need BRAND_NAME")
        return self

    @model_validator(mode="after")
    def _require_one_token_key(self) -> Self:
        if self.auth_jwks_url and self.auth_hs256_secret:
            raise ValueError("AUTH_JWKS_URL and AUTH_HS256_SECRET exclude each other")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """Return the time zone in which people read times."""
        return ZoneInfo(self.time_zone)

    @property
    def servers(self) -> dict[str, Server]:
        """Return the servers by id; `EVOLUTION_SERVERS` wins over the single-server variables."""
        if self.evolution_servers:
            return {server.id: server for server in self.evolution_servers}
        assert self.evolution_url
        assert self.evolution_api_key
        only = Server(
            id="main",
            url=self.evolution_url,
            api_key=self.evolution_api_key,
            instance_max=self.instance_max,
            version=self.evolution_version,
        )
        return {only.id: only}


def days(number: float) -> timedelta:
    """Convert a setting that counts days."""
    return timedelta(days=number)


def hours(number: float) -> timedelta:
    """Convert a setting that counts hours."""
    return timedelta(hours=number)


def read(environment: Mapping[str, str]) -> Settings:
    """Read the settings from an environment.

    Empty variables count as absent. White space around a value doesn't count: a secret that was
    piped somewhere ends with a new line.
    Raises ConfigurationError, which names every missing or wrong variable.
    """
    stripped = {name.lower(): value.strip() for name, value in environment.items()}
    variables = {name: value for name, value in stripped.items() if value}
    try:
        return Settings.model_validate(variables)
    except ValidationError as error:
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise ConfigurationError("; ".join(map(_sentence, faults))) from None


@cache
def settings() -> Settings:
    """Return this process's settings, read once."""
    return read(os.environ)


def _sentence(fault: Any) -> str:
    name, *rest = [str(part) for part in fault["loc"]] or [""]
    where = ".".join([name.upper(), *rest])
    text = fault["msg"].removeprefix("Value error, ")
    return f"{where}: {text}" if where else text
