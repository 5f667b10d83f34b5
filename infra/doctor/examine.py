"""All checks, one after the other; none stops the others."""

from collections.abc import AsyncIterator, Mapping

from infra.doctor import choices, database, issuers, origin, servers
from infra.doctor.findings import Finding
from shared import services

EMULATOR = "FIRESTORE_EMULATOR_HOST"


async def everything(
    environment: Mapping[str, str],
    evolution: Mapping[str, str] | None = None,
    token: database.Token = database.signed_in,
    *,
    own: str | None = None,
) -> AsyncIterator[Finding]:
    """What is found, in the order in which it is best mended.

    `evolution` is the environment of the Evolution server, if somebody has it; `own` the local
    stack's origin on this machine, where its PUBLIC_URL may be a tunnel for webhooks alone.
    """
    settings, found = choices.read(environment)
    for finding in found:
        yield finding
    if settings is None:
        return
    local, http = bool(environment.get(EMULATOR)), services.http()
    for finding in choices.left_open(settings, local=local):
        yield finding
    async for finding in database.look(settings, http, token, emulated=local):
        yield finding
    async for finding in issuers.look(settings, http, local=local):
        yield finding
    for server in settings.servers.values():
        async for finding in servers.look(server, http, local=local):
            yield finding
    for finding in servers.environment(evolution):
        yield finding
    async for finding in origin.look(settings, http, local=local, own=own):
        yield finding
