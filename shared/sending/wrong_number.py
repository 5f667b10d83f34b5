"""Raise an incident for a message that left by another number than it was sent with (P7).

Nothing can rule that out: a server may still be preparing a message while a person pairs the line
with another phone. Only the echo tells, by the number in its envelope.
"""

from shared import log, problems
from shared.alerts import notify
from shared.domain.fleet.incidents import Cause, Trouble
from shared.domain.names import LineId, TenantId


async def report_wrong_number(tenant: TenantId, line: LineId, message: str) -> None:
    """Raise the incident of the message, or keep it open. Safe to repeat.

    Raises StoreUnavailable. Firestore: 1 read; 1 write if it changed, and 2 if it has news.
    """
    log.notice("message.wrong_number", line=line, id=message)
    facts = {"line": line, "message": message}
    await notify.raise_incident(Trouble(cause=Cause.WRONG_NUMBER, subject=tenant, facts=facts))


async def try_report(tenant: TenantId, line: LineId, message: str) -> None:
    """Raise the incident, or log that it can't be raised: the message is sent already."""
    try:
        await report_wrong_number(tenant, line, message)
    except problems.Problem as failure:
        log.notice("incident.not_raised", line=line, failure=type(failure).__name__)
