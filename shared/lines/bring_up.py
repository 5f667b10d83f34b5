"""Make a line live: reuse, adopt, create or heal its one instance.

`ensure` takes turns. In each it looks at the records, decides, and does one thing; a turn that ends
in None found the records (or the server) changed under it, and the next one looks again.
"""

import asyncio
from dataclasses import dataclass

from shared import config, log, problems, services
from shared.domain import placing, steps
from shared.domain.instances import Instance, Reason, State, new_instance
from shared.domain.names import InstanceName, LineKey
from shared.domain.upstream import Connection
from shared.lines import entry, leases, leave, make
from shared.store import Full, Placed

TURNS = 6
"""How often a call begins anew because others changed the line while it worked."""


@dataclass(frozen=True)
class Asked:
    """What a caller wants: a line, perhaps its label, and the number that will type a code."""

    key: LineKey
    label: str | None = None
    number: str | None = None
    known_only: bool = False
    """Nothing that isn't there, or is being released, is made."""


async def ensure(asked: Asked) -> Instance:
    """The line is carried by exactly one instance, and this is its record.

    `creating` or `releasing`: another caller is at it, or nobody can tell yet what became of a
    create; asking again later settles it. Safe to call any number of times, from anywhere.
    Raises the problems of tenants and servers, MaximumLinesReached, MaximumInstancesReached,
    LineBusy.
    """
    for _ in range(TURNS):
        if instance := await _turn(asked):
            return await _labelled(instance, asked)
    raise problems.LineBusy()


async def _turn(asked: Asked) -> Instance | None:
    """One try; None: the records changed under us, so look again."""
    settings, now = config.settings(), services.now()
    name = entry.name_of(asked.key)
    tenant, instance = await services.store().look(asked.key.tenant, name)
    on_first_use = settings.tenants_on_first_use
    match placing.decide_place(tenant, instance, asked.key, now, on_first_use=on_first_use):
        case placing.Barred() as barred:
            raise entry.barring(barred)
        case placing.TooManyLines(max_lines):
            raise problems.MaximumLinesReached(f"The plan allows {max_lines}.")
        case placing.NewLine() if asked.known_only:
            raise problems.LineUnknown()
        case placing.FinishLeaving(leaving) if asked.known_only and _released(leaving):
            raise problems.LineUnknown()
        case placing.NewLine():
            return await _place(name, asked)
        case placing.Wait(changing):
            return changing
        case placing.FinishLeaving(leaving):
            return await _finish_leaving(leaving)
        case placing.TakeOver(stuck):
            return await _take_over(stuck, asked)
        case placing.Look(known):
            return await _check(known, asked)


def _released(leaving: Instance) -> bool:
    return leaving.reason is Reason.RELEASE_ASKED


async def _place(name: InstanceName, asked: Asked) -> Instance | None:
    found_on = await _found_on(name)
    label = asked.label or asked.key.line
    wanted = new_instance(asked.key, name, label, found_on or "", services.now())
    leased = wanted.granted(leases.a_holder(), services.now())
    servers = config.settings().servers.values()
    match await services.store().place(leased, servers, found_on):
        case Placed(held):
            log.happened("instance.placed", instance=held.name, server=held.server)
            return await _placed(held, asked, found_on)
        case Full():
            raise problems.MaximumInstancesReached("Every server is full.")
        case None:
            return None


async def _placed(held: Instance, asked: Asked, found_on: str | None) -> Instance | None:
    if found_on and await _gone_since(held):
        return None
    return await make.make_and_start(held, asked.number)


async def _gone_since(held: Instance) -> bool:
    """What was found there, full or not, is gone: so is the slot, for a server with room."""
    async with leases.at_work(held):
        if await services.evolution(held.server).connection(held.name) is not None:
            return False
        await services.store().release(held)
        return True


async def _found_on(name: InstanceName) -> str | None:
    """The server that carries an instance of which we have no record, if one does.

    Every server is asked, and one that can't answer stops us: a line never has two instances.
    """
    servers = list(config.settings().servers)
    asking = (services.evolution(server).connection(name) for server in servers)
    answers = dict(zip(servers, await asyncio.gather(*asking), strict=True))
    carrying = [server for server, connection in answers.items() if connection]
    live = [server for server in carrying if answers[server] is Connection.OPEN]
    return next(iter(live or carrying), None)


async def _finish_leaving(leaving: Instance) -> Instance | None:
    held = await leases.claim(leaving, leaving)
    return await _leave(held) if held else None


async def _leave(held: Instance) -> Instance | None:
    left = await leave.leave(held)
    return left if left and left.state is State.RELEASING else None


async def _take_over(stuck: Instance, asked: Asked) -> Instance | None:
    held = await leases.claim(stuck, stuck)
    return await make.make_and_start(held, asked.number) if held else None


async def _check(known: Instance, asked: Asked) -> Instance | None:
    connection = await services.evolution(known.server).connection(known.name)
    by_number, mark = asked.number is not None, make.configuration(known).mark
    match steps.decide_step(known, connection, services.now(), by_number=by_number, mark=mark):
        case steps.Ready(ready):
            return ready
        case steps.Note(noted):
            return await services.store().replace(known, noted)
        case steps.Contest(contested):
            return await _contest(contested)
        case steps.Configure(drifted):
            await _configure(drifted)
            return None
        case steps.AskForCode(connecting):
            return await _ask_for_code(connecting, asked)
        case steps.Heal(gone):
            return await _heal(gone, asked)
        case steps.Renew(spent):
            return await _renew(spent)
        case steps.Reconnect(closed):
            held = await leases.claim(closed, closed)
            return await make.start(held, asked.number) if held else None
        case steps.AskNumber(silent):
            held = await leases.claim(silent, steps.asked_for_number(silent, services.now()))
            return await make.ask_number(held) if held else None


async def _contest(contested: Instance) -> Instance | None:
    now = services.now()

    def again(current: Instance) -> Instance | None:
        live = current.state is State.CONFLICT
        return current.moved(State.OPEN, None, now) if live else None

    return await services.store().change(contested.name, again, now)


async def _configure(drifted: Instance) -> None:
    configuration = make.configuration(drifted)
    if await services.evolution(drifted.server).configure(drifted.name, configuration):
        log.happened("instance.configured", instance=drifted.name, server=drifted.server)
        marked = drifted.model_copy(update={"configured": configuration.mark})
        await services.store().replace(drifted, marked)


async def _ask_for_code(connecting: Instance, asked: Asked) -> Instance | None:
    link = await services.evolution(connecting.server).connect(connecting.name)
    if link is None:
        return None
    match steps.decide_found(connecting, link, services.now()):
        case steps.Ready(ready):
            return ready
        case steps.Note(noted):
            kept = await services.store().replace(connecting, noted)
            return None if kept and kept.code and asked.number else kept


async def _heal(gone: Instance, asked: Asked) -> Instance | None:
    log.happened("instance.missing", instance=gone.name, server=gone.server)
    held = await leases.claim(gone, steps.healing(gone, services.now()))
    return await make.make_and_start(held, asked.number) if held else None


async def _renew(spent: Instance) -> Instance | None:
    leaving = spent.moved(State.RELEASING, Reason.DISCONNECT_ASKED, services.now())
    held = await leases.claim(spent, leaving)
    return await _leave(held) if held else None


async def _labelled(instance: Instance, asked: Asked) -> Instance:
    if asked.label is None or asked.label == instance.label:
        return instance
    await services.store().relabel(instance, asked.label, services.now())
    return instance.model_copy(update={"label": asked.label})
