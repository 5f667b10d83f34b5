"""Whether a tenant may use its lines now."""

from shared import config, problems
from shared.domain import placing
from shared.domain.tenants import Status, Tenant

_BARRED = {
    None: problems.TenantUnknown,
    Status.SUSPENDED: problems.TenantSuspended,
    Status.CANCELLED: problems.TenantCancelled,
}


def check(tenant: Tenant | None) -> None:
    """Nothing, if it may. Raises TenantUnknown, TenantSuspended, TenantCancelled."""
    if barred := placing.decide_entry(tenant, on_first_use=config.settings().tenants_on_first_use):
        raise barring(barred)


def barring(barred: placing.Barred) -> problems.Problem:
    """The problem that says why the tenant is kept out."""
    return _BARRED[barred.status]()
