"""Run a soak: `make soak`, for SECONDS=900; SEED makes the same choices again.

Contacts write and tenants send, events are told and files are kept, guests take lines and release
them. Meanwhile workers are killed and replaced, the database stands still and is restarted with
its data, the server loses answers, fails and dies, clocks jump, secrets rotate and sweeps run. Then
every fault ends, and each promise is compared with what everybody knows: that alone decides, and
no clock.

The simulated server retries a hundred times quicker than Evolution. What it gave up, and what it
lost as it died, is fetched by the sweeps.

A soak that broke a promise leaves its folder: the logs, the database, what the server kept, and
all that was broken.
"""

import asyncio
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks import report
from tests.proofs.soak import tables
from tests.proofs.soak.soak import soak
from tests.proofs.stage import open_database

WORKERS = 3


def main() -> int:
    """Run a soak, print and write its tables; return 0 if every promise was kept."""
    seconds = float(os.environ.get("SECONDS") or 900)
    seed = int(os.environ.get("SEED") or time.time())
    print(f"A soak of {seconds:.0f} s, SEED={seed}", flush=True)
    began = time.monotonic()

    def tell(words: str) -> None:
        print(f"{time.monotonic() - began:6.0f} s: {words}", flush=True)

    folder = Path(tempfile.mkdtemp(prefix="perene-soak-"))
    with open_database(folder, folder / "saved") as database:
        result = asyncio.run(
            soak(folder, database, seconds, seed, WORKERS, everything=True, tell=tell)
        )
    found = tables.list_tables(result, seconds)
    for table in found:
        print(f"\n{report.render_table(table)}", flush=True)
    print(f"written to {report.write_report('soak', found)}")
    if result.is_good:
        shutil.rmtree(folder)
        return 0
    broken = [finding for finding in result.findings if finding.broken]
    for finding in broken:
        print(f"{finding.promise} is broken: {finding.named}")
    lines = [f"{finding.promise} {what}" for finding in broken for what in finding.broken]
    (folder / "broken.txt").write_text("\n".join(lines))
    print(f"what it left is in {folder}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
