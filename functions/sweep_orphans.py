"""Cloud Scheduler asks, every night or at any time: make records and servers agree again."""

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.alerts import tell, troubles
from shared.domain.fleet.reports import Kind, Report
from shared.domain.record import Record
from shared.sweeps import orphans, overdue

edge = web.Edge("sweep_orphans", "/sweep-orphans")


class How(Record):
    """Whether to do it or only to say what would be done."""

    model_config = ConfigDict(extra="forbid")

    dry: bool = Field(default=False, description="Only the plan: nothing is changed")


@edge.route(
    "POST",
    "/",
    asks=How,
    answers={200: Report},
    problems=(*web.SWEEP_PROBLEMS, problems.RequestInvalid),
)
async def agree(request: Request) -> Report:
    """What is missing is said so, what was begun is finished, what drifted is repaired, what was
    missed is fetched, and what nobody claims goes after its time.
    """
    await auth.scheduler_of(request)
    if web.query(How, request).dry:
        return await orphans.rehearse()
    capacity = await services.store().standing(Kind.CAPACITY)
    report = await orphans.sweep(capacity)
    found = [*troubles.of_report(report), *await overdue.now({Kind.CAPACITY: capacity})]
    await tell.follow(found, troubles.looked_at(report), troubles.unclear(report))
    return report


@functions_framework.aio.http
async def sweep_orphans(request: Request) -> Response:
    """`POST /sweep-orphans`."""
    return await edge.answer(request)
