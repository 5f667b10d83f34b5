"""What happened to lines and messages, in order: the log that endpoints are told from."""

from contextlib import suppress
from datetime import datetime
from typing import Annotated, Literal

import functions_framework.aio
from pydantic import AfterValidator, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.domain import names
from shared.domain.event_types import EventType
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.lines import access
from shared.outbound import event_log, log_positions
from shared.outbound.facts import Event

edge = web.Edge("events", "/events")

PAGE, LONGEST_PAGE = 30, 100
LONGEST_TYPES = 400


def _require_types(text: str) -> str:
    """Return the names of types, if there are such in the log."""
    if set(text.split(",")) <= {str(kind) for kind in event_log.ALL_TYPES}:
        return text
    raise ValueError(f"Separate by commas: {', '.join(sorted(event_log.ALL_TYPES))}")


class WhichEvents(Record):
    """Where to go on, and what to tell. Only operators may name a `tenant`, or ask for `all`."""

    model_config = ConfigDict(extra="forbid")

    after: str = Field(
        default="",
        max_length=log_positions.LONGEST,
        description="The last answer's `next`, an event's id, or a time; empty: the beginning",
    )
    types: Annotated[str, AfterValidator(_require_types)] | None = Field(
        default=None, max_length=LONGEST_TYPES, description="Only these, separated by commas"
    )
    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    tenant: TenantId | None = Field(default=None, min_length=1, max_length=200)
    all: Literal["true"] | None = None


class EventPage(Record):
    """Events in their order. `next` is the `after` of the next page; `more`: ask at once."""

    events: list[Event]
    next: str
    more: bool


@edge.route(
    "GET",
    "/",
    asks=WhichEvents,
    answers={200: EventPage},
    problems=(
        *web.TENANT_PROBLEMS,
        problems.NotAllowed,
        problems.RequestInvalid,
        problems.CursorInvalid,
    ),
)
async def list_events(request: Request) -> EventPage:
    """Tell what happened to the caller's lines and messages, in order, each at least once."""
    tenant = await _require_reader(request)
    query = web.parse_query(WhichEvents, request)
    if query.tenant:
        tenant = _require_usable(query.tenant)
    types = frozenset(map(EventType, query.types.split(","))) if query.types else None
    page = await event_log.read_log(tenant, _find_start(query.after), query.limit, types=types)
    return EventPage(events=page.events, next=page.position, more=not page.is_last)


async def _require_reader(request: Request) -> TenantId | None:
    """Return whose events the caller may read: their own tenant's, or an operator's, all."""
    if request.query_params.keys() & {"tenant", "all"}:
        await auth.require_operator(request)
        return None
    tenant_id = await auth.require_tenant(request)
    access.require_active(await services.store().tenants.find(tenant_id))
    return tenant_id


def _require_usable(tenant: TenantId) -> TenantId:
    if names.usable(tenant):
        return tenant
    raise problems.TenantUnusable()


def _find_start(after: str) -> str:
    """Return where a caller goes on who may have named a time."""
    with suppress(ValueError):
        moment = datetime.fromisoformat(after.replace("z", "Z"))
        if "T" in after and moment.tzinfo:
            return event_log.position_at(moment)
    return after


@functions_framework.aio.http
async def events(request: Request) -> Response:
    """Answer `/events`."""
    return await edge.answer(request)
