"""Let a line go: its instance is removed upstream, then our record says so.

The order is what makes it safe to be interrupted anywhere: the record says `releasing` before
anything happens upstream, and stays so until a look has found the instance gone. Upstream log-out
is never used: messages are lost after it (EVOLUTION.md §1.3).
"""

from functools import partial

from shared import log, problems, services
from shared.domain import steps
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineKey
from shared.lines import entry, leases
from shared.lines.leases import Work

GONE_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 2.0, 2.0)
"""When we look whether a deleted instance is gone: after these seconds each."""

TURNS = 4


async def release(key: LineKey) -> Instance | None:
    """The line is gone: no instance, no number, no slot; its conversations stay.

    An Instance is the record of a line that is still `releasing`: asking again goes on with it.
    Raises LineUnknown, LineBusy, and the problems of the server.
    """
    return await leave(await _begin(key, Reason.RELEASE_ASKED))


async def disconnect(key: LineKey) -> Instance:
    """The line's number is unpaired; the line and its slot stay, `closed`, for the next ensure.

    The record is still `releasing` if the server hasn't removed the instance yet. Raises as
    `release`.
    """
    begun = await _begin(key, Reason.DISCONNECT_ASKED)
    left = begun if begun.state is State.CLOSED else await leave(begun)
    if left is None:
        raise problems.LineUnknown()
    return left


async def leave(held: Instance) -> Instance | None:
    """A held, `releasing` instance is gone upstream, and the record is what was asked for.

    None: released. An Instance: `closed` after a disconnect, or still `releasing` because the
    server hasn't removed it yet.
    """
    async with leases.at_work(held) as work:
        await work.go_on()
        removed = await _removed(work)
    if not removed:
        log.happened("instance.leaving", instance=held.name, server=held.server)
        removing = partial(steps.decide_removing, now=services.now())
        return await services.store().settle(held, removing) or held
    log.happened("instance.left", instance=held.name, server=held.server, reason=held.reason)
    if held.reason is Reason.RELEASE_ASKED:
        await services.store().release(held)
        return None
    return await _disconnected(held)


async def _begin(key: LineKey, reason: Reason) -> Instance:
    """The record says what was asked and is leased to us; or it is so already."""
    for _ in range(TURNS):
        known = entry.free(await entry.known(key))
        services.server(known.server)
        match steps.decide_leaving(known, reason, services.now()):
            case steps.Ready(done):
                return done
            case steps.Leaving(leaving):
                if held := await leases.claim(known, leaving):
                    return held
    raise problems.LineBusy()


async def _removed(work: Work) -> bool:
    """Asked for, silenced first so that its own webhook can't hold it up (EVOLUTION.md §1.4).

    Asked for once: the server removes by name, late, and a second removal could hit the next
    instance of that name.
    """
    held, evolution = work.held, services.evolution(work.held.server)
    if not steps.removal_due(held, services.now()):
        return await gone(held.server, held.name)
    if await evolution.silence(held.name):
        work.doubtful = True
        found = await evolution.delete(held.name)
        work.doubtful = False
        if found:
            return await gone(held.server, held.name)
    return await evolution.connection(held.name) is None


async def gone(server: str, name: InstanceName) -> bool:
    """Whether a server that was asked to remove an instance has done so by now."""
    for seconds in GONE_PAUSES:
        await services.pause(seconds)
        if await services.evolution(server).connection(name) is None:
            return True
    return False


async def _disconnected(held: Instance) -> Instance:
    await services.store().free_number(held)
    now = services.now()

    def closed(current: Instance) -> Instance:
        return steps.disconnected(current, now)

    return await services.store().settle(held, closed) or closed(held)
