"""Every Evolution server: there, ours, of the version we speak to, and with the same time."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from infra.doctor import choices
from infra.doctor.asking import ask
from infra.doctor.findings import Finding, Verdict, bad, doubtful, good, unseen
from shared import config, problems
from shared.config import Server
from shared.evolution import dialects
from shared.evolution.client import Evolution

OLDEST_THAT_RETRIES = (2, 3)
SKEW_TOLERATED, SKEW_HARMFUL = 5.0, 10.0
"""Seconds. Tokens are allowed 10 (shared/auth.py)."""

WANTED = {
    "DEL_INSTANCE": ({"false"}, "else it deletes every instance that isn't connected for a while"),
    "S3_SAVE_VIDEO": ({"true"}, "with S3 on, videos and what comes with them are lost otherwise"),
    "WEBHOOK_GLOBAL_ENABLED": ({"false"}, "Perene tells each instance its own webhook"),
    "AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES": ({"false"}, "keys have no business in webhooks"),
    "TZ": ({"UTC"}, "its webhooks call its local time UTC"),
}
RETRIES = {"WEBHOOK_RETRY_MAX_ATTEMPTS": 10, "WEBHOOK_RETRY_MAX_DELAY_SECONDS": 300}
"""What Evolution takes where nothing is said."""

PATIENT = 20 * 60
"""Seconds that all attempts together have to last: nothing is lost in them."""

FIRST_PAUSE = 5
"""Seconds; each pause is twice the last one (EVOLUTION.md §4, Delivery)."""

FINAL = "WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES"
NEVER_FINAL = {"408", "409", "429", "500", "502", "503", "504"}


async def look(server: Server, http: httpx.AsyncClient, *, local: bool) -> AsyncIterator[Finding]:
    """All that can be seen of it from outside."""
    what, evolution = f"Server {server.id}", Evolution(server, http)
    if not local and choices.is_inside(server.url):
        yield doubtful(
            what,
            "its address is inside some network",
            "Functions need a VPC connector to reach it; or give it a public https:// address.",
        )
    try:
        version = await evolution.version()
        licence = await _licence(what, evolution) if version else None
        accepted = await evolution.verify() if version and not _forbids(licence) else False
    except problems.Problem as problem:
        yield bad(
            what,
            f"{problem.title} ({problem.slug()})",
            "Is it running, and its url right (its root: no /manager)? curl it from outside.",
        )
        return
    if version is None:
        yield bad(
            what,
            "something else than Evolution answers there: it doesn't say its version",
            "Is its url right, without a path, and does a proxy let `GET /` through?",
        )
        return
    if licence:
        yield licence
    if not _forbids(licence):
        yield _key(what, accepted)
    yield _version(what, server, version)
    yield await clock(what, server.url, http)


async def _licence(what: str, evolution: Evolution) -> Finding | None:
    """Ask for the licence; None: the server needs none."""
    try:
        active = await evolution.licensed()
    except problems.EvolutionFailed:
        return unseen(what, "its licence: /license/status makes no sense")
    if active is None:
        return None
    if active:
        return good(what, "its licence is active")
    return bad(
        what,
        "it has no licence, and serves nothing",
        f"Sign in at {evolution.manager_url} and activate it.",
    )


def _forbids(licence: Finding | None) -> bool:
    """Tell whether the server refuses everything for want of a licence."""
    return licence is not None and licence.verdict is Verdict.BAD


def _key(what: str, accepted: bool) -> Finding:
    if accepted:
        return good(what, "reachable, and it accepts our key")
    return bad(
        what,
        "it refuses our key",
        "EVOLUTION_API_KEY (or api_key) must be the server's global AUTHENTICATION_API_KEY.",
    )


def _version(what: str, server: Server, version: str) -> Finding:
    dialect = config.dialect_of(version)
    if dialect is None:
        return bad(
            what,
            f"it is {version}, which Perene doesn't know",
            f"Run one of {config.KNOWN_VERSIONS}; others may answer in ways nobody has tried.",
        )
    if dialect != server.dialect:
        return bad(
            what,
            f"it is {version}, and configured as {server.version}",
            f"Set EVOLUTION_VERSION (or its `version`) to {version}.",
        )
    if not dialects.DIALECTS[dialect].repeats_webhooks:
        return doubtful(
            what,
            f"{version} posts each webhook once: what we miss comes with the nightly sweep only",
            "Upgrade it to 2.3 or newer (infra/operations.md, Upgrading Evolution).",
        )
    if _numbers(version) < OLDEST_THAT_RETRIES:
        return doubtful(
            what,
            f"{version} repeats webhooks for 5 minutes only, and those that we refuse too",
            "Upgrade it to 2.3 or newer (infra/operations.md, Upgrading Evolution).",
        )
    return good(what, f"it is {version}")


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


async def clock(what: str, url: str, http: httpx.AsyncClient) -> Finding:
    """How far its clock is from ours, by the Date of an answer, however long that took."""
    asked = datetime.now(UTC)
    try:
        answer = await ask(http, "GET", url)
        there = parsedate_to_datetime(answer.headers["date"]).astimezone(UTC)
    except (httpx.HTTPError, KeyError, ValueError, OverflowError):
        return unseen(what, "its clock: its answers have no date")
    skew = max(asked - there, there - datetime.now(UTC)).total_seconds()
    if skew > SKEW_HARMFUL:
        return bad(
            what,
            f"its clock and this one's differ by {skew:.0f} s",
            "Turn on NTP on both: messages are ordered by these clocks, and tokens expire by them.",
        )
    if skew > SKEW_TOLERATED:
        return doubtful(what, f"clocks differ by {skew:.0f} s", "Turn on NTP on both.")
    return good(what, "clocks agree")


def environment(given: Mapping[str, str] | None) -> list[Finding]:
    """What the server's own environment says; from outside nobody can see it."""
    what = "Evolution's environment"
    if given is None:
        return [
            unseen(
                what,
                "DEL_INSTANCE and retries can't be seen from outside",
                "Compare it with infra/evolution/.env.example, or check it: --evolution-env=FILE",
            )
        ]
    found = [_wanted(what, name, given) for name in WANTED if name in given or name in MUST]
    found += [_patient(what, {name: given[name] for name in RETRIES if name in given})]
    found += [_final(what, given[FINAL])] if FINAL in given else []
    wrong = [finding for finding in found if finding]
    return wrong or [good(what, "deletes nothing by itself, and repeats webhooks for long enough")]


MUST = ("DEL_INSTANCE",)
"""What has to be said, whatever the default is."""


def _wanted(what: str, name: str, given: Mapping[str, str]) -> Finding | None:
    wanted, why = WANTED[name]
    value = given.get(name, "").strip()
    if value.lower() in {each.lower() for each in wanted}:
        return None
    if name == "S3_SAVE_VIDEO" and given.get("S3_ENABLED", "").lower() != "true":
        return None
    return bad(what, f"{name} isn't {' or '.join(sorted(wanted))}", f"Set it: {why}.")


def _patient(what: str, given: Mapping[str, str]) -> Finding | None:
    """Judge whether webhooks are repeated for long enough, in whatever pauses."""
    known = {name: int(value) for name, value in given.items() if value.isdecimal()}
    attempts, longest = ((known.get(name) or usual) for name, usual in RETRIES.items())
    pauses = (min(FIRST_PAUSE * 2 ** min(at, 20), longest) for at in range(min(attempts, 1000) - 1))
    if len(known) == len(given) and sum(pauses) >= PATIENT:
        return None
    low = [name for name in given if known.get(name, -1) < RETRIES[name] and known.get(name) != 0]
    return bad(
        what,
        f"{' and '.join(low)}: webhooks are given up too soon",
        f"Let all attempts together last {PATIENT // 60} minutes (infra/evolution/.env.example).",
    )


def _final(what: str, value: str) -> Finding | None:
    dropped = sorted(NEVER_FINAL & set(value.replace(" ", "").split(",")))
    if not dropped:
        return None
    remedy = "Take them out: Perene answers so when the event must come again."
    return bad(what, f"{FINAL} has {', '.join(dropped)}", remedy)
