"""Cloud Scheduler asks, every night or at any time: how full is every server, and until when?"""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, config, services, web
from shared.alerts import tell, troubles
from shared.domain.fleet.reports import Report
from shared.domain.tenants import Status
from shared.sweeps import capacity, overdue
from shared.sweeps.capacity import Seen

edge = web.Edge("sweep_capacity", "/sweep-capacity")


@edge.route("POST", "/", answers={200: Report}, problems=web.SWEEP_PROBLEMS)
async def census(request: Request) -> Report:
    """Every server is counted, corrected, kept in the history, and alerted of if it fills up."""
    await auth.scheduler_of(request)
    report, seen = await capacity.sweep()
    await _alert(seen)
    return report


async def _alert(seen: Seen) -> None:
    settings, store = config.settings(), services.store()
    away = await store.tenants_that_are(Status.SUSPENDED, Status.CANCELLED)
    found = [
        *await overdue.now(),
        *troubles.of_servers(
            seen.censuses,
            seen.silent,
            settings.capacity_alert_ratio,
            {server: services.evolution(server).manager_url for server in seen.silent},
        ),
        *troubles.of_lines(
            seen.lines,
            seen.silent.keys(),
            away,
            config.hours(settings.alert_disconnected_minutes / 60),
            config.days(settings.orphan_grace_days),
            services.now(),
        ),
    ]
    unseen = troubles.unsure(seen.censuses, seen.silent, seen.lines)
    await tell.follow(found, troubles.OF_CAPACITY, unseen)


@functions_framework.aio.http
async def sweep_capacity(request: Request) -> Response:
    """`POST /sweep-capacity`."""
    return await edge.answer(request)
