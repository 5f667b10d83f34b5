"""The edge: which handler serves which route, who may call it, and what goes wrong on the way."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from infra.local.simulator import cuts, licence, routes
from infra.local.simulator.answers import (
    Answer,
    Ask,
    Refusal,
    Value,
    crashed,
    malformed_json,
    no_such_instance,
    no_such_route,
    unauthorized,
)
from infra.local.simulator.state import Call, World

BAD_GATEWAY = (
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center>"
    "<h1>502 Bad Gateway</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n"
)


async def serve(world: World, scope: Scope, receive: Receive, send: Send) -> None:
    """The request is answered as Evolution would, unless a fault has it otherwise."""
    request = Request(scope, receive)
    raw = await request.body()
    path = scope.get("raw_path", scope["path"].encode()).split(b"?")[0].decode()
    status = 0
    with _counted(world, request.method, path, raw):
        try:
            response = await _respond(world, request, path, raw)
            status = response.status_code
            await response(scope, receive, send)
        except cuts.Cut:
            await cuts.cut(scope, send)
        except cuts.Silence as silence:
            await cuts.keep_silent(scope, receive, send, silence.seconds)
        finally:
            _record(world, request.method, path, status)


async def _respond(world: World, request: Request, path: str, raw: bytes) -> Response:
    ask = _ask(request, path, raw)
    name = ask.target or str(ask.body.get("instanceName", ""))
    await _slow(world, name, ask.route)
    if broken := _before(world, name, ask.route):
        return broken
    answer = await cuts.whatever_happens(world.background, _answer(world, ask, path, raw))
    if broken := _after(world, name, ask.route):
        return broken
    return JSONResponse(answer.body, answer.status)


async def _answer(world: World, ask: Ask, path: str, raw: bytes) -> Answer:
    try:
        if raw.strip() and _parsed(raw) is None:
            raise malformed_json()
        return await _handled(world, ask, path)
    except Refusal as refusal:
        return refusal.answer


async def _handled(world: World, ask: Ask, path: str) -> Answer:
    licence.require(world, ask.route)
    handler = routes.find(world, ask.method, ask.route, bool(ask.name))
    if handler is None:
        raise no_such_route(ask.method, path)
    if ask.name:
        _guard(world, ask)
    elif ask.route in routes.GLOBAL_KEY and ask.key != world.options.api_key:
        raise unauthorized()
    return await handler(world, ask)


def _guard(world: World, ask: Ask) -> None:
    """Existence comes before the right to know of it, and both look at the name in the path."""
    if not world.knows(ask.name):
        raise no_such_instance(ask.name)
    row = world.rows.get(ask.name)
    if ask.key != world.options.api_key and not (row and ask.key and row.token == ask.key):
        raise unauthorized()


async def _slow(world: World, name: str, route: str) -> None:
    if slow := world.faults.fires("slow", name, route):
        await asyncio.sleep(slow.milliseconds / 1000)


def _before(world: World, name: str, route: str) -> Response | None:
    fires = world.faults.fires
    if fires("down", name, route) or fires("cut_before", name, route):
        raise cuts.Cut
    if silence := fires("no_answer_before", name, route):
        raise cuts.Silence(silence.seconds)
    if fires("bad_gateway", name, route):
        return HTMLResponse(BAD_GATEWAY, 502)
    if fires("key_rotated", name, route):
        return _json(unauthorized())
    if fires("error_500_before", name, route):
        return _json(crashed("Timed out fetching a new connection from the connection pool"))
    if fires("error_true", name, route):
        return JSONResponse({"error": True, "message": "[object Object]"})
    return None


def _after(world: World, name: str, route: str) -> Response | None:
    fires = world.faults.fires
    if fires("cut_after", name, route):
        raise cuts.Cut
    if silence := fires("no_answer_after", name, route):
        raise cuts.Silence(silence.seconds)
    if fires("error_500_after", name, route):
        return _json(crashed("Timed out fetching a new connection from the connection pool"))
    return None


def _json(refusal: Refusal) -> Response:
    return JSONResponse(refusal.answer.body, refusal.answer.status)


def _ask(request: Request, path: str, raw: bytes) -> Ask:
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    route, name = "/".join(segments[:2]), "/".join(segments[2:])
    body = _parsed(raw)
    return Ask(
        method=request.method,
        route=route,
        name=name,
        query=request.query_params,
        body=body if isinstance(body, dict) else {},
        key=request.headers.get("apikey", ""),
    )


def _parsed(raw: bytes) -> Value:
    try:
        return json.loads(raw)
    except ValueError:
        return None


@contextmanager
def _counted(world: World, method: str, path: str, raw: bytes) -> Iterator[None]:
    """How many creates of one name are in flight, and the most there ever were."""
    body = _parsed(raw)
    name = body.get("instanceName") if isinstance(body, dict) else None
    if method != "POST" or path != "/instance/create" or not isinstance(name, str):
        yield
        return
    world.creating[name] += 1
    world.creating_peak[name] = max(world.creating_peak.get(name, 0), world.creating[name])
    try:
        yield
    finally:
        world.creating[name] -= 1


def _record(world: World, method: str, path: str, status: int) -> None:
    world.calls.append(Call(method, path, status))
    world.calls_per_route[f"{method} {'/'.join(path.split('/')[:3])}"] += 1
