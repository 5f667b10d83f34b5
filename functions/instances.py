"""My lines: how connected they are, the current code; disconnect, restart, or let one go."""

import functions_framework.aio
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, config, problems, services, web
from shared.domain import names
from shared.domain.instances import Instance, State
from shared.domain.names import LineId, LineKey
from shared.domain.record import Record
from shared.lines import entry, leave, views

edge = web.Edge("instances", "/instances")


class Lines(Record):
    """All lines of the caller, by id."""

    lines: list[views.LineView]
    open: int = Field(description="How many of them are connected")


@edge.route("GET", "/", answers={200: Lines}, problems=web.TENANT_PROBLEMS)
async def every_line(request: Request) -> Lines:
    """The caller's lines."""
    tenant, carried = await services.store().lines(await auth.tenant_of(request))
    entry.check(tenant)
    now = services.now()
    shown = [views.line_view(instance, now) for instance in carried]
    return Lines(lines=shown, open=sum(view.state is State.OPEN for view in shown))


@edge.route(
    "GET",
    "/{line}",
    answers={200: views.LineView},
    problems=(*web.TENANT_PROBLEMS, problems.LineUnknown),
)
async def one_line(request: Request) -> views.LineView:
    """One of the caller's lines, with the code to scan while it is pairing."""
    return views.line_view(await _known(await _key(request)), services.now())


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
    known = await _known(await _key(request))
    if known.leased(services.now()):
        raise problems.LineBusy(retry_after=views.ASK_AGAIN_SECONDS)
    if not await services.evolution(known.server).restart(known.name):
        raise problems.LineNotOpen("Ask for it with POST /ensure-instance.")
    return views.line_view(known, services.now())


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


async def _key(request: Request) -> LineKey:
    tenant, line = await auth.tenant_of(request), request.path_params["line"]
    if not names.is_line(line):
        raise problems.LineUnknown()
    return LineKey(tenant, LineId(line))


async def _known(key: LineKey) -> Instance:
    name = names.instance_name(config.settings().instance_prefix, key)
    tenant, instance = await services.store().look(key.tenant, name)
    entry.check(tenant)
    if instance is None:
        raise problems.LineUnknown()
    return instance


@functions_framework.aio.http
async def instances(request: Request) -> Response:
    """`/instances`, `/instances/{line}`, `…/disconnect`, `…/restart`."""
    return await edge.answer(request)
