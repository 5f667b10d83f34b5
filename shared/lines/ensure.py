"""Make a line live: reuse, adopt, create or heal its one instance.

`ensure_line` takes turns. A turn looks at the records, decides, and does one thing. A turn that
ends in None found that the records (or the server) changed meanwhile, and the next one looks again.
"""

import asyncio
from contextlib import suppress

from msgspec import Struct

from shared import config, log, problems, services
from shared.domain import placing, steps
from shared.domain.instances import Instance, Reason, State, new_instance
from shared.domain.names import InstanceName, LineKey
from shared.domain.upstream import Connection
from shared.lines import access, leases, provision
from shared.store.instances import Full, Placed

TURNS = 6
"""How often a call begins anew because others changed the line while it worked."""


class EnsureRequest(Struct, frozen=True):
    """A line to make live, perhaps with a label, and the number that will type a pairing code.

    `existing_only`: a line that isn't there, or is being released, is not made.
    """

    key: LineKey
    label: str | None = None
    number: str | None = None
    existing_only: bool = False


async def ensure_line(request: EnsureRequest) -> Instance:
    """Make exactly one instance carry the line, and return its record.

    A record in `creating` or `releasing` means that another caller works on it, or that the outcome
    of a create isn't known yet: asking again later resolves it. Safe to call any number of times,
    from anywhere. Raises the problems of tenants and servers, MaximumLinesReached,
    MaximumInstancesReached, LineBusy.
    """
    try:
        for _ in range(TURNS):
            if instance := await _take_turn(request):
                return await _label(instance, request)
        raise problems.LineBusy()
    except problems.Problem:
        await _keep_label(request)
        raise


async def _take_turn(request: EnsureRequest) -> Instance | None:
    """Look, decide and do one thing; None if the records changed under us."""
    settings, now = config.settings(), services.now()
    name = access.instance_name(request.key)
    tenant, instance = await services.store().instances.find_with_tenant(request.key.tenant, name)
    on_first_use = settings.tenants_on_first_use
    match placing.decide_place(tenant, instance, request.key, now, on_first_use=on_first_use):
        case placing.Barred() as barred:
            raise access.problem_for(barred)
        case placing.TooManyLines(max_lines):
            raise problems.MaximumLinesReached(f"The plan allows {max_lines}.")
        case placing.NewLine() if request.existing_only:
            raise problems.LineUnknown()
        case placing.FinishLeaving(leaving) if request.existing_only and _is_release(leaving):
            raise problems.LineUnknown()
        case placing.NewLine():
            return await _place(name, request)
        case placing.Wait(changing):
            return changing
        case placing.FinishLeaving(leaving):
            return await _finish_leaving(leaving)
        case placing.TakeOver(stuck):
            return await _take_over(stuck, request)
        case placing.Look(current):
            return await _check(current, request)


def _is_release(leaving: Instance) -> bool:
    return leaving.reason is Reason.RELEASE_ASKED


async def _place(name: InstanceName, request: EnsureRequest) -> Instance | None:
    carrier = await _find_carrier(name)
    label = request.label or request.key.line
    instance = new_instance(request.key, name, label, carrier or "", services.now())
    leased = instance.granted(leases.new_holder(), services.now())
    servers = config.settings().servers.values()
    match await services.store().instances.place(leased, servers, carrier):
        case Placed(placed):
            log.info("instance.placed", instance=placed.name, server=placed.server)
            return await _provision(placed, request, carrier)
        case Full():
            raise problems.MaximumInstancesReached("Every server is full.")
        case None:
            return None


async def _provision(
    leased: Instance, request: EnsureRequest, carrier: str | None
) -> Instance | None:
    if carrier and await _release_if_removed(leased):
        return None
    return await provision.create_and_start(leased, request.number)


async def _release_if_removed(leased: Instance) -> bool:
    """Release an adopted line whose instance was removed meanwhile; tell whether it was.

    It was placed on its server whether that is full or not; a new one goes to a server with room.
    """
    async with leases.hold_lease(leased):
        if await services.evolution(leased.server).find_connection(leased.name) is not None:
            return False
        await services.store().instances.release(leased)
        return True


async def _find_carrier(name: InstanceName) -> str | None:
    """Return the server that carries an instance of which we have no record, if one does.

    Every server is asked, and one that can't answer stops us: a line never has two instances.
    """
    servers = list(config.settings().servers)
    lookups = (services.evolution(server).find_connection(name) for server in servers)
    connections = dict(zip(servers, await asyncio.gather(*lookups), strict=True))
    carriers = [server for server, connection in connections.items() if connection]
    live = [server for server in carriers if connections[server] is Connection.OPEN]
    return next(iter(live or carriers), None)


async def _finish_leaving(leaving: Instance) -> Instance | None:
    leased = await leases.claim(leaving, leaving)
    return await _remove(leased) if leased else None


async def _remove(leased: Instance) -> Instance | None:
    from shared.lines import release  # hardly any ensure removes

    instance = await release.remove_instance(leased)
    return instance if instance and instance.state is State.RELEASING else None


async def _take_over(stuck: Instance, request: EnsureRequest) -> Instance | None:
    leased = await leases.claim(stuck, stuck)
    return await provision.create_and_start(leased, request.number) if leased else None


async def _check(instance: Instance, request: EnsureRequest) -> Instance | None:
    connection = await services.evolution(instance.server).find_connection(instance.name)
    by_number, mark = request.number is not None, provision.wanted_configuration(instance).mark
    match steps.decide_step(instance, connection, services.now(), by_number=by_number, mark=mark):
        case steps.Ready(ready):
            return ready
        case steps.Note(changed):
            return await services.store().instances.replace(instance, changed)
        case steps.Contest(contested):
            return await _contest(contested)
        case steps.Configure(drifted):
            await _configure(drifted)
            return None
        case steps.AskForCode(connecting):
            return await _request_code(connecting, request)
        case steps.Heal(missing):
            return await _heal(missing, request)
        case steps.Renew(spent):
            return await _renew(spent)
        case steps.Reconnect(closed):
            leased = await leases.claim(closed, closed)
            return await provision.start_instance(leased, request.number) if leased else None
        case steps.AskNumber(silent):
            leased = await leases.claim(silent, steps.asked_for_number(silent, services.now()))
            return await provision.learn_number(leased) if leased else None


async def _contest(contested: Instance) -> Instance | None:
    now = services.now()

    def open_again(current: Instance) -> Instance | None:
        is_live = current.state is State.CONFLICT
        return current.with_state(State.OPEN, None, now) if is_live else None

    return await services.store().instances.change(contested.name, open_again, now)


async def _configure(drifted: Instance) -> None:
    configuration = provision.wanted_configuration(drifted)
    if await services.evolution(drifted.server).configure_instance(drifted.name, configuration):
        log.info("instance.configured", instance=drifted.name, server=drifted.server)
        configured = drifted.model_copy(update={"configured": configuration.mark})
        await services.store().instances.replace(drifted, configured)


async def _request_code(connecting: Instance, request: EnsureRequest) -> Instance | None:
    link = await services.evolution(connecting.server).connect_instance(connecting.name)
    if link is None:
        return None
    match steps.decide_found(connecting, link, services.now()):
        case steps.Ready(ready):
            return ready
        case steps.Note(changed):
            stored = await services.store().instances.replace(connecting, changed)
            return None if stored and stored.code and request.number else stored


async def _heal(missing: Instance, request: EnsureRequest) -> Instance | None:
    log.info("instance.missing", instance=missing.name, server=missing.server)
    leased = await leases.claim(missing, steps.healing(missing, services.now()))
    return await provision.create_and_start(leased, request.number) if leased else None


async def _renew(spent: Instance) -> Instance | None:
    leaving = spent.with_state(State.RELEASING, Reason.DISCONNECT_ASKED, services.now())
    leased = await leases.claim(spent, leaving)
    return await _remove(leased) if leased else None


async def _label(instance: Instance, request: EnsureRequest) -> Instance:
    if request.label is None or request.label == instance.label:
        return instance
    await services.store().instances.relabel(instance, request.label, services.now())
    return instance.model_copy(update={"label": request.label})


async def _keep_label(request: EnsureRequest) -> None:
    """Give the line its label although it couldn't be made live: the label was no part of that."""
    if request.label is None:
        return
    with suppress(problems.Problem):
        instance = await access.require_instance(request.key)
        await _label(instance, request)
