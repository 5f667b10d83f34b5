"""Check Evolution servers: reachability, our key, version, licence, clock, and environment."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from infra.doctor import settings_check
from infra.doctor.diagnosis import (
    Diagnosis,
    Verdict,
    report_bad,
    report_doubtful,
    report_good,
    report_unseen,
)
from infra.doctor.fetch import fetch_response
from shared import config, problems
from shared.config import Server
from shared.evolution.capabilities import find_capabilities
from shared.evolution.client import Evolution

SKEW_TOLERATED, SKEW_HARMFUL = 5.0, 10.0
"""Seconds. Tokens are allowed 10 (shared/auth.py)."""

REQUIRED_VALUES = {
    "DEL_INSTANCE": ({"false"}, "else it deletes every instance that isn't connected for a while"),
    "S3_SAVE_VIDEO": ({"true"}, "with S3 on, videos and what comes with them are lost otherwise"),
    "WEBHOOK_GLOBAL_ENABLED": ({"false"}, "Perene tells each instance its own webhook"),
    "AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES": ({"false"}, "keys have no business in webhooks"),
    "TZ": ({"UTC"}, "its webhooks call its local time UTC"),
}
RETRY_DEFAULTS = {"WEBHOOK_RETRY_MAX_ATTEMPTS": 10, "WEBHOOK_RETRY_MAX_DELAY_SECONDS": 300}
"""Evolution's values for variables that aren't set."""

LEAST_SECONDS = 20 * 60
"""The least that all attempts to post a webhook must last together, so that none is lost."""

FIRST_PAUSE = 5
"""Seconds; each pause is twice the last one (EVOLUTION.md §4, Delivery)."""

FINAL_STATUSES = "WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES"
REPEATED_STATUSES = {"408", "409", "429", "500", "502", "503", "504"}


async def check_server(
    server: Server, http: httpx.AsyncClient, *, local: bool
) -> AsyncIterator[Diagnosis]:
    """Check all of a server that can be seen from outside."""
    subject, evolution = f"Server {server.id}", Evolution(server, http)
    if not local and settings_check.is_internal(server.url):
        yield report_doubtful(
            subject,
            "its address is inside some network",
            "Functions need a VPC connector to reach it; or give it a public https:// address.",
        )
    try:
        version = await evolution.fetch_version()
        licence = await _check_licence(subject, evolution) if version else None
        accepts_key = await evolution.accepts_key() if version and not _forbids(licence) else False
    except problems.Problem as problem:
        yield report_bad(
            subject,
            f"{problem.title} ({problem.slug()})",
            "Is it running, and its url right (its root: no /manager)? curl it from outside.",
        )
        return
    if version is None:
        yield report_bad(
            subject,
            "something else than Evolution answers there: it doesn't say its version",
            "Is its url right, without a path, and does a proxy let `GET /` through?",
        )
        return
    if licence:
        yield licence
    if not _forbids(licence):
        yield _check_key(subject, accepts_key)
    yield _check_version(subject, server, version)
    yield await check_clock(subject, server.url, http)


async def _check_licence(subject: str, evolution: Evolution) -> Diagnosis | None:
    """Ask for the licence; None: the server needs none."""
    try:
        active = await evolution.is_licensed()
    except problems.EvolutionFailed:
        return report_unseen(subject, "its licence: /license/status makes no sense")
    if active is None:
        return None
    if active:
        return report_good(subject, "its licence is active")
    return report_bad(
        subject,
        "it has no licence, and serves nothing",
        f"Sign in at {evolution.manager_url} and activate it.",
    )


def _forbids(licence: Diagnosis | None) -> bool:
    """Tell whether the server refuses everything for want of a licence."""
    return licence is not None and licence.verdict is Verdict.BAD


def _check_key(subject: str, accepts_key: bool) -> Diagnosis:
    if accepts_key:
        return report_good(subject, "reachable, and it accepts our key")
    return report_bad(
        subject,
        "it refuses our key",
        "EVOLUTION_API_KEY (or api_key) must be the server's global AUTHENTICATION_API_KEY.",
    )


def _check_version(subject: str, server: Server, version: str) -> Diagnosis:
    dialect = config.dialect_of(version)
    if dialect is None:
        return report_bad(
            subject,
            f"it is {version}, which Perene doesn't know",
            f"Run one of {config.KNOWN_VERSIONS}; others may answer in ways that were never tried.",
        )
    if dialect != server.dialect:
        return report_bad(
            subject,
            f"it is {version}, and configured as {server.version}",
            f"Set EVOLUTION_VERSION (or its `version`) to {version}.",
        )
    capabilities = find_capabilities(version)
    if not capabilities.repeats_webhooks:
        return report_doubtful(
            subject,
            f"{version} posts each webhook once: what we miss comes with the nightly sweep only",
            "Upgrade it to 2.3 or newer (infra/docs/operations.md, Upgrading Evolution).",
        )
    if not capabilities.repeats_for_long:
        return report_doubtful(
            subject,
            f"{version} repeats webhooks for 5 minutes only, and those that we refuse too",
            "Upgrade it to 2.3 or newer (infra/docs/operations.md, Upgrading Evolution).",
        )
    return report_good(subject, f"it is {version}")


async def check_clock(subject: str, url: str, http: httpx.AsyncClient) -> Diagnosis:
    """Compare the host's clock with ours by the Date of an answer, however long that took."""
    before = datetime.now(UTC)
    try:
        answer = await fetch_response(http, "GET", url)
        there = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (httpx.HTTPError, KeyError, ValueError, OverflowError):
        return report_unseen(subject, "its clock: its answers have no date")
    skew = max(before - there, there - datetime.now(UTC)).total_seconds()
    if skew > SKEW_HARMFUL:
        return report_bad(
            subject,
            f"its clock and this one's differ by {skew:.0f} s",
            "Turn on NTP on both: messages are ordered by these clocks, and tokens expire by them.",
        )
    if skew > SKEW_TOLERATED:
        return report_doubtful(subject, f"clocks differ by {skew:.0f} s", "Turn on NTP on both.")
    return report_good(subject, "clocks agree")


def check_environment(environment: Mapping[str, str] | None) -> list[Diagnosis]:
    """Check the Evolution server's own environment, which can't be seen from outside."""
    subject = "Evolution's environment"
    if environment is None:
        return [
            report_unseen(
                subject,
                "DEL_INSTANCE and retries can't be seen from outside",
                "Compare it with infra/evolution/.env.example, or check it: --evolution-env=FILE",
            )
        ]
    names = [name for name in REQUIRED_VALUES if name in environment or name in MUST_BE_SET]
    diagnoses = [_check_value(subject, name, environment) for name in names]
    retries = {name: environment[name] for name in RETRY_DEFAULTS if name in environment}
    diagnoses.append(_check_retries(subject, retries))
    if FINAL_STATUSES in environment:
        diagnoses.append(_check_final_statuses(subject, environment[FINAL_STATUSES]))
    faults = [diagnosis for diagnosis in diagnoses if diagnosis]
    return faults or [
        report_good(subject, "deletes nothing by itself, and repeats webhooks for long enough")
    ]


MUST_BE_SET = ("DEL_INSTANCE",)
"""Variables that have to be set, whatever their default is."""


def _check_value(subject: str, name: str, environment: Mapping[str, str]) -> Diagnosis | None:
    required, reason = REQUIRED_VALUES[name]
    value = environment.get(name, "").strip()
    if value.lower() in {choice.lower() for choice in required}:
        return None
    if name == "S3_SAVE_VIDEO" and environment.get("S3_ENABLED", "").lower() != "true":
        return None
    return report_bad(
        subject, f"{name} isn't {' or '.join(sorted(required))}", f"Set it: {reason}."
    )


def _check_retries(subject: str, variables: Mapping[str, str]) -> Diagnosis | None:
    """Check that webhooks are repeated for long enough, whatever their pauses are."""
    numbers = {name: int(value) for name, value in variables.items() if value.isdecimal()}
    attempts, longest = ((numbers.get(name) or default) for name, default in RETRY_DEFAULTS.items())
    pauses = (min(FIRST_PAUSE * 2 ** min(at, 20), longest) for at in range(min(attempts, 1000) - 1))
    if len(numbers) == len(variables) and sum(pauses) >= LEAST_SECONDS:
        return None
    low = [
        name
        for name in variables
        if numbers.get(name, -1) < RETRY_DEFAULTS[name] and numbers.get(name) != 0
    ]
    return report_bad(
        subject,
        f"{' and '.join(low)}: webhooks are given up too soon",
        f"Let all attempts together last {LEAST_SECONDS // 60} minutes"
        " (infra/evolution/.env.example).",
    )


def _check_final_statuses(subject: str, value: str) -> Diagnosis | None:
    dropped = sorted(REPEATED_STATUSES & set(value.replace(" ", "").split(",")))
    if not dropped:
        return None
    remedy = "Take them out: Perene answers so when the event must come again."
    return report_bad(subject, f"{FINAL_STATUSES} has {', '.join(dropped)}", remedy)
