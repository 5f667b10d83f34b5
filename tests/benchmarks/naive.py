"""Answer webhooks, ensures and sends as one would otherwise write them, to compare with Perene.

The steps are those of tutorials and of open inboxes on Evolution: query, then insert; read, modify,
write; the last write wins; fetchInstances, then create. Framework, Firestore client and HTTP client
are Perene's, so that nothing but the design differs. There is no trap in it: the token is checked,
a repeated message is looked for, a failing write answers 500, which Evolution posts again.
"""

import functools
import os
from collections.abc import Sequence
from typing import Any

import functions_framework.aio
import httpx
import jwt
from google.cloud import firestore
from google.cloud.firestore_v1.base_query import FieldFilter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

MESSAGES, CONVERSATIONS = "naive_messages", "naive_conversations"
TOKEN_HEADER = "x-webhook-token"
EVENTS = ("MESSAGES_UPSERT", "MESSAGES_UPDATE", "SEND_MESSAGE")
TEXTS = {"extendedTextMessage": "text", "imageMessage": "caption", "videoMessage": "caption"}
"""The field of each kind of message that has a text; `conversation` is one itself."""


@functions_framework.aio.http
async def naive(request: Request) -> Response:
    """Record a webhook."""
    if request.headers.get(TOKEN_HEADER) != os.environ["WEBHOOK_TOKEN"]:
        return Response(status_code=401)
    await record_webhook(_open_database(), await request.json())
    return Response(status_code=200)


@functions_framework.aio.http
async def naive_ensure(request: Request) -> JSONResponse:
    """Create the caller's instance, or connect it if it exists; answer the code to scan."""
    tenant = _read_tenant(request)
    if tenant is None:
        return JSONResponse({"error": "unauthorized"}, 401)
    answer = await ensure_instance(_open_server(), f"instance_{tenant}")
    return JSONResponse(answer.json(), answer.status_code)


@functions_framework.aio.http
async def naive_send(request: Request) -> JSONResponse:
    """Send a text into one of the caller's conversations."""
    tenant, body = _read_tenant(request), await request.json()
    if tenant is None:
        return JSONResponse({"error": "unauthorized"}, 401)
    answer = await send_text(
        _open_database(), _open_server(), f"instance_{tenant}", body["conversation"], body["text"]
    )
    if answer is None:
        return JSONResponse({"error": "no such conversation"}, 404)
    return JSONResponse(answer.json(), answer.status_code)


async def record_webhook(database: firestore.AsyncClient, body: dict[str, Any]) -> None:
    """Record the messages or statuses of a webhook; other events are ignored.

    Firestore, for a new message: 2 reads, 2 writes; for a repeated one: 1 read; for a status: 1
    read, 1 write.
    """
    parts = body["data"] if isinstance(body["data"], list) else [body["data"]]
    for part in parts:
        if body["event"] in ("messages.upsert", "send.message"):
            await _record_message(database, body["instance"], part)
        if body["event"] == "messages.update":
            await _record_status(database, part)


async def ensure_instance(server: httpx.AsyncClient, name: str) -> httpx.Response:
    """Create the instance unless the server lists it; connect it then, and after a refusal."""
    instances = (await server.get("/instance/fetchInstances")).json()
    if all(instance["name"] != name for instance in instances):
        webhook = {
            "enabled": True,
            "url": os.environ["WEBHOOK_URL"],
            "headers": {TOKEN_HEADER: os.environ["WEBHOOK_TOKEN"]},
            "events": EVENTS,
        }
        options = {"integration": "WHATSAPP-BAILEYS", "qrcode": True, "webhook": webhook}
        answer = await server.post("/instance/create", json={"instanceName": name, **options})
        if answer.status_code != 403:
            return answer
    return await server.get(f"/instance/connect/{name}")


async def send_text(
    database: firestore.AsyncClient,
    server: httpx.AsyncClient,
    instance: str,
    conversation: str,
    text: str,
) -> httpx.Response | None:
    """Send through the conversation's instance, and record the message; None without conversation.

    Firestore: 3 reads, 2 writes.
    """
    stored = (await database.collection(CONVERSATIONS).document(conversation).get()).to_dict()
    if stored is None or stored["instance"] != instance:
        return None
    body = {"number": stored["contact"], "text": text}
    answer = await server.post(f"/message/sendText/{instance}", json=body)
    if answer.is_success:
        await _record_message(database, instance, answer.json())
    return answer


async def _record_message(
    database: firestore.AsyncClient, instance: str, message: dict[str, Any]
) -> None:
    """Insert a message unless its id is stored, and update its conversation."""
    key = message["key"]
    if await _find_message(database, key["id"]):
        return
    conversation, text = f"{instance}_{key['remoteJid']}", _read_text(message["message"])
    await database.collection(MESSAGES).add({
        "whatsapp_id": key["id"],
        "conversation": conversation,
        "from_me": key["fromMe"],
        "text": text,
        "timestamp": message["messageTimestamp"],
        "status": message.get("status"),
    })  # fmt: skip
    reference = database.collection(CONVERSATIONS).document(conversation)
    summary = (await reference.get()).to_dict() or {"unread": 0, "name": message.get("pushName")}
    unread = summary["unread"] if key["fromMe"] else summary["unread"] + 1
    last = {"last_message": text, "last_message_at": message["messageTimestamp"]}
    home = {"instance": instance, "contact": key["remoteJid"]}
    await reference.set({**summary, **home, **last, "unread": unread})


async def _record_status(database: firestore.AsyncClient, update: dict[str, Any]) -> None:
    """Set the status of the message, if it is stored."""
    for snapshot in await _find_message(database, update["keyId"]):
        await snapshot.reference.update({"status": update["status"]})


async def _find_message(database: firestore.AsyncClient, message: str) -> Sequence[Any]:
    """Return the snapshot of the message, if it is stored."""
    has_id = FieldFilter("whatsapp_id", "==", message)
    snapshots: Sequence[Any] = (
        await database.collection(MESSAGES).where(filter=has_id).limit(1).get()
    )
    return snapshots


def _read_text(content: dict[str, Any]) -> str | None:
    texts = (content[kind].get(field) for kind, field in TEXTS.items() if kind in content)
    return content.get("conversation") or next(texts, None)


def _read_tenant(request: Request) -> str | None:
    """Return whose token it is, or None if it isn't valid."""
    bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
    secret, audience = os.environ["AUTH_HS256_SECRET"], os.environ["AUTH_AUDIENCE"]
    try:
        tenant: str = jwt.decode(bearer, secret, ["HS256"], audience=audience)["sub"]
    except jwt.PyJWTError:
        return None
    return tenant


@functools.cache
def _open_database() -> firestore.AsyncClient:
    return firestore.AsyncClient()


@functools.cache
def _open_server() -> httpx.AsyncClient:
    headers = {"apikey": os.environ["EVOLUTION_API_KEY"]}
    return httpx.AsyncClient(base_url=os.environ["EVOLUTION_URL"], headers=headers, timeout=30)
