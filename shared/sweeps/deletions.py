"""Delete an instance whose time is over: look once more, begin in one commit, then remove it.

The commit that begins a deletion is atomic with what it was decided on: the candidate (it wasn't
undone), the line's record (no lease on it) and the tenant (not active again).
"""

from datetime import datetime, timedelta

from shared import config, log, services
from shared.domain import steps
from shared.domain.fleet import candidates, findings, repairs
from shared.domain.fleet.candidates import Candidate, CandidateCause, Stage
from shared.domain.fleet.rules import Rules
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, Reason, State, new_instance
from shared.domain.names import LineKey
from shared.domain.tenants import Tenant
from shared.domain.upstream import Connection, Sighting
from shared.lines import leases, release
from shared.lines.leases import Work
from shared.media import waiting
from shared.sweeps import surveying as surveying
from shared.sweeps.runs import Run

STEP = "delete"
LOOKED_UP_FOR = timedelta(days=365)
"""How long it stays known why something was deleted."""


async def carry_out(run: Run, candidate: Candidate, rules: Rules) -> bool:
    """Delete an instance, or leave the rest to the next sweep. False: it was spared."""
    record = await services.store().instances.find(candidate.name)
    if candidate.stage is Stage.DELETING:
        return await _finish(run, candidate, record)
    tenant = await services.store().tenants.find(candidate.tenant)
    if not await _still(candidate, record, tenant, rules):
        await _spare(run, candidate, "no cause any more")
        return False
    leased = await _condemned(candidate, record, tenant)
    if leased is None:
        run.did(STEP, "spared", instance=candidate.name, server=candidate.server, why="changed")
        return False
    log.info(
        "instance.condemned", instance=candidate.name, server=candidate.server, why=candidate.cause
    )
    return await _remove(run, candidate, leased)


async def _still(
    candidate: Candidate, record: Instance | None, tenant: Tenant | None, rules: Rules
) -> bool:
    """Tell whether the suspicion is true at this moment, and a person approved where one has to."""
    sightings = {}
    for server in {candidate.server, record.server if record else candidate.server}:
        connection = await services.evolution(server).find_connection(candidate.name)
        if connection is not None:
            sightings[server] = {candidate.name: Sighting(candidate.name, connection, None)}
    if candidate.server not in sightings or candidate.awaits_approval:
        return False
    here = Survey(
        tenants={candidate.tenant: tenant} if tenant else {},
        lines={candidate.name: record} if record else {},
        seen=sightings,
        servers=frozenset(config.settings().servers),
        candidates={},
        vague=surveying.vague_servers(),
    )
    key = LineKey(candidate.tenant, candidate.line)
    sighting, now = sightings[candidate.server][candidate.name], services.now()
    finding = findings.find_one(here, candidate.server, sighting, key, rules, now)
    if finding is None or finding.cause is not candidate.cause:
        return False
    if candidates.with_finding(candidate, finding, rules).awaits_approval:
        return False
    approved = candidate.approved_at is not None
    claimed = record is not None and record.server == candidate.server
    return approved or claimed or await surveying.belongs_here(candidate.server, candidate.name)


async def _condemned(
    candidate: Candidate, record: Instance | None, tenant: Tenant | None
) -> Instance | None:
    now = services.now()
    deleting = candidate.model_copy(update={"stage": Stage.DELETING})
    if record is None:
        key = LineKey(candidate.tenant, candidate.line)
        line = new_instance(key, candidate.name, candidate.line, candidate.server, now)
    else:
        line = record
    line_after = line if candidate.cause is CandidateCause.DUPLICATE else _releasing(line, now)
    leased = line_after.granted(leases.new_holder(), now)
    return await services.store().candidates.begin_deletion(
        deleting, record, leased, tenant, reserve=record is None
    )


def _releasing(record: Instance, now: datetime) -> Instance:
    return record.with_state(State.RELEASING, Reason.RELEASE_ASKED, now, code=None)


async def _remove(run: Run, candidate: Candidate, held: Instance) -> bool:
    if candidate.cause is CandidateCause.DUPLICATE:
        return await _remove_copy(run, candidate, held)
    if candidate.cause in (CandidateCause.IDLE, CandidateCause.NEVER_PAIRED) and await _came_back(
        held
    ):
        await _spare(run, candidate, "somebody paired it just now")
        return False
    await _remove_and_report(run, candidate, held)
    return True


async def _remove_and_report(run: Run, candidate: Candidate, held: Instance) -> None:
    left = await release.remove_instance(held)
    if left is None:
        await _deleted(run, candidate)
        return
    about = {"instance": candidate.name, "server": candidate.server}
    run.did(STEP, "awaits_media" if left.media_awaited else "deleting", **about)


async def _came_back(held: Instance) -> bool:
    """Undo a deletion that another change overtook: the candidate is as if nothing had begun.

    Stopped half-way it is closed, and the next sweep finds that it isn't.
    """
    async with leases.hold_lease(held):
        connection = await services.evolution(held.server).find_connection(held.name)
    if connection is not Connection.OPEN:
        return False
    now = services.now()

    def closed(current: Instance) -> Instance:
        return current.with_state(State.CLOSED, Reason.CONNECTION_LOST, now)

    await services.store().instances.release_lease(held, closed)
    number = await surveying.number_of(held.server, held.name)

    def opened(current: Instance) -> Instance | None:
        return repairs.decide_looked(current, Connection.OPEN, number, now)

    await services.store().instances.change(held.name, opened, now)
    return True


async def _finish(run: Run, candidate: Candidate, record: Instance | None) -> bool:
    """Finish a deletion that began and was interrupted."""
    if candidate.cause is CandidateCause.DUPLICATE:
        if record is None or record.server == candidate.server:
            await _spare(run, candidate, "it is no copy any more")
            return False
        leased = None if _busy(record) else await leases.claim(record, record)
        return await _remove_copy(run, candidate, leased) if leased else False
    if record is None or record.state is not State.RELEASING:
        await _deleted(run, candidate)
        return True
    leased = None if _busy(record) else await leases.claim(record, record)
    if leased is None:
        return False
    await _remove_and_report(run, candidate, leased)
    return True


async def _remove_copy(run: Run, candidate: Candidate, held: Instance) -> bool:
    """Remove the line's other instance, while our lease keeps the line from being moved there.

    Not the only one that there is, and unasked only while the line's own is connected: what was
    true when the deletion began may not be true when it goes on.
    """
    name, server = candidate.name, candidate.server
    async with leases.hold_lease(held) as work:
        files = await waiting.await_copies(LineKey(candidate.tenant, candidate.line))
        await work.extend_lease()
        own = await services.evolution(held.server).find_connection(name)
        agreed = own is not None and candidate.approved_at is not None
        needed = held.server == server or not (own is Connection.OPEN or agreed)
        is_gone = not (needed or files) and await _remove_copy_upstream(work, candidate)
    await services.store().instances.release_lease(work.instance, Instance.freed)
    if needed:
        await _spare(run, candidate, "the line may need it")
    elif files:
        run.did(STEP, "awaits_media", instance=name, server=server)
    elif is_gone:
        await _deleted(run, candidate)
    else:
        run.did(STEP, "deleting", instance=name, server=server)
    return not needed


async def _remove_copy_upstream(work: Work, candidate: Candidate) -> bool:
    """Ask the server once to remove a copy, and tell whether it is gone: as for a release."""
    name, server, now = candidate.name, candidate.server, services.now()
    evolution, note = services.evolution(server), services.store().candidates.record_deletion
    if candidate.silenced and await release.is_replaced(server, name):
        return True
    if steps.removal_due(candidate.removal_asked_at, now):
        await work.extend_lease()
        if await evolution.silence_instance(name):
            await note(candidate, {"silenced": True})
            await work.extend_lease()
            work.doubtful = True
            await evolution.delete_instance(name)
            work.doubtful = False
        await note(candidate, {"removal_asked_at": now})
    return await release.await_removal(server, name)


async def _deleted(run: Run, candidate: Candidate) -> None:
    now = services.now()
    await services.store().candidates.record_deletion(
        candidate,
        {"stage": Stage.DELETED, "deleted_at": now, "expires_at": now + LOOKED_UP_FOR},
    )
    about = {"instance": candidate.name, "server": candidate.server, "tenant": candidate.tenant}
    run.did(STEP, "deleted", **about, why=candidate.cause)
    log.info("instance.swept", instance=candidate.name, why=candidate.cause)


async def _spare(run: Run, candidate: Candidate, why: str) -> None:
    """Clear the candidate: nothing is against it any more."""
    current = await services.store().candidates.find(candidate.id)
    if current and current.stage is not Stage.KEPT:
        await services.store().candidates.clear(current)
    run.did(STEP, "spared", instance=candidate.name, server=candidate.server, why=why)


def _busy(record: Instance) -> bool:
    return record.leased(services.now())
