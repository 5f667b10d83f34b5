"""Conversations of lines that their tenant never had: some tenants each night, in turn."""

from shared import services
from shared.domain.fleet.invariants import Rule, Violation
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.names import TenantId
from shared.sweeps.runs import Run, work_on_items

STEP = "conversations"
A_NIGHT = 200
"""Tenants that are looked at in one run."""


async def check(run: Run, seen: Survey, planned: Plan) -> None:
    """Check that each conversation belongs to a line that its tenant has or had.

    Firestore: 1 read and 2 counts per tenant.
    """
    violations: list[Violation] = []

    async def one(tenant: TenantId) -> None:
        if strange := await services.store().conversations.count_strange(tenant):
            rule = Rule.CONVERSATION_OF_NO_LINE
            violations.append(Violation(rule=rule, tenant=tenant, count=strange))

    everybody = sorted(seen.tenants or {})
    start = run.standing.cursors.get(STEP, "")
    turn = [tenant for tenant in everybody if tenant >= start]
    await work_on_items(run, STEP, turn[:A_NIGHT], one, str)
    if len(turn) > A_NIGHT and STEP not in run.stopped_at:
        run.stopped_at[STEP] = turn[A_NIGHT]
    run.violations += violations
