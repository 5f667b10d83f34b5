"""The adapter of Cloud Scheduler: it starts a sweep, and holds the connection that it runs on."""

import asyncio

import httpx

from shared import config, log, problems, services
from shared.domain.fleet.reports import SweepKind
from shared.google_account import SignInFailed, fetch_token

JOBS = "https://cloudscheduler.googleapis.com/v1"
CALL_SECONDS, SWEEP_SECONDS = 10.0, 1_000.0

_running: set[asyncio.Task[None]] = set()


async def start_sweep(kind: SweepKind, authorization: str) -> None:
    """Start a sweep that goes on when this returns. Raises SweepNotStarted.

    Scheduler runs its job; without `SWEEP_JOBS` (on one machine) the sweep is called as an operator
    calls it, with this `authorization`.
    """
    jobs = config.settings().sweep_jobs
    if jobs is None:
        task = asyncio.create_task(_call_sweep(kind, authorization))
        _running.add(task)
        task.add_done_callback(_running.discard)
        return
    try:
        bearer = {"authorization": f"Bearer {await fetch_token(services.http())}"}
        await _call("POST", f"{JOBS}/{jobs}/sweep-{kind}:run", bearer)
    except (httpx.HTTPError, SignInFailed) as failure:
        log.notice("sweep.not_started", sweep=kind, failure=type(failure).__name__)
        raise problems.SweepNotStarted() from None


async def _call(method: str, url: str, headers: dict[str, str]) -> httpx.Response:
    answer = await services.http().request(method, url, headers=headers, timeout=CALL_SECONDS)
    return answer.raise_for_status()


async def _call_sweep(kind: SweepKind, authorization: str) -> None:
    url = f"{config.settings().public_url}/sweep-{kind}"
    headers = {"authorization": authorization}
    try:
        answer = await services.http().post(url, headers=headers, timeout=SWEEP_SECONDS)
        answer.raise_for_status()
    except httpx.HTTPError as failure:
        log.notice("sweep.not_started", sweep=kind, failure=type(failure).__name__)
