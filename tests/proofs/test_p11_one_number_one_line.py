"""P11: one number is live on one line, however many open it at once."""

import asyncio
from pathlib import Path

import pytest

from tests.perene import name_of
from tests.proofs.posting import Poster
from tests.proofs.stage import open_stage, times

VERSIONS = ("2.3.6", "1.8.2")
LINES = 6


@pytest.mark.parametrize("version", VERSIONS)
async def test_number_is_live_on_one_line(firestore_emulator: str, tmp_path: Path, version: str):
    async with open_stage(tmp_path, 2, version, options=["--unhurried"]) as stage:
        for turn in range(times(1, 15)):  # a server takes 100
            number = f"55119999{turn:05}"
            tenants = [f"tenant-{turn}-{at}" for at in range(LINES)]
            await stage.ensure_many(tenants)
            opened = {"state": "open", "wuid": f"{number}@s.whatsapp.net"}
            names = [name_of(tenant) for tenant in tenants]
            posters = [Poster(stage, name, number) for name in names]

            statuses = await asyncio.gather(
                *(poster.post(("connection.update", opened), turn) for poster in posters * 3)
            )

            assert set(statuses) == {204}
            lines = {name: stage.documents("instances")[name] for name in names}
            states = sorted(line["state"] for line in lines.values())
            assert states == ["conflict"] * (LINES - 1) + ["open"]
            (owner,) = [name for name in names if lines[name]["state"] == "open"]
            assert stage.documents("numbers")[number]["instance"] == owner
