"""Serve functions without our logic: a plain answer, and the same I/O as functions of ours."""

import functools
import json
import os
from typing import Any

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.benchmarks.arrivals import Arrival
from tests.benchmarks.commit import Commits

ARRIVAL = "x-arrival"
"""The header in which the benchmark tells what a webhook says."""


@functions_framework.aio.http
async def bare(_: Request) -> JSONResponse:
    """Answer, and do nothing else."""
    return JSONResponse({"state": "open"})


@functions_framework.aio.http
async def same_io(_: Request) -> JSONResponse:
    """Make the two reads and the one call of an ensure on an open line."""
    client, http = _open_clients()
    references = [client.document("tenants/acme"), client.document("instances/instance_acme")]
    documents = [snapshot.to_dict() async for snapshot in client.get_all(references)]
    state = await http.get("/instance/connectionState/instance_acme")
    return JSONResponse({"state": state.json()["instance"]["state"], "found": len(documents)})


@functions_framework.aio.http
async def same_commit(request: Request) -> Response:
    """Make the commits of a webhook, of which it is told what it says."""
    assert "event" in json.loads(await request.body())
    await _load_commits().make(Arrival(*json.loads(request.headers[ARRIVAL])))
    return Response(status_code=204)


@functions_framework.aio.http
async def same_send(request: Request) -> JSONResponse:
    """Make the three reads, the two commits and the one call of a send into a conversation."""
    client, http = _open_clients()
    content = json.loads(await request.body())
    tenant = client.document("tenants/acme")
    references = [tenant, tenant.collection("conversations").document(content["conversation"])]
    documents = [snapshot.to_dict() async for snapshot in client.get_all(references)]
    await client.document("instances/instance_acme").get()
    send = tenant.collection("sends").document(request.headers["idempotency-key"])
    await send.create({"text": content["text"], "state": "sending"})
    body = {"number": "5521988887777", "text": content["text"]}
    receipt = (await http.post("/message/sendText/instance_acme", json=body)).json()
    message = tenant.collection("messages").document(receipt["key"]["id"])
    batch = client.batch()
    batch.update(send, {"state": "sent", "message": receipt["key"]["id"]})
    batch.create(message, {"text": content["text"], "from_me": True})
    batch.set(references[1], {"last": content["text"]}, merge=True)
    await batch.commit()
    return JSONResponse({"message": receipt["key"]["id"], "found": len(documents)}, 201)


@functools.cache
def _load_commits() -> Commits:
    return Commits.from_environment()


@functools.cache
def _open_clients() -> tuple[Any, Any]:
    import httpx
    from google.cloud import firestore

    headers = {"apikey": os.environ["EVOLUTION_API_KEY"]}
    http = httpx.AsyncClient(base_url=os.environ["EVOLUTION_URL"], headers=headers)
    return firestore.AsyncClient(), http
