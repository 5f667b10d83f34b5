"""The fleet for operators: its figures, its tenants, sweeps and dead letters."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, config, problems, services, web
from shared.domain import names
from shared.domain.fleet.reports import Report
from shared.domain.names import LineId, LineKey, TenantId
from shared.domain.record import Record
from shared.inbound import dead_letters, ingest
from shared.lines import pairing_links
from shared.operator import fleet_pages, fleet_views, overview, review
from shared.problems import Problem

edge = web.Edge("fleet", "/fleet")

Run = Callable[[Request], Awaitable[web.Answer]]


def operator_route(
    method: str, path: str, *, problems: tuple[type[Problem], ...] = (), **options: Any
) -> Callable[[Run], Run]:
    """Make a route that only operators may call; `request.state.operator` says who does."""

    def register(run: Run) -> Run:
        @functools.wraps(run)
        async def require_operator(request: Request) -> web.Answer:
            request.state.operator = await auth.require_operator(request)
            return await run(request)

        raised = (*web.OPERATOR_PROBLEMS, *problems)
        return edge.route(method, path, problems=raised, **options)(require_operator)

    return register


Listing = tuple[list[Any], str | None]
"""The records of a page, and the cursor of the next one."""

Query = TypeVar("Query", bound=fleet_pages.PageQuery)


def list_route(
    path: str, asks: type[Query], answers: type[Record], view: Callable[[Any], Record]
) -> Callable[[Callable[[Query], Awaitable[Listing]]], Run]:
    """Make a route that answers a page: the records of the decorated function, as `view`s."""
    collection, _next = answers.model_fields

    def register(find: Callable[[Query], Awaitable[Listing]]) -> Run:
        @operator_route(
            "GET", path, asks=asks, answers={200: answers}, problems=(problems.RequestInvalid,)
        )
        @functools.wraps(find)
        async def page(request: Request) -> web.Answer:
            records, end = await find(web.parse_query(asks, request))
            return answers.model_validate({collection: list(map(view, records)), "next": end})

        return page

    return register


# The state of the fleet ----------------------------------------------------------------------


@operator_route("GET", "/", answers={200: fleet_views.FleetView})
async def everything(request: Request) -> fleet_views.FleetView:
    """Show totals, servers, what needs attention first, invariants, last sweeps and the trend."""
    return await overview.now()


@operator_route(
    "PUT",
    "/servers/{server}",
    takes=fleet_pages.ServerChange,
    answers={200: fleet_views.ServerView},
    problems=(*web.BODY_PROBLEMS, problems.ServerAbsent),
)
async def server(request: Request) -> fleet_views.ServerView:
    """Let new lines go to the server, or not any more; the lines that it carries stay."""
    change = await web.parse_body(fleet_pages.ServerChange, request)
    server = config.settings().servers.get(request.path_params["server"])
    if server is None:
        raise problems.ServerAbsent()
    await services.store().servers.set_accepting(server, change.accepting)
    rooms = await services.store().servers.read_rooms([server])
    return fleet_views.server_view(rooms[server.id])


@operator_route(
    "GET",
    "/days",
    asks=fleet_pages.WhichDays,
    answers={200: fleet_pages.Days},
    problems=(problems.RequestInvalid,),
)
async def days(request: Request) -> fleet_pages.Days:
    """Show how full every server was, day by day."""
    query = web.parse_query(fleet_pages.WhichDays, request)
    today = services.now().date().toordinal()
    return fleet_pages.Days(days=await services.store().sweeps.list_days(today - query.days + 1))


@list_route(
    "/incidents", fleet_pages.WhichIncidents, fleet_pages.IncidentPage, fleet_views.incident_view
)
async def incidents(query: fleet_pages.WhichIncidents) -> Listing:
    """List incidents, ended and open, in words; the last changed come first."""
    return await services.store().incidents.list_page(query.limit, query.cursor)


@list_route(
    "/instances", fleet_pages.WhichInstances, fleet_pages.InstancePage, fleet_views.instance_view
)
async def instances(query: fleet_pages.WhichInstances) -> Listing:
    """List the lines of all tenants, page by page."""
    where = query.model_dump(include={"tenant", "server", "state"}, exclude_none=True)
    return await services.store().instances.list_page(where, query.limit, query.cursor)


# Tenants -------------------------------------------------------------------------------------


@list_route("/tenants", fleet_pages.PageQuery, fleet_pages.TenantPage, fleet_views.tenant_view)
async def tenants(query: fleet_pages.PageQuery) -> Listing:
    """List the tenants, page by page."""
    return await services.store().tenants.list_page(query.limit, query.cursor)


@operator_route(
    "GET",
    "/tenants/{id}",
    answers={200: fleet_views.TenantView},
    problems=(problems.TenantAbsent,),
)
async def tenant(request: Request) -> fleet_views.TenantView:
    """Show a tenant: its status, what its plan allows, its lines."""
    tenant = await services.store().tenants.find(_tenant_id(request))
    if tenant is None:
        raise problems.TenantAbsent()
    return fleet_views.tenant_view(tenant)


@operator_route(
    "PUT",
    "/tenants/{id}",
    takes=fleet_pages.TenantChange,
    answers={200: fleet_views.TenantView},
    problems=(*web.BODY_PROBLEMS, problems.TenantAbsent),
)
async def change_tenant(request: Request) -> fleet_views.TenantView:
    """Register a tenant, or change its status and plan.

    A cancelled tenant's lines are quarantined by the next sweeps, and released after it; until a
    line's deletion has begun, being active again undoes it.
    """
    change = await web.parse_body(fleet_pages.TenantChange, request)
    fields = change.model_dump(exclude_none=True)
    tenant = await services.store().tenants.update(_tenant_id(request), fields, services.now())
    return fleet_views.tenant_view(tenant)


@operator_route(
    "POST",
    "/tenants/{id}/lines/{line}/link",
    answers={201: pairing_links.Link},
    problems=(problems.TenantAbsent, problems.LineUnknown),
)
async def link(request: Request) -> web.Reply:
    """Create a link that shows the person who has the phone how to connect this one line, once."""
    tenant, line = _tenant_id(request), request.path_params["line"]
    if not names.is_line(line):
        raise problems.LineUnknown()
    key = LineKey(tenant, LineId(line))
    return web.Reply(await pairing_links.create_link(key, request.state.operator), 201)


# Sweeps --------------------------------------------------------------------------------------


@list_route("/sweeps", fleet_pages.WhichReports, fleet_pages.ReportPage, fleet_views.report_view)
async def sweeps(query: fleet_pages.WhichReports) -> Listing:
    """List the reports of one kind of sweep, newest first, in short."""
    return await services.store().sweeps.list_reports(query.kind, query.limit, query.cursor)


@operator_route(
    "GET",
    "/sweeps/{kind}/{report}",
    answers={200: Report},
    problems=(problems.ReportUnknown,),
)
async def sweep(request: Request) -> Report:
    """Show a whole report: `latest` is the last one, `orphans/plan` what the next would do."""
    return await review.report(request.path_params["kind"], request.path_params["report"])


@operator_route(
    "POST",
    "/sweeps/orphans/accept-loss",
    answers={204: None},
)
async def accept_loss(request: Request) -> web.Reply:
    """Accept that the fleet shrank abruptly, so that the next sweep isn't stopped by it."""
    await services.store().sweeps.accept_loss()
    return web.Reply(status=204)


@list_route(
    "/candidates",
    fleet_pages.WhichCandidates,
    fleet_pages.CandidatePage,
    fleet_views.candidate_view,
)
async def candidates(query: fleet_pages.WhichCandidates) -> Listing:
    """List the candidates for deletion: why, since when, and what they wait for."""
    return await services.store().candidates.list_page(query.stage, query.limit, query.cursor)


DECIDING: Any = {
    "answers": {200: fleet_views.CandidateView},
    "problems": (problems.CandidateUnknown, problems.CandidateGone),
}


@operator_route("POST", "/candidates/{id}/approve", **DECIDING)
async def approve(request: Request) -> fleet_views.CandidateView:
    """Approve that a candidate is deleted once its quarantine is over.

    If it was ever paired, the number may not come back: WhatsApp lets some accounts link a device
    only with a passkey, which Evolution can't do.
    """
    return fleet_views.candidate_view(await review.approve(*_about(request)))


@operator_route("POST", "/candidates/{id}/undo", **DECIDING)
async def undo(request: Request) -> fleet_views.CandidateView:
    """Take a candidate out of quarantine; if its cause stays, it is suspected anew."""
    return fleet_views.candidate_view(await review.undo(request.path_params["id"]))


@operator_route("POST", "/candidates/{id}/keep", **DECIDING)
async def keep(request: Request) -> fleet_views.CandidateView:
    """Keep a candidate for good: it is never proposed again for that cause."""
    return fleet_views.candidate_view(await review.keep(*_about(request)))


# Dead letters --------------------------------------------------------------------------------


@list_route(
    "/dead-letters", fleet_pages.PageQuery, fleet_pages.DeadLetterPage, fleet_views.letter_view
)
async def letters(query: fleet_pages.PageQuery) -> Listing:
    """List dead letters, page by page, without what people said in them."""
    return await services.store().dead_letters.list_page(query.limit, query.cursor)


@operator_route(
    "POST",
    "/dead-letters/{id}/replay",
    answers={200: fleet_pages.Replayed},
    problems=(problems.LetterUnknown, problems.LetterCut),
)
async def replay(request: Request) -> fleet_pages.Replayed:
    """Ingest a dead letter again, and discard it if it is readable now."""
    is_readable = await dead_letters.replay(_letter_id(request), ingest.ingest_webhook)
    return fleet_pages.Replayed(outcome="replayed" if is_readable else "dead")


@operator_route(
    "DELETE",
    "/dead-letters/{id}",
    answers={204: None},
    problems=(problems.LetterUnknown,),
)
async def discard(request: Request) -> web.Reply:
    """Discard a dead letter."""
    await dead_letters.discard(_letter_id(request))
    return web.Reply(status=204)


def _about(request: Request) -> tuple[str, str]:
    """Return the candidate's id, and the operator who decides on it."""
    return request.path_params["id"], request.state.operator


def _tenant_id(request: Request) -> TenantId:
    """Read the tenant's id: as names spell it (so that a slash fits into a path), or as it is."""
    spelling: str = request.path_params["id"]
    tenant = names.unspell(spelling) or TenantId(spelling)
    if not names.usable(tenant):
        raise problems.TenantAbsent()
    return tenant


def _letter_id(request: Request) -> str:
    letter_id: str = request.path_params["id"]
    return letter_id


@functions_framework.aio.http
async def fleet(request: Request) -> Response:
    """Answer `/fleet…`."""
    return await edge.answer(request)
