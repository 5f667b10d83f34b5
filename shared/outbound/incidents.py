"""Keep the incident of a tenant's failed endpoints in step with its endpoints."""

from shared import services
from shared.alerts import notify
from shared.domain.fleet import detect
from shared.domain.fleet.incidents import Cause
from shared.domain.names import TenantId


async def update_incident(tenant: TenantId) -> None:
    """Raise, update or resolve the incident of a tenant's endpoints that failed.

    Safe to repeat. Firestore: n reads of the tenant's endpoints, 1 read; if the incident changed,
    1 write, and 2 if it has news, which the next sweep delivers.
    """
    endpoints = await services.store().endpoints.list_of_tenant(tenant)
    failed = [endpoint.id for endpoint in endpoints if endpoint.has_failed]
    trouble = detect.endpoints_trouble(Cause.ENDPOINTS_FAILED, tenant, failed)
    await notify.note_incident(trouble.id, trouble if failed else None)
