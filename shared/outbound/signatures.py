"""Sign events as Standard Webhooks 1.0 says (https://www.standardwebhooks.com).

We sign ourselves: the package's `sign` reads the local time zone into the timestamp it is given.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES, LEAST_BYTES = 32, 24
"""How long our secrets are, and how short one may be by the standard."""


def draw_secret() -> str:
    """Return a new secret, in the form that receivers' libraries take."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def build_headers(
    event_id: str, body: bytes, signing_secrets: Iterable[str], now: datetime
) -> dict[str, str]:
    """Return the three headers of a signed webhook, with one signature for each secret."""
    at = str(int(now.timestamp()))
    signed = f"{event_id}.{at}.".encode() + body
    signatures = [_sign(signed, secret) for secret in signing_secrets]
    return {
        "webhook-id": event_id,
        "webhook-timestamp": at,
        "webhook-signature": " ".join(signatures),
    }


def can_sign(secret: str) -> bool:
    """Tell whether a secret is one that signs, as receivers' libraries read it."""
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        return False
    return secret.startswith(PREFIX) and len(key) >= LEAST_BYTES


def _sign(signed: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
