"""Make a connected line connect again."""

from shared import problems, services
from shared.domain.instances import Instance, State
from shared.domain.names import LineKey
from shared.lines import access, leases


async def restart_line(key: LineKey) -> Instance:
    """Reconnect a line to WhatsApp, without pairing again.

    Raises LineUnknown, LineBusy, LineNotOpen, and the problems of the tenant and the server.
    """
    instance = access.require_unleased(await access.require_instance(key))
    if instance.state is State.RELEASING:
        raise problems.LineNotOpen("It is being released.")
    leased = await leases.claim(instance, instance)
    if leased is None:
        raise problems.LineBusy()
    async with leases.hold_lease(leased):
        is_restarting = await services.evolution(leased.server).restart_instance(leased.name)
    restarted = await services.store().instances.release_lease(leased, Instance.freed)
    if not is_restarting:
        raise problems.LineNotOpen("Ask for it with POST /ensure-instance.")
    return restarted or leased
