"""The token that an instance's webhooks carry: it names the instance, and only we can sign it."""

from functools import lru_cache
from typing import NamedTuple

import jwt

from shared import config, problems
from shared.domain.names import InstanceName

HEADER = "x-webhook-token"
_ALGORITHM = "HS256"


class Bearer(NamedTuple):
    """Whose events a token lets in: an instance, as made at a time (epoch milliseconds)."""

    name: InstanceName
    born: int


def sign(name: InstanceName, born: int) -> str:
    """The token of an instance; always the same one while `WEBHOOK_SECRET` stays."""
    secret = config.settings().webhook_secret.get_secret_value()
    return jwt.encode({"sub": name, "born": born}, secret, _ALGORITHM)


def verify(token: str) -> Bearer:
    """Whose token it is, signed with our secret or the previous one. Raises WebhookForged."""
    settings = config.settings()
    for secret in (settings.webhook_secret, settings.webhook_secret_previous):
        if secret and (bearer := _bearer(token, secret.get_secret_value())):
            return bearer
    raise problems.WebhookForged()


def _bearer(token: str, secret: str) -> Bearer | None:
    try:
        return _signed(token, secret)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None


@lru_cache(maxsize=10_000)
def _signed(token: str, secret: str) -> Bearer:
    """Remembered, since an instance always sends the same one; a forged one raises and isn't."""
    options = {"require": ["sub", "born"]}
    claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)  # type: ignore[arg-type]
    if not claims["sub"]:
        raise ValueError("nobody's")
    return Bearer(InstanceName(claims["sub"]), int(claims["born"]))
