"""Whose tokens count: can their public keys be read?"""

from collections.abc import AsyncIterator

import httpx
import jwt

from infra.doctor.asking import ask
from infra.doctor.findings import Finding, bad, doubtful, good, unseen
from shared.auth import ASYMMETRIC, UNREADABLE
from shared.config import Settings


async def look(
    settings: Settings, http: httpx.AsyncClient, *, local: bool
) -> AsyncIterator[Finding]:
    """The issuer's of people's tokens, and Scheduler's."""
    if settings.auth_jwks_url:
        yield await _keys("AUTH_JWKS_URL", settings.auth_jwks_url, http)
        if settings.auth_issuer:
            yield await _itself(settings.auth_issuer, http)
    elif settings.auth_hs256_secret and not local:
        yield doubtful(
            "AUTH_HS256_SECRET",
            "whoever knows it can be anybody",
            "Prefer the issuer's asymmetric keys (AUTH_JWKS_URL), where it has them.",
        )
    if not local:
        yield await _keys("SCHEDULER_JWKS_URL", settings.scheduler_jwks_url, http)


async def _itself(issuer: str, http: httpx.AsyncClient) -> Finding:
    """What the issuer calls itself is what its tokens say: to the letter, slash and all."""
    what, place = "AUTH_ISSUER", f"{issuer.rstrip('/')}/.well-known/openid-configuration"
    try:
        named = (await ask(http, "GET", place)).raise_for_status().json()["issuer"]
    except (httpx.HTTPError, httpx.InvalidURL, KeyError, TypeError, *UNREADABLE):
        return unseen(
            what, "it says nowhere what it calls itself", "Compare it with a token's `iss`."
        )
    if named == issuer:
        return good(what, "it calls itself so")
    remedy = "Set it to what a token's `iss` says, to the letter (a slash at the end counts)."
    return bad(what, "the issuer calls itself otherwise: every token is refused", remedy)


async def _keys(what: str, url: str, http: httpx.AsyncClient) -> Finding:
    try:
        answer = await ask(http, "GET", url)
        answer.raise_for_status()
        published = jwt.PyJWKSet.from_dict(answer.json()).keys
    except httpx.HTTPError as error:
        remedy = "Every token is refused until it answers. Is the address right?"
        return bad(what, f"the keys can't be read ({type(error).__name__})", remedy)
    except (jwt.PyJWTError, *UNREADABLE):
        remedy = "It must be the issuer's jwks_uri. Supabase: sign with asymmetric keys first."
        return bad(what, "there are no keys at that address", remedy)
    usable = [key for key in published if key.algorithm_name in ASYMMETRIC]
    if short := sum(1 for key in usable if key.Algorithm.check_key_length(key.key)):
        remedy = "RSA keys need 2048 bits or more: let the issuer publish another one."
        return bad(what, f"{short} of its keys are too short to be trusted", remedy)
    if not usable:
        remedy = f"Tokens must be signed with {' or '.join(ASYMMETRIC)}."
        return bad(what, "none of the keys is of a kind that counts", remedy)
    return good(what, f"{len(usable)} key(s)")
