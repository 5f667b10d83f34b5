"""Limit which paths callers from elsewhere reach; callers on this machine reach every path.

The local stack signs any caller in, so its own paths are only for this machine. A tunnel (ngrok,
cloudflared) connects from this machine too: it is recognized by the `host` header that it passes
on, or by a header that names the original client. A tunnel that only copies bytes can't be
recognized.
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
"""Headers in which a proxy names the original client."""


class Guard:
    """A wrapper that refuses the paths which a caller may not reach from where it connects."""

    def __init__(self, app: ASGIApp, public_url: str) -> None:
        self.app = app
        self.is_public = not is_loopback(urlsplit(public_url).hostname or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_allowed(scope):
            await self.app(scope, receive, send)
            return
        await refuse(scope, receive, send)

    def _is_allowed(self, scope: Scope) -> bool:
        if comes_from_this_machine(scope):
            return True
        segment: str = scope["path"].lstrip("/").partition("/")[0]
        return segment == WEBHOOK if self.is_public else segment != LOCAL


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the problem NoSuchPath (404)."""
    problem = problems.NoSuchPath()
    answer = JSONResponse(problem.body(), problem.status, media_type="application/problem+json")
    await answer(scope, receive, send)


def comes_from_this_machine(scope: Scope) -> bool:
    """Tell whether the caller is on this machine and no proxy forwards the request."""
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
    """Tell whether a host name or address means the machine that uses it."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"
