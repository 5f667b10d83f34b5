"""Make a line live for a frontend, with the code to scan if there has to be one."""

from typing import Annotated, Any, Self

import functions_framework.aio
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.domain.names import DEFAULT_LINE, LINE_LIMIT, LINE_PATTERN, LineId, LineKey
from shared.domain.record import Record
from shared.domain.tenants import Label
from shared.lines import ensure, line_views, pairing_links
from shared.validation import read_number

edge = web.Edge("ensure_instance", "/ensure-instance")


Number = Annotated[str | None, BeforeValidator(read_number)]
NUMBER: Any = Field(
    default=None,
    max_length=15,
    pattern=r"^[1-9][0-9]{7,14}$",
    description="In any spelling: asks for a pairing code to type on that phone",
)


class EnsureInstance(Record):
    """A line of the caller's, its label, and the number of the phone that will type the code."""

    model_config = ConfigDict(extra="forbid")

    line: LineId = Field(default=DEFAULT_LINE, max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    label: Label | None = None
    number: Number = NUMBER


@edge.route(
    "POST",
    "/",
    takes=EnsureInstance,
    answers={200: line_views.LineView, 202: line_views.LineView},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.BODY_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.MaximumLinesReached,
        problems.MaximumInstancesReached,
    ),
)
async def ensure_line(request: Request) -> web.Reply:
    """Make exactly one instance carry the caller's line; show its state, and the code to scan.

    202 while another caller is creating or releasing it: ask again after `Retry-After`.
    """
    tenant = await auth.require_tenant(request)
    body = await web.parse_body(EnsureInstance, request)
    ensure_request = ensure.EnsureRequest(LineKey(tenant, body.line), body.label, body.number)
    return line_views.reply(await ensure.ensure_line(ensure_request), services.now())


class FollowLink(Record):
    """The link, to open it; then the session that the answer gave. `look`: only show the line."""

    model_config = ConfigDict(extra="forbid")

    link: str | None = Field(default=None, max_length=2_000)
    session: str | None = Field(default=None, max_length=2_000)
    look: bool = False
    number: Number = NUMBER

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.link is None) == (self.session is None):
            raise ValueError("link or session is needed, not both")
        return self


@edge.route(
    "POST",
    "/link",
    takes=FollowLink,
    answers={200: pairing_links.LinkedLine},
    problems=(
        *web.BODY_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.LinkUnknown,
        problems.LinkExpired,
        problems.LinkUsed,
        problems.LineUnknown,
        problems.TenantSuspended,
        problems.TenantCancelled,
        problems.MaximumInstancesReached,
    ),
    embeddable=True,
)
async def follow_link(request: Request) -> web.Reply:
    """Connect the line of a link, without signing in, in the browser that opened it first.

    Opening gives a session for half an hour, and the link opens nothing any more. With
    `Retry-After` while there is no code to scan yet.
    """
    body = await web.parse_body(FollowLink, request)
    if body.session is not None:
        session = await pairing_links.read_session(body.session)
        line = await (
            pairing_links.read_line(session)
            if body.look
            else pairing_links.connect_line(session, body.number)
        )
        return pairing_links.build_reply(session, line)
    session = await pairing_links.open_link(body.link or "")
    try:
        line = await pairing_links.connect_line(session, body.number)
    except problems.Problem as problem:
        if problem.status < 500 and problem.retry_after is None:
            raise
        # The link is used up, so the caller gets its session; the next request connects again.
        line = await pairing_links.read_line(session)
    return pairing_links.build_reply(session, line)


@functions_framework.aio.http
async def ensure_instance(request: Request) -> Response:
    """Answer `POST /ensure-instance…`."""
    return await edge.answer(request)
