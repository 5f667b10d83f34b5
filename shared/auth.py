"""Find out who is calling: the only place that says who a tenant is; closed unless configured."""

import asyncio
import hmac
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jwt
from starlette.requests import Request

from shared import config, problems, services, untrusted
from shared.domain import names
from shared.domain.contacts import clean_name
from shared.domain.names import TenantId

LEEWAY_SECONDS = 10
JWKS_LIFETIME_SECONDS = 600
JWKS_PAUSE_SECONDS = 10
JWKS_TIMEOUT_SECONDS = 5
ASYMMETRIC = ["RS256", "ES256"]
SYMMETRIC = ["HS256"]
JWKS = untrusted.Bounds(size=256 * 1024, items=2_000, depth=8)
UNREADABLE = (ValueError, TypeError, AttributeError, RecursionError)
"""Errors of reading JSON of another shape or depth."""

LONGEST_NAME = 80

FEED_HEADER = "x-feed-secret"

Claims = dict[str, Any]


async def require_tenant(request: Request) -> TenantId:
    """Return the tenant that the request's verified token names.

    Raises TokenMissing, TokenInvalid, TokenExpired, TenantUnusable, AuthNotConfigured,
    IssuerUnreachable.
    """
    claims = await _claims(request)
    tenant = _claim(claims, config.settings().auth_tenant_claim)
    if not isinstance(tenant, str) or not names.usable(tenant):
        raise problems.TenantUnusable()
    return TenantId(tenant)


class Caller(NamedTuple):
    """Who is calling, as the token says: its subject, and what that person is called."""

    subject: str
    name: str


async def require_caller(request: Request) -> Caller:
    """Return the person whom the request's verified token names; one without a name by its subject.

    Raises what require_tenant raises, but TenantUnusable.
    """
    claims = await _claims(request)
    subject = str(claims.get("sub") or "?")
    texts = (claims.get(name) for name in ("name", "email"))
    cleaned = (clean_name(text) for text in texts if isinstance(text, str))
    return Caller(subject, (next(filter(None, cleaned), None) or subject)[:LONGEST_NAME])


async def require_operator(request: Request) -> str:
    """Return the subject of an operator's token.

    `AUTH_OPERATOR_CLAIM` names a claim that must be true, or `claim=value` what it must be (or,
    for a list, contain). Raises NotAllowed and what require_tenant raises.
    """
    claims = await _claims(request)
    requirement = config.settings().auth_operator_claim
    if not requirement or not _holds(claims, requirement):
        raise problems.NotAllowed("Only an operator may do this.")
    return str(claims.get("sub", "operator"))


async def require_scheduler(request: Request) -> str:
    """Return the address of our Cloud Scheduler's service account, or the subject of an operator.

    The platform checks the token before; here it is checked again: Google signed it, for us, for
    that account. Raises as `require_operator`.
    """
    settings = config.settings()
    if settings.scheduler_email and _issuer(request) in _spellings(settings.scheduler_issuer):
        return await _scheduler(request, settings.scheduler_email)
    return await require_operator(request)


def require_feed_secret(request: Request) -> None:
    """Check that the request has `TENANT_FEED_SECRET`, or the previous one while that is set too.

    It takes as long for a wrong secret as for the right one. Raises TokenMissing, TokenInvalid,
    AuthNotConfigured.
    """
    settings, secret = config.settings(), request.headers.get(FEED_HEADER, "")
    if settings.tenant_feed_secret is None:
        raise problems.AuthNotConfigured()
    if not secret:
        raise problems.TokenMissing()
    settable = (settings.tenant_feed_secret, settings.tenant_feed_secret_previous)
    valid = [setting.get_secret_value().encode() for setting in settable if setting]
    if not any(hmac.compare_digest(secret.encode(), candidate) for candidate in valid):
        raise problems.TokenInvalid()


async def _scheduler(request: Request, email: str) -> str:
    settings, token = config.settings(), _bearer(request)
    key = await _key_of(token, settings.scheduler_jwks_url)
    assert settings.scheduler_audience
    trust = _Trust(_spellings(settings.scheduler_issuer), settings.scheduler_audience)
    claims = _verify(token, key, ASYMMETRIC, trust)
    if claims.get("email") != email or claims.get("email_verified") is not True:
        raise problems.NotAllowed("Only the scheduler may do this.")
    return email


def _issuer(request: Request) -> Any:
    """Return the issuer that a token names; it isn't verified yet."""
    with suppress(jwt.PyJWTError, *UNREADABLE):
        unchecked = {"verify_signature": False}
        return jwt.decode(_bearer(request), options=unchecked).get("iss")  # type: ignore[arg-type]
    return None


def _spellings(issuer: str) -> list[str]:
    """Return both spellings of an issuer: Google writes its own with and without the scheme."""
    return [issuer, issuer.removeprefix("https://")]


async def _claims(request: Request) -> Claims:
    token = _bearer(request)
    settings = config.settings()
    if not settings.auth_issuer or not settings.auth_audience:
        raise problems.AuthNotConfigured()
    trust = _Trust([settings.auth_issuer], settings.auth_audience)
    if settings.auth_hs256_secret:
        return _verify(token, settings.auth_hs256_secret.get_secret_value(), SYMMETRIC, trust)
    if settings.auth_jwks_url:
        return _verify(token, await _key_of(token, settings.auth_jwks_url), ASYMMETRIC, trust)
    raise problems.AuthNotConfigured()


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise problems.TokenMissing()
    return token.strip()


class _Trust(NamedTuple):
    """The issuers whose tokens count, and the audience that a token has to be for."""

    issuers: list[str]
    audience: str


def _verify(token: str, key: Any, algorithms: list[str], trust: _Trust) -> Claims:
    try:
        return jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=trust.audience,
            issuer=trust.issuers,
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iss", "aud"], "enforce_minimum_key_length": True},
        )
    except jwt.ExpiredSignatureError:
        raise problems.TokenExpired() from None
    except (jwt.PyJWTError, *UNREADABLE):
        raise problems.TokenInvalid() from None


def _claim(claims: Claims, name: str) -> Any:
    if name in claims:
        return claims[name]
    value: Any = claims
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _holds(claims: Claims, requirement: str) -> bool:
    name, separator, expected = requirement.partition("=")
    value = _claim(claims, name)
    if not separator:
        return value is True
    return expected in value if isinstance(value, list) else value == expected


@dataclass
class _KeyRing:
    """The public keys of an issuer, fetched without blocking other issuers, kept for 10 minutes."""

    url: str
    keys: dict[str | None, jwt.PyJWK] = field(default_factory=dict)
    fetched_at: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def key(self, key_id: str | None) -> jwt.PyJWK:
        """Return the key of that id; fetch the set again when it is old or doesn't have it.

        Raises IssuerUnreachable, TokenInvalid.
        """
        age = time.monotonic() - self.fetched_at
        if age > JWKS_LIFETIME_SECONDS or (key_id not in self.keys and age > JWKS_PAUSE_SECONDS):
            await self._refresh(time.monotonic())
        if not self.keys:
            raise problems.IssuerUnreachable()
        if key_id not in self.keys:
            raise problems.TokenInvalid()
        return self.keys[key_id]

    async def _refresh(self, needed_at: float) -> None:
        async with self.lock:
            if self.fetched_at >= needed_at:  # another request fetched it while this one waited
                return
            with suppress(problems.IssuerUnreachable, TimeoutError, jwt.PyJWTError, *UNREADABLE):
                async with asyncio.timeout(JWKS_TIMEOUT_SECONDS):
                    self.keys = await _fetch_keys(self.url)
            self.fetched_at = time.monotonic()


async def _key_of(token: str, url: str) -> jwt.PyJWK:
    try:
        key_id = jwt.get_unverified_header(token).get("kid")
    except (jwt.PyJWTError, *UNREADABLE):
        raise problems.TokenInvalid() from None
    ring: _KeyRing = services.once(f"keys {url}", lambda: _KeyRing(url))
    return await ring.key(key_id)


async def _fetch_keys(url: str) -> dict[str | None, jwt.PyJWK]:
    import httpx  # a tenth of the start of a function whose tokens have a shared secret

    try:
        async with httpx.AsyncClient(timeout=JWKS_TIMEOUT_SECONDS) as http:
            answer = (await http.get(url)).raise_for_status().content
    except httpx.HTTPError:
        raise problems.IssuerUnreachable() from None
    key_set = jwt.PyJWKSet.from_dict(untrusted.read(answer, JWKS)).keys
    keys = {key.key_id: key for key in key_set}
    return keys | ({None: next(iter(keys.values()))} if len(keys) == 1 else {})
