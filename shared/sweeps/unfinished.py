"""Lines whose record isn't what their server says, and releases that nobody finished."""

from shared import services
from shared.domain.fleet import repairs
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.repairs import Liar, Missing, Repair, Stuck
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance, State
from shared.domain.upstream import Connection
from shared.lines import leases, leave
from shared.sweeps.runs import Run, each

STEP = "lines"


async def look_again(run: Run, seen: Survey, planned: Plan) -> None:
    """Each is asked for once more; then its record says what is true."""
    numbers = {
        (server, name): sighting.number
        for server, carried in seen.seen.items()
        for name, sighting in carried.items()
        if sighting.connection is Connection.OPEN
    }

    async def one(repair: Repair) -> None:
        line = repair.line
        current = await services.store().instance(line.name)
        if current is None or current.leased(services.now()) or current.server != line.server:
            return
        if isinstance(repair, Stuck) and current.state is State.RELEASING:
            await _finish_leaving(run, current)
            return
        await _record(run, repair, current, numbers.get((line.server, line.name)))

    ordered = sorted(planned.repairs, key=_name)
    await each(run, STEP, ordered, one, _name)


async def _record(run: Run, repair: Repair, current: Instance, number: str | None) -> None:
    connection = await services.evolution(current.server).connection(current.name)
    now = services.now()

    def looked(found: Instance) -> Instance | None:
        """What was heard after the look is newer than the look."""
        same = found.version == current.version
        return repairs.decide_looked(found, connection, number, now) if same else None

    changed = await services.store().change(current.name, looked, now, current)
    if changed:
        about = {"instance": current.name, "server": current.server, "tenant": current.tenant}
        run.did(STEP, WHAT[type(repair)], **about, why=f"{current.state} → {changed.state}")


async def _finish_leaving(run: Run, leaving: Instance) -> None:
    held = await leases.claim(leaving, leaving)
    if held is None:
        return
    left = await leave.leave(held)
    done = left is None or left.state is not State.RELEASING
    run.did(STEP, "left" if done else "leaving", instance=leaving.name, server=leaving.server)


WHAT: dict[type, str] = {Missing: "missing", Liar: "corrected", Stuck: "unstuck"}


def _name(repair: Repair) -> str:
    return repair.line.name
