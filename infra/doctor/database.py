"""Check Firestore: whether it answers, and has the indexes and TTL policies of infra/."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

import httpx

from infra import deployment
from infra.doctor.diagnosis import (
    Diagnosis,
    report_bad,
    report_doubtful,
    report_good,
    report_unseen,
)
from infra.doctor.fetch import fetch_response
from shared import problems, services
from shared.config import Settings

SUBJECT = "Firestore"
ADMIN = "https://firestore.googleapis.com/v1"
SCOPES = [
    "https://www.googleapis.com/auth/datastore",
    "https://www.googleapis.com/auth/devstorage.full_control",
]
PATIENCE = 20.0
NOT_SIGNED_IN = "Sign in: gcloud auth application-default login."

FetchToken = Callable[[], str]
"""Return an access token. Raises ValueError."""

IndexKey = tuple[str, str, tuple[str, ...]]
"""An index as it is compared: its collection group, its scope, its fields with their orders."""


async def check_database(
    settings: Settings, http: httpx.AsyncClient, fetch_token: FetchToken, *, emulated: bool
) -> AsyncIterator[Diagnosis]:
    """Read a document; unless it is the emulator, check indexes and TTL policies too."""
    if not settings.google_cloud_project:
        remedy = "Set GOOGLE_CLOUD_PROJECT to the project that Firestore is in."
        yield report_bad(SUBJECT, "GOOGLE_CLOUD_PROJECT isn't set: it can be any project", remedy)
        return
    try:
        async with asyncio.timeout(PATIENCE):
            await services.store().servers.read_rooms(settings.servers.values())
    except problems.StoreUnavailable:
        yield report_bad(SUBJECT, "it doesn't answer", _choose_remedy(emulated))
        return
    except Exception as error:  # noqa: BLE001 - any failure of sign-in or network is reported
        yield report_bad(
            SUBJECT, f"it can't be read ({type(error).__name__})", _choose_remedy(emulated)
        )
        return
    yield report_good(SUBJECT, "a document can be read")
    if emulated:
        yield report_unseen(
            SUBJECT, "indexes and TTL policies can't be checked: the emulator has neither"
        )
        return
    async for diagnosis in _check_schema(settings, http, fetch_token):
        yield diagnosis


def _choose_remedy(emulated: bool) -> str:
    if emulated:
        return "Is the emulator at FIRESTORE_EMULATOR_HOST running? make run starts one."
    return f"{NOT_SIGNED_IN} Are GOOGLE_CLOUD_PROJECT and FIRESTORE_DATABASE right?"


async def _check_schema(
    settings: Settings, http: httpx.AsyncClient, fetch_token: FetchToken
) -> AsyncIterator[Diagnosis]:
    project, database = settings.google_cloud_project, settings.firestore_database
    groups = f"{ADMIN}/projects/{project}/databases/{database}/collectionGroups/-"
    try:
        headers = {"authorization": f"Bearer {await asyncio.to_thread(fetch_token)}"}
        indexes = await _list_all(http, f"{groups}/indexes", headers, "indexes")
        fields = await _list_all(http, f"{groups}/fields", headers, "fields", "ttlConfig:*")
    except (httpx.HTTPError, ValueError) as error:
        yield report_unseen(
            SUBJECT, f"its indexes can't be listed ({type(error).__name__})", NOT_SIGNED_IN
        )
        return
    yield _check_indexes(indexes)
    yield _check_ttl_policies(fields)


async def _list_all(
    http: httpx.AsyncClient, url: str, headers: dict[str, str], field: str, only: str = ""
) -> list[Any]:
    """Collect `field` of every page. Raises HTTPError, and ValueError for no JSON."""
    items: list[Any] = []
    parameters = {"filter": only} if only else {}
    while True:
        response = await fetch_response(http, "GET", url, headers=headers, params=parameters)
        page = response.raise_for_status().json()
        items += page.get(field, [])
        if not page.get("nextPageToken"):
            return items
        parameters["pageToken"] = page["nextPageToken"]


def _check_indexes(indexes: list[Any]) -> Diagnosis:
    states = {_build_key(index): index.get("state") for index in indexes}
    declared = [_build_key(index, declared=True) for index in deployment.load_indexes()["indexes"]]
    absent = [key for key in declared if key not in states]
    building = [key for key in declared if states.get(key) not in (None, "READY")]
    if absent:
        names = ", ".join(_format_keys(absent))
        return report_bad(SUBJECT, f"indexes are missing: {names}", "make deploy.")
    if building:
        names = ", ".join(_format_keys(building))
        return report_doubtful(
            SUBJECT, f"indexes are not ready yet: {names}", "Wait: minutes, as a rule."
        )
    return report_good(SUBJECT, f"all {len(declared)} indexes are ready")


def _build_key(index: Mapping[str, Any], *, declared: bool = False) -> IndexKey:
    group = index["collectionGroup"] if declared else index["name"].split("/collectionGroups/")[1]
    fields = [f"{field['fieldPath']} {field.get('order')}" for field in index["fields"]]
    compared = tuple(field for field in fields if not field.startswith("__name__"))
    return group.partition("/")[0], index["queryScope"], compared


def _format_keys(keys: Iterable[IndexKey]) -> list[str]:
    return [
        f"{group} ({', '.join(field.split()[0] for field in fields)})" for group, _, fields in keys
    ]


def _check_ttl_policies(fields: list[Any]) -> Diagnosis:
    active = {
        tuple(field["name"].split("/collectionGroups/")[1].split("/fields/"))
        for field in fields
        if field.get("ttlConfig", {}).get("state") == "ACTIVE"
    }
    declared = {
        (str(field["collectionGroup"]), str(field["fieldPath"]))
        for field in deployment.load_indexes()["fieldOverrides"]
        if field.get("ttl")
    }
    strange = sorted(".".join(path) for path in active - declared)
    if strange:
        remedy = "Whatever is older than that field says is deleted: disable the policy at once."
        return report_bad(
            SUBJECT, f"a TTL policy that isn't ours is active: {', '.join(strange)}", remedy
        )
    absent = sorted(group for group, _ in declared - active)
    if absent:
        names = ", ".join(absent)
        remedy = "make deploy; a new policy takes up to a day. Until then they only cost storage."
        return report_doubtful(SUBJECT, f"no TTL policy is active for {names}", remedy)
    return report_good(SUBJECT, f"all {len(declared)} TTL policies are active")


def fetch_access_token() -> str:
    """Fetch an access token of the person who runs the doctor. Raises ValueError."""
    import google.auth
    from google.auth import exceptions
    from google.auth.transport.requests import Request

    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
        credentials.refresh(Request())  # type: ignore[no-untyped-call]  # it is not typed
    except exceptions.GoogleAuthError as error:
        raise ValueError(type(error).__name__) from None
    return str(credentials.token)
