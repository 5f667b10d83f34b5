"""Check what tells endpoints events: topic, push, dead letters, the minute's tick, and secrets."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import httpx

from infra import deployment
from infra.doctor.database import NOT_SIGNED_IN, PATIENCE, FetchToken
from infra.doctor.diagnosis import (
    Diagnosis,
    report_bad,
    report_doubtful,
    report_good,
    report_unseen,
)
from infra.doctor.fetch import fetch_response
from infra.local import pushes_and_ticks
from shared import services
from shared.auth import UNREADABLE
from shared.config import Settings
from shared.domain.endpoints import Endpoint
from shared.outbound import signatures

SUBJECT = "Events"
FUNCTION = "deliver_events"
PUBSUB = "https://pubsub.googleapis.com/v1"
SCHEDULER = "https://cloudscheduler.googleapis.com/v1"
LONGEST_SILENCE = timedelta(minutes=5)
PAGE = 300
DEPLOY = "make deploy."
ONCE_A_MINUTE = "endpoints are told once a minute"


class _Api:
    """One of Google's REST interfaces, or an emulator of it (`headers` sign in to it)."""

    def __init__(self, http: httpx.AsyncClient, origin: str, headers: Mapping[str, str]) -> None:
        self._http, self._origin, self._headers = http, origin, headers

    async def find(self, name: str) -> Any:
        """Return a resource, or None if there is none. Raises HTTPError, ValueError."""
        url = f"{self._origin}/{name}"
        answer = await fetch_response(self._http, "GET", url, headers=self._headers)
        return None if answer.status_code == 404 else answer.raise_for_status().json()


async def check_deliveries(
    settings: Settings,
    http: httpx.AsyncClient,
    fetch_token: FetchToken,
    *,
    local: bool,
    own: str | None = None,
) -> AsyncIterator[Diagnosis]:
    """Check topic and push, whether the tick comes, and the endpoints' secrets."""
    headers = {} if local else await _sign_in(fetch_token)
    if settings.events_topic is None:
        remedy = "Install the Google Cloud SDK's pubsub-emulator." if local else DEPLOY
        yield report_doubtful(SUBJECT, f"no topic: {ONCE_A_MINUTE}", remedy)
    elif headers is None:
        yield report_unseen(SUBJECT, "its topic can't be seen", NOT_SIGNED_IN)
    else:
        host = settings.pubsub_emulator_host
        api = _Api(http, f"http://{host}/v1" if host else PUBSUB, headers)
        yield await check_topic(settings, api, local=local)
    if local:
        yield await _check_local_tick(settings, http, own or settings.public_url)
    else:
        scheduler = None if headers is None else _Api(http, SCHEDULER, headers)
        yield await check_job(settings, scheduler, services.now())
    yield await check_secrets()


async def _sign_in(fetch_token: FetchToken) -> dict[str, str] | None:
    try:
        return {"authorization": f"Bearer {await asyncio.to_thread(fetch_token)}"}
    except ValueError:
        return None


# Topic, push and dead letters ----------------------------------------------------------------


async def check_topic(settings: Settings, api: _Api, *, local: bool) -> Diagnosis:
    """Check that pokes are pushed to the function, and that what can't be pushed is kept."""
    topic = str(settings.events_topic)
    try:
        if await api.find(topic) is None:
            remedy = "make run anew." if local else DEPLOY
            return report_bad(SUBJECT, f"its topic is missing: {ONCE_A_MINUTE}", remedy)
        push = await _find_push(api, topic, _push_path(local=local))
        if push is None:
            return report_bad(
                SUBJECT, f"no subscription pushes to {FUNCTION}: {ONCE_A_MINUTE}", DEPLOY
            )
        if fault := None if local else _find_fault(push, settings) or await _lose_dead(api, push):
            return fault
    except (httpx.HTTPError, *UNREADABLE) as error:
        remedy = "Your account needs roles/pubsub.viewer and roles/cloudscheduler.viewer."
        return report_unseen(SUBJECT, f"its topic can't be seen ({type(error).__name__})", remedy)
    return report_good(SUBJECT, f"pokes are pushed to {FUNCTION}")


def _push_path(*, local: bool) -> str:
    return f"{pushes_and_ticks.PUSHED}/{FUNCTION}" if local else f"{_function_path()}/push"


def _function_path() -> str:
    return deployment.load_function_map().functions[FUNCTION].path


async def _find_push(api: _Api, topic: str, path: str) -> Any:
    """Return the subscription of the topic that pushes to this path, or None."""
    for name in (await api.find(f"{topic}/subscriptions") or {}).get("subscriptions", []):
        subscription = await api.find(name) or {}
        if str(_push_of(subscription).get("pushEndpoint", "")).endswith(path):
            return subscription
    return None


def _find_fault(subscription: Any, settings: Settings) -> Diagnosis | None:
    """Say why a push doesn't arrive."""
    push = _push_of(subscription)
    token = push.get("oidcToken", {})
    signer, audience = token.get("serviceAccountEmail"), token.get("audience")
    is_ours = signer == (settings.scheduler_email or signer) and audience
    if not is_ours or not push["pushEndpoint"].startswith(audience):
        return report_bad(SUBJECT, f"its pushes aren't signed for {FUNCTION}: all fail", DEPLOY)
    if subscription.get("state", "ACTIVE") != "ACTIVE":
        return report_bad(
            SUBJECT, "its subscription doesn't push", f"{FUNCTION} must exist. {DEPLOY}"
        )
    return None


async def _lose_dead(api: _Api, subscription: Any) -> Diagnosis | None:
    """Say why pokes that can't be pushed are lost without a trace."""
    dead = subscription.get("deadLetterPolicy", {}).get("deadLetterTopic")
    if dead is None or await api.find(dead) is None:
        return report_doubtful(SUBJECT, "no dead-letter topic: failing pushes go unseen", DEPLOY)
    if not (await api.find(f"{dead}/subscriptions") or {}).get("subscriptions"):
        return report_doubtful(SUBJECT, "its dead letters have no subscription", DEPLOY)
    return None


def _push_of(subscription: Any) -> Any:
    return subscription.get("pushConfig", {})


# The tick ------------------------------------------------------------------------------------


async def check_job(settings: Settings, api: _Api | None, now: datetime) -> Diagnosis:
    """Check that Scheduler called the function lately, and that it answered.

    It can't be called from here: it accepts callers from inside Google Cloud alone.
    """
    name = f"{settings.sweep_jobs}/{deployment.name_service(FUNCTION)}"
    if settings.sweep_jobs is None or api is None:
        return report_unseen(
            SUBJECT, f"{FUNCTION} is out of reach, and SWEEP_JOBS or a sign-in absent"
        )
    try:
        job = await api.find(name)
    except (httpx.HTTPError, *UNREADABLE) as error:
        return report_unseen(SUBJECT, f"its tick can't be seen ({type(error).__name__})")
    if job is None or job.get("state") != "ENABLED":
        return report_bad(SUBJECT, f"no job calls {FUNCTION} every minute", DEPLOY)
    if code := job.get("status", {}).get("code"):
        remedy = "Its log says why; 7 or 16: run.invoker, SCHEDULER_AUDIENCE (make plan)."
        return report_bad(SUBJECT, f"{FUNCTION} failed at its last call (code {code})", remedy)
    last = job.get("lastAttemptTime")
    if last is None or now - datetime.fromisoformat(last) > LONGEST_SILENCE:
        remedy = "gcloud scheduler jobs describe deliver-events: what does it wait for?"
        return report_bad(SUBJECT, f"{FUNCTION} wasn't called for minutes", remedy)
    return report_good(SUBJECT, f"{FUNCTION} is called every minute, and answers")


async def _check_local_tick(settings: Settings, http: httpx.AsyncClient, origin: str) -> Diagnosis:
    """Do what the stack's tick does."""
    if not (settings.auth_hs256_secret and settings.auth_issuer and settings.auth_operator_claim):
        return report_unseen(SUBJECT, f"{FUNCTION} can't be called without the stack's secret")
    headers = {"authorization": f"Bearer {pushes_and_ticks.sign_operator(settings)}"}
    try:
        url = f"{origin}{_function_path()}"
        answer = await fetch_response(http, "POST", url, headers=headers)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        return report_bad(
            SUBJECT, f"{FUNCTION} fails ({type(error).__name__})", "make run's output says why."
        )
    return report_good(SUBJECT, f"{FUNCTION} answers")


# Endpoints -----------------------------------------------------------------------------------


async def check_secrets() -> Diagnosis:
    """Check that every endpoint has secrets that sign, and that its tenant is poked for.

    Firestore: 1 read per endpoint, 1 more.
    """
    store = services.store().endpoints
    try:
        async with asyncio.timeout(PATIENCE):
            endpoints, tenants = await _list_endpoints(), await store.read_told_tenants()
    except Exception as error:  # noqa: BLE001 - what Firestore can't do has its own diagnosis
        return report_unseen(SUBJECT, f"endpoints can't be read ({type(error).__name__})")
    dumb = [
        one.id
        for one in endpoints
        if not all(map(signatures.can_sign, one.secrets(services.now())))
    ]
    if dumb:
        remedy = "POST /endpoints/{id}/rotate, and give the receiver the new one."
        return report_bad(SUBJECT, f"no usable secret: {', '.join(dumb)}", remedy)
    unlisted = [one.id for one in endpoints if one.is_active and not tenants.include(one.tenant)]
    if unlisted:
        remedy = "Disable it and enable it again, then replay what it missed."
        return report_bad(SUBJECT, f"nothing pokes for {', '.join(unlisted)}", remedy)
    active = sum(one.is_active for one in endpoints)
    return report_good(SUBJECT, f"{active} active endpoint(s), all with secrets that sign")


async def _list_endpoints() -> list[Endpoint]:
    endpoints, end = await services.store().endpoints.list_page({}, PAGE, None)
    while end:
        page, end = await services.store().endpoints.list_page({}, PAGE, end)
        endpoints += page
    return endpoints
