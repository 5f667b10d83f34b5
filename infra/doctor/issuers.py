"""Check the issuers of tokens: their names, and their public keys."""

from collections.abc import AsyncIterator

import httpx
import jwt

from infra.doctor.diagnosis import (
    Diagnosis,
    report_bad,
    report_doubtful,
    report_good,
    report_unseen,
)
from infra.doctor.fetch import fetch_response
from shared.auth import ASYMMETRIC, UNREADABLE
from shared.config import Settings


async def check_issuers(
    settings: Settings, http: httpx.AsyncClient, *, local: bool
) -> AsyncIterator[Diagnosis]:
    """Check the issuer of people's tokens, and Scheduler's."""
    if settings.auth_jwks_url:
        yield await _check_keys("AUTH_JWKS_URL", settings.auth_jwks_url, http)
        if settings.auth_issuer:
            yield await _check_name(settings.auth_issuer, http)
    elif settings.auth_hs256_secret and not local:
        yield report_doubtful(
            "AUTH_HS256_SECRET",
            "a person who knows it can sign in as any other",
            "Prefer the issuer's asymmetric keys (AUTH_JWKS_URL), where it has them.",
        )
    if not local:
        yield await _check_keys("SCHEDULER_JWKS_URL", settings.scheduler_jwks_url, http)


async def _check_name(issuer: str, http: httpx.AsyncClient) -> Diagnosis:
    """Compare AUTH_ISSUER with the name that the issuer publishes and its tokens carry.

    They must be equal to the letter, including a slash at the end.
    """
    subject, url = "AUTH_ISSUER", f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        name = (await fetch_response(http, "GET", url)).raise_for_status().json()["issuer"]
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, TypeError, *UNREADABLE):
        return report_unseen(
            subject, "it says nowhere what it calls itself", "Compare it with a token's `iss`."
        )
    if name == issuer:
        return report_good(subject, "it calls itself so")
    remedy = "Set it to what a token's `iss` says, to the letter (a slash at the end counts)."
    return report_bad(subject, "the issuer calls itself otherwise: every token is refused", remedy)


async def _check_keys(subject: str, url: str, http: httpx.AsyncClient) -> Diagnosis:
    try:
        answer = await fetch_response(http, "GET", url)
        answer.raise_for_status()
        published = jwt.PyJWKSet.from_dict(answer.json()).keys
    except httpx.HTTPError as error:
        remedy = "Every token is refused until it answers. Is the address right?"
        return report_bad(subject, f"the keys can't be read ({type(error).__name__})", remedy)
    except (jwt.PyJWTError, *UNREADABLE):
        remedy = "It must be the issuer's jwks_uri. Supabase: sign with asymmetric keys first."
        return report_bad(subject, "there are no keys at that address", remedy)
    usable = [key for key in published if key.algorithm_name in ASYMMETRIC]
    if short := sum(1 for key in usable if key.Algorithm.check_key_length(key.key)):
        remedy = "RSA keys need 2048 bits or more: let the issuer publish another one."
        return report_bad(subject, f"{short} of its keys are too short to be trusted", remedy)
    if not usable:
        remedy = f"Tokens must be signed with {' or '.join(ASYMMETRIC)}."
        return report_bad(subject, "none of the keys is of a kind that counts", remedy)
    return report_good(subject, f"{len(usable)} key(s)")
