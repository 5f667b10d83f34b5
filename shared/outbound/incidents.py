"""Disable endpoints that fail, and keep the incident of a tenant's in step with them."""

from shared import log, services
from shared.alerts import notify
from shared.domain import endpoints as rules
from shared.domain.endpoints import DisabledReason, Endpoint
from shared.domain.fleet import detect
from shared.domain.fleet.incidents import Cause
from shared.domain.names import TenantId


async def disable_failed(endpoint: Endpoint, reason: DisabledReason) -> None:
    """Raise the incident of an endpoint that failed, and disable it. Safe to repeat.

    In this order: one that is disabled already is tried no more, so it would never be raised later.
    """
    now = services.now()

    def decide(current: Endpoint) -> Endpoint:
        return rules.disable(current, reason, now) if current.is_active else current

    await update_incident(endpoint.tenant, failing=endpoint.id)
    disabled = await services.store().endpoints.change(endpoint.id, decide)
    log.notice("endpoint.disabled", endpoint=endpoint.id, reason=reason)
    if disabled is None or not disabled.has_failed:  # a person was faster
        await update_incident(endpoint.tenant)


async def update_incident(tenant: TenantId, failing: str | None = None) -> None:
    """Raise, update or resolve the incident of a tenant's endpoints that failed.

    `failing`: one that is about to be disabled. Safe to repeat. Firestore: n reads of the tenant's
    endpoints, 1 read; if the incident changed, 1 write, and 2 if it has news, which the next sweep
    delivers.
    """
    endpoints = await services.store().endpoints.list_of_tenant(tenant)
    failed = [one.id for one in endpoints if one.has_failed or one.id == failing]
    trouble = detect.endpoints_trouble(Cause.ENDPOINTS_FAILED, tenant, failed)
    await notify.note_incident(trouble.id, trouble if failed else None)
