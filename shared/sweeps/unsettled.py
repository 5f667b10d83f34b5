"""Sends of which nobody knows whether they were sent."""

import asyncio
from datetime import UTC, datetime

from shared import services
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.names import LineKey
from shared.domain.sends import Send, SendState
from shared.lines import entry
from shared.sending import settle as settling
from shared.sweeps.runs import AT_ONCE, Run, tried

STEP = "sends"
SETTLED = (SendState.SENT, SendState.FAILED)


async def settle(run: Run, seen: Survey, planned: Plan) -> None:
    """Those for which there is evidence by now are sent; the others stay uncertain, for a person.

    Nothing is sent again. Firestore: 1 read per send, and what settling costs.
    """

    async def one(send: Send) -> None:
        found = await settling.current(send)
        run.did(STEP, "settled" if found.state in SETTLED else "uncertain", instance=_name(send))

    now, after = services.now(), datetime.fromtimestamp(0, UTC)
    while not run.over():
        await run.go_on()
        together = await services.store().overdue(now, AT_ONCE, after)
        await asyncio.gather(*(tried(run, STEP, each, one, _name) for each in together))
        if len(together) < AT_ONCE:
            return
        after = together[-1].until


def _name(send: Send) -> str:
    return entry.name_of(LineKey(send.tenant, send.line))
