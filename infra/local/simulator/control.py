"""Serve /simulator: its page, and the commands of a person or another process."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response

from infra.local.simulator import inspection, outside_events
from infra.local.simulator.answers import Json
from infra.local.simulator.state import Impossible

if TYPE_CHECKING:
    from infra.local.simulator.simulator import Simulator

PAGE = Path(__file__).parent / "page"
TYPES = {".js": "text/javascript", ".css": "text/css"}
ASSETS = {path.name: TYPES[path.suffix] for path in PAGE.iterdir() if path.suffix in TYPES}
PAGE_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}
Command = Callable[["Simulator", str, Json], Awaitable[Json]]


async def answer(sim: "Simulator", request: Request) -> Response:
    """Answer a request under /simulator."""
    path = request.scope.get("raw_path", b"").split(b"?")[0].decode()
    segments = [unquote(part) for part in path.removeprefix("/simulator").strip("/").split("/")]
    if _is_cross_origin(request):
        return _problem(403, "only its own page may change the simulator from a browser")
    try:
        return await _dispatch(sim, request, segments)
    except Impossible as error:
        return _problem(error.status, str(error), error.why)
    except KeyError as error:
        return _problem(400, f"missing: {error.args[0]}")
    except (ValueError, TypeError) as error:
        return _problem(400, str(error))


async def _dispatch(sim: "Simulator", request: Request, segments: list[str]) -> Response:
    match request.method, segments:
        case "GET", [""]:
            return FileResponse(PAGE / "page.html", headers=PAGE_HEADERS, media_type="text/html")
        case "GET", [str(asset)] if asset in ASSETS:
            return FileResponse(PAGE / asset, headers=PAGE_HEADERS, media_type=ASSETS[asset])
        case "GET", ["state"]:
            return JSONResponse(inspection.describe_state(sim))
        case "GET", ["posted"]:
            return JSONResponse(inspection.list_posts(sim))
        case "POST", ["restart" | "reset" | "crash" as verb]:
            await _act_on_server(sim, verb)
            return JSONResponse({})
        case "PUT", ["license"]:
            sim.license(bool((await _read_body(request))["active"]))
            return JSONResponse({"active": sim.world.licensed})
        case (("GET" | "PUT"), ["faults"]):
            return await _switch_faults(sim, request)
        case "POST", ["instances", name, verb] if verb in COMMANDS:
            return JSONResponse(await COMMANDS[verb](sim, name, await _read_body(request)))
    return _problem(404, "no such route")


async def _act_on_server(sim: "Simulator", verb: str) -> None:
    if verb == "restart":
        await sim.restart()
    if verb == "reset":
        sim.reset()
    if verb == "crash":
        sim.crash()


async def _switch_faults(sim: "Simulator", request: Request) -> Response:
    if request.method == "PUT":
        sim.faults.apply(await _read_body(request))
    return JSONResponse(sim.faults.as_json())


async def _scan(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.scan(name, str(body.get("number") or ""), str(body.get("profile") or "Loja"))
    return {"number": sim.number(name)}


async def _pair(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.pair(name, str(body.get("profile") or "Loja"))
    return {"number": sim.number(name)}


async def _plant(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.plant(name, body.get("number"), bool(body.get("open")))
    return {}


async def _receive(sim: "Simulator", name: str, body: Json) -> Json:
    if "message" in body:
        return {"id": await sim.receive_message(name, body)}
    sender = str(body.get("from") or "")
    if "@" not in sender and not body.get("lid"):
        outside_events.require_number(sender)
    if media := body.get("media"):
        kind, caption = str(body.get("kind") or "image"), str(body.get("text") or "")
        mimetype = str(body.get("mimetype") or "")
        options: Json = {"mimetype": mimetype, "caption": caption, "id": body.get("id")}
        return {"id": await sim.receive_media(name, sender, kind, str(media), **options)}
    options = {key: body[key] for key in ("id", "lid", "push_name") if body.get(key)}
    return {"id": await sim.receive(name, sender, str(body["text"]), **options)}


async def _acknowledge(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.acknowledge(name, str(body["id"]), str(body["status"]))
    return {}


async def _block(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.block(name, int(body.get("code") or 403))
    return {}


async def _revise(sim: "Simulator", name: str, body: Json) -> Json:
    if "text" in body:
        await sim.edit(name, str(body["id"]), str(body["text"]))
    else:
        await sim.revoke(name, str(body["id"]))
    return {}


async def _call(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.call(name, body)
    return {}


async def _reveal(sim: "Simulator", name: str, body: Json) -> Json:
    await sim.reveal(name, str(body["id"]), str(body["text"]))
    return {}


def _without_body(act: Callable[["Simulator", str], Awaitable[None]]) -> Command:
    async def run(sim: "Simulator", name: str, body: Json) -> Json:
        await act(sim, name)
        return {}

    return run


COMMANDS: dict[str, Command] = {
    "scan": _scan,
    "pair": _pair,
    "unpair": _without_body(lambda sim, name: sim.unpair(name)),
    "block": _block,
    "drop": _without_body(lambda sim, name: sim.drop(name)),
    "storm": _without_body(lambda sim, name: sim.storm(name)),
    "vanish": _without_body(lambda sim, name: sim.vanish(name)),
    "plant": _plant,
    "expire-code": _without_body(lambda sim, name: sim.expire_code(name)),
    "qr-limit": _without_body(lambda sim, name: sim.reach_qr_limit(name)),
    "receive": _receive,
    "acknowledge": _acknowledge,
    "revise": _revise,
    "call": _call,
    "reveal": _reveal,
}


async def _read_body(request: Request) -> Json:
    raw = await request.body()
    body = json.loads(raw) if raw.strip() else {}
    if not isinstance(body, dict):
        raise ValueError("the body must be a JSON object")
    return body


def _is_cross_origin(request: Request) -> bool:
    """Tell whether a page of another origin tries to change the simulator from a browser."""
    origin = request.headers.get("origin")
    own = f"//{request.headers.get('host', '')}"
    return request.method != "GET" and origin is not None and not origin.endswith(own)


def _problem(status: int, detail: str, why: str | None = None) -> Response:
    """Build an error; `why` is a key for which the page has a sentence of its own."""
    return JSONResponse({"status": status, "detail": detail, "why": why}, status)
