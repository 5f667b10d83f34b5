"""Lines whose record isn't what their server says, and releases that weren't finished."""

from shared import services
from shared.domain.fleet import repairs
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.repairs import Liar, Missing, Repair, Stuck
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, State
from shared.domain.upstream import Connection
from shared.lines import leases, release
from shared.sweeps.runs import Run, work_on_items

STEP = "lines"


async def look_again(run: Run, seen: Survey, planned: Plan) -> None:
    """Ask for each unfinished change once more, until its record says what is true."""
    numbers = {
        (server, name): sighting.number
        for server, carried in seen.seen.items()
        for name, sighting in carried.items()
        if sighting.connection is Connection.OPEN
    }

    async def one(repair: Repair) -> None:
        line = repair.line
        current = await services.store().instances.find(line.name)
        if current is None or current.leased(services.now()) or current.server != line.server:
            return
        if isinstance(repair, Stuck) and current.state is State.RELEASING:
            await _finish_leaving(run, current)
            return
        await _record(run, repair, current, numbers.get((line.server, line.name)))

    ordered = sorted(planned.repairs, key=_name)
    await work_on_items(run, STEP, ordered, one, _name)


async def _record(run: Run, repair: Repair, current: Instance, number: str | None) -> None:
    connection = await services.evolution(current.server).find_connection(current.name)
    now = services.now()

    def looked(record: Instance) -> Instance | None:
        """Decide the record by the look; None if it changed since, and so is newer."""
        same = record.version == current.version
        return repairs.decide_looked(record, connection, number, now) if same else None

    updated = await services.store().instances.change(current.name, looked, now, current)
    if updated:
        about = {"instance": current.name, "server": current.server, "tenant": current.tenant}
        run.did(STEP, WHAT[type(repair)], **about, why=f"{current.state} → {updated.state}")


async def _finish_leaving(run: Run, leaving: Instance) -> None:
    leased = await leases.claim(leaving, leaving)
    if leased is None:
        return
    remaining = await release.remove_instance(leased)
    is_done = remaining is None or remaining.state is not State.RELEASING
    if remaining and remaining.media_awaited:
        run.did(STEP, "awaits_media", instance=leaving.name, server=leaving.server)
        return
    run.did(STEP, "left" if is_done else "leaving", instance=leaving.name, server=leaving.server)


WHAT: dict[type, str] = {Missing: "missing", Liar: "corrected", Stuck: "unstuck"}


def _name(repair: Repair) -> str:
    return repair.line.name
