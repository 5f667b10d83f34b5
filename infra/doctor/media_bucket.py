"""Check the bucket of media: whether a file can be kept and deleted, and stays private."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from typing import Any, Final

import httpx

from infra.doctor.database import NOT_SIGNED_IN, FetchToken
from infra.doctor.diagnosis import (
    Diagnosis,
    report_bad,
    report_doubtful,
    report_good,
    report_unseen,
)
from infra.doctor.fetch import fetch_response
from shared import problems
from shared.bucket import INCOMING, ORIGIN, Bucket
from shared.config import Settings
from shared.google_account import EmulatorAccount, SignInFailed

SUBJECT: Final = "Media"
PROBE: Final = f"doctor{INCOMING}"
"""The file that is written and deleted; the bucket's own rule would delete it after a day."""

CONTENT: Final = b"Perene's doctor was here."
AS_DEPLOYED: Final = "make deploy makes it as infra/terraform/media.tf says."


class Person:
    """The account of the person who runs the doctor; it has a token, and signs nothing."""

    def __init__(self, fetch_token: FetchToken) -> None:
        self._fetch_token = fetch_token

    async def fetch_token(self) -> str:
        """Return a token. Raises SignInFailed."""
        try:
            return await asyncio.to_thread(self._fetch_token)
        except ValueError as error:
            raise SignInFailed(str(error)) from None

    async def fetch_address(self) -> str:
        """Raise SignInFailed."""
        raise SignInFailed

    async def sign(self, content: bytes) -> bytes:
        """Raise SignInFailed."""
        raise SignInFailed


async def check_bucket(
    settings: Settings, http: httpx.AsyncClient, fetch_token: FetchToken
) -> AsyncIterator[Diagnosis]:
    """Keep a file and delete it; unless it is emulated, check who may read it, and the rules."""
    if settings.media_bucket is None:
        yield report_doubtful(
            SUBJECT,
            "there is no bucket: a file is gone with the instance that brought it",
            "keep_media = true in terraform.tfvars (infra/docs/operations.md#media).",
        )
        return
    emulator = settings.storage_emulator_host
    account = EmulatorAccount() if emulator else Person(fetch_token)
    origin, clock = emulator or ORIGIN, lambda: datetime.now(UTC)
    bucket = Bucket(settings.media_bucket, http, account, clock=clock, origin=origin)
    try:
        await _keep_file(bucket)
    except problems.Problem as problem:
        remedy = f"{NOT_SIGNED_IN} Is MEDIA_BUCKET right? {AS_DEPLOYED}"
        yield report_bad(SUBJECT, f"a file can't be kept: {problem.detail}", remedy)
        return
    yield report_good(SUBJECT, "a file can be written, read and deleted")
    if isinstance(account, Person):
        async for diagnosis in _check_privacy(bucket.name, http, account):
            yield diagnosis


async def _keep_file(bucket: Bucket) -> None:
    """Write, read and delete a file. Raises BucketUnavailable, BucketRefused."""

    async def stream() -> AsyncIterator[bytes]:
        yield CONTENT

    await bucket.write(PROBE, stream(), content_type="text/plain")
    part = await bucket.read(PROBE)
    content = b"".join([chunk async for chunk in part.chunks]) if part else b""
    await bucket.delete(PROBE)
    if content != CONTENT:
        raise problems.BucketRefused("it isn't what was written.")


async def _check_privacy(
    name: str, http: httpx.AsyncClient, account: Person
) -> AsyncIterator[Diagnosis]:
    url = f"{ORIGIN}/storage/v1/b/{name}?fields=iamConfiguration,lifecycle"
    try:
        headers = {"authorization": f"Bearer {await account.fetch_token()}"}
        facts = (await fetch_response(http, "GET", url, headers=headers)).raise_for_status().json()
    except (httpx.HTTPError, SignInFailed, ValueError) as error:
        statement = f"who may read it can't be seen ({type(error).__name__})"
        yield report_unseen(SUBJECT, statement, NOT_SIGNED_IN)
        return
    for diagnosis in _judge(facts):
        yield diagnosis


def _judge(facts: dict[str, Any]) -> Iterator[Diagnosis]:
    access = facts.get("iamConfiguration", {})
    is_uniform = access.get("uniformBucketLevelAccess", {}).get("enabled") is True
    if is_uniform and access.get("publicAccessPrevention") == "enforced":
        yield report_good(SUBJECT, "nothing in the bucket can be made public")
    else:
        statement = "a file in the bucket can be made public"
        yield report_bad(SUBJECT, statement, f"At once: {AS_DEPLOYED}")
    rules = facts.get("lifecycle", {}).get("rule", [])
    if not any(INCOMING in rule.get("condition", {}).get("matchesSuffix", []) for rule in rules):
        statement = f"copies that were never finished (…{INCOMING}) stay for ever"
        yield report_doubtful(SUBJECT, statement, AS_DEPLOYED)
    others = [rule for rule in rules if "matchesSuffix" not in rule.get("condition", {})]
    if any(rule.get("action", {}).get("type") == "Delete" for rule in others):
        statement = "a rule of the bucket deletes files that messages still show"
        remedy = "Remove it. How long a client's files are kept is set per client."
        yield report_bad(SUBJECT, statement, remedy)
