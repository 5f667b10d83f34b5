"""A person asks: show me. The page, its files, and what it has to know of the deployment."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared import config, problems, web
from shared.console import assets, policy
from shared.console.assets import Asset
from shared.console.deployment import Deployment, deployment

edge = web.Edge("console", "/console")

VIEWS = {"", "fleet", "lines", "conversations", "signed-in", "connect"}
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
ASK_FIRST = {"cache-control": "no-cache"}


@edge.route("GET", "/config.json", answers={200: Deployment})
async def configuration(request: Request) -> web.Reply:
    """Where the functions are, and how a person signs in."""
    seen = deployment(config.settings(), _api(request))
    return web.Reply(seen, headers={**policy.EVERYWHERE})


@edge.route("GET", "/assets/{version}/{file:path}", answers={200: None, 304: None})
async def asset(request: Request) -> Response:
    """One file of the page; the browser may keep it for good."""
    found = assets.every().get(request.path_params["file"])
    if found is None or request.path_params["version"] != assets.version():
        raise problems.NoSuchPath()
    return _sent(request, found, FOREVER | policy.EVERYWHERE)


@edge.route("GET", "/{address:path}", answers={200: None, 304: None})
async def page(request: Request) -> Response:
    """The page; it shows the view that the address names."""
    if request.scope["path"] == edge.path:  # relative addresses need the slash
        asked = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{edge.path.rpartition('/')[2]}/{asked}", 308)
    known = request.path_params["address"].partition("/")[0] in VIEWS
    if not known and "text/html" not in request.headers.get("accept", ""):
        raise problems.NoSuchPath()
    headers = ASK_FIRST | policy.page_headers(config.settings(), _api(request))
    return _sent(request, assets.page(_root(request)), headers, 200 if known else 404)


def _sent(request: Request, file: Asset, headers: dict[str, str], status: int = 200) -> Response:
    headers = {**headers, "etag": file.etag, "vary": "accept-encoding"}
    if status == 200 and file.etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    content = file.content
    if _takes_gzip(request) and file.squeezed:
        content = file.squeezed
        headers["content-encoding"] = "gzip"
    return Response(content, status, headers, media_type=file.mimetype)


def _takes_gzip(request: Request) -> bool:
    accepted = request.headers.get("accept-encoding", "").lower().replace(" ", "").split(",")
    return any(each == "gzip" or each.startswith("gzip;q=0.") or each == "*" for each in accepted)


def _root(request: Request) -> str:
    """The way from the request's address, as the browser sees it, to the console's root."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    inside = raw.partition(b"?")[0].removeprefix(edge.path.encode())
    return "../" * (inside.count(b"/") - 1) or "./"


def _api(request: Request) -> str | None:
    """Where the functions are, if this one has an address of its own; None if they are beside."""
    beside = f"{request.scope['path']}/".startswith(f"{edge.path}/")
    return None if beside else config.settings().public_url


@functions_framework.aio.http
async def console(request: Request) -> Response:
    """`/console…`."""
    return await edge.answer(request)
