"""The token that an instance's webhooks carry: it names the instance, and only we can sign it."""

import jwt

from shared import config, problems
from shared.domain.names import InstanceName

HEADER = "x-webhook-token"
_ALGORITHM = "HS256"


def sign(name: InstanceName) -> str:
    """The token of an instance; always the same one while `WEBHOOK_SECRET` stays."""
    secret = config.settings().webhook_secret.get_secret_value()
    return jwt.encode({"sub": name}, secret, _ALGORITHM)


def verify(token: str) -> InstanceName:
    """The instance that a token names, signed with our secret or the previous one.

    Raises WebhookForged.
    """
    settings = config.settings()
    for secret in (settings.webhook_secret, settings.webhook_secret_previous):
        if secret and (name := _name(token, secret.get_secret_value())):
            return InstanceName(name)
    raise problems.WebhookForged()


def _name(token: str, secret: str) -> str | None:
    options = {"require": ["sub"]}
    try:
        claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)  # type: ignore[arg-type]
    except (jwt.PyJWTError, ValueError):
        return None
    return str(claims["sub"])
