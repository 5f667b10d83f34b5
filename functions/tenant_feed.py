"""Take tenants over from the agency's database: new, suspended, cancelled, or with more lines."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, log, problems, services, untrusted, web
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.domain.tenants import Status
from shared.tenant_feed import Outcome, RowChanged, decide_update, is_ahead

edge = web.Edge("tenant_feed", "/tenant-feed")

BODY_LIMIT = 2**20
BOUNDS = untrusted.Bounds(BODY_LIMIT, items=50_000, depth=100)
"""Room for a row as it is and as it was, with columns that we don't read."""


class FedTenant(Record):
    """The tenant as it is now; `stale`: a newer row was taken over before."""

    tenant: TenantId
    status: Status
    max_lines: int
    outcome: Outcome


@edge.route(
    "POST",
    "/",
    takes=RowChanged,
    needs=(auth.FEED_HEADER,),
    answers={200: FedTenant},
    problems=(
        problems.TokenMissing,
        problems.TokenInvalid,
        problems.AuthNotConfigured,
        problems.StoreUnavailable,
        problems.Unexpected,
        *web.BODY_PROBLEMS,
    ),
)
async def apply_row(request: Request) -> FedTenant:
    """Take the row's status and `max_lines` over to its tenant; a deleted row cancels it.

    Posted twice or in another order, the result is the same. A row from the future is refused.
    """
    auth.require_feed_secret(request)
    row_change, now = await web.parse_body(RowChanged, request, BODY_LIMIT, BOUNDS), services.now()
    if is_ahead(row_change, now):
        raise problems.RequestInvalid(
            errors=[{"field": "record.updated_at", "message": "It is in the future"}]
        )
    update = decide_update(row_change)
    change = {**update.change, "fed": update.order}
    tenant = await services.store().tenants.update(update.tenant, change, now)
    outcome: Outcome = "taken" if tenant.fed == update.order else "stale"
    log.info("tenant.fed", tenant=tenant.tenant, status=tenant.status, outcome=outcome)
    fields = tenant.model_dump(include={"tenant", "status", "max_lines"})
    return FedTenant(**fields, outcome=outcome)


@functions_framework.aio.http
async def tenant_feed(request: Request) -> Response:
    """Answer `POST /tenant-feed`."""
    return await edge.answer(request)
