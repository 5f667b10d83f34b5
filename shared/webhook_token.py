"""Sign and verify the token of an instance's webhooks: it names the instance."""

from functools import lru_cache
from typing import NamedTuple

import jwt

from shared import config, problems
from shared.domain.names import InstanceName

HEADER = "x-webhook-token"
_ALGORITHM = "HS256"


class WebhookIdentity(NamedTuple):
    """The instance whose events a token lets in.

    `generation`: when the instance was made upstream (epoch milliseconds). It tells the instance
    from earlier ones of the same name; the claim in the token is `born`.
    """

    name: InstanceName
    generation: int


def sign(name: InstanceName, generation: int) -> str:
    """Return the token of an instance; always the same one while `WEBHOOK_SECRET` stays."""
    secret = config.settings().webhook_secret.get_secret_value()
    return jwt.encode({"sub": name, "born": generation}, secret, _ALGORITHM)


def verify(token: str) -> WebhookIdentity:
    """Return whose token it is, signed with our secret or the previous one.

    Raises WebhookForged.
    """
    settings = config.settings()
    for secret in (settings.webhook_secret, settings.webhook_secret_previous):
        if secret and (identity := _identity(token, secret.get_secret_value())):
            return identity
    raise problems.WebhookForged()


def _identity(token: str, secret: str) -> WebhookIdentity | None:
    try:
        return _decode(token, secret)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None


@lru_cache(maxsize=10_000)
def _decode(token: str, secret: str) -> WebhookIdentity:
    """Decode a token, and remember it: an instance always sends the same one.

    Raises for a forged one, which isn't remembered.
    """
    options = {"require": ["sub", "born"]}
    claims = jwt.decode(token, secret, algorithms=[_ALGORITHM], options=options)  # type: ignore[arg-type]
    if not claims["sub"]:
        raise ValueError("no instance")
    return WebhookIdentity(InstanceName(claims["sub"]), int(claims["born"]))
