"""Serve functions without our logic, to compare starts with: each imports only what it uses.

The query says how many calls of Firestore a request makes, all at once, as in
`?reads=1&queries=4&commits=1`.
"""

import asyncio
import os
import uuid

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse


@functions_framework.aio.http
async def bare(_: Request) -> JSONResponse:
    """Answer, and do nothing else."""
    return JSONResponse({})


@functions_framework.aio.http
async def bare_with_documents(request: Request) -> JSONResponse:
    """Call Firestore."""
    await _call_firestore(request)
    return JSONResponse({})


@functions_framework.aio.http
async def bare_with_server(request: Request) -> JSONResponse:
    """Call Firestore, and a server once."""
    import httpx

    headers = {"apikey": os.environ["EVOLUTION_API_KEY"]}
    async with httpx.AsyncClient(base_url=os.environ["EVOLUTION_URL"], headers=headers) as http:
        state = await http.get("/instance/connectionState/instance_acme")
    await _call_firestore(request)
    return JSONResponse(state.json())


async def _call_firestore(request: Request) -> None:
    from google.cloud import firestore

    client, counts = firestore.AsyncClient(), request.query_params
    reads, queries, commits = (int(counts.get(name, 0)) for name in ("reads", "queries", "commits"))
    await asyncio.gather(
        *(client.document("tenants/acme").get() for _ in range(reads)),
        *(client.collection("tenants").limit(1).get() for _ in range(queries)),
        *(client.document(f"bare/{uuid.uuid4()}").set({"at": 0}) for _ in range(commits)),
    )
