"""Files of tenants that keep media for a number of days only."""

from datetime import timedelta

from shared import config
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.tenants import Tenant
from shared.sweeps.runs import Run, work_on_items

STEP = "media"
PATIENCE = timedelta(minutes=3)


async def delete(run: Run, seen: Survey, planned: Plan) -> None:
    """Delete the files that tenants keep no longer, some of each at a time.

    Firestore: 1 read for each such tenant, and what its deletions cost.
    """
    if config.settings().media_bucket is None or seen.tenants is None:
        return
    forgetful = [tenant for _, tenant in sorted(seen.tenants.items()) if tenant.media_days]

    async def one(tenant: Tenant) -> None:
        from shared.media import retention  # most deployments keep all files

        while not run.over():
            count = await retention.delete_old_files(tenant.tenant, tenant.media_days)
            if count:
                run.counts["files_deleted"] += count
            if count < retention.PAGE:
                return
            await run.go_on()

    await work_on_items(run, STEP, forgetful, one, lambda tenant: tenant.tenant, most=PATIENCE)
