"""Tell endpoints what is new: when Pub/Sub pushes a poke, and every minute what is due."""

import functions_framework.aio
from pydantic import Field, field_validator
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, web
from shared.domain import names
from shared.domain.endpoints import EVERYBODY
from shared.domain.event_types import WHOLE_LOG, LogPart
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.outbound import delivery
from shared.pushes import BODY_LIMIT, Push

edge = web.Edge("deliver_events", "/deliver-events")


class NewsPoke(Record):
    """There is news of a tenant (`EVERYBODY`: of those that operators are told of)."""

    tenant: TenantId
    news: frozenset[LogPart] = WHOLE_LOG

    @field_validator("tenant")
    @classmethod
    def _require_usable(cls, tenant: TenantId) -> TenantId:
        if tenant != EVERYBODY and not names.usable(tenant):
            raise ValueError("no tenant's id")
        return tenant

    @field_validator("news", mode="before")
    @classmethod
    def _split(cls, news: object) -> object:
        """Read news as a poke writes them; those that we don't know (any more) mean all."""
        words = news.split(",") if isinstance(news, str) else []
        return words if words and set(words) <= set(LogPart) else WHOLE_LOG


class DueDeliveries(Record):
    """What a tick found."""

    due: int = Field(description="How many endpoints were looked at")


@edge.route("POST", "/", answers={200: DueDeliveries}, problems=web.OPERATOR_PROBLEMS)
async def deliver_due_events(request: Request) -> DueDeliveries:
    """Tell the endpoints that wait for an attempt, or whose poke may have been lost."""
    await auth.require_scheduler(request)
    return DueDeliveries(due=await delivery.deliver_due())


@edge.route(
    "POST",
    "/push",
    takes=Push,
    answers={204: None},
    problems=(*web.OPERATOR_PROBLEMS, *web.BODY_PROBLEMS),
)
async def deliver_pushed_events(request: Request) -> web.Reply:
    """Tell a tenant's endpoints what is new. Pub/Sub pushes again what isn't answered with 2xx."""
    await auth.require_scheduler(request)
    poke = (await web.parse_body(Push, request, BODY_LIMIT)).read(NewsPoke)
    await delivery.deliver_tenant(poke.tenant, poke.news)
    return web.Reply(status=204)


@functions_framework.aio.http
async def deliver_events(request: Request) -> Response:
    """Answer `POST /deliver-events` and `POST /deliver-events/push`."""
    return await edge.answer(request)
