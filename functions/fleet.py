"""The fleet for operators: its figures, its tenants, sweeps and dead letters."""

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import audit, auth, config, problems, services, web
from shared.domain import names
from shared.domain.acts import Action
from shared.domain.fleet.candidates import Candidate
from shared.domain.fleet.reports import Report
from shared.domain.names import LineId, LineKey, TenantId
from shared.domain.record import Record
from shared.domain.tenants import MediaUsage
from shared.inbound import dead_letters
from shared.lines import pairing_links
from shared.operator import fleet_pages, fleet_views, overview, review, sweep_progress
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


Listing = tuple[list[Any], str | None] | tuple[list[Any], str | None, int | None]
"""The records of a page, the cursor of the next one, and perhaps how many all pages have."""

Query = TypeVar("Query", bound=fleet_pages.PageQuery)


def list_route(
    path: str, asks: type[Query], answers: type[Record], view: Callable[[Any], Record]
) -> Callable[[Callable[[Query], Awaitable[Listing]]], Run]:
    """Make a route that answers a page: the records of the decorated function, as `view`s."""
    collection = next(iter(answers.model_fields))

    def register(find: Callable[[Query], Awaitable[Listing]]) -> Run:
        @operator_route(
            "GET", path, asks=asks, answers={200: answers}, problems=(problems.RequestInvalid,)
        )
        @functools.wraps(find)
        async def page(request: Request) -> web.Answer:
            records, end, *total = await find(web.parse_query(asks, request))
            fields = {collection: list(map(view, records)), "next": end}
            return answers.model_validate(fields | ({"total": total[0]} if total else {}))

        return page

    return register


# The state of the fleet ----------------------------------------------------------------------


@operator_route("GET", "/", answers={200: fleet_views.FleetView})
async def get_fleet(request: Request) -> fleet_views.FleetView:
    """Show totals, servers, what needs attention first, invariants, last sweeps and the trend."""
    return await overview.now()


@operator_route(
    "PUT",
    "/servers/{server}",
    takes=fleet_pages.ServerChange,
    answers={200: fleet_views.ServerView},
    problems=(*web.BODY_PROBLEMS, problems.ServerAbsent),
)
async def change_server(request: Request) -> fleet_views.ServerView:
    """Let new lines go to the server, or not any more; the lines that it carries stay."""
    change = await web.parse_body(fleet_pages.ServerChange, request)
    server = config.settings().servers.get(request.path_params["server"])
    if server is None:
        raise problems.ServerAbsent()
    await services.store().servers.set_accepting(server, change.accepting)
    facts = {"accepting": change.accepting}
    await _record(request, Action.SERVER_ACCEPTING, subject=server.id, facts=facts)
    rooms = await services.store().servers.read_rooms([server])
    return fleet_views.server_view(rooms[server.id])


@operator_route(
    "GET",
    "/days",
    asks=fleet_pages.WhichDays,
    answers={200: fleet_pages.Days},
    problems=(problems.RequestInvalid,),
)
async def list_days(request: Request) -> fleet_pages.Days:
    """Show how full every server was, day by day."""
    query = web.parse_query(fleet_pages.WhichDays, request)
    today = services.now().date().toordinal()
    return fleet_pages.Days(days=await services.store().sweeps.list_days(today - query.days + 1))


@list_route(
    "/incidents", fleet_pages.WhichIncidents, fleet_pages.IncidentPage, fleet_views.incident_view
)
async def list_incidents(query: fleet_pages.WhichIncidents) -> Listing:
    """List incidents, ended and open, in words; the last changed come first."""
    return await services.store().incidents.list_page(query.limit, query.cursor)


@list_route(
    "/instances", fleet_pages.WhichInstances, fleet_pages.InstancePage, fleet_views.instance_view
)
async def list_instances(query: fleet_pages.WhichInstances) -> Listing:
    """List the lines of all tenants, page by page. Firestore: n reads; 1 more on the first page."""
    where = query.model_dump(include={"tenant", "server", "state"}, exclude_none=True)
    store = services.store().instances
    page = await store.list_page(where, query.limit, query.cursor, query.search)
    is_counted = query.cursor is None and query.search is None
    return *page, await store.count(where) if is_counted else None


# Tenants -------------------------------------------------------------------------------------


@list_route(
    "/tenants",
    fleet_pages.WhichTenants,
    fleet_pages.TenantPage,
    lambda one: fleet_views.tenant_view(*one),
)
async def list_tenants(query: fleet_pages.WhichTenants) -> Listing:
    """List the tenants, page by page.

    Firestore: n reads, n more if there is a bucket; 1 more on the first page.
    """
    where = query.model_dump(include={"status"}, exclude_none=True)
    store = services.store().tenants
    page, end = await store.list_page(where, query.limit, query.cursor, query.search or "")
    usages = await _find_usages(*(tenant.tenant for tenant in page))
    records = [(tenant, usages.get(tenant.tenant)) for tenant in page]
    is_counted = query.cursor is None and query.search is None
    return records, end, await store.count(where) if is_counted else None


@operator_route(
    "GET",
    "/tenants/{id}",
    answers={200: fleet_views.TenantDetail},
    problems=(problems.TenantAbsent,),
)
async def get_tenant(request: Request) -> fleet_views.TenantDetail:
    """Show a tenant: its status, what its plan allows, its lines.

    Firestore: 1 read per line, 2; 3 if there is a bucket.
    """
    tenant_id, store = _tenant_id(request), services.store()
    (tenant, lines), newest, usages = await asyncio.gather(
        store.instances.list_of_tenant(tenant_id),
        store.conversations.find_newest(tenant_id),
        _find_usages(tenant_id),
    )
    if tenant is None:
        raise problems.TenantAbsent()
    return fleet_views.tenant_detail(tenant, usages.get(tenant_id), lines, newest)


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
    tenant_id = _tenant_id(request)
    tenant = await services.store().tenants.update(tenant_id, fields, services.now())
    await _record(request, Action.TENANT_CHANGED, tenant=tenant_id, facts=fields)
    usages = await _find_usages(tenant_id)
    return fleet_views.tenant_view(tenant, usages.get(tenant_id))


@operator_route(
    "POST",
    "/tenants/{id}/lines/{line}/link",
    answers={201: pairing_links.Link},
    problems=(problems.TenantAbsent, problems.LineUnknown),
)
async def create_tenant_link(request: Request) -> web.Reply:
    """Create a link that shows the person who has the phone how to connect this one line, once."""
    tenant, line = _tenant_id(request), request.path_params["line"]
    if not names.is_line(line):
        raise problems.LineUnknown()
    key = LineKey(tenant, LineId(line))
    new_link = await pairing_links.create_link(key, request.state.operator)
    await _record(request, Action.LINK_MADE, tenant=tenant, line=key.line)
    return web.Reply(new_link, 201)


# Endpoints -----------------------------------------------------------------------------------


@list_route(
    "/endpoints",
    fleet_pages.WhichEndpoints,
    fleet_pages.EndpointPage,
    lambda endpoint: fleet_views.endpoint_standing(endpoint, services.now()),
)
async def list_endpoint_standings(query: fleet_pages.WhichEndpoints) -> Listing:
    """List the endpoints of all tenants: how late each is, and which failed. Firestore: n reads."""
    store = services.store().endpoints
    if query.late and query.tenant:
        return [one for one in await store.list_of_tenant(query.tenant) if one.is_late], None
    if query.late:
        return await store.list_late(services.now(), query.limit), None
    where = query.model_dump(include={"tenant", "state"}, exclude_none=True)
    return await store.list_page(where, query.limit, query.cursor)


# Sweeps --------------------------------------------------------------------------------------


@list_route("/sweeps", fleet_pages.WhichReports, fleet_pages.ReportPage, fleet_views.report_view)
async def list_reports(query: fleet_pages.WhichReports) -> Listing:
    """List the reports of one kind of sweep, newest first, in short."""
    return await services.store().sweeps.list_reports(query.kind, query.limit, query.cursor)


@operator_route(
    "POST",
    "/sweeps/{kind}/run",
    answers={202: sweep_progress.SweepProgress},
    problems=(problems.ReportUnknown, problems.SweepRunning, problems.SweepNotStarted),
)
async def run_sweep(request: Request) -> web.Reply:
    """Start a sweep now; it goes on when this is answered: ask for its progress."""
    kind, authorization = request.path_params["kind"], request.headers["authorization"]
    progress = await sweep_progress.start(kind, authorization)
    await _record(request, Action.SWEEP_RUN, subject=progress.kind)
    return web.Reply(progress, 202)


@operator_route(
    "GET",
    "/sweeps/{kind}/progress",
    answers={200: sweep_progress.SweepProgress},
    problems=(problems.ReportUnknown,),
)
async def get_sweep_progress(request: Request) -> sweep_progress.SweepProgress:
    """Show whether a sweep is running and at which step, and when one last ended."""
    return await sweep_progress.read(request.path_params["kind"])


@operator_route(
    "GET",
    "/sweeps/{kind}/{report}",
    answers={200: Report},
    problems=(problems.ReportUnknown,),
)
async def get_report(request: Request) -> Report:
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
    await _record(request, Action.LOSS_ACCEPTED)
    return web.Reply(status=204)


@list_route(
    "/candidates",
    fleet_pages.WhichCandidates,
    fleet_pages.CandidatePage,
    fleet_views.candidate_view,
)
async def list_candidates(query: fleet_pages.WhichCandidates) -> Listing:
    """List the candidates for deletion: why, since when, and what they wait for."""
    return await services.store().candidates.list_page(query.stage, query.limit, query.cursor)


DECIDING: Any = {
    "answers": {200: fleet_views.CandidateView},
    "problems": (problems.CandidateUnknown, problems.CandidateGone),
}


@operator_route("POST", "/candidates/{id}/approve", **DECIDING)
async def approve_candidate(request: Request) -> fleet_views.CandidateView:
    """Approve that a candidate is deleted once its quarantine is over.

    If it was ever paired, the number may not come back: WhatsApp lets some accounts link a device
    only with a passkey, which Evolution can't do.
    """
    return await _decided(
        request, Action.CANDIDATE_APPROVED, await review.approve(*_about(request))
    )


@operator_route("POST", "/candidates/{id}/undo", **DECIDING)
async def undo_candidate(request: Request) -> fleet_views.CandidateView:
    """Take a candidate out of quarantine; if its cause stays, it is suspected anew."""
    candidate = await review.undo(request.path_params["id"])
    return await _decided(request, Action.CANDIDATE_UNDONE, candidate)


@operator_route("POST", "/candidates/{id}/keep", **DECIDING)
async def keep_candidate(request: Request) -> fleet_views.CandidateView:
    """Keep a candidate for good: it is never proposed again for that cause."""
    return await _decided(request, Action.CANDIDATE_KEPT, await review.keep(*_about(request)))


# Dead letters --------------------------------------------------------------------------------


@list_route(
    "/dead-letters", fleet_pages.PageQuery, fleet_pages.DeadLetterPage, fleet_views.letter_view
)
async def list_dead_letters(query: fleet_pages.PageQuery) -> Listing:
    """List dead letters, page by page, without what people said in them."""
    return await services.store().dead_letters.list_page(query.limit, query.cursor)


@operator_route(
    "GET",
    "/dead-letters/{id}",
    answers={200: fleet_views.LetterDetail},
    problems=(problems.LetterUnknown,),
)
async def get_dead_letter(request: Request) -> fleet_views.LetterDetail:
    """Show a dead letter's shape: its keys, with the length of each text in its place."""
    return fleet_views.letter_detail(*await dead_letters.describe(_letter_id(request)))


@operator_route(
    "POST",
    "/dead-letters/{id}/replay",
    answers={200: fleet_pages.Replayed},
    problems=(problems.LetterUnknown, problems.LetterCut),
)
async def replay_dead_letter(request: Request) -> fleet_pages.Replayed:
    """Ingest a dead letter again, and discard it if it is readable now."""
    from shared.inbound import ingest  # hardly any request replays

    is_readable = await dead_letters.replay(_letter_id(request), ingest.ingest_webhook)
    replayed = fleet_pages.Replayed(outcome="replayed" if is_readable else "dead")
    facts = {"outcome": replayed.outcome}
    await _record(request, Action.LETTER_REPLAYED, subject=_letter_id(request), facts=facts)
    return replayed


@operator_route(
    "DELETE",
    "/dead-letters/{id}",
    answers={204: None},
    problems=(problems.LetterUnknown,),
)
async def discard_dead_letter(request: Request) -> web.Reply:
    """Discard a dead letter."""
    await dead_letters.discard(_letter_id(request))
    await _record(request, Action.LETTER_DISCARDED, subject=_letter_id(request))
    return web.Reply(status=204)


# The audit -----------------------------------------------------------------------------------


@list_route("/audit", fleet_pages.WhichActs, fleet_pages.ActPage, lambda act: act)
async def list_acts(query: fleet_pages.WhichActs) -> Listing:
    """List what people did that has consequences, newest first: who, what, when and to what."""
    return await services.store().acts.list_page(query.tenant, query.limit, query.cursor)


async def _record(request: Request, action: Action, **about: Any) -> None:
    await audit.record_operator(await auth.require_caller(request), action, **about)


async def _decided(
    request: Request, action: Action, candidate: Candidate
) -> fleet_views.CandidateView:
    """Record a decision on a candidate, and count anew what awaits one on its server."""
    about = {"tenant": candidate.tenant, "line": candidate.line, "subject": candidate.id}
    await _record(request, action, **about)
    await review.recount_awaiting(candidate.server)
    return fleet_views.candidate_view(candidate)


def _about(request: Request) -> tuple[str, str]:
    """Return the candidate's id, and the operator who decides on it."""
    return request.path_params["id"], request.state.operator


async def _find_usages(*tenants: TenantId) -> dict[TenantId, MediaUsage]:
    """Find what is stored of tenants' media; nothing without a bucket. Firestore: 1 read each."""
    if config.settings().media_bucket is None:
        return {}
    return await services.store().media_copies.find_usage(tenants)


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
