"""Connect a line, send once and read pages from Python: pip install httpx.

PERENE_URL=… PERENE_TOKEN=… python httpx_client.py 5521988887777 'Seu pedido saiu'
"""

import asyncio
import math
import os
import sys
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx

TRIES = 3
LONGEST_PAUSE = 30.0
"""Seconds; a longer pause is the caller's to decide."""


class PereneProblem(Exception):
    """A failure that Perene explains: decide by the last part of its type, `name`."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem["title"])
        self.problem = problem
        self.name = problem["type"].rpartition(":")[2]


async def ask(perene: httpx.AsyncClient, method: str, path: str, **request: Any) -> dict[str, Any]:
    """Return what a call answers. Raises PereneProblem."""
    answer = await perene.request(method, path, **request)
    if answer.headers.get("content-type") == "application/problem+json":
        raise PereneProblem(answer.json())
    answer.raise_for_status()  # a proxy's page
    fields: dict[str, Any] = answer.json() if answer.content else {}
    return fields


async def send_message(
    perene: httpx.AsyncClient, message: dict[str, Any], key: str | None = None
) -> dict[str, Any]:
    """Send a message once, and try again with the same key while there is hope.

    Give it a key of yours, like an order's, if this process may die in between. `state` of what it
    returns is `uncertain` while Perene can't know: `GET /send-message/{key}` asks again.
    """
    headers = {"idempotency-key": key or str(uuid.uuid4())}
    tries = 0
    while True:
        tries += 1
        try:
            return await ask(perene, "POST", "/send-message", json=message, headers=headers)
        except (PereneProblem, httpx.TransportError) as failure:
            pause = find_pause(failure, tries)
            if tries == TRIES or pause > LONGEST_PAUSE:
                raise
        await asyncio.sleep(pause)


def find_pause(failure: Exception, tries: int) -> float:
    """Return the seconds after which the same request may succeed; infinite without hope."""
    if isinstance(failure, PereneProblem):
        return float(failure.problem.get("retry_after", math.inf))
    return 0.25 * 2.0**tries


async def follow_pages(
    perene: httpx.AsyncClient, path: str, **query: Any
) -> AsyncIterator[dict[str, Any]]:
    """Yield the pages of a list."""
    cursor = None
    while True:
        page = await ask(perene, "GET", path, params=query | ({"cursor": cursor} if cursor else {}))
        yield page
        cursor = page.get("next")
        if not cursor:
            return


async def main(to: str, text: str) -> None:
    """Send a message through the caller's line, if it is connected; list who wrote."""
    token = {"authorization": f"Bearer {os.environ['PERENE_TOKEN']}"}
    async with httpx.AsyncClient(base_url=os.environ["PERENE_URL"], headers=token) as perene:
        line = await ask(perene, "POST", "/ensure-instance", json={})
        if line["state"] != "open":
            print(f"The line is {line['state']}: open the console to connect it.")
            return
        try:
            send = await send_message(perene, {"to": to, "text": text})
        except PereneProblem as refusal:
            sys.exit(f"{refusal.name}: {refusal}")
        print(send["key"], send["state"])
        async for page in follow_pages(perene, "/conversations", limit=100):
            for conversation in page["conversations"]:
                print(conversation["contact"].get("name"), conversation["unread"])


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:3]))
