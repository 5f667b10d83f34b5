"""Check what calls the functions that Pub/Sub pushes to: topic, push, dead letters, the tick."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import httpx

from infra import deployment
from infra.doctor.database import NOT_SIGNED_IN, FetchToken
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

PUBSUB = "https://pubsub.googleapis.com/v1"
SCHEDULER = "https://cloudscheduler.googleapis.com/v1"
LONGEST_SILENCE = timedelta(minutes=5)
DEPLOY = "make deploy."


@dataclass(frozen=True)
class Pushed:
    """A function that pokes of its topic are pushed to, or that only Scheduler's tick calls."""

    name: str
    path: str
    subject: str
    topic: str | None

    @property
    def seldom(self) -> str:
        """Say what it means that nothing pushes to it."""
        return f"{self.name} is called once a minute only"


class Api:
    """One of Google's REST interfaces, or an emulator of it (`headers` sign in to it)."""

    def __init__(self, http: httpx.AsyncClient, origin: str, headers: Mapping[str, str]) -> None:
        self._http, self._origin, self._headers = http, origin, headers

    async def find(self, name: str) -> Any:
        """Return a resource, or None if there is none. Raises HTTPError, ValueError."""
        url = f"{self._origin}/{name}"
        answer = await fetch_response(self._http, "GET", url, headers=self._headers)
        return None if answer.status_code == 404 else answer.raise_for_status().json()


def list_pushed(settings: Settings) -> list[Pushed]:
    """List the functions that are pushed to; without a bucket nothing is left to `store_media`."""
    functions = deployment.load_function_map().functions
    return [
        Pushed(
            name,
            function.path,
            function.topic.capitalize(),
            getattr(settings, f"{function.topic}_topic"),
        )
        for name, function in functions.items()
        if function.topic and (function.topic != "media" or settings.media_bucket)
    ]


async def check_pushed(
    settings: Settings,
    http: httpx.AsyncClient,
    fetch_token: FetchToken,
    *,
    local: bool,
    own: str | None = None,
) -> AsyncIterator[Diagnosis]:
    """Check, for each function that is pushed to, its topic and push, and whether its tick comes.

    `own` is the local stack's origin on this machine.
    """
    headers = {} if local else await _sign_in(fetch_token)
    host = settings.pubsub_emulator_host
    origin = f"http://{host}/v1" if host else PUBSUB
    pubsub = None if headers is None else Api(http, origin, headers)
    scheduler = None if headers is None else Api(http, SCHEDULER, headers)
    for pushed in list_pushed(settings):
        yield await check_topic(pushed, settings, pubsub, local=local)
        if local:
            yield await _check_local_tick(pushed, settings, http, own or settings.public_url)
        else:
            yield await check_job(pushed, settings, scheduler, services.now())


async def _sign_in(fetch_token: FetchToken) -> dict[str, str] | None:
    try:
        return {"authorization": f"Bearer {await asyncio.to_thread(fetch_token)}"}
    except ValueError:
        return None


# Topic, push and dead letters ----------------------------------------------------------------


async def check_topic(
    pushed: Pushed, settings: Settings, api: Api | None, *, local: bool
) -> Diagnosis:
    """Check that pokes are pushed to the function, and that what can't be pushed is kept."""
    if pushed.topic is None:
        remedy = "Install the Google Cloud SDK's pubsub-emulator." if local else DEPLOY
        return report_doubtful(pushed.subject, f"no topic: {pushed.seldom}", remedy)
    if api is None:
        return report_unseen(pushed.subject, "its topic can't be seen", NOT_SIGNED_IN)
    try:
        if await api.find(pushed.topic) is None:
            remedy = "make run anew." if local else DEPLOY
            return report_bad(pushed.subject, f"its topic is missing: {pushed.seldom}", remedy)
        push = await _find_push(api, pushed.topic, _push_path(pushed, local=local))
        if push is None:
            statement = f"no subscription pushes: {pushed.seldom}"
            return report_bad(pushed.subject, statement, DEPLOY)
        if not local and (fault := await _find_fault(pushed, push, settings, api)):
            return fault
    except (httpx.HTTPError, *UNREADABLE) as error:
        statement = f"its topic can't be seen ({type(error).__name__})"
        remedy = "Your account needs roles/pubsub.viewer and roles/cloudscheduler.viewer."
        return report_unseen(pushed.subject, statement, remedy)
    return report_good(pushed.subject, f"pokes are pushed to {pushed.name}")


def _push_path(pushed: Pushed, *, local: bool) -> str:
    return f"{pushes_and_ticks.PUSHED}/{pushed.name}" if local else f"{pushed.path}/push"


async def _find_push(api: Api, topic: str, path: str) -> Any:
    """Return the subscription of the topic that pushes to this path, or None."""
    for name in (await api.find(f"{topic}/subscriptions") or {}).get("subscriptions", []):
        subscription = await api.find(name) or {}
        if str(_push_of(subscription).get("pushEndpoint", "")).endswith(path):
            return subscription
    return None


async def _find_fault(
    pushed: Pushed, subscription: Any, settings: Settings, api: Api
) -> Diagnosis | None:
    """Say why a push doesn't arrive, or what becomes of one that can't be made."""
    push = _push_of(subscription)
    token = push.get("oidcToken", {})
    signer, audience = token.get("serviceAccountEmail"), token.get("audience")
    is_ours = signer == (settings.scheduler_email or signer) and audience
    if not is_ours or not push["pushEndpoint"].startswith(audience):
        statement = f"its pushes aren't signed for {pushed.name}: all fail"
        return report_bad(pushed.subject, statement, DEPLOY)
    if subscription.get("state", "ACTIVE") != "ACTIVE":
        remedy = f"{pushed.name} must exist. {DEPLOY}"
        return report_bad(pushed.subject, "its subscription doesn't push", remedy)
    dead = subscription.get("deadLetterPolicy", {}).get("deadLetterTopic")
    if dead is None or await api.find(dead) is None:
        statement = "no dead-letter topic: failing pushes go unseen"
        return report_doubtful(pushed.subject, statement, DEPLOY)
    if not (await api.find(f"{dead}/subscriptions") or {}).get("subscriptions"):
        statement = "its dead letters have no subscription"
        return report_doubtful(pushed.subject, statement, DEPLOY)
    return None


def _push_of(subscription: Any) -> Any:
    return subscription.get("pushConfig", {})


# The tick ------------------------------------------------------------------------------------


async def check_job(
    pushed: Pushed, settings: Settings, api: Api | None, now: datetime
) -> Diagnosis:
    """Check that Scheduler called the function lately, and that it answered.

    It can't be called from here: it accepts callers from inside Google Cloud alone.
    """
    name = f"{settings.sweep_jobs}/{deployment.name_service(pushed.name)}"
    if settings.sweep_jobs is None or api is None:
        statement = f"{pushed.name} is out of reach, and SWEEP_JOBS or a sign-in absent"
        return report_unseen(pushed.subject, statement)
    try:
        job = await api.find(name)
    except (httpx.HTTPError, *UNREADABLE) as error:
        return report_unseen(pushed.subject, f"its tick can't be seen ({type(error).__name__})")
    if job is None or job.get("state") != "ENABLED":
        return report_bad(pushed.subject, f"no job calls {pushed.name} every minute", DEPLOY)
    if code := job.get("status", {}).get("code"):
        remedy = "Its log says why; 7 or 16: run.invoker, SCHEDULER_AUDIENCE (make plan)."
        return report_bad(
            pushed.subject, f"{pushed.name} failed at its last call (code {code})", remedy
        )
    last = job.get("lastAttemptTime")
    if last is None or now - datetime.fromisoformat(last) > LONGEST_SILENCE:
        remedy = f"gcloud scheduler jobs describe {name}: what does it wait for?"
        return report_bad(pushed.subject, f"{pushed.name} wasn't called for minutes", remedy)
    return report_good(pushed.subject, f"{pushed.name} is called every minute, and answers")


async def _check_local_tick(
    pushed: Pushed, settings: Settings, http: httpx.AsyncClient, origin: str
) -> Diagnosis:
    """Do what the stack's tick does."""
    if not (settings.auth_hs256_secret and settings.auth_issuer and settings.auth_operator_claim):
        return report_unseen(
            pushed.subject, f"{pushed.name} can't be called without the stack's secret"
        )
    headers = {"authorization": f"Bearer {pushes_and_ticks.sign_operator(settings)}"}
    try:
        url = f"{origin}{pushed.path}"
        answer = await fetch_response(http, "POST", url, headers=headers)
        answer.raise_for_status()
    except httpx.HTTPError as error:
        return report_bad(
            pushed.subject,
            f"{pushed.name} fails ({type(error).__name__})",
            "make run's output says why.",
        )
    return report_good(pushed.subject, f"{pushed.name} answers")
