"""What a function costs without any of our logic: an answer, and the same I/O as one of ours."""

import functools
import json
import os
from typing import Any

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.benchmarks.commit import Commit


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


@functions_framework.aio.http
async def same_commit(request: Request) -> Response:
    """The commit that a new message makes."""
    key = json.loads(await request.body())["data"]["key"]
    await _commit().make(key["id"], key["remoteJid"])
    return Response(status_code=204)


@functions_framework.aio.http
async def same_send(request: Request) -> JSONResponse:
    """The three reads, the two commits and the one call that a send into a conversation makes."""
    client, http = _clients()
    asked = json.loads(await request.body())
    tenant = client.document("tenants/acme")
    wanted = [tenant, tenant.collection("conversations").document(asked["conversation"])]
    found = [snapshot.to_dict() async for snapshot in client.get_all(wanted)]
    await client.document("instances/instance_acme").get()
    send = tenant.collection("sends").document(request.headers["idempotency-key"])
    await send.create({"text": asked["text"], "state": "sending"})
    said = {"number": "5521988887777", "text": asked["text"]}
    sent = (await http.post("/message/sendText/instance_acme", json=said)).json()
    message = tenant.collection("messages").document(sent["key"]["id"])
    batch = client.batch()
    batch.update(send, {"state": "sent", "message": sent["key"]["id"]})
    batch.create(message, {"text": asked["text"], "from_me": True})
    batch.set(wanted[1], {"last": asked["text"]}, merge=True)
    await batch.commit()
    return JSONResponse({"message": sent["key"]["id"], "found": len(found)}, 201)


@functools.cache
def _commit() -> Commit:
    return Commit.given()


@functools.cache
def _clients() -> tuple[Any, Any]:
    import httpx
    from google.cloud import firestore

    headers = {"apikey": os.environ["EVOLUTION_API_KEY"]}
    http = httpx.AsyncClient(base_url=os.environ["EVOLUTION_URL"], headers=headers)
    return firestore.AsyncClient(), http
