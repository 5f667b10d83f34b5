"""Check the endpoints: whether their secrets sign, and whether their tenants are poked for."""

import asyncio

from infra.doctor.database import PATIENCE
from infra.doctor.diagnosis import Diagnosis, report_bad, report_good, report_unseen
from shared import services
from shared.outbound import signatures

SUBJECT = "Events"


async def check_endpoints() -> Diagnosis:
    """Check that every endpoint has secrets that sign, and that its tenant is poked for.

    Firestore: 1 read per endpoint, 1 more.
    """
    store = services.store().endpoints
    try:
        async with asyncio.timeout(PATIENCE):
            endpoints, tenants = await store.list_all(), await store.read_told_tenants()
    except Exception as error:  # noqa: BLE001 - what Firestore can't do has its own diagnosis
        return report_unseen(SUBJECT, f"endpoints can't be read ({type(error).__name__})")
    unusable = [
        one.id
        for one in endpoints
        if not all(map(signatures.can_sign, one.secrets(services.now())))
    ]
    if unusable:
        remedy = "POST /endpoints/{id}/rotate, and give the receiver the new one."
        return report_bad(SUBJECT, f"unusable secret: {', '.join(unusable)}", remedy)
    unlisted = [one.id for one in endpoints if one.is_active and not tenants.include(one.tenant)]
    if unlisted:
        remedy = "Disable it and enable it again, then replay what it missed."
        return report_bad(SUBJECT, f"nothing pokes for {', '.join(unlisted)}", remedy)
    active = sum(one.is_active for one in endpoints)
    return report_good(SUBJECT, f"{active} active endpoint(s), all with secrets that sign")
