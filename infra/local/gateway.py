"""Serve every function under one origin, each loaded from its own file as the platform does."""

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

from infra.local import guard, pushes_and_ticks
from infra.local.children import IDLE_SECONDS, LOOPBACK
from infra.local.clock import Clock
from infra.local.guard import Guard
from infra.local.pushes_and_ticks import PushDoor
from infra.local.receiver.receiver_routes import Receiver
from infra.local.sign_in import oidc_routes
from shared import config, services

FUNCTIONS = Path("functions")
SEGMENTS = {"receive_webhook": "webhook", "openapi": "openapi.json"}  # others: their own name
CONSOLE = "console"


def build(
    functions: Path = FUNCTIONS, clock: Clock | None = None, local: Sequence[Route] = ()
) -> Starlette:
    """Build one app of all files in `functions`; the first segment of a path chooses the function.

    With a clock, `POST /local/clock` moves it. `local` adds routes that only the local stack has.
    """
    apps = {_segment_of(file.stem): _load(file) for file in sorted(functions.glob("[!_]*.py"))}

    def show_front_page(_: Request) -> Response:
        if CONSOLE in apps:
            return RedirectResponse(f"/{CONSOLE}")
        return PlainTextResponse("".join(f"/{segment}\n" for segment in apps))

    async def dispatch(scope: Scope, receive: Receive, send: Send) -> None:
        app = apps.get(scope["path"].split("/")[1], guard.refuse)
        await app(scope, receive, send)

    clock_routes = [Route("/local/clock", clock.serve_move, methods=["POST"])] if clock else []
    return Starlette(
        routes=[Route("/", show_front_page), *clock_routes, *local, Mount("/", dispatch)]
    )


def __getattr__(name: str) -> Starlette:
    """Load `infra.local.gateway:app` when a server asks for it, instead of at import."""
    if name == "app":
        return build()
    raise AttributeError(name)


def _segment_of(stem: str) -> str:
    return SEGMENTS.get(stem, stem.replace("_", "-"))


def _load(file: Path) -> ASGIApp:
    app: ASGIApp = aio.create_asgi_app(  # type: ignore[no-untyped-call]  # it isn't typed
        target=file.stem, source=file, signature_type="http"
    )
    return app


def main() -> None:
    """Serve on the loopback interface until told to stop."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8080)
    parser.add_argument("--functions", type=Path, default=FUNCTIONS)
    options = parser.parse_args()
    clock, settings = Clock(), config.settings()
    with services.using(clock=clock):
        routes = [*oidc_routes.build_routes(settings), *Receiver().build_routes()]
        pushed = [
            path
            for name, path in pushes_and_ticks.list_pushed().items()
            if (options.functions / f"{name}.py").exists()
        ]
        if pushed and settings.auth_hs256_secret:
            door = PushDoor(settings)
            routes.append(Route(f"{pushes_and_ticks.PUSHED}/{{function}}", door, methods=["POST"]))
            app = door.app = build(options.functions, clock, routes)
            pushes_and_ticks.tick_every_minute(settings, options.port, pushed)
        else:
            app = build(options.functions, clock, routes)
        uvicorn.run(
            Guard(app, settings.public_url),
            host=LOOPBACK,
            port=options.port,
            ws="none",
            proxy_headers=False,  # no header may claim another client (`guard`)
            timeout_keep_alive=IDLE_SECONDS,
            log_level="warning",
            access_log=False,  # the functions write their own line per request
            timeout_graceful_shutdown=2,
        )


if __name__ == "__main__":
    main()
