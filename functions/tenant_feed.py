"""The agency's database tells: this tenant is new, suspended, cancelled, or may have more lines."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, log, problems, services, untrusted, web
from shared.domain.feeding import Outcome, RowChanged, decide_fed, is_ahead
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.domain.tenants import Status

edge = web.Edge("tenant_feed", "/tenant-feed")

BODY_LIMIT = 2**20
BOUNDS = untrusted.Bounds(BODY_LIMIT, items=50_000, depth=100)
"""A row as it is and as it was, with columns that are none of our business."""


class Taken(Record):
    """The tenant as it is now; `stale`: something newer had been told already."""

    tenant: TenantId
    status: Status
    max_lines: int
    outcome: Outcome


@edge.route(
    "POST",
    "/",
    takes=RowChanged,
    needs=(auth.FEED_HEADER,),
    answers={200: Taken},
    problems=(
        problems.TokenMissing,
        problems.TokenInvalid,
        problems.AuthNotConfigured,
        problems.StoreUnavailable,
        problems.Unexpected,
        *web.BODY_PROBLEMS,
    ),
)
async def feed(request: Request) -> Taken:
    """The tenant's status and `max_lines` are the row's; a row that is gone cancels it.

    Told twice or in another order, the result is the same. A row from the future is refused.
    """
    auth.feeder_of(request)
    told, now = await web.body(RowChanged, request, BODY_LIMIT, BOUNDS), services.now()
    if is_ahead(told, now):
        raise problems.RequestInvalid(
            errors=[{"field": "record.updated_at", "message": "It is in the future"}]
        )
    fed = decide_fed(told)
    change = {**fed.change, "fed": fed.order}
    kept = await services.store().keep_tenant(fed.tenant, change, now)
    outcome: Outcome = "taken" if kept.fed == fed.order else "stale"
    log.happened("tenant.fed", tenant=kept.tenant, status=kept.status, outcome=outcome)
    shown = kept.model_dump(include={"tenant", "status", "max_lines"})
    return Taken(**shown, outcome=outcome)


@functions_framework.aio.http
async def tenant_feed(request: Request) -> Response:
    """`POST /tenant-feed`."""
    return await edge.answer(request)
