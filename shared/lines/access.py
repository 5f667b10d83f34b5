"""Check whether a tenant may use its lines now."""

from shared import config, problems, services
from shared.domain import names, placing
from shared.domain.instances import Instance
from shared.domain.names import InstanceName, LineKey
from shared.domain.tenants import Status, Tenant

_BARRED = {
    None: problems.TenantUnknown,
    Status.SUSPENDED: problems.TenantSuspended,
    Status.CANCELLED: problems.TenantCancelled,
}


def require_active(tenant: Tenant | None) -> None:
    """Check that a tenant may use its lines.

    Raises TenantUnknown, TenantSuspended, TenantCancelled.
    """
    if barred := placing.decide_entry(tenant, on_first_use=config.settings().tenants_on_first_use):
        raise problem_for(barred)


def problem_for(barred: placing.Barred) -> problems.Problem:
    """Return the problem that says why the tenant is kept out."""
    return _BARRED[barred.status]()


def instance_name(key: LineKey) -> InstanceName:
    """Return the name of the instance that carries a line."""
    return names.instance_name(config.settings().instance_prefix, key)


async def require_instance(key: LineKey) -> Instance:
    """Return the instance of a line, if its tenant may use it.

    Raises LineUnknown, TenantUnknown, TenantSuspended, TenantCancelled. Firestore: 2 reads.
    """
    tenant, instance = await services.store().instances.find_with_tenant(
        key.tenant, instance_name(key)
    )
    require_active(tenant)
    if instance is None:
        raise problems.LineUnknown()
    return instance


def require_unleased(instance: Instance) -> Instance:
    """Return the instance unless another caller holds its lease. Raises LineBusy."""
    if instance.leased(services.now()):
        raise problems.LineBusy()
    return instance
