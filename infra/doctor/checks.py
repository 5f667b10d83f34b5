"""Run all checks, one after the other; a failed one doesn't stop the others."""

from collections.abc import AsyncIterator, Mapping

from infra.doctor import (
    database,
    endpoint_secrets,
    issuers,
    media_bucket,
    origin,
    pushed_functions,
    servers,
    settings_check,
)
from infra.doctor.diagnosis import Diagnosis
from shared import services

EMULATOR = "FIRESTORE_EMULATOR_HOST"


async def run_checks(
    environment: Mapping[str, str],
    evolution: Mapping[str, str] | None = None,
    fetch_token: database.FetchToken = database.fetch_access_token,
    *,
    own: str | None = None,
) -> AsyncIterator[Diagnosis]:
    """Yield the diagnosis of each check, in the order in which faults are best repaired.

    `evolution` is the environment of the Evolution server, if the operator has it; `own` the local
    stack's origin on this machine, where its PUBLIC_URL may be a tunnel for webhooks alone.
    """
    settings, diagnoses = settings_check.read_settings(environment)
    for diagnosis in diagnoses:
        yield diagnosis
    if settings is None:
        return
    local, http = bool(environment.get(EMULATOR)), services.http()
    for diagnosis in settings_check.check_choices(settings, local=local):
        yield diagnosis
    async for diagnosis in _chain(
        database.check_database(settings, http, fetch_token, emulated=local),
        media_bucket.check_bucket(settings, http, fetch_token),
        issuers.check_issuers(settings, http, local=local),
        *(servers.check_server(it, http, local=local) for it in settings.servers.values()),
    ):
        yield diagnosis
    for diagnosis in servers.check_environment(evolution):
        yield diagnosis
    async for diagnosis in _chain(
        origin.check_origin(settings, http, local=local, own=own),
        pushed_functions.check_pushed(settings, http, fetch_token, local=local, own=own),
    ):
        yield diagnosis
    yield await endpoint_secrets.check_endpoints()


async def _chain(*checks: AsyncIterator[Diagnosis]) -> AsyncIterator[Diagnosis]:
    for check in checks:
        async for diagnosis in check:
            yield diagnosis
