"""P15: messages stand as they were said, also within one second and however they arrive."""

import random
from pathlib import Path
from typing import Any

from tests.perene import name_of
from tests.proofs.posting import AT, Poster, message_event, read_inbox, read_thread
from tests.proofs.stage import Stage, open_stage, times

BURST = 100
PAGE = 7
ZONE_MS = -3 * 60 * 60 * 1000
"""The server's wall clock is that of São Paulo."""


async def test_burst_of_one_second_keeps_order(firestore_emulator: str, tmp_path: Path):
    chance = random.Random(15)
    async with open_stage(tmp_path, 2) as stage:
        await stage.ensure("acme")
        poster = Poster(stage, name_of("acme"))
        for turn in range(times(1, 12)):
            jid = f"55219777{turn:05}"
            burst = [
                message_event(f"{n * 37 % BURST:02}x{turn}", str(n), AT, jid) for n in range(BURST)
            ]
            first = [(event, AT * 1000 + ZONE_MS + 7 * n) for n, event in enumerate(burst)]
            copies = [(event, at + chance.choice([0, 90_000])) for event, at in first]
            arrivals = chance.sample([*first, *copies], 2 * BURST)

            statuses = await poster.post_all(arrivals)

            assert set(statuses) == {204}
            conversation = await find_conversation(stage, jid)
            assert conversation["last"]["text"] == str(BURST - 1)
            for limit in (BURST, PAGE):
                thread = await read_thread(stage, "acme", conversation["id"], limit)
                texts = [message["text"] for message in thread]
                assert texts == [str(n) for n in reversed(range(BURST))]


async def find_conversation(stage: Stage, jid: str) -> dict[str, Any]:
    conversations = await read_inbox(stage, "acme")
    return next(one for one in conversations if one["contact"]["number"] == jid)
