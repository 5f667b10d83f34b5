"""Messages that no webhook told: those of lines that came back first, then of all the others."""

from shared.domain.fleet import gaps
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.instances import Instance
from shared.lines import recover as recovering
from shared.sweeps.runs import Run, each

STEP = "gaps"
FIRST = "gaps_of_those_back"


async def recover(run: Run, seen: Survey, planned: Plan) -> None:
    """Every line knows what its server knows. Upstream: 1 call per line and 50 messages."""

    async def one(line: Instance) -> None:
        if recovered := await recovering.recover(line):
            about = {"instance": line.name, "server": line.server, "tenant": line.tenant}
            run.did(STEP, "gap", **about, why=f"{recovered} recovered")
            run.counts["recovered"] += recovered

    lines = sorted((line for line in seen.lines.values() if seen.sighting_of(line)), key=_name)
    back = [line for line in lines if gaps.came_back(line)]
    others = [line for line in lines if not gaps.came_back(line)]
    await each(run, FIRST, back, one, _name)
    await each(run, STEP, others, one, _name)


def _name(line: Instance) -> str:
    return line.name
