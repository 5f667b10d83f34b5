"""Whether a tenant may use its lines now."""

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


def check(tenant: Tenant | None) -> None:
    """Nothing, if it may. Raises TenantUnknown, TenantSuspended, TenantCancelled."""
    if barred := placing.decide_entry(tenant, on_first_use=config.settings().tenants_on_first_use):
        raise barring(barred)


def barring(barred: placing.Barred) -> problems.Problem:
    """The problem that says why the tenant is kept out."""
    return _BARRED[barred.status]()


def name_of(key: LineKey) -> InstanceName:
    """The name of the instance that carries a line."""
    return names.instance_name(config.settings().instance_prefix, key)


async def known(key: LineKey) -> Instance:
    """The record of a line that its tenant may use.

    Raises LineUnknown, TenantUnknown, TenantSuspended, TenantCancelled. Firestore: 2 reads.
    """
    tenant, instance = await services.store().look(key.tenant, name_of(key))
    check(tenant)
    if instance is None:
        raise problems.LineUnknown()
    return instance


def free(instance: Instance) -> Instance:
    """The same, if nobody is changing it. Raises LineBusy."""
    if instance.leased(services.now()):
        raise problems.LineBusy()
    return instance
