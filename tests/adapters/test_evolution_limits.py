"""No call lasts longer than it may."""

import asyncio
import time

import httpx
import pytest

from shared import problems
from shared.domain.outgoing import Options, Outgoing
from shared.domain.upstream import (
    Doubtful,
    SendDoubtful,
    Sent,
)
from shared.evolution import limits
from shared.evolution.client import LONGEST_CALL
from tests.adapters.evolution_calls import (
    EVERYTHING,
    TO,
    VERSIONS,
    everything,
)
from tests.adapters.evolution_wire import (
    an_evolution,
    exchange,
    saying,
    says,
)
from tests.cases import in_each

pytestmark = pytest.mark.anyio


async def never(request):
    await asyncio.sleep(3600)


@everything
@in_each("version", VERSIONS)
async def test_silent_server_is_given_up(call, version, monkeypatch):
    for limit in [name for name, value in vars(limits).items() if isinstance(value, float)]:
        monkeypatch.setattr(limits, limit, 0.02)
    evolution, _ = an_evolution(never, version)
    started = time.monotonic()

    try:
        outcome = await EVERYTHING[call](evolution)
    except problems.EvolutionTimedOut:
        outcome = None

    assert time.monotonic() - started < 1
    assert outcome is None or isinstance(outcome, Doubtful | SendDoubtful)


@in_each("call", ["configure", "delete"])
async def test_several_requests_share_one_limit(call, monkeypatch):
    for limit in ("CONFIGURE", "DELETE"):
        monkeypatch.setattr(limits, limit, 1.0)

    async def slowly(request):
        await asyncio.sleep(0.6)
        return saying(400 if call == "delete" else 201, says("needs to be disconnected"))(request)

    evolution, wire = an_evolution(slowly, "1.8.2")

    with pytest.raises(problems.EvolutionTimedOut):
        await EVERYTHING[call](evolution)
    assert len(wire.requests) == 2


def test_no_changing_call_outlasts_the_longest():
    named = [limits.CREATE, limits.CONNECT, limits.RESTART, limits.CONFIGURE, limits.DELETE]

    assert max(named) < LONGEST_CALL == limits.LONGEST_CALL


async def test_typing_extends_the_time_limit(monkeypatch):
    monkeypatch.setattr(limits, "SEND", 0.02)

    async def after_typing(request):
        await asyncio.sleep(0.05)
        return httpx.Response(201, json=exchange("baileys-sendText")["response"]["body"])

    evolution, _ = an_evolution(after_typing)
    options = Options(typing_ms=200)

    assert isinstance(
        await evolution.send_message("wa1", Outgoing(TO.to, TO.content, options)), Sent
    )
