"""What a function costs without any of our logic: an answer, and the same I/O as an ensure."""

import functools
import os
from typing import Any

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse


@functions_framework.aio.http
async def bare(_: Request) -> JSONResponse:
    """An answer and nothing else."""
    return JSONResponse({"state": "open"})


@functions_framework.aio.http
async def same_io(_: Request) -> JSONResponse:
    """The two reads and the one call that an ensure on an open line makes."""
    client, http = _clients()
    wanted = [client.document("tenants/acme"), client.document("instances/instance_acme")]
    found = [snapshot.to_dict() async for snapshot in client.get_all(wanted)]
    state = await http.get("/instance/connectionState/instance_acme")
    return JSONResponse({"state": state.json()["instance"]["state"], "found": len(found)})


@functools.cache
def _clients() -> tuple[Any, Any]:
    import httpx
    from google.cloud import firestore

    headers = {"apikey": os.environ["EVOLUTION_API_KEY"]}
    http = httpx.AsyncClient(base_url=os.environ["EVOLUTION_URL"], headers=headers)
    return firestore.AsyncClient(), http
