"""List the channels that alerts are delivered through: the log, a webhook, and e-mail."""

import asyncio
import hashlib
import hmac
import json
import smtplib
import ssl
import time
from email.message import EmailMessage
from urllib.parse import urlsplit

import httpx

from shared import config, services
from shared.alerts import words
from shared.alerts.log_channel import LOG, Channel, DeliveryFailed
from shared.config import Settings
from shared.domain.fleet.incidents import Incident

TIMEOUT = 10.0
SIGNATURE = "x-perene-signature"
CHAT_KINDS = {"hooks.slack.com": "slack", "chat.googleapis.com": "google_chat"}
TRANSIENT_STATUSES = frozenset({408, 429})
"""Client errors of a webhook that mean "later". Every other 4xx means "never"."""


def configured(settings: Settings) -> list[Channel]:
    """Return the channels that the settings switch on; the log is always one of them."""
    return [channel for channel in CHANNELS if channel.is_configured(settings)]


async def post_webhook(incidents: list[Incident]) -> None:
    """Post one alert for all incidents. Raises DeliveryFailed."""
    settings = config.settings()
    url = settings.alert_webhook_url or ""
    text = words.write_text(incidents, settings.alert_language, settings.zone)
    kind = settings.alert_webhook_kind or CHAT_KINDS.get(urlsplit(url).hostname or "", "json")
    body = _json_alert(incidents, text) if kind == "json" else {"text": text}
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json; charset=UTF-8", **_sign(raw)}
    try:
        response = await services.http().post(url, content=raw, headers=headers, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise DeliveryFailed(type(error).__name__) from None
    if not response.is_success:
        status = response.status_code
        is_permanent = 400 <= status < 500 and status not in TRANSIENT_STATUSES
        raise DeliveryFailed(f"status {status}", is_permanent=is_permanent)


async def send_email(incidents: list[Incident]) -> None:
    """Send one e-mail for all incidents. Raises DeliveryFailed."""
    try:
        await asyncio.to_thread(_send_by_smtp, _compose_email(incidents))
    except (OSError, smtplib.SMTPException) as error:
        is_permanent = _is_refused_for_good(error)
        raise DeliveryFailed(type(error).__name__, is_permanent=is_permanent) from None


CHANNELS = (
    LOG,
    Channel(
        "webhook",
        "ALERT_WEBHOOK_URL",
        lambda settings: bool(settings.alert_webhook_url),
        post_webhook,
    ),
    Channel(
        "email",
        "ALERT_EMAIL_*",
        lambda settings: bool(settings.alert_email_host),
        send_email,
    ),
)


def _json_alert(incidents: list[Incident], text: str) -> dict[str, object]:
    fields = {"id", "cause", "subject", "count", "facts", "news", "raised_at", "resolved_at"}
    bodies = [
        {**incident.model_dump(mode="json", include=fields), "severity": incident.severity}
        for incident in incidents
    ]
    return {"type": "perene.alert", "text": text, "incidents": bodies}


def _sign(raw: bytes) -> dict[str, str]:
    """Return the signature header, or no header if there is no secret to sign with.

    Its value is `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`.
    """
    secret = config.settings().alert_webhook_secret
    if secret is None:
        return {}
    at = str(int(time.time()))
    digest = hmac.new(secret.get_secret_value().encode(), f"{at}.".encode() + raw, hashlib.sha256)
    return {SIGNATURE: f"t={at},v1={digest.hexdigest()}"}


def _compose_email(incidents: list[Incident]) -> EmailMessage:
    settings = config.settings()
    email = EmailMessage()
    email["Subject"] = words.write_title(incidents, settings.alert_language)
    email["From"] = settings.alert_email_from
    email["To"] = ", ".join(settings.alert_email_to)
    email.set_content(words.write_text(incidents, settings.alert_language, settings.zone))
    return email


def _send_by_smtp(email: EmailMessage) -> None:
    settings = config.settings()
    host, port = settings.alert_email_host or "", settings.alert_email_port
    context = ssl.create_default_context()
    if settings.alert_email_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if settings.alert_email_security == "starttls":
            server.starttls(context=context)
        if settings.alert_email_user and settings.alert_email_password:
            password = settings.alert_email_password.get_secret_value()
            server.login(settings.alert_email_user, password)
        server.send_message(email)


def _is_refused_for_good(error: OSError | smtplib.SMTPException) -> bool:
    """Tell whether a mail server refused with 5xx, which RFC 5321 (4.2.1) calls permanent."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=recipients):
            return all(code >= 500 for code, _reason in recipients.values())
        case smtplib.SMTPResponseException(smtp_code=code):
            return code >= 500
        case _:
            return isinstance(error, smtplib.SMTPNotSupportedError)
