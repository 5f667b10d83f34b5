"""Who may come in where: this machine everywhere, whoever a tunnel brings only where it must.

The local stack signs anybody in, so its own doors are for the people of this machine. A tunnel
(ngrok, cloudflared) connects from here too; what gives it away is the name it was asked for, or
that it says for whom it asks. A tunnel that only carries bytes can't be told apart.
"""

import ipaddress
import re
from urllib.parse import urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared import problems

LOCAL, WEBHOOK = "local", "webhook"
HOST = re.compile(r"([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d+)?", re.ASCII | re.IGNORECASE)
FORWARDED = re.compile(rb"forwarded|via|x-(forwarded|original|real|client)-.*|.*-connecting-ip")
"""Headers with which somebody in between says who has really asked."""


class Guard:
    """An app whose paths are open as far as the caller's place allows."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.is_public = not is_loopback(urlsplit(public_url).hostname or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_open(scope):
            await self.app(scope, receive, send)
            return
        await refuse(scope, receive, send)

    def _is_open(self, scope: Scope) -> bool:
        if comes_from_here(scope):
            return True
        segment: str = scope["path"].lstrip("/").partition("/")[0]
        return segment == WEBHOOK if self.is_public else segment != LOCAL


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer that there is no such path."""
    problem = problems.NoSuchPath()
    answer = JSONResponse(problem.body(), problem.status, media_type="application/problem+json")
    await answer(scope, receive, send)


def comes_from_here(scope: Scope) -> bool:
    """Tell whether somebody on this machine asks, and not for somebody elsewhere."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    client = scope.get("client")
    return (
        client is not None
        and is_loopback(client[0])
        and len(hosts) == 1
        and (host := HOST.fullmatch(hosts[0])) is not None
        and is_loopback(host[1].strip("[]"))
        and not any(FORWARDED.fullmatch(name) for name, _ in headers)
    )


def is_loopback(host: str) -> bool:
    """Tell whether a host's name or address means the machine that uses it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
