"""Check the settings: whether they are valid, and what they leave open."""

import difflib
import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from infra import deployment
from infra.doctor.diagnosis import (
    Diagnosis,
    report_bad,
    report_doubtful,
    report_good,
    report_unseen,
)
from shared import config
from shared.alerts import channels
from shared.config import Settings

SUBJECT = "Settings"


def read_settings(environment: Mapping[str, str]) -> tuple[Settings | None, list[Diagnosis]]:
    """Return the settings, if they are valid, and a diagnosis for each fault.

    No diagnosis shows a value.
    """
    try:
        settings = config.read(environment)
    except config.ConfigurationError as error:
        remedy = "Its meaning: infra/docs/configuration.md; where it is set: infra/terraform."
        return None, [report_bad(SUBJECT, fault, remedy) for fault in str(error).split("; ")]
    return settings, [report_good(SUBJECT, "valid")]


def check_names(names: Iterable[str]) -> Iterator[Diagnosis]:
    """Report each name in a file of settings that isn't a setting."""
    settings = deployment.load_setting_list()
    valid = {*settings.secret, *settings.plain, *settings.computed, *settings.local}
    valid.add("FIRESTORE_EMULATOR_HOST")
    for name in sorted({*names} - valid):
        (close, *_) = *difflib.get_close_matches(name, valid, 1), ""
        question = f"Is {close} meant? " if close else ""
        yield report_doubtful(
            SUBJECT,
            f"{name} isn't one of Perene's: it has no effect",
            f"{question}infra/docs/configuration.md lists them.",
        )


def check_choices(settings: Settings, *, local: bool) -> Iterator[Diagnosis]:
    """Report settings that are valid and unsafe, or may be regretted."""
    yield from _check_callers(settings)
    if local:
        return
    yield from _check_exposure(settings)
    yield from _check_alerts(settings)


def is_internal(url: str) -> bool:
    """Tell whether only this machine or its own network can reach the address."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localhost"))


def _check_callers(settings: Settings) -> Iterator[Diagnosis]:
    key = settings.auth_jwks_url or settings.auth_hs256_secret
    if not (settings.auth_issuer and settings.auth_audience and key):
        yield report_bad(
            "Sign-in",
            "no token counts: everybody is refused",
            "Set AUTH_ISSUER, AUTH_AUDIENCE, and AUTH_JWKS_URL or AUTH_HS256_SECRET.",
        )
    if settings.auth_operator_claim is None:
        yield report_doubtful(
            "Operators",
            "no caller is one: the fleet can't be looked at",
            "Set AUTH_OPERATOR_CLAIM to a claim that only your identity provider can give.",
        )
    elif settings.auth_operator_claim.startswith("user_metadata"):
        yield report_bad(
            "Operators",
            "AUTH_OPERATOR_CLAIM is one that people write themselves",
            "Use app_metadata, which only your backend can write.",
        )
    if settings.auth_tenant_claim.startswith("user_metadata"):
        yield report_bad(
            "Tenants",
            "AUTH_TENANT_CLAIM is one that people write themselves: every person can be any tenant",
            "Use `sub` or app_metadata, which only your backend can write.",
        )


def _check_exposure(settings: Settings) -> Iterator[Diagnosis]:
    if "*" in settings.cors_origins:
        yield report_doubtful(
            "Browsers", "CORS_ORIGINS lets every page call", "List your own frontends."
        )
    if any(origin.startswith("http://") for origin in settings.embed_origins):
        yield report_doubtful(
            "Browsers",
            "EMBED_ORIGINS lets pages of a developer's own machine show codes",
            "Take http:// out of it where clients connect.",
        )
    for server in settings.servers.values():
        if server.url.startswith("http://") and not is_internal(server.url):
            yield report_bad(
                f"Server {server.id}",
                "our key and people's messages cross the internet in the clear",
                "Put TLS in front of it, and give its https:// address.",
            )
    for name in ("webhook_secret", "tenant_feed_secret"):
        current, previous = getattr(settings, name), getattr(settings, f"{name}_previous")
        if previous and current == previous:
            yield report_doubtful(
                name.upper(),
                f"{name.upper()}_PREVIOUS is the current secret: nothing was rotated",
                f"Draw a new {name.upper()} (infra/docs/operations.md, Rotating secrets).",
            )


def _check_alerts(settings: Settings) -> Iterator[Diagnosis]:
    variables = [channel.variables for channel in channels.CHANNELS if channel.variables]
    if not any(channel.variables for channel in channels.configured(settings)):
        yield report_doubtful(
            "Alerts",
            "incidents are only in the log",
            f"Set {' or '.join(variables)}; or rely on Cloud Monitoring's e-mails.",
        )
    if not settings.scheduler_email:
        yield report_unseen(
            "Scheduler",
            "SCHEDULER_AUDIENCE and SCHEDULER_EMAIL aren't here",
            "infra/terraform gives each sweep its own; without them sweeps are refused.",
        )
