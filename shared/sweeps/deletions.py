"""An instance goes whose time is over: looked at once more, condemned in one commit, then removed.

The commit that begins a deletion is atomic with what it was decided on: the candidate (nobody undid
it), the line's record (nobody uses it) and the tenant (nobody called it back).
"""

from datetime import datetime, timedelta

from shared import config, log, services
from shared.domain.fleet import candidates, findings, repairs
from shared.domain.fleet.candidates import Candidate, Cause, Stage
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, Reason, State, new_instance
from shared.domain.names import LineKey
from shared.domain.steps import REMOVAL_PATIENCE
from shared.domain.tenants import Tenant
from shared.domain.upstream import Connection, Sighting
from shared.lines import leases, leave
from shared.sweeps import survey as surveying
from shared.sweeps.runs import Run

STEP = "delete"
LOOKED_UP_FOR = timedelta(days=365)
"""How long it stays known why something was deleted."""


async def carry_out(run: Run, candidate: Candidate, rules: Rules) -> bool:
    """The instance is gone, or is going and the next sweep looks after it; False: it was spared."""
    record = await services.store().instance(candidate.name)
    if candidate.stage is Stage.DELETING:
        return await _finish(run, candidate, record)
    tenant = await services.store().tenant(candidate.tenant)
    if not await _still(candidate, record, tenant, rules):
        await _spare(run, candidate, "no cause any more")
        return False
    held = await _condemned(candidate, record, tenant)
    if held is None:
        run.did(STEP, "spared", instance=candidate.name, server=candidate.server, why="changed")
        return False
    log.happened(
        "instance.condemned", instance=candidate.name, server=candidate.server, why=candidate.cause
    )
    return await _remove(run, candidate, held)


async def _still(
    candidate: Candidate, record: Instance | None, tenant: Tenant | None, rules: Rules
) -> bool:
    """What it was suspected of is true at this moment, and who had to be asked was asked."""
    seen = {}
    for server in {candidate.server, record.server if record else candidate.server}:
        connection = await services.evolution(server).connection(candidate.name)
        if connection is not None:
            seen[server] = {candidate.name: Sighting(candidate.name, connection, None)}
    if candidate.server not in seen or candidate.awaits_approval:
        return False
    here = Survey(
        tenants={candidate.tenant: tenant} if tenant else {},
        lines={candidate.name: record} if record else {},
        seen=seen,
        servers=frozenset(config.settings().servers),
        candidates={},
        vague=surveying.vague_servers(),
    )
    key = LineKey(candidate.tenant, candidate.line)
    sighting, now = seen[candidate.server][candidate.name], services.now()
    found = findings.find_one(here, candidate.server, sighting, key, rules, now)
    if found is None or found.cause is not candidate.cause:
        return False
    if candidates.with_finding(candidate, found, rules).awaits_approval:
        return False
    approved = candidate.approved_at is not None
    claimed = record is not None and record.server == candidate.server
    return approved or claimed or await surveying.belongs_here(candidate.server, candidate.name)


async def _condemned(
    candidate: Candidate, record: Instance | None, tenant: Tenant | None
) -> Instance | None:
    now = services.now()
    begun = candidate.model_copy(update={"stage": Stage.DELETING})
    if record is None:
        key = LineKey(candidate.tenant, candidate.line)
        known = new_instance(key, candidate.name, candidate.line, candidate.server, now)
    else:
        known = record
    going = known if candidate.cause is Cause.DUPLICATE else _releasing(known, now)
    held = going.granted(leases.a_holder(), now)
    return await services.store().condemn(begun, record, held, tenant, reserve=record is None)


def _releasing(record: Instance, now: datetime) -> Instance:
    return record.moved(State.RELEASING, Reason.RELEASE_ASKED, now, code=None)


async def _remove(run: Run, candidate: Candidate, held: Instance) -> bool:
    if candidate.cause is Cause.DUPLICATE:
        return await _remove_copy(run, candidate, held)
    if candidate.cause in (Cause.IDLE, Cause.NEVER_PAIRED) and await _came_back(held):
        await _spare(run, candidate, "somebody paired it just now")
        return False
    if await leave.leave(held) is None:
        await _deleted(run, candidate)
    else:
        run.did(STEP, "deleting", instance=candidate.name, server=candidate.server)
    return True


async def _came_back(held: Instance) -> bool:
    """Somebody was faster than we: then it is open again, as if nothing had been begun.

    Stopped half-way it is closed, and the next sweep finds that it isn't.
    """
    async with leases.at_work(held):
        connection = await services.evolution(held.server).connection(held.name)
    if connection is not Connection.OPEN:
        return False
    now = services.now()

    def closed(current: Instance) -> Instance:
        return current.moved(State.CLOSED, Reason.CONNECTION_LOST, now)

    await services.store().settle(held, closed)
    number = await surveying.number_of(held.server, held.name)

    def opened(current: Instance) -> Instance | None:
        return repairs.decide_looked(current, Connection.OPEN, number, now)

    await services.store().change(held.name, opened, now)
    return True


async def _finish(run: Run, candidate: Candidate, record: Instance | None) -> bool:
    """A deletion that began and was interrupted: it ends as it would have."""
    if candidate.cause is Cause.DUPLICATE:
        if record is None or record.server == candidate.server:
            await _spare(run, candidate, "it is no copy any more")
            return False
        held = None if _busy(record) else await leases.claim(record, record)
        return await _remove_copy(run, candidate, held) if held else False
    if record is None or record.state is not State.RELEASING:
        await _deleted(run, candidate)
        return True
    held = None if _busy(record) else await leases.claim(record, record)
    if held is None:
        return False
    if await leave.leave(held) is None:
        await _deleted(run, candidate)
    return True


async def _remove_copy(run: Run, candidate: Candidate, held: Instance) -> bool:
    """The line's other instance goes, while we hold the line so that nobody moves it there.

    Not the only one that there is, and unasked only while the line's own is connected: what was
    true when the deletion began may not be true when it goes on.
    """
    name, server, now = candidate.name, candidate.server, services.now()
    evolution = services.evolution(server)
    asked = candidate.removal_asked_at
    async with leases.at_work(held) as work:
        own = await services.evolution(held.server).connection(name)
        agreed = own is not None and candidate.approved_at is not None
        needed = held.server == server or not (own is Connection.OPEN or agreed)
        if needed:
            pass
        elif asked is None or now - asked > REMOVAL_PATIENCE:
            if await evolution.silence(name):
                work.doubtful = True
                await evolution.delete(name)
                work.doubtful = False
            await services.store().condemned(candidate, {"removal_asked_at": now})
        gone = not needed and await leave.gone(server, name)
    await services.store().settle(work.held, Instance.freed)
    if needed:
        await _spare(run, candidate, "the line may need it")
    elif gone:
        await _deleted(run, candidate)
    else:
        run.did(STEP, "deleting", instance=name, server=server)
    return not needed


async def _deleted(run: Run, candidate: Candidate) -> None:
    now = services.now()
    await services.store().condemned(
        candidate,
        {"stage": Stage.DELETED, "deleted_at": now, "expires_at": now + LOOKED_UP_FOR},
    )
    about = {"instance": candidate.name, "server": candidate.server, "tenant": candidate.tenant}
    run.did(STEP, "deleted", **about, why=candidate.cause)
    log.happened("instance.swept", instance=candidate.name, why=candidate.cause)


async def _spare(run: Run, candidate: Candidate, why: str) -> None:
    """There is nothing against it, whatever it was suspected of."""
    known = await services.store().candidate(candidate.id)
    if known and known.stage is not Stage.KEPT:
        await services.store().undo(known)
    run.did(STEP, "spared", instance=candidate.name, server=candidate.server, why=why)


def _busy(record: Instance) -> bool:
    return record.leased(services.now())
