"""Serve an app on a port of this machine, for callers that need a real one."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from infra.local.children import IDLE_SECONDS

HOST = "127.0.0.1"


@asynccontextmanager
async def serving(app: Any, port: int) -> AsyncIterator[None]:
    """Serve an app on a port of this machine, in the tests' own loop."""
    config = uvicorn.Config(
        app,
        host=HOST,
        port=port,
        ws="none",
        lifespan="off",
        log_level="error",
        timeout_keep_alive=IDLE_SECONDS,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task
