"""Callers with all kinds of tokens, on all kinds of deployments."""

from starlette.requests import Request

from tests.perene import AUDIENCE, ISSUER, SECRET

TRUST = {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": AUDIENCE}
HS256 = {**TRUST, "AUTH_HS256_SECRET": SECRET}


def bearing(authorization: str | None) -> Request:
    """A request with this header, if any."""
    headers = [] if authorization is None else [(b"authorization", authorization.encode())]
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def asking(bearer: str) -> Request:
    """A request with this token."""
    return bearing(f"Bearer {bearer}")
