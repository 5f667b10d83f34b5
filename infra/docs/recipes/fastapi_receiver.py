"""Answer messages that ask for the opening hours: an endpoint of Perene with FastAPI.

pip install fastapi uvicorn httpx standardwebhooks
PERENE_URL=… PERENE_TOKEN=… PERENE_SECRET=whsec_… uvicorn fastapi_receiver:app --port 9000
"""

import os
from typing import Annotated, Any

import httpx
from fastapi import FastAPI, Header, HTTPException, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

LARGEST = 64 * 1024
ANSWER = "Abrimos de segunda a sexta, das 9h às 18h."

app = FastAPI()
webhook = Webhook(os.environ["PERENE_SECRET"])
perene = httpx.AsyncClient(
    base_url=os.environ["PERENE_URL"],
    headers={"authorization": f"Bearer {os.environ['PERENE_TOKEN']}"},
    timeout=10,  # Perene gives up on us after 15 s
)


@app.post("/events", status_code=204)
async def receive(request: Request, perene_replay: Annotated[str | None, Header()] = None) -> None:
    """Verify an event, and answer it if it is a question, once however often it comes."""
    event = await verify(request)
    if perene_replay or not is_question(event):
        return  # 2xx: Perene goes on with the next event
    await answer(event)


async def verify(request: Request) -> dict[str, Any]:
    """Return the event, if Perene signed these very bytes within the last five minutes."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise HTTPException(413)
    try:
        event: dict[str, Any] = webhook.verify(bytes(body), dict(request.headers))
    except WebhookVerificationError:
        raise HTTPException(401) from None
    return event


def is_question(event: dict[str, Any]) -> bool:
    """Tell whether a person asks for the opening hours right now."""
    message = event["data"]
    return (
        event["type"] == "message.received"
        and not message.get("from_history")
        and not message["contact"].get("group")
        and "horário" in (message.get("text") or "").lower()
    )


async def answer(event: dict[str, Any]) -> None:
    """Send the answer. The event's id is the key: the same event answers once."""
    reply = await perene.post(
        "/send-message",
        headers={"idempotency-key": event["id"]},
        json={"conversation": event["data"]["conversation"], "text": ANSWER},
    )
    if reply.status_code == 429 or reply.status_code >= 500:
        raise HTTPException(503)  # Perene tells us again, later
    # Another refusal (the number changed, say) wouldn't get better: 2xx, and look at the log.


@app.get("/health")
async def health() -> Response:
    """Answer that the receiver runs."""
    return Response("ok")
