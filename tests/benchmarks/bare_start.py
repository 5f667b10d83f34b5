"""Serve functions without our logic, to compare starts with: each imports only what it uses."""

import os

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse


@functions_framework.aio.http
async def no_io(_: Request) -> JSONResponse:
    """Answer, and do nothing else."""
    return JSONResponse({})


@functions_framework.aio.http
async def one_read(_: Request) -> JSONResponse:
    """Make one read."""
    return JSONResponse(await _read_tenant())


@functions_framework.aio.http
async def read_and_call(_: Request) -> JSONResponse:
    """Make one read and one call."""
    import httpx

    headers = {"apikey": os.environ["EVOLUTION_API_KEY"]}
    async with httpx.AsyncClient(base_url=os.environ["EVOLUTION_URL"], headers=headers) as http:
        state = await http.get("/instance/connectionState/instance_acme")
    return JSONResponse(state.json() | await _read_tenant())


async def _read_tenant() -> dict[str, bool]:
    from google.cloud import firestore

    snapshot = await firestore.AsyncClient().document("tenants/acme").get()
    return {"found": snapshot.exists}
