"""Sends whose outcome is unknown."""

import asyncio
from datetime import UTC, datetime

from shared import services
from shared.domain.fleet.plan import Plan
from shared.domain.fleet.survey import Survey
from shared.domain.names import LineKey
from shared.domain.sends import Send, SendState
from shared.lines import access
from shared.sending import reconcile
from shared.sweeps.runs import AT_ONCE, Run, try_item

STEP = "sends"
SETTLED = (SendState.SENT, SendState.FAILED)


async def settle(run: Run, seen: Survey, planned: Plan) -> None:
    """Reconcile uncertain sends that match a message by now; the others stay for a person.

    Nothing is sent again. Firestore: 1 read per send, and what settling costs.
    """

    async def one(send: Send) -> None:
        outcome = await reconcile.reconcile_send(send)
        is_settled = outcome.state in SETTLED or outcome.is_vouched_for
        run.did(STEP, "settled" if is_settled else "uncertain", instance=_name(send))

    now, after = services.now(), datetime.fromtimestamp(0, UTC)
    while not run.over():
        await run.go_on()
        together = await services.store().sends.list_overdue(now, AT_ONCE, after)
        await asyncio.gather(*(try_item(run, STEP, send, one, _name) for send in together))
        if len(together) < AT_ONCE:
            return
        after = together[-1].until


def _name(send: Send) -> str:
    return access.instance_name(LineKey(send.tenant, send.line))
