"""The one origin: there, whole, ours, and closed to who may not in."""

import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import jwt

from infra import deployment
from infra.doctor import choices, servers
from infra.doctor.findings import Finding, Verdict, bad, doubtful, good
from shared import webhook_token
from shared.config import Settings

WHAT = "PUBLIC_URL"
PATIENCE = 15
FORGED = jwt.encode({"sub": "instance_doctor", "born": 1}, "a secret that nobody has ever used")
PROBLEMS = "urn:perene:problem:"
UNREACHED = (
    "Does the DNS record point at `terraform output address`, and is the certificate ACTIVE?"
    " Evolution needs to reach it too: try curl from its machine."
)


async def look(
    settings: Settings, http: httpx.AsyncClient, *, local: bool
) -> AsyncIterator[Finding]:
    """Its address, its functions, and its door for webhooks."""
    if not local and not settings.public_url.startswith("https://"):
        yield bad(WHAT, "it isn't https://", "Tokens and messages would go over it in the clear.")
    if not local and choices.is_inside(settings.public_url):
        yield bad(
            WHAT,
            "its host is inside some network: Evolution can't post there",
            "Set PUBLIC_URL to the origin's public address (terraform output origin).",
        )
    try:
        answer = await http.get(f"{settings.public_url}/openapi.json", timeout=PATIENCE)
    except httpx.HTTPError as error:
        yield bad(
            WHAT,
            f"it can't be reached from here ({type(error).__name__})",
            "Is make run running here?" if local else UNREACHED,
        )
        return
    document = _document(answer)
    yield document
    if document.verdict is Verdict.BAD:
        return  # whatever else it answers says nothing about Perene
    yield await servers.clock(WHAT, f"{settings.public_url}/openapi.json", http)
    async for finding in _functions(settings, http):
        yield finding
    async for finding in _webhook(settings, http):
        yield finding
    if settings.auth_hs256_secret and settings.auth_issuer and settings.auth_audience:
        yield await _person(settings, http, settings.auth_hs256_secret.get_secret_value())


def _document(answer: httpx.Response) -> Finding:
    try:
        version = answer.json()["openapi"]
    except (ValueError, KeyError, TypeError):
        return bad(
            WHAT,
            f"something else than Perene answers there ({answer.status_code})",
            "Is it the origin of this deployment, without a path? If it is: make deploy.",
        )
    return good(WHAT, f"Perene answers there (OpenAPI {version})")


async def _functions(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    """Each is there and, but for a page, asks who is calling; sweeps aren't there at all, or refuse
    too."""
    absent, open_ones = [], []
    for name, function in deployment.deployed().functions.items():
        if function.trust == "nobody" or name == "receive_webhook":
            continue
        answer = await http.get(f"{settings.public_url}{function.path}", timeout=PATIENCE)
        if function.trust == "page":
            absent += [] if answer.is_success or answer.is_redirect else [function.path]
        elif answer.is_success:
            open_ones.append(function.path)
        elif function.invoker == "public" and not _is_ours(answer):
            absent.append(function.path)
    if open_ones:
        yield bad(WHAT, f"{', '.join(open_ones)}: anybody is answered", "Take it off the internet.")
    if absent:
        yield bad(WHAT, f"no function answers at {', '.join(absent)}", "Deploy it: make deploy.")
    if not open_ones and not absent:
        yield good(WHAT, "every function is there and refuses strangers")


def _is_ours(answer: httpx.Response) -> bool:
    try:
        return str(answer.json().get("type", "")).startswith(PROBLEMS) and answer.status_code != 404
    except (ValueError, AttributeError):
        return False


async def _person(settings: Settings, http: httpx.AsyncClient, secret: str) -> Finding:
    """It takes a token that is signed with this AUTH_HS256_SECRET; asking for lines makes none."""
    now = int(time.time())
    claims: dict[str, Any] = {"iss": settings.auth_issuer, "aud": settings.auth_audience}
    claims |= {"iat": now, "exp": now + 60} | _nested(settings.auth_tenant_claim, "perene-doctor")
    token = jwt.encode(claims, secret, "HS256")
    answer = await http.get(
        f"{settings.public_url}/instances",
        headers={"authorization": f"Bearer {token}"},
        timeout=PATIENCE,
    )
    if answer.status_code != 401:
        return good("Sign-in", "a token signed with AUTH_HS256_SECRET counts")
    return bad(
        "Sign-in",
        "the deployment refuses a token made with this AUTH_HS256_SECRET, AUTH_ISSUER and"
        " AUTH_AUDIENCE",
        "One of them isn't the deployed one: compare; a real token's `iss` and `aud` too.",
    )


def _nested(claim: str, value: str) -> dict[str, Any]:
    first, _, rest = claim.partition(".")
    return {first: _nested(rest, value) if rest else value}


async def _webhook(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    """It refuses a forged token and takes ours; the event that is posted says nothing."""
    what, url = "Webhooks", f"{settings.public_url}/webhook"
    said = {"event": "presence.update", "instance": "", "data": {}}
    forged = await http.post(
        url, json=said, headers={webhook_token.HEADER: FORGED}, timeout=PATIENCE
    )
    if forged.status_code != 401:
        yield bad(
            what,
            f"a forged token is answered {forged.status_code}, not 401",
            "Whoever knows the address could post messages: is it receive_webhook that answers?",
        )
        return
    name = f"{settings.instance_prefix}doctor"
    secret = settings.webhook_secret.get_secret_value()
    token = jwt.encode({"sub": name, "born": 1}, secret, "HS256")
    ours = await http.post(
        url,
        json={**said, "instance": name},
        headers={webhook_token.HEADER: token},
        timeout=PATIENCE,
    )
    if ours.status_code == 401:
        yield bad(
            what,
            "the deployment refuses a token signed with this WEBHOOK_SECRET",
            "The secret here isn't the deployed one: deploy again, or use the deployed value.",
        )
    elif not ours.is_success:
        yield doubtful(
            what,
            f"our own token is answered {ours.status_code}",
            "See the log of receive-webhook; Evolution repeats it for some 20 minutes.",
        )
    else:
        yield good(what, "forged tokens are refused, ours is taken")
