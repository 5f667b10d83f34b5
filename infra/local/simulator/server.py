"""Serve requests: find the handler, check the key, and apply the faults around it."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from infra.local.simulator import cuts, licence, route_table
from infra.local.simulator.answers import (
    ApiRequest,
    ApiResponse,
    Refusal,
    Value,
    malformed_json,
    no_such_instance,
    no_such_route,
    server_error,
    unauthorized,
)
from infra.local.simulator.state import ServedRequest, World

BAD_GATEWAY = (
    "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>\n<center>"
    "<h1>502 Bad Gateway</h1></center>\n<hr><center>nginx</center>\n</body>\n</html>\n"
)


async def serve(world: World, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request as Evolution would, unless a fault fires."""
    http_request = Request(scope, receive)
    raw = await http_request.body()
    path = scope.get("raw_path", scope["path"].encode()).split(b"?")[0].decode()
    status = 0
    with _counting_creates(world, http_request.method, path, raw):
        try:
            response = await _respond(world, http_request, path, raw)
            status = response.status_code
            await response(scope, receive, send)
        except cuts.Cut:
            await cuts.cut(scope, send)
        except cuts.Silence as silence:
            await cuts.keep_silent(scope, receive, send, silence.seconds)
        finally:
            _record(world, http_request.method, path, status)


async def _respond(world: World, http_request: Request, path: str, raw: bytes) -> Response:
    request = _read_request(http_request, path, raw)
    name = request.target or str(request.body.get("instanceName", ""))
    await _delay(world, name, request.route)
    if failure := _fail_before(world, name, request.route):
        return failure
    answer = await cuts.run_to_end(world.background, _answer_or_refuse(world, request, path, raw))
    if failure := _fail_after(world, name, request.route):
        return failure
    return JSONResponse(answer.body, answer.status)


async def _answer_or_refuse(
    world: World, request: ApiRequest, path: str, raw: bytes
) -> ApiResponse:
    try:
        if raw.strip() and _parse(raw) is None:
            raise malformed_json()
        return await _handle(world, request, path)
    except Refusal as refusal:
        return refusal.response


async def _handle(world: World, request: ApiRequest, path: str) -> ApiResponse:
    licence.require(world, request.route)
    handler = route_table.find_handler(world, request.method, request.route, bool(request.name))
    if handler is None:
        raise no_such_route(request.method, path)
    if request.name:
        _require_access(world, request)
    elif request.route in route_table.GLOBAL_KEY and request.key != world.options.api_key:
        raise unauthorized()
    return await handler(world, request)


def _require_access(world: World, request: ApiRequest) -> None:
    """Check the instance, then the key, as Evolution does: both for the name in the path."""
    if not world.has_instance(request.name):
        raise no_such_instance(request.name)
    row = world.rows.get(request.name)
    if request.key != world.options.api_key and not (
        row and request.key and row.token == request.key
    ):
        raise unauthorized()


async def _delay(world: World, name: str, route: str) -> None:
    if switch := world.faults.fires("slow", name, route):
        await asyncio.sleep(switch.milliseconds / 1000)


def _fail_before(world: World, name: str, route: str) -> Response | None:
    fires = world.faults.fires
    if fires("down", name, route) or fires("cut_before", name, route):
        raise cuts.Cut
    if switch := fires("no_answer_before", name, route):
        raise cuts.Silence(switch.seconds)
    if fires("bad_gateway", name, route):
        return HTMLResponse(BAD_GATEWAY, 502)
    if fires("key_rotated", name, route):
        return _to_response(unauthorized())
    if fires("error_500_before", name, route):
        return _to_response(
            server_error("Timed out fetching a new connection from the connection pool")
        )
    if fires("error_true", name, route):
        return JSONResponse({"error": True, "message": "[object Object]"})
    return None


def _fail_after(world: World, name: str, route: str) -> Response | None:
    fires = world.faults.fires
    if fires("cut_after", name, route):
        raise cuts.Cut
    if switch := fires("no_answer_after", name, route):
        raise cuts.Silence(switch.seconds)
    if fires("error_500_after", name, route):
        return _to_response(
            server_error("Timed out fetching a new connection from the connection pool")
        )
    return None


def _to_response(refusal: Refusal) -> Response:
    return JSONResponse(refusal.response.body, refusal.response.status)


def _read_request(http_request: Request, path: str, raw: bytes) -> ApiRequest:
    segments = [unquote(segment) for segment in path.strip("/").split("/")]
    route, name = "/".join(segments[:2]), "/".join(segments[2:])
    body = _parse(raw)
    return ApiRequest(
        method=http_request.method,
        route=route,
        name=name,
        query=http_request.query_params,
        body=body if isinstance(body, dict) else {},
        key=http_request.headers.get("apikey", ""),
    )


def _parse(raw: bytes) -> Value:
    try:
        return json.loads(raw)
    except ValueError:
        return None


@contextmanager
def _counting_creates(world: World, method: str, path: str, raw: bytes) -> Iterator[None]:
    """Count the creates of a name that are in flight, and their peak."""
    body = _parse(raw)
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
    world.calls.append(ServedRequest(method, path, status))
    world.calls_per_route[f"{method} {'/'.join(path.split('/')[:3])}"] += 1
