"""Operators ask: how is the fleet, what needs me, and what shall become of it?"""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, config, problems, services, web
from shared.domain import names
from shared.domain.fleet.reports import Report
from shared.domain.names import TenantId
from shared.lines import replay as replaying
from shared.sweeps import overview, review
from shared.sweeps.pages import (
    Candidates,
    Letters,
    Page,
    Replayed,
    Reports,
    ServerChange,
    TenantChange,
    Tenants,
    WhichCandidates,
    WhichReports,
)
from shared.sweeps.views import (
    CandidateView,
    FleetView,
    ServerView,
    TenantView,
    candidate_view,
    letter_view,
    report_view,
    server_view,
    tenant_view,
)

edge = web.Edge("fleet", "/fleet")

# How it is -----------------------------------------------------------------------------------


@edge.route("GET", "/", answers={200: FleetView}, problems=web.OPERATOR_PROBLEMS)
async def everything(request: Request) -> FleetView:
    """Totals, every server, what needs attention first, invariants, last sweeps, the trend."""
    await auth.operator_of(request)
    return await overview.now()


@edge.route(
    "PUT",
    "/servers/{server}",
    takes=ServerChange,
    answers={200: ServerView},
    problems=(*web.OPERATOR_PROBLEMS, *web.BODY_PROBLEMS, problems.ServerAbsent),
)
async def server(request: Request) -> ServerView:
    """New lines go to the server, or don't any more; the lines that it carries stay."""
    await auth.operator_of(request)
    wanted = await web.body(ServerChange, request)
    known = config.settings().servers.get(request.path_params["server"])
    if known is None:
        raise problems.ServerAbsent()
    await services.store().accept(known, wanted.accepting)
    rooms = await services.store().rooms([known])
    return server_view(rooms[known.id])


# Tenants -------------------------------------------------------------------------------------


@edge.route(
    "GET",
    "/tenants",
    asks=Page,
    answers={200: Tenants},
    problems=(*web.OPERATOR_PROBLEMS, problems.RequestInvalid),
)
async def tenants(request: Request) -> Tenants:
    """Every tenant, page by page."""
    await auth.operator_of(request)
    asked = web.query(Page, request)
    found, end = await services.store().tenants(asked.limit, asked.cursor)
    return Tenants(tenants=[tenant_view(each) for each in found], next=end)


@edge.route(
    "GET",
    "/tenants/{id}",
    answers={200: TenantView},
    problems=(*web.OPERATOR_PROBLEMS, problems.TenantAbsent),
)
async def tenant(request: Request) -> TenantView:
    """One tenant: its status, what its plan allows, its lines."""
    await auth.operator_of(request)
    known = await services.store().tenant(_tenant_id(request))
    if known is None:
        raise problems.TenantAbsent()
    return tenant_view(known)


@edge.route(
    "PUT",
    "/tenants/{id}",
    takes=TenantChange,
    answers={200: TenantView},
    problems=(*web.OPERATOR_PROBLEMS, *web.BODY_PROBLEMS, problems.TenantAbsent),
)
async def change_tenant(request: Request) -> TenantView:
    """The tenant is registered, with this status and plan.

    A cancelled tenant's lines are quarantined by the next sweeps, and released after it; until a
    line's deletion has begun, being active again undoes it.
    """
    await auth.operator_of(request)
    wanted = await web.body(TenantChange, request)
    change = wanted.model_dump(exclude_none=True)
    kept = await services.store().keep_tenant(_tenant_id(request), change, services.now())
    return tenant_view(kept)


# Sweeps --------------------------------------------------------------------------------------


@edge.route(
    "GET",
    "/sweeps",
    asks=WhichReports,
    answers={200: Reports},
    problems=(*web.OPERATOR_PROBLEMS, problems.RequestInvalid),
)
async def sweeps(request: Request) -> Reports:
    """The reports of one kind of sweep, newest first, in short."""
    await auth.operator_of(request)
    asked = web.query(WhichReports, request)
    found, end = await services.store().reports(asked.kind, asked.limit, asked.cursor)
    return Reports(reports=[report_view(each) for each in found], next=end)


@edge.route(
    "GET",
    "/sweeps/{kind}/{report}",
    answers={200: Report},
    problems=(*web.OPERATOR_PROBLEMS, problems.ReportUnknown),
)
async def sweep(request: Request) -> Report:
    """One report, whole; `latest` is the last one."""
    await auth.operator_of(request)
    return await review.report(request.path_params["kind"], request.path_params["report"])


@edge.route(
    "POST",
    "/sweeps/orphans/accept-loss",
    answers={204: None},
    problems=web.OPERATOR_PROBLEMS,
)
async def accept_loss(request: Request) -> web.Reply:
    """What shrank abruptly may have: the next sweep isn't braked by it."""
    await auth.operator_of(request)
    await services.store().accept_loss()
    return web.Reply(status=204)


@edge.route(
    "GET",
    "/candidates",
    asks=WhichCandidates,
    answers={200: Candidates},
    problems=(*web.OPERATOR_PROBLEMS, problems.RequestInvalid),
)
async def candidates(request: Request) -> Candidates:
    """What may have to go: why, since when, and what it waits for."""
    await auth.operator_of(request)
    asked = web.query(WhichCandidates, request)
    found, end = await services.store().candidates(asked.stage, asked.limit, asked.cursor)
    return Candidates(candidates=[candidate_view(each) for each in found], next=end)


CANDIDATE_PROBLEMS = (
    *web.OPERATOR_PROBLEMS,
    problems.CandidateUnknown,
    problems.CandidateGone,
)


@edge.route(
    "POST", "/candidates/{id}/approve", answers={200: CandidateView}, problems=CANDIDATE_PROBLEMS
)
async def approve(request: Request) -> CandidateView:
    """It may be deleted once its quarantine is over.

    If it was ever paired, the number may not come back: WhatsApp lets some accounts link a device
    only with a passkey, which Evolution can't do.
    """
    operator = await auth.operator_of(request)
    return candidate_view(await review.approve(request.path_params["id"], operator))


@edge.route(
    "POST", "/candidates/{id}/undo", answers={200: CandidateView}, problems=CANDIDATE_PROBLEMS
)
async def undo(request: Request) -> CandidateView:
    """It is out of quarantine. If its cause stays, it begins anew: suspected, then quarantined."""
    await auth.operator_of(request)
    return candidate_view(await review.undo(request.path_params["id"]))


@edge.route(
    "POST", "/candidates/{id}/keep", answers={200: CandidateView}, problems=CANDIDATE_PROBLEMS
)
async def keep(request: Request) -> CandidateView:
    """It stays, and nobody asks again for that cause."""
    operator = await auth.operator_of(request)
    return candidate_view(await review.keep(request.path_params["id"], operator))


# Dead letters --------------------------------------------------------------------------------


@edge.route(
    "GET",
    "/dead-letters",
    asks=Page,
    answers={200: Letters},
    problems=(*web.OPERATOR_PROBLEMS, problems.RequestInvalid),
)
async def letters(request: Request) -> Letters:
    """Events that nobody understood, page by page, without what people said in them."""
    await auth.operator_of(request)
    asked = web.query(Page, request)
    found, end = await services.store().letters(asked.limit, asked.cursor)
    return Letters(letters=[letter_view(each) for each in found], next=end)


@edge.route(
    "POST",
    "/dead-letters/{id}/replay",
    answers={200: Replayed},
    problems=(*web.OPERATOR_PROBLEMS, problems.LetterUnknown, problems.LetterCut),
)
async def replay(request: Request) -> Replayed:
    """The event is heard again, and gone from here if it is understood now."""
    await auth.operator_of(request)
    understood = await replaying.replay(_letter_id(request))
    return Replayed(outcome="replayed" if understood else "dead")


@edge.route(
    "DELETE",
    "/dead-letters/{id}",
    answers={204: None},
    problems=(*web.OPERATOR_PROBLEMS, problems.LetterUnknown),
)
async def discard(request: Request) -> web.Reply:
    """The event is given up."""
    await auth.operator_of(request)
    await replaying.discard(_letter_id(request))
    return web.Reply(status=204)


def _tenant_id(request: Request) -> TenantId:
    """As names spell it (which is how an id with a slash fits into a path), or as it is."""
    given: str = request.path_params["id"]
    tenant = names.unspell(given) or TenantId(given)
    if not names.usable(tenant):
        raise problems.TenantAbsent()
    return tenant


def _letter_id(request: Request) -> str:
    name: str = request.path_params["id"]
    return name


@functions_framework.aio.http
async def fleet(request: Request) -> Response:
    """`/fleet…`."""
    return await edge.answer(request)
