"""The frontend asks: make this line live, and tell me what to scan if I must."""

from typing import Annotated, Any, Self

import functions_framework.aio
from pydantic import BeforeValidator, ConfigDict, Field, model_validator
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.domain.contacts import digits
from shared.domain.names import DEFAULT_LINE, LINE_LIMIT, LINE_PATTERN, LineId, LineKey
from shared.domain.record import Record
from shared.lines import bring_up, links, views

edge = web.Edge("ensure_instance", "/ensure-instance")


Number = Annotated[str | None, BeforeValidator(digits)]
NUMBER: Any = Field(
    default=None,
    max_length=15,
    pattern=r"^[1-9][0-9]{7,14}$",
    description="Digits with country code: asks for a pairing code to type on that phone",
)


class EnsureInstance(Record):
    """Which of the caller's lines, what people call it, and who will type the code."""

    model_config = ConfigDict(extra="forbid")

    line: LineId = Field(default=DEFAULT_LINE, max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    label: str | None = Field(default=None, min_length=1, max_length=80)
    number: Number = NUMBER


@edge.route(
    "POST",
    "/",
    takes=EnsureInstance,
    answers={200: views.LineView, 202: views.LineView},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.BODY_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.MaximumLinesReached,
        problems.MaximumInstancesReached,
    ),
)
async def ensure(request: Request) -> web.Reply:
    """The caller's line is carried by exactly one instance; its state, and the code to scan.

    202 while another caller is creating or releasing it: ask again after `Retry-After`.
    """
    tenant = await auth.tenant_of(request)
    wanted = await web.body(EnsureInstance, request)
    asked = bring_up.Asked(LineKey(tenant, wanted.line), wanted.label, wanted.number)
    return views.reply(await bring_up.ensure(asked), services.now())


class FollowLink(Record):
    """The link, to open it; then the session that the answer gave. `look`: only how it is now."""

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
    answers={200: links.LinkedLine},
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
)
async def follow_link(request: Request) -> web.Reply:
    """The one line of a link is connected by whoever opened it first, without signing in.

    Opening gives a session for half an hour, and the link opens nothing any more. With
    `Retry-After` while there is no code to scan yet.
    """
    asked = await web.body(FollowLink, request)
    if asked.session is not None:
        opened = await links.session_of(asked.session)
        line = await (links.look(opened) if asked.look else links.connect(opened, asked.number))
        return links.reply(opened, line)
    opened = await links.open_up(asked.link or "")
    try:
        line = await links.connect(opened, asked.number)
    except problems.Problem as problem:
        if problem.status < 500 and problem.retry_after is None:
            raise
        line = await links.look(opened)  # the session goes on where this didn't get
    return links.reply(opened, line)


@functions_framework.aio.http
async def ensure_instance(request: Request) -> Response:
    """`POST /ensure-instance`."""
    return await edge.answer(request)
