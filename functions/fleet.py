"""Operators ask: how is the fleet, what needs me, and what shall become of it?"""

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
from shared.lines import links
from shared.lines import replay as replaying
from shared.problems import Problem
from shared.sweeps import overview, pages, review, views

edge = web.Edge("fleet", "/fleet")

Run = Callable[[Request], Awaitable[web.Answer]]


def operators(
    method: str, path: str, *, problems: tuple[type[Problem], ...] = (), **told: Any
) -> Callable[[Run], Run]:
    """A route that only operators may take; `request.state.operator` says who does."""

    def keep(run: Run) -> Run:
        @functools.wraps(run)
        async def checked(request: Request) -> web.Answer:
            request.state.operator = await auth.operator_of(request)
            return await run(request)

        raised = (*web.OPERATOR_PROBLEMS, *problems)
        return edge.route(method, path, problems=raised, **told)(checked)

    return keep


Found = tuple[list[Any], str | None]
Asked = TypeVar("Asked", bound=pages.Page)


def listed(
    path: str, asks: type[Asked], answers: type[Record], view: Callable[[Any], Record]
) -> Callable[[Callable[[Asked], Awaitable[Found]]], Run]:
    """A route that answers a page: what the decorated finds, as `view` shows it."""
    several, _next = answers.model_fields

    def keep(find: Callable[[Asked], Awaitable[Found]]) -> Run:
        @operators(
            "GET", path, asks=asks, answers={200: answers}, problems=(problems.RequestInvalid,)
        )
        @functools.wraps(find)
        async def page(request: Request) -> web.Answer:
            found, end = await find(web.query(asks, request))
            return answers.model_validate({several: list(map(view, found)), "next": end})

        return page

    return keep


# How it is -----------------------------------------------------------------------------------


@operators("GET", "/", answers={200: views.FleetView})
async def everything(request: Request) -> views.FleetView:
    """Totals, every server, what needs attention first, invariants, last sweeps, the trend."""
    return await overview.now()


@operators(
    "PUT",
    "/servers/{server}",
    takes=pages.ServerChange,
    answers={200: views.ServerView},
    problems=(*web.BODY_PROBLEMS, problems.ServerAbsent),
)
async def server(request: Request) -> views.ServerView:
    """New lines go to the server, or don't any more; the lines that it carries stay."""
    wanted = await web.body(pages.ServerChange, request)
    known = config.settings().servers.get(request.path_params["server"])
    if known is None:
        raise problems.ServerAbsent()
    await services.store().accept(known, wanted.accepting)
    rooms = await services.store().rooms([known])
    return views.server_view(rooms[known.id])


@operators(
    "GET",
    "/days",
    asks=pages.WhichDays,
    answers={200: pages.Days},
    problems=(problems.RequestInvalid,),
)
async def days(request: Request) -> pages.Days:
    """How full every server was, day by day."""
    asked = web.query(pages.WhichDays, request)
    today = services.now().date().toordinal()
    return pages.Days(days=await services.store().days(today - asked.days + 1))


@listed("/incidents", pages.WhichIncidents, pages.Incidents, views.incident_view)
async def incidents(asked: pages.WhichIncidents) -> Found:
    """What was wrong and is, in words; what there was news of last comes first."""
    return await services.store().incidents(asked.limit, asked.cursor)


@listed("/instances", pages.WhichInstances, pages.Instances, views.instance_view)
async def instances(asked: pages.WhichInstances) -> Found:
    """Every line of every tenant, page by page."""
    where = asked.model_dump(include={"tenant", "server", "state"}, exclude_none=True)
    return await services.store().instances(where, asked.limit, asked.cursor)


# Tenants -------------------------------------------------------------------------------------


@listed("/tenants", pages.Page, pages.Tenants, views.tenant_view)
async def tenants(asked: pages.Page) -> Found:
    """Every tenant, page by page."""
    return await services.store().tenants(asked.limit, asked.cursor)


@operators(
    "GET",
    "/tenants/{id}",
    answers={200: views.TenantView},
    problems=(problems.TenantAbsent,),
)
async def tenant(request: Request) -> views.TenantView:
    """One tenant: its status, what its plan allows, its lines."""
    known = await services.store().tenant(_tenant_id(request))
    if known is None:
        raise problems.TenantAbsent()
    return views.tenant_view(known)


@operators(
    "PUT",
    "/tenants/{id}",
    takes=pages.TenantChange,
    answers={200: views.TenantView},
    problems=(*web.BODY_PROBLEMS, problems.TenantAbsent),
)
async def change_tenant(request: Request) -> views.TenantView:
    """The tenant is registered, with this status and plan.

    A cancelled tenant's lines are quarantined by the next sweeps, and released after it; until a
    line's deletion has begun, being active again undoes it.
    """
    wanted = await web.body(pages.TenantChange, request)
    change = wanted.model_dump(exclude_none=True)
    kept = await services.store().keep_tenant(_tenant_id(request), change, services.now())
    return views.tenant_view(kept)


@operators(
    "POST",
    "/tenants/{id}/lines/{line}/link",
    answers={201: links.Link},
    problems=(problems.TenantAbsent, problems.LineUnknown),
)
async def link(request: Request) -> web.Reply:
    """A link for whoever has the phone: it shows how to connect this one line, once."""
    tenant, line = _tenant_id(request), request.path_params["line"]
    if not names.is_line(line):
        raise problems.LineUnknown()
    key = LineKey(tenant, LineId(line))
    return web.Reply(await links.make(key, request.state.operator), 201)


# Sweeps --------------------------------------------------------------------------------------


@listed("/sweeps", pages.WhichReports, pages.Reports, views.report_view)
async def sweeps(asked: pages.WhichReports) -> Found:
    """The reports of one kind of sweep, newest first, in short."""
    return await services.store().reports(asked.kind, asked.limit, asked.cursor)


@operators(
    "GET",
    "/sweeps/{kind}/{report}",
    answers={200: Report},
    problems=(problems.ReportUnknown,),
)
async def sweep(request: Request) -> Report:
    """One report, whole: `latest` is the last one, `orphans/plan` what the next would do."""
    return await review.report(request.path_params["kind"], request.path_params["report"])


@operators(
    "POST",
    "/sweeps/orphans/accept-loss",
    answers={204: None},
)
async def accept_loss(request: Request) -> web.Reply:
    """What shrank abruptly may have: the next sweep isn't braked by it."""
    await services.store().accept_loss()
    return web.Reply(status=204)


@listed("/candidates", pages.WhichCandidates, pages.Candidates, views.candidate_view)
async def candidates(asked: pages.WhichCandidates) -> Found:
    """What may have to go: why, since when, and what it waits for."""
    return await services.store().candidates(asked.stage, asked.limit, asked.cursor)


DECIDING: Any = {
    "answers": {200: views.CandidateView},
    "problems": (problems.CandidateUnknown, problems.CandidateGone),
}


@operators("POST", "/candidates/{id}/approve", **DECIDING)
async def approve(request: Request) -> views.CandidateView:
    """It may be deleted once its quarantine is over.

    If it was ever paired, the number may not come back: WhatsApp lets some accounts link a device
    only with a passkey, which Evolution can't do.
    """
    return views.candidate_view(await review.approve(*_about(request)))


@operators("POST", "/candidates/{id}/undo", **DECIDING)
async def undo(request: Request) -> views.CandidateView:
    """It is out of quarantine. If its cause stays, it begins anew: suspected, then quarantined."""
    return views.candidate_view(await review.undo(request.path_params["id"]))


@operators("POST", "/candidates/{id}/keep", **DECIDING)
async def keep(request: Request) -> views.CandidateView:
    """It stays, and nobody asks again for that cause."""
    return views.candidate_view(await review.keep(*_about(request)))


# Dead letters --------------------------------------------------------------------------------


@listed("/dead-letters", pages.Page, pages.Letters, views.letter_view)
async def letters(asked: pages.Page) -> Found:
    """Events that nobody understood, page by page, without what people said in them."""
    return await services.store().letters(asked.limit, asked.cursor)


@operators(
    "POST",
    "/dead-letters/{id}/replay",
    answers={200: pages.Replayed},
    problems=(problems.LetterUnknown, problems.LetterCut),
)
async def replay(request: Request) -> pages.Replayed:
    """The event is heard again, and gone from here if it is understood now."""
    understood = await replaying.replay(_letter_id(request))
    return pages.Replayed(outcome="replayed" if understood else "dead")


@operators(
    "DELETE",
    "/dead-letters/{id}",
    answers={204: None},
    problems=(problems.LetterUnknown,),
)
async def discard(request: Request) -> web.Reply:
    """The event is given up."""
    await replaying.discard(_letter_id(request))
    return web.Reply(status=204)


def _about(request: Request) -> tuple[str, str]:
    """What is decided, and by whom."""
    return request.path_params["id"], request.state.operator


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
