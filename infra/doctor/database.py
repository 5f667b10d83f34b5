"""Firestore: reachable, and with the indexes and ends of life that infra/ declares."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import httpx

from infra import deployment
from infra.doctor.asking import ask
from infra.doctor.findings import Finding, bad, doubtful, good, unseen
from shared import problems, services
from shared.config import Settings

WHAT = "Firestore"
ADMIN = "https://firestore.googleapis.com/v1"
SCOPE = "https://www.googleapis.com/auth/datastore"
PATIENCE = 20.0
NOT_SIGNED_IN = "Sign in: gcloud auth application-default login."

Token = Callable[[], str]


async def look(
    settings: Settings, http: httpx.AsyncClient, token: Token, *, emulated: bool
) -> AsyncIterator[Finding]:
    """A document can be read; and unless it is the emulator, what queries need is there."""
    if not settings.google_cloud_project:
        remedy = "Set GOOGLE_CLOUD_PROJECT to the project that Firestore is in."
        yield bad(WHAT, "GOOGLE_CLOUD_PROJECT isn't set: nobody can tell which it is", remedy)
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await services.store().rooms(settings.servers.values())
    except problems.StoreUnavailable:
        yield bad(WHAT, "it doesn't answer", _remedy(emulated))
        return
    except Exception as error:  # noqa: BLE001 - whatever sign-in and network say, it is a finding
        yield bad(WHAT, f"it can't be read ({type(error).__name__})", _remedy(emulated))
        return
    yield good(WHAT, "a document can be read")
    if emulated:
        yield unseen(WHAT, "indexes and TTL policies can't be checked: the emulator has neither")
        return
    async for finding in _administered(settings, http, token):
        yield finding


def _remedy(emulated: bool) -> str:
    if emulated:
        return "Is the emulator at FIRESTORE_EMULATOR_HOST running? make run starts one."
    return f"{NOT_SIGNED_IN} Are GOOGLE_CLOUD_PROJECT and FIRESTORE_DATABASE right?"


async def _administered(
    settings: Settings, http: httpx.AsyncClient, token: Token
) -> AsyncIterator[Finding]:
    project, database = settings.google_cloud_project, settings.firestore_database
    groups = f"{ADMIN}/projects/{project}/databases/{database}/collectionGroups/-"
    try:
        headers = {"authorization": f"Bearer {await asyncio.to_thread(token)}"}
        made = await _all(http, f"{groups}/indexes", headers, "indexes")
        fields = await _all(http, f"{groups}/fields", headers, "fields", "ttlConfig:*")
    except (httpx.HTTPError, ValueError) as error:
        yield unseen(WHAT, f"its indexes can't be listed ({type(error).__name__})", NOT_SIGNED_IN)
        return
    yield _indexes(made)
    yield _ends(fields)


async def _all(
    http: httpx.AsyncClient, url: str, headers: dict[str, str], what: str, only: str = ""
) -> list[Any]:
    found: list[Any] = []
    asked = {"filter": only} if only else {}
    while True:
        found_now = await ask(http, "GET", url, headers=headers, params=asked)
        answer = found_now.raise_for_status().json()
        found += answer.get(what, [])
        if not answer.get("nextPageToken"):
            return found
        asked["pageToken"] = answer["nextPageToken"]


def _indexes(made: list[Any]) -> Finding:
    ready = {_index(each): each.get("state") for each in made}
    wanted = [_index(each, declared=True) for each in deployment.indexes()["indexes"]]
    absent = [each for each in wanted if each not in ready]
    building = [each for each in wanted if ready.get(each) not in (None, "READY")]
    if absent:
        names = ", ".join(_called(absent))
        return bad(WHAT, f"indexes are missing: {names}", "make deploy (or make gcloud's lines).")
    if building:
        names = ", ".join(_called(building))
        return doubtful(WHAT, f"indexes are not ready yet: {names}", "Wait: minutes, as a rule.")
    return good(WHAT, f"all {len(wanted)} indexes are ready")


def _index(index: Mapping[str, Any], *, declared: bool = False) -> tuple[str, str, tuple[str, ...]]:
    group = index["collectionGroup"] if declared else index["name"].split("/collectionGroups/")[1]
    fields = [f"{each['fieldPath']} {each.get('order')}" for each in index["fields"]]
    kept = tuple(each for each in fields if not each.startswith("__name__"))
    return group.partition("/")[0], index["queryScope"], kept


def _called(indexes: Iterable[tuple[str, str, tuple[str, ...]]]) -> list[str]:
    return [
        f"{group} ({', '.join(field.split()[0] for field in fields)})"
        for group, _, fields in indexes
    ]


def _ends(fields: list[Any]) -> Finding:
    active = {
        tuple(each["name"].split("/collectionGroups/")[1].split("/fields/"))
        for each in fields
        if each.get("ttlConfig", {}).get("state") == "ACTIVE"
    }
    wanted = {
        (str(each["collectionGroup"]), str(each["fieldPath"]))
        for each in deployment.indexes()["fieldOverrides"]
        if each.get("ttl")
    }
    strange = sorted(".".join(each) for each in active - wanted)
    if strange:
        remedy = "Whatever is older than that field says is deleted: disable the policy at once."
        return bad(WHAT, f"a TTL policy that isn't ours is active: {', '.join(strange)}", remedy)
    absent = sorted(group for group, _ in wanted - active)
    if absent:
        names = ", ".join(absent)
        remedy = "make deploy; a new policy takes up to a day. Until then they only cost storage."
        return doubtful(WHAT, f"no TTL policy is active for {names}", remedy)
    return good(WHAT, f"all {len(wanted)} TTL policies are active")


def signed_in() -> str:
    """An access token of whoever runs the doctor. Raises ValueError."""
    import google.auth
    from google.auth import exceptions
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=[SCOPE])
        credentials.refresh(Request())  # type: ignore[no-untyped-call]  # it is not typed
    except exceptions.GoogleAuthError as error:
        raise ValueError(type(error).__name__) from None
    return str(credentials.token)
