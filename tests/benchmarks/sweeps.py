"""Measure how both sweeps grow with the fleet: 500 and 5,000 lines on five servers.

`FULL=1`: 1,500 as well.
"""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from google.cloud import firestore

from infra.local.children import find_free_port
from shared.domain import names
from shared.domain.instances import Instance, State, epoch_ms, new_instance
from shared.domain.names import LineId, LineKey, TenantId
from tests.benchmarks.report import Cell, Table
from tests.perene import AUDIENCE, ISSUER, SECRET
from tests.proofs.stage import KEY

SIZES = (500, *([1_500] if os.environ.get("FULL") else []), 5_000)
SERVERS = 5
COLUMNS = {"seconds": "s", "mib": "MiB", "reads": "reads", "writes": "writes", "calls": "calls"}
SWEEPS = {
    "capacity": "capacity",
    "orphans, all drifted": "orphans",
    "orphans, nothing to do": "orphans",
}
"""What is swept, in this order, and by which sweep."""


async def run(place: Path) -> Sequence[Table]:
    """Run each sweep at each size, in a process of its own."""
    rows = list[list[Cell]]()
    for size in SIZES:
        async with _start_fleet(place, size) as environment:
            for title, kind in SWEEPS.items():
                figures = await _run_sweep(environment, kind)
                in_parts = {"conversations"}  # of 200 tenants a night
                assert figures["stopped_at"].keys() <= in_parts, (title, figures)
                rows.append([title, size, *(figures[column] for column in COLUMNS)])
    title = f"One sweep of a fleet on {SERVERS} servers, in a process of its own"
    return [Table(title, ["sweep", "lines", *COLUMNS.values()], rows)]


@contextlib.asynccontextmanager
async def _start_fleet(place: Path, size: int) -> AsyncIterator[dict[str, str]]:
    """Start servers with so many paired lines, none of which has its webhook configured."""
    ports = [find_free_port() for _ in range(SERVERS)]
    processes = [_start_simulator(place, port) for port in ports]
    project = f"bench-{size}"
    try:
        async with httpx.AsyncClient(timeout=60) as http:
            await asyncio.gather(*(_wait_until_ready(http, port) for port in ports))
            lines = [_build_line(at) for at in range(size)]
            _record_lines(project, lines)
            await asyncio.gather(
                *(_plant_lines(http, port, at, lines) for at, port in enumerate(ports))
            )
        yield _build_environment(project, ports, size)
    finally:
        for process in processes:
            process.kill()
            process.wait()


def _build_line(at: int) -> Instance:
    now, key = datetime.now(UTC), LineKey(TenantId(f"t{at:05}"), LineId("default"))
    name = names.instance_name("instance_", key)
    line = new_instance(key, name, "Vendas", f"s{at % SERVERS}", now)
    number = f"55119{at:08}"
    fields = {"number": number, "claimed": number, "claimed_at": now, "ever_open": True}
    fields |= {"heard_until": epoch_ms(now), "heard_number": number}
    return line.with_state(State.OPEN, None, now, **fields)


def _record_lines(project: str, lines: list[Instance]) -> None:
    client = firestore.Client(project=project)
    bulk = client.bulk_writer()
    for line in lines:
        bulk.set(client.document("instances", line.name), line.model_dump())
        tenant = {"tenant": line.tenant, "lines": ["default"], "labels": {"default": "Vendas"}}
        bulk.set(client.document("tenants", line.tenant), {**tenant, "status": "active"})
        bulk.set(client.document("numbers", line.number or ""), {"instance": line.name})
    bulk.close()


async def _plant_lines(
    http: httpx.AsyncClient, port: int, server: int, lines: list[Instance]
) -> None:
    for line in lines:
        if line.server == f"s{server}":
            url = f"http://127.0.0.1:{port}/simulator/instances/{line.name}/plant"
            await http.post(url, json={"number": line.number, "open": True})


def _start_simulator(place: Path, port: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "infra.local.simulator", "--port", str(port)]
    with (place / f"simulator-{port}.log").open("wb") as log:
        return subprocess.Popen([*command, "--api-key", KEY, "--quick"], stdout=log, stderr=log)


async def _wait_until_ready(http: httpx.AsyncClient, port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with contextlib.suppress(httpx.HTTPError):
            await http.get(f"http://127.0.0.1:{port}/simulator/state")
            return
        await asyncio.sleep(0.05)


def _build_environment(project: str, ports: list[int], size: int) -> dict[str, str]:
    fleet = [
        {"id": f"s{at}", "url": f"http://127.0.0.1:{port}", "api_key": KEY, "instance_max": size}
        for at, port in enumerate(ports)
    ]
    return {
        **os.environ,
        "EVOLUTION_SERVERS": json.dumps(fleet),
        "PUBLIC_URL": "https://perene.test",
        "WEBHOOK_SECRET": "the webhooks' secret of the benchmarks",
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_HS256_SECRET": SECRET,
        "GOOGLE_CLOUD_PROJECT": project,
        "SWEEP_SECONDS": "3600",
    }


async def _run_sweep(environment: dict[str, str], kind: str) -> dict[str, Any]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.benchmarks.sweep_once", kind,
        env=environment, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await process.communicate()
    figures: dict[str, Any] = json.loads(printed)
    return figures
