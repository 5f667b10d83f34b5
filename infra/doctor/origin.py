"""The one origin: there, whole, ours, and closed to who may not in."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import jwt

from infra import deployment
from infra.doctor import choices, servers
from infra.doctor.asking import ask
from infra.doctor.findings import Finding, Verdict, bad, doubtful, good
from shared import webhook_token
from shared.auth import FEED_HEADER, UNREADABLE
from shared.config import Settings

WHAT = "PUBLIC_URL"
OPEN, ABSENT = "anybody is answered", "no function answers there"
REMEDIES = {OPEN: "Take it off the internet.", ABSENT: "Deploy it: make deploy."}
SEE_ITS_LOG = "See its log; `configuration.invalid` names the setting that is wrong."
SEE_LOGS = "See the functions' logs, and the load balancer."
LED_NOWHERE = "Evolution can't post there: is what leads from there to this machine running?"
FORGED = jwt.encode({"sub": "instance_doctor", "born": 1}, "a secret that nobody has ever used")
PROBLEMS = "urn:perene:problem:"
UNREACHED = (
    "Does the DNS record point at `terraform -chdir=infra/terraform output address`, and is the"
    " certificate ACTIVE? Evolution needs to reach it too: try curl from its machine."
)


async def look(
    settings: Settings, http: httpx.AsyncClient, *, local: bool, own: str | None = None
) -> AsyncIterator[Finding]:
    """Its address, its functions, and its door for webhooks.

    Everything but that door is looked at where the local stack is on this machine, if it is.
    """
    public = settings
    settings = settings.model_copy(update={"public_url": own or public.public_url})
    if not local and not settings.public_url.startswith("https://"):
        yield bad(WHAT, "it isn't https://", "Tokens and messages would go over it in the clear.")
    if not local and choices.is_inside(settings.public_url):
        yield bad(
            WHAT,
            "its host is inside some network: Evolution can't post there",
            "Set PUBLIC_URL to the origin's public address: https:// and your domain.",
        )
    try:
        answer = await ask(http, "GET", f"{settings.public_url}/openapi.json")
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
    looks = ((_functions, settings), (_webhook, public), (_feed, settings), (_person, settings))
    for look_at, where in looks:
        try:
            async for finding in look_at(where, http):
                yield finding
        except httpx.HTTPError as error:
            remedy = LED_NOWHERE if where.public_url != settings.public_url else SEE_LOGS
            yield bad(WHAT, f"it stopped answering ({type(error).__name__})", remedy)


def _document(answer: httpx.Response) -> Finding:
    try:
        version = answer.json()["openapi"]
    except (KeyError, *UNREADABLE):
        return bad(
            WHAT,
            f"something else than Perene answers there ({answer.status_code})",
            "Is it the origin of this deployment, without a path? If it is: make deploy.",
        )
    return good(WHAT, f"Perene answers there (OpenAPI {version})")


async def _functions(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    """Each is there and, but for a page, asks who is calling; sweeps aren't there at all, or refuse
    too."""
    wrong: dict[str, list[str]] = {}
    for name, function in deployment.deployed().functions.items():
        if function.trust != "nobody" and name != "receive_webhook":
            answer = await _stranger(f"{settings.public_url}{function.path}", http)
            wrong.setdefault(_fault(function, answer), []).append(function.path)
    wrong.pop("", None)
    for fault, paths in wrong.items():
        yield bad(WHAT, f"{', '.join(paths)}: {fault}", REMEDIES.get(fault, SEE_ITS_LOG))
    if not wrong:
        yield good(WHAT, "every function is there and refuses strangers")


async def _stranger(url: str, http: httpx.AsyncClient) -> httpx.Response:
    """What somebody without a token is answered; POST is asked only where GET isn't known."""
    answer = await ask(http, "GET", url)
    return await ask(http, "POST", url) if answer.status_code == 405 else answer


def _fault(function: deployment.Function, answer: httpx.Response) -> str:
    slug, public = _problem(answer), function.invoker == "public"
    if function.trust == "page":
        return "" if answer.is_success or answer.is_redirect else ABSENT
    if answer.is_success:
        return OPEN
    if not public or (slug and answer.status_code == 401):
        return ""
    if function.trust == "feed" and slug == "auth-not-configured":
        return ""
    absent = not slug or answer.status_code == 404
    return ABSENT if absent else f"a stranger is answered {answer.status_code} ({slug})"


def _problem(answer: httpx.Response) -> str:
    """Which of our problems the answer is."""
    with suppress(*UNREADABLE):
        said = str(answer.json().get("type", ""))
        return said.removeprefix(PROBLEMS) if said.startswith(PROBLEMS) else ""
    return ""


async def _person(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    """It takes a token that is signed with this AUTH_HS256_SECRET; asking for lines makes none."""
    secret = settings.auth_hs256_secret
    if not (secret and settings.auth_issuer and settings.auth_audience):
        return
    now = int(time.time())
    claims: dict[str, Any] = {"iss": settings.auth_issuer, "aud": settings.auth_audience}
    claims |= {"iat": now, "exp": now + 60} | _nested(settings.auth_tenant_claim, "perene-doctor")
    token = jwt.encode(claims, secret.get_secret_value(), "HS256")
    url = f"{settings.public_url}/instances"
    answer = await ask(http, "GET", url, headers={"authorization": f"Bearer {token}"})
    if answer.status_code != 401:
        yield good("Sign-in", "a token signed with AUTH_HS256_SECRET counts")
        return
    yield bad(
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
    forged = await ask(http, "POST", url, json=said, headers={webhook_token.HEADER: FORGED})
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
    said |= {"instance": name}
    ours = await ask(http, "POST", url, json=said, headers={webhook_token.HEADER: token})
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


async def _feed(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Finding]:
    """It takes our secret; what is posted is no row, so it is refused after that."""
    if settings.tenant_feed_secret is None:
        return
    headers = {FEED_HEADER: settings.tenant_feed_secret.get_secret_value()}
    answer = await ask(http, "POST", f"{settings.public_url}/tenant-feed", json={}, headers=headers)
    if answer.status_code == 422:
        yield good("Feed of tenants", "our secret is taken")
    else:
        says = f"the deployment answers {answer.status_code} to this TENANT_FEED_SECRET"
        yield bad("Feed of tenants", says, "Deploy again, or use the deployed value.")
