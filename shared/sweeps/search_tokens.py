"""Tokens for lines and conversations that versions without them stored: some each night, once."""

from shared import services
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.names import TenantId
from shared.sweeps.runs import Run

STEP = "search"
A_NIGHT = 2_000
"""Conversations that are looked at in one run."""

PAGE = 200
DONE = "/"
"""Where the step stands when no conversation lacks its tokens any more."""


async def give(run: Run, seen: Survey, planned: Plan) -> None:
    """Give the tokens by which a search finds them: lines at once, conversations by and by.

    A deployment that never swept has none without them. Firestore: 1 read per conversation (once
    per line) and 1 write if it lacks them; nothing once all have them.
    """
    place = run.standing.searchable
    is_new = run.standing.ended_at is None and not run.standing.forgotten
    if not run.standing.lines_searchable:
        if not is_new:
            run.counts["made_searchable"] += await services.store().instances.add_tokens()
        run.learned["lines_searchable"] = True
    if place == DONE or seen.tenants is None:
        return
    run.learned["searchable"] = DONE if is_new else await _walk(run, sorted(seen.tenants), place)


async def _walk(run: Run, tenants: list[TenantId], place: str) -> str:
    """Walk through the conversations of the tenants; return where the next run goes on."""
    first, _, after = place.rpartition("/")  # a tenant's id may have such signs
    left = A_NIGHT
    for tenant in (tenant for tenant in tenants if tenant >= first):
        end: str | None = after if tenant == first else ""
        while end is not None:
            if left <= 0 or run.over():
                return f"{tenant}/{end}"
            await run.go_on()
            changed, end = await services.store().conversations.add_tokens(tenant, end, PAGE)
            left -= PAGE
            run.counts["made_searchable"] += changed
    return DONE
