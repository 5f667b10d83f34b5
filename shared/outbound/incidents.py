"""Disable endpoints that fail, and keep the incident of a tenant's in step with them."""

from shared import log, services
from shared.alerts import notify
from shared.domain import endpoints as rules
from shared.domain.endpoints import DisabledReason, Endpoint
from shared.domain.fleet import detect
from shared.domain.fleet.incidents import Cause
from shared.domain.names import TenantId


async def disable_failed(endpoint: Endpoint, reason: DisabledReason) -> None:
    """Disable an endpoint that failed, and raise the incident of its tenant. Safe to repeat."""
    now = services.now()

    def decide(current: Endpoint) -> Endpoint:
        return rules.disable(current, reason, now) if current.is_active else current

    await services.store().endpoints.change(endpoint.id, decide)
    log.notice("endpoint.disabled", endpoint=endpoint.id, reason=reason)
    await update_incident(endpoint.tenant)


async def update_incident(tenant: TenantId) -> None:
    """Raise, update or resolve the incident of a tenant's endpoints that failed.

    Safe to repeat. Firestore: n reads of the tenant's endpoints, 1 read; if the incident changed,
    1 write, and 2 if it has news, which the next sweep delivers.
    """
    endpoints = await services.store().endpoints.list_of_tenant(tenant)
    failed = [endpoint.id for endpoint in endpoints if endpoint.has_failed]
    trouble = detect.endpoints_trouble(Cause.ENDPOINTS_FAILED, tenant, failed)
    await notify.note_incident(trouble.id, trouble if failed else None)
