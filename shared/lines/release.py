"""Let a line go: its instance is removed upstream, then our record says so.

The order makes it safe to be interrupted anywhere: the record says `releasing` before anything
happens upstream, and stays so until a look has found that the instance is gone. Upstream log-out
is never used: messages are lost after it (EVOLUTION.md §1.3).
"""

from functools import partial

from shared import log, problems, services
from shared.domain import steps
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineKey
from shared.lines import access, leases
from shared.lines.leases import Work

GONE_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 2.0, 2.0)
"""Seconds before each look whether a deleted instance is gone."""

TURNS = 4
"""How often we begin anew because others changed the record meanwhile."""


async def release_line(key: LineKey) -> Instance | None:
    """Remove a line's instance, number and slot; its conversations stay.

    Return None once it is released, or the record while it is still `releasing`: asking again goes
    on with it. Raises LineUnknown, LineBusy, and the problems of the server.
    """
    return await remove_instance(await _begin(key, Reason.RELEASE_ASKED))


async def disconnect_line(key: LineKey) -> Instance:
    """Unpair a line's number; the line and its slot stay, `closed`, for the next ensure.

    Return the record, which is still `releasing` if the server hasn't removed the instance yet.
    Raises as `release_line`.
    """
    leased = await _begin(key, Reason.DISCONNECT_ASKED)
    instance = leased if leased.state is State.CLOSED else await remove_instance(leased)
    if instance is None:
        raise problems.LineUnknown()
    return instance


async def remove_instance(leased: Instance) -> Instance | None:
    """Remove a leased, `releasing` instance upstream, and finish what its reason asked for.

    Return None for a released line; or the record: `closed` after a disconnect, still `releasing`
    if the server hasn't removed the instance yet.
    """
    async with leases.hold_lease(leased) as work:
        await work.extend_lease()
        is_removed = await _remove_upstream(work)
    if not is_removed:
        log.info("instance.leaving", instance=leased.name, server=leased.server)
        removing = partial(steps.decide_removing, now=services.now())
        return await services.store().instances.release_lease(leased, removing) or leased
    log.info("instance.left", instance=leased.name, server=leased.server, reason=leased.reason)
    if leased.reason is Reason.RELEASE_ASKED:
        await services.store().instances.release(leased)
        return None
    return await _record_disconnection(leased)


async def _begin(key: LineKey, reason: Reason) -> Instance:
    """Lease the record, `releasing` for this reason; or return it if nothing is left to do."""
    for _ in range(TURNS):
        instance = access.require_unleased(await access.require_instance(key))
        services.server(instance.server)
        match steps.decide_leaving(instance, reason, services.now()):
            case steps.Ready(ready):
                return ready
            case steps.Leaving(leaving):
                if leased := await leases.claim(instance, leaving):
                    return leased
    raise problems.LineBusy()


async def _remove_upstream(work: Work) -> bool:
    """Ask the server once to remove the instance, and tell whether it is gone.

    The instance is silenced first, so that its own webhook can't hold the removal up (EVOLUTION.md
    §1.4). It is asked for once: the server removes by name, late, and a second removal could hit
    the next instance of that name.
    """
    instance, evolution = work.instance, services.evolution(work.instance.server)
    if not steps.removal_due(instance, services.now()):
        return await await_removal(instance.server, instance.name)
    if await evolution.silence_instance(instance.name):
        work.doubtful = True
        is_accepted = await evolution.delete_instance(instance.name)
        work.doubtful = False
        if is_accepted:
            return await await_removal(instance.server, instance.name)
    return await evolution.find_connection(instance.name) is None


async def await_removal(server: str, name: InstanceName) -> bool:
    """Wait until a server has removed an instance, up to 7 s; tell whether it has."""
    for seconds in GONE_PAUSES:
        await services.pause(seconds)
        if await services.evolution(server).find_connection(name) is None:
            return True
    return False


async def _record_disconnection(leased: Instance) -> Instance:
    await services.store().numbers.free(leased)
    now = services.now()

    def disconnect(current: Instance) -> Instance:
        return steps.disconnected(current, now)

    return await services.store().instances.release_lease(leased, disconnect) or disconnect(leased)
