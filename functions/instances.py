"""A tenant's lines: how connected they are, and the code; rename, disconnect or release one."""

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import audit, auth, problems, services, web
from shared.domain import names
from shared.domain.acts import Action
from shared.domain.instances import State
from shared.domain.names import LineId, LineKey
from shared.domain.record import Record
from shared.domain.tenants import Label
from shared.lines import access, line_activity, line_views, pairing_links, release, restart

edge = web.Edge("instances", "/instances")

CHANGING = (*web.TENANT_PROBLEMS, *web.LINE_PROBLEMS, problems.LineUnknown)
"""Problems of what is done with a line upstream."""


class LineList(Record):
    """The caller's lines, by id."""

    lines: list[line_views.LineView]
    open: int = Field(description="How many of them are connected")
    max_lines: int = Field(description="How many the plan allows")


class WhichLines(Record):
    """What to show of the lines: with `activity` when the last message was, and how many today."""

    model_config = ConfigDict(extra="forbid")

    activity: bool = False


class Departure(Record):
    """How to let a line go."""

    model_config = ConfigDict(extra="forbid")

    without_media: bool = Field(
        default=False,
        description="Don't wait until the files of its messages are stored: those that aren't are"
        " lost with the instance",
    )


class LineChange(Record):
    """What people call the line from now on."""

    model_config = ConfigDict(extra="forbid")

    label: Label


@edge.route(
    "GET",
    "/",
    asks=WhichLines,
    answers={200: LineList},
    problems=(*web.TENANT_PROBLEMS, problems.RequestInvalid),
)
async def list_lines(request: Request) -> LineList:
    """List the caller's lines."""
    tenant_id = await auth.require_tenant(request)
    query = web.parse_query(WhichLines, request)
    tenant, instances = await services.store().instances.list_of_tenant(tenant_id)
    access.require_active(tenant)
    now = services.now()
    lines = [line_views.line_view(instance, now) for instance in instances]
    if query.activity:
        lines = await line_activity.add_activity(tenant_id, lines, now)
    return LineList(
        lines=lines,
        open=sum(line.state is State.OPEN for line in lines),
        max_lines=tenant.max_lines if tenant else 1,
    )


@edge.route(
    "GET",
    "/{line}",
    answers={200: line_views.LineView},
    problems=(*web.TENANT_PROBLEMS, problems.LineUnknown),
)
async def get_line(request: Request) -> web.Reply:
    """Show one of the caller's lines, with the code to scan while it is pairing.

    With `Retry-After` while there is none yet, or the line is being changed.
    """
    line, now = await access.require_instance(await _key(request)), services.now()
    return web.Reply(line_views.line_view(line, now), headers=line_views.retry_header(line, now))


@edge.route(
    "PATCH",
    "/{line}",
    takes=LineChange,
    answers={200: line_views.LineView},
    problems=(*web.TENANT_PROBLEMS, *web.BODY_PROBLEMS, problems.LineUnknown),
)
async def rename_line(request: Request) -> line_views.LineView:
    """Give the line another label; its id, number and conversations stay."""
    key = await _key(request)
    change = await web.parse_body(LineChange, request)
    line, now = await access.require_instance(key), services.now()
    await services.store().instances.relabel(line, change.label, now)
    return line_views.line_view(line.model_copy(update={"label": change.label}), now)


@edge.route(
    "POST",
    "/{line}/restart",
    answers={200: line_views.LineView},
    problems=(*CHANGING, problems.LineNotOpen),
)
async def restart_line(request: Request) -> line_views.LineView:
    """Reconnect a connected line to WhatsApp, without pairing again."""
    return line_views.line_view(await restart.restart_line(await _key(request)), services.now())


@edge.route(
    "POST",
    "/{line}/disconnect",
    asks=Departure,
    answers={200: line_views.LineView, 202: line_views.LineView},
    problems=(*CHANGING, problems.RequestInvalid),
)
async def disconnect_line(request: Request) -> web.Reply:
    """Unpair the line's number; the line, its slot and its conversations stay.

    202 while files of its messages are still being stored (`media_awaited`), or the server is still
    removing the instance: ask again after `Retry-After`.
    """
    key, query = await _key(request), web.parse_query(Departure, request)
    line = await release.disconnect_line(key, without_media=query.without_media)
    await _record(request, Action.LINE_DISCONNECTED, key)
    return line_views.reply(line, services.now())


@edge.route(
    "DELETE",
    "/{line}",
    asks=Departure,
    answers={204: None, 202: line_views.LineView},
    problems=(*CHANGING, problems.RequestInvalid),
)
async def release_line(request: Request) -> web.Reply:
    """Release the line: its instance, number and slot; its conversations stay readable.

    202 while files of its messages are still being stored (`media_awaited`), or the server is still
    removing the instance: ask again after `Retry-After`.
    """
    key, query = await _key(request), web.parse_query(Departure, request)
    leaving = await release.release_line(key, without_media=query.without_media)
    await _record(request, Action.LINE_RELEASED, key)
    return line_views.reply(leaving, services.now()) if leaving else web.Reply(status=204)


@edge.route(
    "POST",
    "/{line}/link",
    answers={201: pairing_links.Link},
    problems=(*web.TENANT_PROBLEMS, problems.LineUnknown),
)
async def create_link(request: Request) -> web.Reply:
    """Create a link that shows the person who has the phone how to connect this one line, once."""
    key = await _key(request)
    new_link = await pairing_links.create_link(key, key.tenant)
    await _record(request, Action.LINK_MADE, key)
    return web.Reply(new_link, 201)


async def _record(request: Request, action: Action, key: LineKey) -> None:
    who = await auth.require_caller(request)
    await audit.record_tenant(who, action, tenant=key.tenant, line=key.line)


async def _key(request: Request) -> LineKey:
    tenant, line = await auth.require_tenant(request), request.path_params["line"]
    if not names.is_line(line):
        raise problems.LineUnknown()
    return LineKey(tenant, LineId(line))


@functions_framework.aio.http
async def instances(request: Request) -> Response:
    """Answer `/instances`, `/instances/{line}`, `…/disconnect`, `…/restart`."""
    return await edge.answer(request)
