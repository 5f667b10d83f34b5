"""Make records and servers agree again: every night, or at any time."""

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.alerts import notify
from shared.domain.fleet import detect
from shared.domain.fleet.reports import Report, SweepKind
from shared.domain.record import Record
from shared.sweeps import orphans, overdue

edge = web.Edge("sweep_orphans", "/sweep-orphans")


class How(Record):
    """The way to sweep: for real, or only to see the plan."""

    model_config = ConfigDict(extra="forbid")

    dry: bool = Field(default=False, description="Only the plan: nothing is changed")


@edge.route(
    "POST",
    "/",
    asks=How,
    answers={200: Report},
    problems=(*web.SWEEP_PROBLEMS, problems.RequestInvalid),
)
async def repair_fleet(request: Request) -> Report:
    """Mark missing instances, finish what was begun, repair drift, backfill, and delete orphans.

    Orphans are deleted only after their quarantine.
    """
    await auth.require_scheduler(request)
    if web.parse_query(How, request).dry:
        return await orphans.rehearse()
    capacity = await services.store().sweeps.find_standing(SweepKind.CAPACITY)
    report = await orphans.sweep(capacity)
    troubles = [*detect.of_report(report), *await overdue.now({SweepKind.CAPACITY: capacity})]
    await notify.update_incidents(troubles, detect.looked_at(report), detect.unclear(report))
    return report


@functions_framework.aio.http
async def sweep_orphans(request: Request) -> Response:
    """Answer `POST /sweep-orphans`."""
    return await edge.answer(request)
