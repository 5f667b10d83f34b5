"""Count how full every server is, and until when there is room: every night, or at any time."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, config, services, web
from shared.alerts import notify
from shared.domain.endpoints import LATE
from shared.domain.fleet import detect
from shared.domain.fleet.reports import Report
from shared.domain.tenants import Status
from shared.sweeps import measure_capacity, overdue
from shared.sweeps.measure_capacity import Seen

edge = web.Edge("sweep_capacity", "/sweep-capacity")


@edge.route("POST", "/", answers={200: Report}, problems=web.SWEEP_PROBLEMS)
async def take_census(request: Request) -> Report:
    """Count every server, correct its records, keep the count, and alert if it fills up."""
    await auth.require_scheduler(request)
    report, survey = await measure_capacity.sweep()
    await _alert(survey)
    return report


async def _alert(survey: Seen) -> None:
    settings, store = config.settings(), services.store()
    away = await store.tenants.find_with_status(Status.SUSPENDED, Status.CANCELLED)
    troubles = [
        *await overdue.now(),
        *detect.of_servers(
            survey.censuses,
            survey.silent,
            settings.capacity_alert_ratio,
            {server: services.evolution(server).manager_url for server in survey.silent},
        ),
        *detect.of_lines(
            survey.lines,
            survey.silent.keys(),
            away,
            config.hours(settings.alert_disconnected_minutes / 60),
            config.days(settings.orphan_grace_days),
            services.now(),
        ),
        *detect.of_endpoints(await store.endpoints.list_late(services.now() - LATE)),
    ]
    unseen = detect.unsure(survey.censuses, survey.silent, survey.lines)
    await notify.update_incidents(troubles, detect.OF_CAPACITY, unseen)


@functions_framework.aio.http
async def sweep_capacity(request: Request) -> Response:
    """Answer `POST /sweep-capacity`."""
    return await edge.answer(request)
