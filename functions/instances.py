"""My lines: how connected they are, the current code; disconnect, restart, or let one go."""

import functions_framework.aio
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.domain import names
from shared.domain.instances import State
from shared.domain.names import LineId, LineKey
from shared.domain.record import Record
from shared.lines import entry, leave, links, views
from shared.lines import restart as restarting

edge = web.Edge("instances", "/instances")


class Lines(Record):
    """All lines of the caller, by id."""

    lines: list[views.LineView]
    open: int = Field(description="How many of them are connected")
    max_lines: int = Field(description="How many the plan allows")


@edge.route("GET", "/", answers={200: Lines}, problems=web.TENANT_PROBLEMS)
async def every_line(request: Request) -> Lines:
    """The caller's lines."""
    caller = await auth.tenant_of(request)
    tenant, carried = await services.store().lines(caller)
    entry.check(tenant)
    now = services.now()
    shown = [views.line_view(instance, now) for instance in carried]
    allowed = tenant.max_lines if tenant else 1
    return Lines(
        lines=shown,
        open=sum(view.state is State.OPEN for view in shown),
        max_lines=allowed,
    )


@edge.route(
    "GET",
    "/{line}",
    answers={200: views.LineView},
    problems=(*web.TENANT_PROBLEMS, problems.LineUnknown),
)
async def one_line(request: Request) -> web.Reply:
    """One of the caller's lines, with the code to scan while it is pairing.

    With `Retry-After` while there is none yet, or the line is being changed.
    """
    line, now = await entry.known(await _key(request)), services.now()
    return web.Reply(views.line_view(line, now), headers=views.when_to_ask(line, now))


@edge.route(
    "POST",
    "/{line}/restart",
    answers={200: views.LineView},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.LineUnknown,
        problems.LineNotOpen,
    ),
)
async def restart(request: Request) -> views.LineView:
    """A connected line reconnects to WhatsApp, without pairing again."""
    return views.line_view(await restarting.restart(await _key(request)), services.now())


@edge.route(
    "POST",
    "/{line}/disconnect",
    answers={200: views.LineView, 202: views.LineView},
    problems=(*web.TENANT_PROBLEMS, *web.LINE_PROBLEMS, problems.LineUnknown),
)
async def disconnect(request: Request) -> web.Reply:
    """The line's number is unpaired; the line, its slot and its conversations stay.

    202 while the server is still removing the instance: ask again after `Retry-After`.
    """
    return views.reply(await leave.disconnect(await _key(request)), services.now())


@edge.route(
    "DELETE",
    "/{line}",
    answers={204: None, 202: views.LineView},
    problems=(*web.TENANT_PROBLEMS, *web.LINE_PROBLEMS, problems.LineUnknown),
)
async def release(request: Request) -> web.Reply:
    """The line is released: no instance, no number, no slot; its conversations stay readable.

    202 while the server is still removing the instance: ask again after `Retry-After`.
    """
    leaving = await leave.release(await _key(request))
    return views.reply(leaving, services.now()) if leaving else web.Reply(status=204)


@edge.route(
    "POST",
    "/{line}/link",
    answers={201: links.Link},
    problems=(*web.TENANT_PROBLEMS, problems.LineUnknown),
)
async def link(request: Request) -> web.Reply:
    """A link for whoever has the phone: it shows how to connect this one line, once."""
    key = await _key(request)
    return web.Reply(await links.make(key, key.tenant), 201)


async def _key(request: Request) -> LineKey:
    tenant, line = await auth.tenant_of(request), request.path_params["line"]
    if not names.is_line(line):
        raise problems.LineUnknown()
    return LineKey(tenant, LineId(line))


@functions_framework.aio.http
async def instances(request: Request) -> Response:
    """`/instances`, `/instances/{line}`, `…/disconnect`, `…/restart`."""
    return await edge.answer(request)
