"""A message left by another number than it was sent with: an incident, and it is shown (P7).

Nothing can rule it out: a server may still be preparing what it was asked to send while somebody
pairs the line with another phone. Only the echo tells, by the number in its envelope.
"""

from shared import log, problems
from shared.alerts import tell
from shared.domain.fleet.incidents import Cause, Trouble
from shared.domain.names import LineId, TenantId


async def report(tenant: TenantId, line: LineId, message: str) -> None:
    """Raise the incident of the message, or keep it open. Safe to repeat.

    Raises StoreUnavailable. Firestore: 1 read; 1 write if it changed, and what telling costs.
    """
    log.refused("message.wrong_number", line=line, id=message)
    facts = {"line": line, "message": message}
    await tell.raise_now(Trouble(cause=Cause.WRONG_NUMBER, subject=tenant, facts=facts))


async def report_if_possible(tenant: TenantId, line: LineId, message: str) -> None:
    """Raise the incident, but never let that fail what was said already."""
    try:
        await report(tenant, line, message)
    except problems.Problem as failure:
        log.refused("incident.not_raised", line=line, failure=type(failure).__name__)
