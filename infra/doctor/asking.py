"""Asking somebody who may be slow, endless or something else than we think."""

import asyncio
from typing import Any

import httpx

PATIENCE = 15.0
"""Seconds, for the whole of an answer."""
MOST = 4 * 1024 * 1024
"""Bytes of an answer; none that we ask for is nearly as long."""

OF_THE_WAY = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that say how the answer came, not what it is."""


async def ask(http: httpx.AsyncClient, method: str, url: str, **asked: Any) -> httpx.Response:
    """The whole answer. Raises HTTPError, whatever keeps it from coming."""
    try:
        async with (
            asyncio.timeout(PATIENCE),
            http.stream(method, url, timeout=PATIENCE, **asked) as answer,
        ):
            return await _read(answer)
    except TimeoutError:
        raise httpx.ReadTimeout("It takes too long.") from None


async def _read(answer: httpx.Response) -> httpx.Response:
    content = bytearray()
    async for piece in answer.aiter_bytes():
        content += piece
        if len(content) > MOST:
            raise httpx.DecodingError("It is too long.", request=answer.request)
    headers = [each for each in answer.headers.multi_items() if each[0] not in OF_THE_WAY]
    return httpx.Response(
        answer.status_code, headers=headers, content=bytes(content), request=answer.request
    )
