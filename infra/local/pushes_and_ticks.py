"""Start on one machine what Pub/Sub pushes to and Cloud Scheduler starts every minute."""

import contextlib
import threading
import time
import urllib.request
from collections.abc import Iterable
from typing import Final

import jwt
from starlette.types import ASGIApp, Receive, Scope, Send

from infra import deployment
from infra.local import children
from shared.config import Settings

PUSHED: Final = "/local/push"
MINUTE: Final = 60.0
TOKEN_SECONDS: Final = 600


def list_pushed() -> dict[str, str]:
    """Return the path of each function that is pushed to, by its name."""
    functions = deployment.load_function_map().functions
    return {name: function.path for name, function in functions.items() if function.topic}


class PushDoor:
    """The address that the emulator pushes to: it signs no tokens, so this adds an operator's.

    Like all of `/local`, it is only for callers on this machine.
    """

    app: ASGIApp

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a push on to the function that the last part of its path names."""
        bearer = f"Bearer {sign_operator(self._settings)}".encode()
        headers = [*scope["headers"], (b"authorization", bearer)]
        path = f"{list_pushed()[scope['path_params']['function']]}/push"
        inner = {**scope, "path": path, "raw_path": path.encode(), "headers": headers}
        await self.app(inner, receive, send)


def tick_every_minute(settings: Settings, port: int, paths: Iterable[str]) -> None:
    """Ask for what is due once a minute, in threads that end with the process."""
    for path in paths:
        threading.Thread(target=_tick, args=(settings, port, path), daemon=True).start()


def sign_operator(settings: Settings) -> str:
    """Sign a token of an operator, as the local sign-in would."""
    assert settings.auth_hs256_secret
    now = int(time.time())
    claims = {
        "iss": settings.auth_issuer,
        "aud": settings.auth_audience,
        "sub": "local-scheduler",
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        str(settings.auth_operator_claim): True,
    }
    return jwt.encode(claims, settings.auth_hs256_secret.get_secret_value(), algorithm="HS256")


def tick(settings: Settings, port: int, path: str) -> None:
    """Ask for what is due, once; a failure is left to the next minute."""
    request = urllib.request.Request(f"http://{children.LOOPBACK}:{port}{path}", b"")
    request.add_header("Authorization", f"Bearer {sign_operator(settings)}")
    with contextlib.suppress(OSError), children.DIRECT.open(request, timeout=10 * MINUTE):
        pass


def _tick(settings: Settings, port: int, path: str) -> None:
    pause = MINUTE
    while True:
        time.sleep(pause)
        started = time.monotonic()
        tick(settings, port, path)  # it may last as long as an endpoint hangs
        pause = max(0.0, started + MINUTE - time.monotonic())
