"""Slots of servers that no line has, and lines that have none: the former freed, the latter given.

Both take a hand in the database, or a version that only counted: a line's record and its slot are
written in one commit.
"""

from shared import services
from shared.domain.fleet import invariants
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.sweeps.runs import Run

STEP = "slots"


async def repair(run: Run, seen: Survey, planned: Plan) -> None:
    """Seat the lines of every server whose slots aren't those of its lines.

    Firestore: nothing if they are.
    """
    for server in invariants.misseated(seen):
        await run.go_on()
        await seat(run, server)


async def seat(run: Run, server: str) -> int:
    """Give the lines of a server their slots, note it if any lacked, and tell how many changed."""
    slots_given, slots_freed = await services.store().servers.seat_lines(server)
    if slots_given or slots_freed:
        run.did(STEP, "seated", server=server, why=f"{slots_given} given, {slots_freed} freed")
    return slots_given + slots_freed
