"""The web page for people, its files and what it has to know; the element of other pages."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from shared import compression, config, problems, web
from shared.console import assets, connect_element, policy
from shared.console.assets import Asset
from shared.console.connect_element import ConnectElement
from shared.console.page_config import Deployment, describe_deployment

edge = web.Edge("console", "/console")

VIEWS = {"", "fleet", "lines", "conversations", "integrations", "signed-in", "connect"}
FRAMED = "connect"
"""The one view that pages of EMBED_ORIGINS may show in a frame."""
FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
ASK_FIRST = {"cache-control": "no-cache", "vary": "accept-encoding, accept-language"}
ELEMENT_HEADERS = {"cache-control": "no-cache", "vary": "accept-encoding, origin"}
"""A browser keeps what it got without leave to read it, so it asks each time."""


@edge.route("GET", "/config.json", answers={200: Deployment})
async def get_configuration(request: Request) -> web.Reply:
    """Show where the functions are, and how a person signs in."""
    page_config = describe_deployment(config.settings(), _api(request))
    return web.Reply(page_config, headers={**policy.EVERYWHERE})


@edge.route("GET", "/assets/{version}/{file:path}", answers={200: None, 304: None})
async def serve_asset(request: Request) -> Response:
    """Serve a file of the page; the browser may keep it for good."""
    file = assets.find_asset(request.path_params["file"])
    if file is None or request.path_params["version"] != assets.compute_version():
        raise problems.NoSuchPath()
    return _file_response(request, file, FOREVER | policy.EVERYWHERE)


@edge.route("GET", "/embed", answers={200: ConnectElement}, embeddable=True)
async def describe_element(request: Request) -> ConnectElement:
    """Show where the newest `<perene-connect>` is, and the hash that a page pins."""
    return connect_element.describe(config.settings().public_url)


@edge.route(
    "GET",
    "/embed/{version}/perene-connect.js",
    answers={200: None, 304: None},
    embeddable=True,
)
async def serve_element(request: Request) -> Response:
    """Serve a version of `<perene-connect>`, to pages of EMBED_ORIGINS; it never changes."""
    file = connect_element.load_versions().get(request.path_params["version"])
    if file is None:
        raise problems.NoSuchPath()
    return _file_response(request, file, policy.EVERYWHERE | ELEMENT_HEADERS)


@edge.route("GET", "/{address:path}", answers={200: None, 304: None})
async def serve_page(request: Request) -> Response:
    """Serve the page; it shows the view that the address names."""
    if request.scope["path"] == edge.path:  # relative addresses need the slash
        query = f"?{request.url.query}" if request.url.query else ""
        return RedirectResponse(f"{edge.path.rpartition('/')[2]}/{query}", 308)
    address = request.path_params["address"].strip("/")
    place, _, deeper = address.partition("/")
    is_view = place in VIEWS
    if not is_view and "text/html" not in request.headers.get("accept", ""):
        raise problems.NoSuchPath()
    settings = config.settings()
    frames = settings.embed_origins if address == FRAMED else ()
    headers = ASK_FIRST | policy.build_page_headers(settings, _api(request), frames)
    language = assets.choose_language(request.headers.get("accept-language", ""))
    root, shown = _root(request), place if is_view else ""
    file = assets.render_page(root, shown, language, is_deep=bool(deeper))
    return _file_response(request, file, headers, 200 if is_view else 404)


def _file_response(
    request: Request, file: Asset, headers: dict[str, str], status: int = 200
) -> Response:
    headers = {"vary": "accept-encoding", **headers, "etag": file.etag}
    if status == 200 and web.is_known(request, file.etag):
        return Response(status_code=304, headers=headers)
    content = file.content
    accepted = request.headers.get("accept-encoding", "")
    if compression.takes_gzip(accepted) and file.gzipped:
        content = file.gzipped
        headers["content-encoding"] = "gzip"
    return Response(content, status, headers, media_type=file.mimetype)


def _root(request: Request) -> str:
    """Return the relative way from the request's address, as the browser sees it, to our root."""
    raw: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    inside = raw.partition(b"?")[0].removeprefix(edge.path.encode())
    return "../" * (inside.count(b"/") - 1) or "./"


def _api(request: Request) -> str | None:
    """Return the functions' origin if this one has its own address; None if they share one."""
    beside = f"{request.scope['path']}/".startswith(f"{edge.path}/")
    return None if beside else config.settings().public_url


@functions_framework.aio.http
async def console(request: Request) -> Response:
    """Answer `/console…`."""
    return await edge.answer(request)
