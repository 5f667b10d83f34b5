"""Run one sweep in a process of its own, and measure it.

`python -m tests.benchmarks.sweep_once orphans` prints JSON: seconds, the most memory that the
process held, documents read and written, and calls to servers.
"""

import asyncio
import json
import re
import sys
import time
from collections import Counter
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import httpx

from shared import services
from shared.domain.fleet.reports import Report
from shared.sweeps import measure_capacity, orphans
from tests.adapters.counting import counting


class Counting(httpx.AsyncHTTPTransport):
    """A transport that counts the calls of each route."""

    def __init__(self) -> None:
        super().__init__(limits=httpx.Limits(max_connections=100))
        self.calls: Counter[str] = Counter()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.calls["/".join(request.url.path.split("/")[1:3])] += 1
        return await super().handle_async_request(request)


async def main(kind: str) -> dict[str, Any]:
    """Run the sweep and return its figures."""
    transport = Counting()
    with services.using(transport=transport), redirect_stdout(StringIO()):
        before = _read_mib("VmRSS")
        began = time.perf_counter()
        with counting(services.store().db.client) as counted:
            report = await _run_sweep(kind)
        took = time.perf_counter() - began
    return {
        "seconds": round(took, 2),
        "mib_before": round(before),
        "mib": round(_read_mib("VmHWM")),
        "reads": counted.reads,
        "writes": counted.writes,
        "calls": sum(transport.calls.values()),
        "counts": report.counts,
        "stopped_at": report.stopped_at,
    }


async def _run_sweep(kind: str) -> Report:
    if kind == "capacity":
        report, _ = await measure_capacity.sweep()
        return report
    return await orphans.sweep()


def _read_mib(field: str) -> float:
    status = Path("/proc/self/status").read_text()
    return int(re.findall(rf"{field}:\s*(\d+)", status)[0]) / 1024


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1]))))
