"""Where alerts go besides the log: a webhook, and e-mail."""

import asyncio
import hashlib
import hmac
import json
import smtplib
import ssl
import time
from collections.abc import Awaitable, Callable
from email.message import EmailMessage
from urllib.parse import urlsplit

import httpx

from shared import config, services
from shared.alerts import words
from shared.domain.fleet.incidents import Incident

TIMEOUT = 10.0
SIGNATURE = "x-perene-signature"
KINDS = {"hooks.slack.com": "slack", "chat.googleapis.com": "google_chat"}

Channel = Callable[[list[Incident]], Awaitable[None]]


class ChannelFailed(Exception):
    """The alert didn't get there; the next run tries again."""


def configured() -> dict[str, Channel]:
    """The channels that the settings name."""
    settings = config.settings()
    channels: dict[str, Channel] = {}
    if settings.alert_webhook_url:
        channels["webhook"] = post
    if settings.alert_email_host:
        channels["email"] = mail
    return channels


async def post(incidents: list[Incident]) -> None:
    """One POST tells all of them. Raises ChannelFailed."""
    settings = config.settings()
    url = settings.alert_webhook_url or ""
    said = words.text(incidents, settings.alert_language)
    kind = settings.alert_webhook_kind or KINDS.get(urlsplit(url).hostname or "", "json")
    body = _json(incidents, said) if kind == "json" else {"text": said}
    raw = json.dumps(body, ensure_ascii=False).encode()
    headers = {"content-type": "application/json; charset=UTF-8", **_signature(raw)}
    try:
        answer = await services.http().post(url, content=raw, headers=headers, timeout=TIMEOUT)
    except httpx.HTTPError as error:
        raise ChannelFailed(type(error).__name__) from None
    if not answer.is_success:
        raise ChannelFailed(f"status {answer.status_code}")


async def mail(incidents: list[Incident]) -> None:
    """One e-mail tells all of them. Raises ChannelFailed."""
    try:
        await asyncio.to_thread(_send, _letter(incidents))
    except (OSError, smtplib.SMTPException) as error:
        raise ChannelFailed(type(error).__name__) from None


def _json(incidents: list[Incident], said: str) -> dict[str, object]:
    fields = {"id", "cause", "subject", "count", "facts", "news", "raised_at", "resolved_at"}
    told = [
        {**each.model_dump(mode="json", include=fields), "severity": each.severity}
        for each in incidents
    ]
    return {"type": "perene.alert", "text": said, "incidents": told}


def _signature(raw: bytes) -> dict[str, str]:
    """`t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>">`, if there is a secret to sign with."""
    secret = config.settings().alert_webhook_secret
    if secret is None:
        return {}
    at = str(int(time.time()))
    signed = hmac.new(secret.get_secret_value().encode(), f"{at}.".encode() + raw, hashlib.sha256)
    return {SIGNATURE: f"t={at},v1={signed.hexdigest()}"}


def _letter(incidents: list[Incident]) -> EmailMessage:
    settings = config.settings()
    letter = EmailMessage()
    letter["Subject"] = words.title(incidents, settings.alert_language)
    letter["From"] = settings.alert_email_from
    letter["To"] = ", ".join(settings.alert_email_to)
    letter.set_content(words.text(incidents, settings.alert_language))
    return letter


def _send(letter: EmailMessage) -> None:
    settings = config.settings()
    host, port = settings.alert_email_host or "", settings.alert_email_port
    secure = ssl.create_default_context()
    if settings.alert_email_security == "tls":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=secure)
    else:
        server = smtplib.SMTP(host, port, timeout=TIMEOUT)
    with server:
        if settings.alert_email_security == "starttls":
            server.starttls(context=secure)
        if settings.alert_email_user and settings.alert_email_password:
            password = settings.alert_email_password.get_secret_value()
            server.login(settings.alert_email_user, password)
        server.send_message(letter)
