"""The frontend asks: make this line live, and tell me what to scan if I must."""

from typing import Annotated

import functions_framework.aio
from pydantic import BeforeValidator, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.domain.contacts import digits
from shared.domain.names import DEFAULT_LINE, LINE_PATTERN, LineId, LineKey
from shared.domain.record import Record
from shared.lines import bring_up, views

edge = web.Edge("ensure_instance", "/ensure-instance")


class EnsureInstance(Record):
    """Which of the caller's lines, what people call it, and who will type the code."""

    model_config = ConfigDict(extra="forbid")

    line: LineId = Field(default=DEFAULT_LINE, pattern=LINE_PATTERN)
    label: str | None = Field(default=None, min_length=1, max_length=80)
    number: Annotated[str | None, BeforeValidator(digits)] = Field(
        default=None,
        pattern=r"^[1-9][0-9]{7,14}$",
        description="Digits with country code: asks for a pairing code to type on that phone",
    )


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


@functions_framework.aio.http
async def ensure_instance(request: Request) -> Response:
    """`POST /ensure-instance`."""
    return await edge.answer(request)
