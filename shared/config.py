"""Read the settings from the environment, once, and validate them at start."""

import os
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct, field
from msgspec.structs import fields

from shared.domain.fleet.rules import Approval
from shared.setting_types import (
    JSON,
    WORDS,
    HiddenAddress,
    NotRead,
    Password,
    PictureAddress,
    Secret,
    SettingText,
    Url,
    read_setting,
    spell_address,
)

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
"""Pydantic would look for plugins among all packages before it builds its first model: 10 ms."""

JOBS = r"^projects/[a-z0-9:.-]+/locations/[a-z0-9-]+/jobs$"
TOPIC = r"^projects/[^/]+/topics/[A-Za-z][A-Za-z0-9._~+%-]{2,254}$"
WEB_ORIGIN = r"^(https://[a-z0-9.-]+|http://(localhost|127\.0\.0\.1))(:[0-9]{1,5})?$"
BUCKET = r"^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$"
SERVER_ID = r"^[a-z0-9][a-z0-9-]{0,31}\Z"
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


def dialect_of(version: str) -> DialectName | None:
    """Return how a server of that version is spoken to; None if Perene doesn't know it."""
    match = VERSION.fullmatch(version)
    return DIALECT_OF_VERSION.get(match[1]) if match else None


class Version(SettingText):
    """A version of Evolution that Perene knows."""

    __slots__ = ()

    @staticmethod
    def check(text: str) -> None:
        """Raise ValueError for another version."""
        if dialect_of(text) is None:
            raise ValueError(f"Perene knows {KNOWN_VERSIONS}, each with its patch, as in 2.3.6")


class Region(SettingText):
    """A country, by its two letters."""

    __slots__ = ()

    @staticmethod
    def check(text: str) -> None:
        """Raise ValueError for a country that phone numbers aren't known of."""
        if text != REGION:
            import phonenumbers  # takes 25 ms at the start of a function

            if text not in phonenumbers.SUPPORTED_REGIONS:
                raise ValueError(f"must be a country's two letters, as in {REGION}")


class TimeZone(SettingText):
    """A time zone, by its name in the time zone database."""

    __slots__ = ()

    @staticmethod
    def check(text: str) -> None:
        """Raise ValueError for a name that isn't there."""
        if text != TIME_ZONE:
            try:
                _open_zone(text)
            except (KeyError, ValueError, OSError):
                raise ValueError(
                    f"must be a name of the time zone database, as {TIME_ZONE}"
                ) from None


def _open_zone(name: str) -> "ZoneInfo":
    from zoneinfo import ZoneInfo  # takes 5 ms at the start of a function

    return ZoneInfo(name)


DEFAULT_VERSION = Version("2.3.6")
Words = Annotated[tuple[str, ...], WORDS]
Origins = Annotated[tuple[Annotated[str, Meta(pattern=WEB_ORIGIN)], ...], WORDS]
Days = Annotated[float, Meta(ge=0, le=3650)]
Hours = Annotated[float, Meta(gt=0, le=5 * 10**6)]
Minutes = Annotated[float, Meta(ge=0, le=3 * 10**8)]
"""Durations of 570 years at most: more of them, and a time that they are added to is none."""

Count = Annotated[int, Meta(ge=0)]
Topic = Annotated[str, Meta(pattern=TOPIC)]

MEMORY_GB = {100: 4.0, 500: 16.0, 1000: 32.0}
"""Gigabytes of memory that a server needs for so many instances, as Evolution's users plan it."""

Memory = Annotated[dict[Annotated[int, Meta(gt=0)], Annotated[float, Meta(gt=0)]], JSON]


class Server(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An Evolution deployment."""

    id: Annotated[str, Meta(pattern=SERVER_ID)]
    url: Url
    api_key: Password
    instance_max: Count = 100
    version: Version = DEFAULT_VERSION

    @property
    def dialect(self) -> DialectName:
        """Return which request and response shapes the server speaks."""
        dialect = dialect_of(self.version)
        assert dialect
        return dialect


class Settings(Struct, frozen=True, kw_only=True):
    """The choices of a deployment. Field names are the environment's variables in lower case."""

    evolution_url: Url | None = None
    evolution_api_key: Password | None = None
    evolution_version: Version = DEFAULT_VERSION
    instance_max: Count = 100
    evolution_servers: Annotated[tuple[Server, ...], JSON] = ()
    instance_prefix: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$")] = "instance_"

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
    brand_name: Annotated[str, Meta(max_length=60)] | None = None
    brand_logo_url: PictureAddress | None = None
    brand_color: Annotated[str, Meta(pattern=r"^#[0-9A-Fa-f]{6}$")] | None = None

    send_burst: Annotated[int, Meta(ge=1, le=10_000)] = 20
    send_per_minute: Annotated[int, Meta(ge=1, le=60_000)] = 30
    send_new_contacts_per_day: Annotated[int, Meta(ge=0, le=100_000)] = 50

    default_region: Region = Region(REGION)
    time_zone: TimeZone = TimeZone(TIME_ZONE)

    cors_origins: Words = ()
    embed_origins: Origins = ()
    tenants_on_first_use: bool = True
    tenant_feed_secret: Secret | None = None
    tenant_feed_secret_previous: Secret | None = None

    scheduler_issuer: str = "https://accounts.google.com"
    scheduler_jwks_url: Url = Url("https://www.googleapis.com/oauth2/v3/certs")
    scheduler_audience: str | None = None
    scheduler_email: str | None = None

    events_topic: Topic | None = None
    media_topic: Topic | None = None
    media_bucket: Annotated[str, Meta(pattern=BUCKET)] | None = None
    media_max_bytes: Annotated[int, Meta(ge=1, le=2 * 1024**3)] = 100 * 1024**2
    media_history_days: Days = 30
    endpoints_on_loopback: bool = False

    capacity_alert_ratio: Annotated[float, Meta(gt=0, le=1)] = 0.9
    capacity_memory_gb: Memory = field(default_factory=MEMORY_GB.copy)
    orphan_grace_days: Days = 30
    never_paired_days: Days = 7
    quarantine_days: Days = 7
    sweep_max_deletes: Count = 20
    sweep_max_loss: Annotated[float, Meta(ge=0, lt=1)] = 0.2
    sweep_approval: Approval = Approval.ACTIVE
    sweep_overdue_hours: Hours = 36
    sweep_jobs: Annotated[str, Meta(pattern=JOBS)] | None = None
    sweep_seconds: Annotated[int, Meta(ge=1, le=3600)] = 540

    alert_language: Literal["pt-BR", "en"] = "pt-BR"
    alert_remind_hours: Hours = 24
    alert_disconnected_minutes: Minutes = 60
    alert_webhook_url: HiddenAddress | None = None
    alert_webhook_kind: Literal["slack", "google_chat", "json"] | None = None
    alert_webhook_secret: Secret | None = None
    alert_email_host: str | None = None
    alert_email_port: Annotated[int, Meta(gt=0, lt=65536)] = 587
    alert_email_security: Literal["starttls", "tls", "none"] = "starttls"
    alert_email_user: str | None = None
    alert_email_password: Password | None = None
    alert_email_from: str | None = None
    alert_email_to: Words = ()

    pubsub_emulator_host: str | None = None
    storage_emulator_host: Url | None = None
    google_cloud_project: str | None = None
    firestore_database: str = "(default)"

    def __post_init__(self) -> None:
        """Raise ValueError for settings that don't fit together."""
        for fault in self._find_misfits():
            raise ValueError(fault)

    def _find_misfits(self) -> Iterator[str]:
        if not self.evolution_servers and not (self.evolution_url and self.evolution_api_key):
            yield "EVOLUTION_URL with EVOLUTION_API_KEY, or EVOLUTION_SERVERS, is needed"
        servers = self.evolution_servers
        if len({server.id for server in servers}) != len(servers):
            yield "EVOLUTION_SERVERS names a server twice"
        if len({spell_address(server.url) for server in servers}) != len(servers):
            yield "EVOLUTION_SERVERS has one url under two ids"
        if self.alert_email_host and not (self.alert_email_from and self.alert_email_to):
            yield "ALERT_EMAIL_HOST needs ALERT_EMAIL_FROM and ALERT_EMAIL_TO"
        if bool(self.scheduler_audience) != bool(self.scheduler_email):
            yield "SCHEDULER_AUDIENCE and SCHEDULER_EMAIL need each other"
        if self.endpoints_on_loopback and self.scheduler_email:
            yield "ENDPOINTS_ON_LOOPBACK is only for the local stack"
        if (self.brand_logo_url or self.brand_color) and not self.brand_name:
            yield "BRAND_LOGO_URL and BRAND_COLOR need BRAND_NAME"
        if self.auth_jwks_url and self.auth_hs256_secret:
            yield "AUTH_JWKS_URL and AUTH_HS256_SECRET exclude each other"

    @property
    def zone(self) -> "ZoneInfo":
        """Return the time zone in which people read times."""
        return _open_zone(self.time_zone)

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
    values, faults = {}, []
    for setting in fields(Settings):
        if setting.name in variables:
            try:
                values[setting.name] = read_setting(variables[setting.name], setting.type)
            except NotRead as fault:
                faults.append(f"{setting.name.upper()}{fault.place}: {fault}")
        elif setting.required:
            faults.append(f"{setting.name.upper()}: Field required")
    if faults:
        raise ConfigurationError("; ".join(faults))
    try:
        return Settings(**values)
    except ValueError as misfit:
        raise ConfigurationError(str(misfit)) from None


@cache
def settings() -> Settings:
    """Return this process's settings, read once."""
    return read(os.environ)
