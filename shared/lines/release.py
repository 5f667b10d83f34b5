"""Let a line go: its instance is removed upstream, then our record says so.

The order makes it safe to be interrupted anywhere: the record says `releasing` before anything
happens upstream, and stays so until a look has found that the instance is gone. Upstream log-out
is never used: messages are lost after it (EVOLUTION.md §1.3). Before the instance goes, its
messages' files are copied into the bucket: what isn't is lost with it (P14).
"""

import asyncio
from contextlib import suppress
from functools import partial

from msgspec import Struct

from shared import config, log, problems, services
from shared.domain import steps
from shared.domain.instances import Instance, Reason, State
from shared.domain.names import InstanceName, LineKey
from shared.lines import access, leases
from shared.lines.leases import Work
from shared.media import waiting

GONE_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.5, 2.0, 2.0)
"""Seconds before each look whether a deleted instance is gone."""

RESUMED_AT_ONCE = 8

TURNS = 4
"""How often we begin anew because others changed the record meanwhile."""


class FilesDue(Struct, frozen=True):
    """Nothing was removed: so many files of the line's messages aren't copied yet."""

    count: int


async def release_line(key: LineKey, *, without_media: bool = False) -> Instance | None:
    """Remove a line's instance, number and slot; its conversations stay.

    Return None once it is released, or the record while it is still `releasing`: asking again goes
    on with it. `without_media`: also if files of its messages aren't in the bucket. Raises
    LineUnknown, LineBusy, and the problems of the server.
    """
    return await remove_instance(await _begin(key, Reason.RELEASE_ASKED, without_media))


async def disconnect_line(key: LineKey, *, without_media: bool = False) -> Instance:
    """Unpair a line's number; the line and its slot stay, `closed`, for the next ensure.

    Return the record, which is still `releasing` if the server hasn't removed the instance yet.
    `without_media` and problems as of `release_line`.
    """
    leased = await _begin(key, Reason.DISCONNECT_ASKED, without_media)
    instance = leased if leased.state is State.CLOSED else await remove_instance(leased)
    if instance is None:
        raise problems.LineUnknown()
    return instance


async def remove_instance(leased: Instance) -> Instance | None:
    """Remove a leased, `releasing` instance upstream, and finish what its reason asked for.

    Return None for a released line; or the record: `closed` after a disconnect, still `releasing`
    if the server hasn't removed the instance yet, or files of its messages aren't copied yet.
    """
    async with leases.hold_lease(leased) as work:
        await work.extend_lease()
        removal = await _remove_upstream(work)
    held = work.instance
    if isinstance(removal, FilesDue):
        log.info("instance.awaits_media", instance=held.name, files=removal.count)
        awaiting = partial(steps.decide_awaiting_files, files=removal.count)
        return await services.store().instances.release_lease(held, awaiting) or held
    if not removal:
        log.info("instance.leaving", instance=held.name, server=held.server)
        removing = partial(steps.decide_removing, now=services.now())
        return await services.store().instances.release_lease(held, removing) or held
    log.info("instance.left", instance=held.name, server=held.server, reason=held.reason)
    if held.reason is Reason.RELEASE_ASKED:
        await services.store().instances.release(held)
        return None
    return await _record_disconnection(held)


async def resume_removals() -> None:
    """Go on with removals that waited for files, so that no caller has to ask again.

    Firestore: 1 read at least, and what each removal costs.
    """

    async def resume(waiting_line: Instance) -> None:
        with suppress(problems.Problem):  # it stays as it is, for the next time
            line = access.require_unleased(waiting_line)
            if line.state is State.RELEASING and (leased := await leases.claim(line, line)):
                await remove_instance(leased)

    if config.settings().media_bucket is None:
        return
    lines = await services.store().instances.list_awaiting_media(RESUMED_AT_ONCE)
    await asyncio.gather(*map(resume, lines))


async def _begin(key: LineKey, reason: Reason, without_media: bool) -> Instance:
    """Lease the record, `releasing` for this reason; or return it if nothing is left to do."""
    for _ in range(TURNS):
        instance = access.require_unleased(await access.require_instance(key))
        services.server(instance.server)
        match steps.decide_leaving(instance, reason, services.now()):
            case steps.Ready(ready):
                return ready
            case steps.Leaving(leaving):
                change = {"without_media": leaving.without_media or without_media}
                if leased := await leases.claim(instance, leaving.model_copy(update=change)):
                    return leased
    raise problems.LineBusy()


async def _remove_upstream(work: Work) -> bool | FilesDue:
    """Ask the server once to remove the instance, and tell whether it is gone.

    The instance is silenced first, so that its own webhook can't hold the removal up (EVOLUTION.md
    §1.4), and so that it is known by that. It is asked for once: the server removes by name, late,
    and a second removal could hit the next instance of that name. Files are waited for twice: while
    it still reports, as that may take hours, and for what it reported until it was silent.
    """
    instance, evolution = work.instance, services.evolution(work.instance.server)
    if not steps.removal_due(instance.removal_asked_at, services.now()):
        return await await_removal(instance.server, instance.name)
    if instance.silenced and await is_replaced(instance.server, instance.name):
        return True
    if files := await _await_files(work):
        return FilesDue(files)
    if await evolution.silence_instance(instance.name):
        await work.extend_lease()
        if files := await _await_files(work):
            return FilesDue(files)
        await work.note(silenced=True)
        work.doubtful = True
        is_accepted = await evolution.delete_instance(instance.name)
        work.doubtful = False
        if is_accepted:
            return await await_removal(instance.server, instance.name)
    return await evolution.find_connection(instance.name) is None


async def _await_files(work: Work) -> int:
    """Wait for the files of the line's messages, if it has to; return how many aren't copied."""
    if not steps.must_await_files(work.instance, services.now()):
        return 0
    files = await waiting.await_copies(work.instance.key)
    await work.extend_lease()
    return files


async def is_replaced(server: str, name: InstanceName) -> bool:
    """Tell whether another instance has the name of one that we silenced to have it removed.

    That one was never decided on, so it stays.
    """
    evolution = services.evolution(server)
    configuration = await evolution.find_configuration(name)
    if configuration is None or configuration.webhook_url == evolution.silent_url:
        return False
    log.notice("instance.replaced", instance=name, server=server)
    return True


async def await_removal(server: str, name: InstanceName) -> bool:
    """Wait until a server has removed an instance, up to 7 s; tell whether it has."""
    for seconds in GONE_PAUSES:
        await services.pause(seconds)
        if await services.evolution(server).find_connection(name) is None:
            return True
    return False


async def _record_disconnection(held: Instance) -> Instance:
    await services.store().numbers.free(held)
    now = services.now()

    def disconnect(current: Instance) -> Instance:
        return steps.disconnected(current, now)

    return await services.store().instances.release_lease(held, disconnect) or disconnect(held)
