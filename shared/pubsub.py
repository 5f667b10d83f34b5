"""The adapter of Google Pub/Sub: publish by its REST interface, without its heavy client."""

import asyncio
import base64
import json
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import httpx

SCOPE: Final = "https://www.googleapis.com/auth/pubsub"
ORIGIN: Final = "https://pubsub.googleapis.com"


class PublishFailed(Exception):
    """Pub/Sub took no message, or nobody could sign in to it."""


async def publish(
    http: httpx.AsyncClient, topic: str, message: Mapping[str, str], emulator: str | None
) -> None:
    """Publish one message to a topic (`projects/P/topics/T`). Raises PublishFailed.

    `emulator`: the host of the emulator that stands in for Pub/Sub. The caller bounds the time.
    """
    origin = f"http://{emulator}" if emulator else ORIGIN
    headers = {} if emulator else {"authorization": f"Bearer {await _token()}"}
    content = base64.b64encode(json.dumps(message).encode()).decode()
    body = {"messages": [{"data": content}]}
    try:
        answer = await http.post(f"{origin}/v1/{topic}:publish", json=body, headers=headers)
    except httpx.HTTPError as error:
        raise PublishFailed(type(error).__name__) from None
    if not answer.is_success:
        raise PublishFailed(f"status {answer.status_code}")


async def _token() -> str:
    """Return a token of this function's service account, fetched when the last one is over."""
    credentials = await asyncio.to_thread(_credentials)
    if not credentials.valid:
        await asyncio.to_thread(_refresh, credentials)
    return str(credentials.token)


@cache
def _credentials() -> Any:
    import google.auth

    return google.auth.default(scopes=[SCOPE])[0]


def _refresh(credentials: Any) -> None:
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request

    try:
        credentials.refresh(Request())
    except GoogleAuthError as error:
        raise PublishFailed(type(error).__name__) from None
