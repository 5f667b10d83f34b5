"""Keep the incident of a tenant's failed endpoints in step with its endpoints."""

from shared import services
from shared.alerts import notify
from shared.domain.endpoints import EVERYBODY
from shared.domain.fleet.detect import FLEET
from shared.domain.fleet.incidents import Cause, Trouble
from shared.domain.names import TenantId


async def update_incident(tenant: TenantId) -> None:
    """Raise, update or resolve the incident of a tenant's endpoints that failed.

    Safe to repeat. Firestore: n reads of the tenant's endpoints, 1 read; if the incident changed,
    1 write, and 2 if it has news, which the next sweep delivers.
    """
    endpoints = await services.store().endpoints.list_of_tenant(tenant)
    failed = [endpoint.id for endpoint in endpoints if endpoint.has_failed]
    subject = FLEET if tenant == EVERYBODY else tenant
    trouble = Trouble(
        cause=Cause.ENDPOINTS_FAILED,
        subject=subject,
        count=len(failed),
        facts={"endpoints": failed},
    )
    await notify.note_incident(trouble.id, trouble if failed else None)
