"""Fetch an answer from a host that may be slow, endless, or something else than expected."""

import asyncio
from typing import Any

import httpx

PATIENCE = 15.0
"""Seconds for a whole answer."""
MOST_BYTES = 4 * 1024 * 1024
"""The longest answer that is read; no expected one is nearly as long."""

TRANSFER_HEADERS = ("content-encoding", "content-length", "transfer-encoding")
"""Headers that describe the transfer and no longer fit the decoded content."""


async def fetch_response(
    http: httpx.AsyncClient, method: str, url: str, **options: Any
) -> httpx.Response:
    """Return the whole answer. Raises HTTPError if it is absent, too slow or too long."""
    try:
        async with (
            asyncio.timeout(PATIENCE),
            http.stream(method, url, timeout=PATIENCE, **options) as response,
        ):
            return await _read_content(response)
    except TimeoutError:
        raise httpx.ReadTimeout("It takes too long.") from None


async def _read_content(response: httpx.Response) -> httpx.Response:
    content = bytearray()
    async for piece in response.aiter_bytes():
        content += piece
        if len(content) > MOST_BYTES:
            raise httpx.DecodingError("It is too long.", request=response.request)
    headers = [
        (name, value)
        for name, value in response.headers.multi_items()
        if name not in TRANSFER_HEADERS
    ]
    return httpx.Response(
        response.status_code, headers=headers, content=bytes(content), request=response.request
    )
