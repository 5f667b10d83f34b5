"""The adapter of Google Pub/Sub: publish by its REST interface, without its heavy client."""

import base64
import json
from collections.abc import Mapping
from typing import Final

import httpx

from shared.google_account import SignInFailed, fetch_token

ORIGIN: Final = "https://pubsub.googleapis.com"


class PublishFailed(Exception):
    """Pub/Sub took no message, or the function could not sign in to it."""


async def publish(
    http: httpx.AsyncClient, topic: str, message: Mapping[str, str], emulator: str | None
) -> None:
    """Publish one message to a topic (`projects/P/topics/T`). Raises PublishFailed.

    `emulator`: the host of the emulator that stands in for Pub/Sub. The caller bounds the time.
    """
    content = base64.b64encode(json.dumps(message).encode()).decode()
    body = {"messages": [{"data": content}]}
    try:
        headers = {} if emulator else {"authorization": f"Bearer {await fetch_token(http)}"}
        origin = f"http://{emulator}" if emulator else ORIGIN
        answer = await http.post(f"{origin}/v1/{topic}:publish", json=body, headers=headers)
        answer.raise_for_status()
    except (httpx.HTTPError, SignInFailed) as failure:
        raise PublishFailed(type(failure).__name__) from None
