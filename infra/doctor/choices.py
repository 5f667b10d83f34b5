"""The settings themselves: valid, and what they leave open."""

import difflib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from infra import deployment
from infra.doctor.findings import Finding, bad, doubtful, good, unseen
from shared import config
from shared.config import Settings

WHAT = "Settings"


def read(environment: Mapping[str, str]) -> tuple[Settings | None, list[Finding]]:
    """The settings, if they are valid; each fault is a finding, and none shows a value."""
    try:
        settings = config.read(environment)
    except config.ConfigurationError as error:
        remedy = "README, Configuration, says what it means; infra/terraform says where it is set."
        return None, [bad(WHAT, fault, remedy) for fault in str(error).split("; ")]
    return settings, [good(WHAT, "valid")]


def unknown(names: Iterable[str]) -> Iterator[Finding]:
    """What somebody wrote into a file of settings and is none."""
    listed = deployment.listed()
    known = {*listed.secret, *listed.plain, *listed.computed, "FIRESTORE_EMULATOR_HOST"}
    for name in sorted({*names} - known):
        (close, *_) = *difflib.get_close_matches(name, known, 1), ""
        meant = f"Is {close} meant? " if close else ""
        yield doubtful(
            WHAT,
            f"{name} isn't one of Perene's: it has no effect",
            f"{meant}README, Configuration, lists them.",
        )


def left_open(settings: Settings, *, local: bool) -> Iterator[Finding]:
    """What works and may be regretted."""
    yield from _callers(settings)
    if local:
        return
    yield from _exposed(settings)
    yield from _told(settings)


def is_inside(url: str) -> bool:
    """Whether only this machine or its own network can know the address."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _callers(settings: Settings) -> Iterator[Finding]:
    checked = settings.auth_jwks_url or settings.auth_hs256_secret
    if not (settings.auth_issuer and settings.auth_audience and checked):
        yield bad(
            "Sign-in",
            "no token counts: everybody is refused",
            "Set AUTH_ISSUER, AUTH_AUDIENCE, and AUTH_JWKS_URL or AUTH_HS256_SECRET.",
        )
    if settings.auth_operator_claim is None:
        yield doubtful(
            "Operators",
            "nobody is one: the fleet can't be looked at",
            "Set AUTH_OPERATOR_CLAIM to a claim that only your identity provider can give.",
        )
    elif settings.auth_operator_claim.startswith("user_metadata"):
        yield bad(
            "Operators",
            "AUTH_OPERATOR_CLAIM is one that people write themselves",
            "Use app_metadata, which only your backend can write.",
        )
    if settings.auth_tenant_claim.startswith("user_metadata"):
        yield bad(
            "Tenants",
            "AUTH_TENANT_CLAIM is one that people write themselves: anybody can be any tenant",
            "Use `sub` or app_metadata, which only your backend can write.",
        )


def _exposed(settings: Settings) -> Iterator[Finding]:
    if "*" in settings.cors_origins:
        yield doubtful("Browsers", "CORS_ORIGINS lets every page call", "List your own frontends.")
    for server in settings.servers.values():
        if server.url.startswith("http://") and not is_inside(server.url):
            yield bad(
                f"Server {server.id}",
                "our key and people's messages cross the internet in the clear",
                "Put TLS in front of it, and give its https:// address.",
            )
    for name in ("webhook_secret", "tenant_feed_secret"):
        current, previous = getattr(settings, name), getattr(settings, f"{name}_previous")
        if previous and current == previous:
            yield doubtful(
                name.upper(),
                f"{name.upper()}_PREVIOUS is the current secret: nothing was rotated",
                f"Draw a new {name.upper()} (infra/operations.md, Rotating secrets).",
            )


def _told(settings: Settings) -> Iterator[Finding]:
    if not settings.alert_webhook_url and not settings.alert_email_host:
        yield doubtful(
            "Alerts",
            "incidents are only in the log",
            "Set ALERT_WEBHOOK_URL or ALERT_EMAIL_*; or rely on Cloud Monitoring's e-mails.",
        )
    if not settings.scheduler_email:
        yield unseen(
            "Scheduler",
            "SCHEDULER_AUDIENCE and SCHEDULER_EMAIL aren't here",
            "infra/terraform gives each sweep its own. By hand: set them, or sweeps are refused.",
        )
