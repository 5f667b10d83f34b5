"""Every function under one origin, each loaded from its own file as the platform would."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import uvicorn
from functions_framework import aio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local import guard
from infra.local.children import IDLE_SECONDS, LOOPBACK
from infra.local.clock import Clock
from infra.local.guard import Guard
from infra.local.sign_in import routes as sign_in
from shared import config, services

FUNCTIONS = Path("functions")
SEGMENTS = {"receive_webhook": "webhook", "openapi": "openapi.json"}  # others: their own name
CONSOLE = "console"


def build(
    functions: Path = FUNCTIONS, clock: Clock | None = None, local: Sequence[Route] = ()
) -> Starlette:
    """One app for all files in `functions`; the first segment of a path says whose it is.

    With a clock, `POST /local/clock` moves it; `local` is what else only the local stack has.
    """
    served = {_segment(file.stem): _loaded(file) for file in sorted(functions.glob("[!_]*.py"))}

    def front(_: Request) -> Response:
        if CONSOLE in served:
            return RedirectResponse(f"/{CONSOLE}")
        return PlainTextResponse("".join(f"/{segment}\n" for segment in served))

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        owner = served.get(scope["path"].split("/")[1], guard.refuse)
        await owner(scope, receive, send)

    moving = [Route("/local/clock", clock.answer, methods=["POST"])] if clock else []
    return Starlette(routes=[Route("/", front), *moving, *local, Mount("/", dispatch)])


def __getattr__(name: str) -> Starlette:
    """`infra.local.gateway:app`, loaded when a server asks for it and not by an import."""
    if name == "app":
        return build()
    raise AttributeError(name)


def _segment(stem: str) -> str:
    return SEGMENTS.get(stem, stem.replace("_", "-"))


def _loaded(file: Path) -> ASGIApp:
    app: ASGIApp = aio.create_asgi_app(  # type: ignore[no-untyped-call]  # it isn't typed
        target=file.stem, source=file, signature_type="http"
    )
    return app


def main() -> None:
    """Serve on the loopback interface until told to stop."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--port", type=int, default=8080)
    asked.add_argument("--functions", type=Path, default=FUNCTIONS)
    given = asked.parse_args()
    clock, settings = Clock(), config.settings()
    with services.using(clock=clock):
        served = build(given.functions, clock, sign_in.routes(settings))
        uvicorn.run(
            Guard(served, settings.public_url),
            host=LOOPBACK,
            port=given.port,
            ws="none",
            proxy_headers=False,  # who asks is who connects, whatever a header says
            timeout_keep_alive=IDLE_SECONDS,
            log_level="warning",
            access_log=False,  # the functions write their own line per request
            timeout_graceful_shutdown=2,
        )


if __name__ == "__main__":
    main()
