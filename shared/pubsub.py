"""The adapter of Google Pub/Sub: publish by its REST interface, without its heavy client."""

import base64
import json
import time
from collections.abc import Mapping
from typing import Final

import httpx

from shared import untrusted

ORIGIN: Final = "https://pubsub.googleapis.com"
TOKEN: Final = (
    "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
)
ANSWER: Final = untrusted.Bounds(size=64 * 1024)
EARLY: Final = 60.0
"""Seconds before its end in which a token isn't used any more."""

_tokens: dict[str, tuple[str, float]] = {}
"""The token of this function's service account, and until when it is used."""


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
        headers = {} if emulator else {"authorization": f"Bearer {await _token(http)}"}
        origin = f"http://{emulator}" if emulator else ORIGIN
        answer = await http.post(f"{origin}/v1/{topic}:publish", json=body, headers=headers)
        answer.raise_for_status()
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as failure:
        raise PublishFailed(type(failure).__name__) from None


async def _token(http: httpx.AsyncClient) -> str:
    """Return a token of this function's service account, fetched anew before it ends."""
    token, until = _tokens.get(TOKEN, ("", 0.0))
    if time.monotonic() < until:
        return token
    answer = await http.get(TOKEN, headers={"metadata-flavor": "Google"})
    fields = untrusted.read(answer.raise_for_status().content, ANSWER)
    token, seconds = str(fields["access_token"]), float(fields["expires_in"])
    _tokens[TOKEN] = token, time.monotonic() + seconds - EARLY
    return token
