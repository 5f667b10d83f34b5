"""Copy media into the bucket: when Pub/Sub pushes a new message's, and every minute what is due."""

import functions_framework.aio
from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, web
from shared.domain import names
from shared.domain.names import LINE_LIMIT, LINE_PATTERN, LineId, TenantId
from shared.domain.record import Record
from shared.lines import release
from shared.media import copying
from shared.pushes import BODY_LIMIT, Push

edge = web.Edge("store_media", "/store-media")


class MediaPoke(Record):
    """A message has a file to copy."""

    tenant: TenantId
    line: LineId = Field(max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    message: str = Field(pattern=r"^[^/\s]{1,300}$")

    @field_validator("tenant")
    @classmethod
    def _require_usable(cls, tenant: TenantId) -> TenantId:
        if not names.usable(tenant):
            raise ValueError("no tenant's id")
        return tenant


class DueCopies(Record):
    """What a tick found."""

    due: int = Field(description="How many files were due")


@edge.route("POST", "/", answers={200: DueCopies}, problems=web.OPERATOR_PROBLEMS)
async def copy_due_media(request: Request) -> DueCopies:
    """Copy the files whose copy is due; delete those whose message was taken back.

    Then go on with the removals of instances that waited for their files.
    """
    await auth.require_scheduler(request)
    due = await copying.copy_due()
    await release.resume_removals()
    return DueCopies(due=due)


@edge.route(
    "POST",
    "/push",
    takes=Push,
    answers={204: None},
    problems=(
        *web.OPERATOR_PROBLEMS,
        *web.BODY_PROBLEMS,
        problems.BucketUnavailable,
        problems.BucketRefused,
    ),
)
async def copy_pushed_media(request: Request) -> web.Reply:
    """Copy the file of a new message. Pub/Sub pushes again what isn't answered with 2xx."""
    await auth.require_scheduler(request)
    poke = (await web.parse_body(Push, request, BODY_LIMIT)).read(MediaPoke)
    await copying.copy_pushed(poke.tenant, poke.line, poke.message)
    return web.Reply(status=204)


@functions_framework.aio.http
async def store_media(request: Request) -> Response:
    """Answer `POST /store-media` and `POST /store-media/push`."""
    return await edge.answer(request)
