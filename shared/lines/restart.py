"""Make a connected line connect again."""

from shared import problems, services
from shared.domain.instances import Instance, State
from shared.domain.names import LineKey
from shared.lines import entry, leases


async def restart(key: LineKey) -> Instance:
    """The line reconnects to WhatsApp, without pairing again.

    Raises LineUnknown, LineBusy, LineNotOpen, and the problems of the tenant and the server.
    """
    known = entry.free(await entry.known(key))
    if known.state is State.RELEASING:
        raise problems.LineNotOpen("It is being released.")
    held = await leases.claim(known, known)
    if held is None:
        raise problems.LineBusy()
    async with leases.at_work(held):
        restarting = await services.evolution(held.server).restart(held.name)
    settled = await services.store().settle(held, Instance.freed)
    if not restarting:
        raise problems.LineNotOpen("Ask for it with POST /ensure-instance.")
    return settled or held
