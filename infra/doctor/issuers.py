"""Whose tokens count: can their public keys be read?"""

from collections.abc import AsyncIterator

import httpx
import jwt

from infra.doctor.asking import ask
from infra.doctor.findings import Finding, bad, doubtful, good
from shared.auth import ASYMMETRIC, UNREADABLE
from shared.config import Settings


async def look(
    settings: Settings, http: httpx.AsyncClient, *, local: bool
) -> AsyncIterator[Finding]:
    """The issuer's of people's tokens, and Scheduler's."""
    if settings.auth_jwks_url:
        yield await _keys("AUTH_JWKS_URL", settings.auth_jwks_url, http)
    elif settings.auth_hs256_secret and not local:
        yield doubtful(
            "AUTH_HS256_SECRET",
            "whoever knows it can be anybody",
            "Prefer the issuer's asymmetric keys (AUTH_JWKS_URL), where it has them.",
        )
    if not local:
        yield await _keys("SCHEDULER_JWKS_URL", settings.scheduler_jwks_url, http)


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
    if not usable:
        remedy = f"Tokens must be signed with {' or '.join(ASYMMETRIC)}."
        return bad(what, "none of the keys is of a kind that counts", remedy)
    return good(what, f"{len(usable)} key(s)")
