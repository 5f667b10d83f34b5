"""Start deliveries of events on one machine, as Pub/Sub and Cloud Scheduler do in a deployment."""

import contextlib
import threading
import time
import urllib.request
from typing import Final

import jwt
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local import children
from shared.config import Settings

PATH: Final = "/deliver-events"
PUSHED: Final = "/local/push"
MINUTE: Final = 60.0
TOKEN_SECONDS: Final = 600


class PushDoor:
    """The address that the emulator pushes to: it signs no tokens, so this adds an operator's.

    Like all of `/local`, it is only for callers on this machine.
    """

    app: ASGIApp

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a push on to the function."""
        bearer = f"Bearer {sign_operator(self._settings)}".encode()
        headers = [*scope["headers"], (b"authorization", bearer)]
        path = f"{PATH}/push"
        inner = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
        await self.app(inner, receive, send)


def tick_every_minute(settings: Settings, port: int) -> None:
    """Ask for what is due once a minute, in a thread that ends with the process."""
    threading.Thread(target=_tick_for_ever, args=(settings, port), daemon=True).start()


def sign_operator(settings: Settings) -> str:
    """Sign a token of an operator, as the local sign-in would."""
    assert settings.auth_hs256_secret
    now = int(time.time())
    claims = {
        "iss": settings.auth_issuer,
        "aud": settings.auth_audience,
        "sub": "local-deliveries",
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        str(settings.auth_operator_claim): True,
    }
    return jwt.encode(claims, settings.auth_hs256_secret.get_secret_value(), algorithm="HS256")


def tick(settings: Settings, port: int) -> None:
    """Ask for what is due, once; a failure is left to the next minute."""
    request = urllib.request.Request(f"http://{children.LOOPBACK}:{port}{PATH}", b"")
    request.add_header("Authorization", f"Bearer {sign_operator(settings)}")
    with contextlib.suppress(OSError), children.DIRECT.open(request, timeout=2 * MINUTE):
        pass


def _tick_for_ever(settings: Settings, port: int) -> None:
    while True:
        time.sleep(MINUTE)
        tick(settings, port)
