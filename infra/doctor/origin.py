"""Check the one origin: reachable, complete, ours, and closed to strangers."""

import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import httpx
import jwt
from msgspec.structs import replace

from infra import deployment
from infra.doctor import servers, settings_check
from infra.doctor.diagnosis import Diagnosis, Verdict, report_bad, report_doubtful, report_good
from infra.doctor.fetch import fetch_response
from shared import webhook_token
from shared.auth import FEED_HEADER, UNREADABLE
from shared.config import Settings

SUBJECT = "PUBLIC_URL"
OPEN, ABSENT = "every caller is answered", "no function answers there"
REMEDIES = {OPEN: "Take it off the internet.", ABSENT: "Deploy it: make deploy."}
SEE_ITS_LOG = "See its log; `configuration.invalid` names the setting that is wrong."
SEE_LOGS = "See the functions' logs, and the load balancer."
LED_NOWHERE = "Evolution can't post there: is what leads from there to this machine running?"
FORGED = jwt.encode({"sub": "instance_doctor", "born": 1}, "a secret that has never been in use")
PROBLEMS = "urn:perene:problem:"
UNREACHED = (
    "Does the DNS record point at `terraform -chdir=infra/terraform output address`, and is the"
    " certificate ACTIVE? Evolution needs to reach it too: try curl from its machine."
)


async def check_origin(
    settings: Settings, http: httpx.AsyncClient, *, local: bool, own: str | None = None
) -> AsyncIterator[Diagnosis]:
    """Check the origin's address, its functions, and its path for webhooks.

    `own` is the local stack's origin on this machine: all but webhooks is checked there.
    """
    public = settings
    settings = replace(settings, public_url=own or public.public_url)
    if not local and not settings.public_url.startswith("https://"):
        yield report_bad(
            SUBJECT, "it isn't https://", "Tokens and messages would go over it in the clear."
        )
    if not local and settings_check.is_internal(settings.public_url):
        yield report_bad(
            SUBJECT,
            "its host is inside some network: Evolution can't post there",
            "Set PUBLIC_URL to the origin's public address: https:// and your domain.",
        )
    try:
        answer = await fetch_response(http, "GET", f"{settings.public_url}/openapi.json")
    except httpx.HTTPError as error:
        yield report_bad(
            SUBJECT,
            f"it can't be reached from here ({type(error).__name__})",
            "Is make run running here?" if local else UNREACHED,
        )
        return
    document = _check_document(answer)
    yield document
    if document.verdict is Verdict.BAD:
        return  # other answers of that host say nothing about Perene
    yield await servers.check_clock(SUBJECT, f"{settings.public_url}/openapi.json", http)
    checks = (
        (_check_functions, settings),
        (_check_webhook, public),
        (_check_feed, settings),
        (_check_sign_in, settings),
    )
    for check, target in checks:
        try:
            async for diagnosis in check(target, http):
                yield diagnosis
        except httpx.HTTPError as error:
            remedy = LED_NOWHERE if target.public_url != settings.public_url else SEE_LOGS
            yield report_bad(SUBJECT, f"it stopped answering ({type(error).__name__})", remedy)


def _check_document(answer: httpx.Response) -> Diagnosis:
    try:
        version = answer.json()["openapi"]
    except (KeyError, *UNREADABLE):
        return report_bad(
            SUBJECT,
            f"something else than Perene answers there ({answer.status_code})",
            "Is it the origin of this deployment, without a path? If it is: make deploy.",
        )
    return report_good(SUBJECT, f"Perene answers there (OpenAPI {version})")


async def _check_functions(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Diagnosis]:
    """Check that each function exists and refuses a caller without a token.

    Pages answer every caller. Sweeps are absent from the origin, or refuse too.
    """
    paths_by_fault: dict[str, list[str]] = {}
    for name, function in deployment.load_function_map().functions.items():
        if function.trust != "nobody" and name != "receive_webhook":
            answer = await _call_without_token(f"{settings.public_url}{function.path}", http)
            paths_by_fault.setdefault(_find_fault(function, answer), []).append(function.path)
    paths_by_fault.pop("", None)
    for fault, paths in paths_by_fault.items():
        yield report_bad(SUBJECT, f"{', '.join(paths)}: {fault}", REMEDIES.get(fault, SEE_ITS_LOG))
    if not paths_by_fault:
        yield report_good(SUBJECT, "every function is there and refuses strangers")


async def _call_without_token(url: str, http: httpx.AsyncClient) -> httpx.Response:
    """Call without a token: by GET, and by POST only if the path doesn't know GET."""
    answer = await fetch_response(http, "GET", url)
    return await fetch_response(http, "POST", url) if answer.status_code == 405 else answer


def _find_fault(function: deployment.Function, answer: httpx.Response) -> str:
    slug, public = _read_slug(answer), function.invoker == "public"
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


def _read_slug(answer: httpx.Response) -> str:
    """Return the slug of the problem that the answer is; "" if it is none of ours."""
    with suppress(*UNREADABLE):
        kind = str(answer.json().get("type", ""))
        return kind.removeprefix(PROBLEMS) if kind.startswith(PROBLEMS) else ""
    return ""


async def _check_sign_in(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Diagnosis]:
    """Check that a token signed with this AUTH_HS256_SECRET is accepted.

    It lists lines, which creates none.
    """
    secret = settings.auth_hs256_secret
    if not (secret and settings.auth_issuer and settings.auth_audience):
        return
    now = int(time.time())
    claims: dict[str, Any] = {"iss": settings.auth_issuer, "aud": settings.auth_audience}
    claims |= {"iat": now, "exp": now + 60} | _nest_claim(
        settings.auth_tenant_claim, "perene-doctor"
    )
    token = jwt.encode(claims, secret.get_secret_value(), "HS256")
    url = f"{settings.public_url}/instances"
    answer = await fetch_response(http, "GET", url, headers={"authorization": f"Bearer {token}"})
    if answer.status_code != 401:
        yield report_good("Sign-in", "a token signed with AUTH_HS256_SECRET counts")
        return
    yield report_bad(
        "Sign-in",
        "the deployment refuses a token made with this AUTH_HS256_SECRET, AUTH_ISSUER and"
        " AUTH_AUDIENCE",
        "One of them isn't the deployed one: compare; a real token's `iss` and `aud` too.",
    )


def _nest_claim(claim: str, value: str) -> dict[str, Any]:
    first, _, rest = claim.partition(".")
    return {first: _nest_claim(rest, value) if rest else value}


async def _check_webhook(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Diagnosis]:
    """Check that a forged token is refused and ours accepted, with an event that is ignored."""
    subject, url = "Webhooks", f"{settings.public_url}/webhook"
    event = {"event": "presence.update", "instance": "", "data": {}}
    forged = await fetch_response(
        http, "POST", url, json=event, headers={webhook_token.HEADER: FORGED}
    )
    if forged.status_code != 401:
        yield report_bad(
            subject,
            f"a forged token is answered {forged.status_code}, not 401",
            "Any host could post messages to it: is it receive_webhook that answers?",
        )
        return
    name = f"{settings.instance_prefix}doctor"
    secret = settings.webhook_secret.get_secret_value()
    token = jwt.encode({"sub": name, "born": 1}, secret, "HS256")
    event |= {"instance": name}
    ours = await fetch_response(
        http, "POST", url, json=event, headers={webhook_token.HEADER: token}
    )
    if ours.status_code == 401:
        yield report_bad(
            subject,
            "the deployment refuses a token signed with this WEBHOOK_SECRET",
            "The secret here isn't the deployed one: deploy again, or use the deployed value.",
        )
    elif not ours.is_success:
        yield report_doubtful(
            subject,
            f"our own token is answered {ours.status_code}",
            "See the log of receive-webhook; Evolution repeats it for some 20 minutes.",
        )
    else:
        yield report_good(subject, "forged tokens are refused, ours is taken")


async def _check_feed(settings: Settings, http: httpx.AsyncClient) -> AsyncIterator[Diagnosis]:
    """Check that our secret is accepted; the body isn't a row, so it is refused after that."""
    if settings.tenant_feed_secret is None:
        return
    headers = {FEED_HEADER: settings.tenant_feed_secret.get_secret_value()}
    answer = await fetch_response(
        http, "POST", f"{settings.public_url}/tenant-feed", json={}, headers=headers
    )
    if answer.status_code == 422:
        yield report_good("Feed of tenants", "our secret is taken")
    else:
        statement = f"the deployment answers {answer.status_code} to this TENANT_FEED_SECRET"
        yield report_bad("Feed of tenants", statement, "Deploy again, or use the deployed value.")
