"""Serve every function: sub-paths, bodies, CORS, problems and one access log line."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

import msgspec
from msgspec import Struct, field
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect
from starlette.requests import Request as Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match
from starlette.routing import Route as Pattern
from starlette.types import ASGIApp

from shared import compression, config, end_start, log, problems, services
from shared.byte_ranges import ByteSpan
from shared.problems import Problem
from shared.problems.by_route import BODY_PROBLEMS as BODY_PROBLEMS
from shared.problems.by_route import EVERYWHERE as EVERYWHERE
from shared.problems.by_route import LINE_PROBLEMS as LINE_PROBLEMS
from shared.problems.by_route import OPERATOR_PROBLEMS as OPERATOR_PROBLEMS
from shared.problems.by_route import SWEEP_PROBLEMS as SWEEP_PROBLEMS
from shared.problems.by_route import TENANT_PROBLEMS as TENANT_PROBLEMS

if TYPE_CHECKING:
    from pydantic import BaseModel

    from shared.untrusted import Bounds

BODY_LIMIT, QUERY_LIMIT = 64 * 1024, 16 * 1024
LENGTH_LIMIT = 31 * 1024 * 1024
"""Bytes of the longest answer that says its length: the platform lets one of more than 32 MiB
through only in chunks."""

PATIENCE = 60.0
"""Seconds in which a body has to be here: a caller that sends it slowly holds a place of others."""

JSON = ("application/json", "application/problem+json")
JSON_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
CACHED_FILE = {
    "cache-control": "private, max-age=86400, immutable",
    "vary": "Authorization",  # a browser keeps it longer than one person is signed in
    "x-content-type-options": "nosniff",
}
CORS_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CORS_HEADERS = ("authorization", "content-type", "idempotency-key", "if-none-match", "range")
CORS_EXPOSED = ("retry-after", "etag", "x-perene-time", "content-range")

Body = TypeVar("Body", bound="BaseModel")


class Reply(Struct, frozen=True):
    """An answer that isn't simply 200: `body` as JSON, or no body if None."""

    body: "BaseModel | Struct | None" = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Answer: TypeAlias = "BaseModel | Struct | Reply | Response"
"""What a route's coroutine returns; a struct where a function starts without Pydantic.

What is None in a model is left out; what may be left out of a struct is UNSET there.
"""

AnswerType: TypeAlias = "type[BaseModel] | type[Struct] | None"
Run = Callable[[Request], Awaitable[Answer]]


class Route(Struct, frozen=True):
    """A method and sub-path: the coroutine that answers, and what the OpenAPI document shows."""

    method: str
    path: str
    run: Run
    asks: "type[BaseModel] | None"
    takes: "type[BaseModel] | None"
    needs: tuple[str, ...]
    answers: dict[int, AnswerType]
    problems: tuple[type[Problem], ...]
    embeddable: bool
    pattern: Pattern


class Edge:
    """The routes of a deployed function, at `path` under one origin or at the root of its own."""

    def __init__(self, function: str, path: str) -> None:
        """Begin a function: its modules are imported by now."""
        end_start()
        self.function = function
        self.path = path
        self.routes: list[Route] = []

    def route(
        self,
        method: str,
        path: str,
        *,
        asks: "type[BaseModel] | None" = None,
        takes: "type[BaseModel] | None" = None,
        needs: tuple[str, ...] = (),
        answers: dict[int, AnswerType],
        problems: tuple[type[Problem], ...] = (),
        embeddable: bool = False,
    ) -> Callable[[Run], Run]:
        """Let the decorated coroutine answer a method and sub-path (`/` is the function's own).

        Its first docstring line is the operation's summary; `needs` are headers it must have.
        `embeddable`: browsers may call it from pages of EMBED_ORIGINS too.
        """

        def register(run: Run) -> Run:
            pattern = Pattern(path, endpoint=run, methods=[method])
            self.routes.append(
                Route(method, path, run, asks, takes, needs, answers, problems, embeddable, pattern)
            )
            return run

        return register

    async def answer(self, request: Request) -> Response:
        """Answer a request; a failure inside is answered with problem JSON, and logged once."""
        started = time.monotonic()
        log.set_trace(_trace(request))
        response, fields = await self._respond(request)
        elapsed = round((time.monotonic() - started) * 1000)
        _log_access(
            response.status_code,
            function=self.function,
            method=request.method,
            ms=elapsed,
            **fields,
        )
        _compress_json(request, response)
        response.headers["x-perene-time"] = str(int(services.now().timestamp() * 1000))
        return _allow_origins(request, response, is_embeddable=self._is_embeddable(request))

    async def _respond(self, request: Request) -> tuple[Response, dict[str, Any]]:
        fields: dict[str, Any] = {}
        try:
            if request.method == "OPTIONS":
                return Response(status_code=204), fields
            route = self._match(request)
            fields["route"] = self.path + route.path.rstrip("/")
            return _response(await route.run(request)), fields
        except Problem as problem:
            return _problem(problem), fields | {"problem": problem.slug()}
        except config.ConfigurationError as error:
            log.error("configuration.invalid", error, function=self.function, settings=str(error))
            return _problem(problems.Unexpected()), fields
        except Exception as error:  # noqa: BLE001 - the one edge: nothing gets past it
            log.error("request.broke", error, function=self.function)
            return _problem(problems.Unexpected()), fields

    def _match(self, request: Request) -> Route:
        scope, allowed = self._scope_inside(request), set[str]()
        for route in self.routes:
            match, child_scope = route.pattern.matches(scope)
            if match is Match.FULL:
                request.scope["path_params"] = child_scope["path_params"]
                return route
            if match is Match.PARTIAL:
                allowed.add(route.method)
        if allowed:
            raise problems.MethodNotAllowed(*sorted(allowed))
        raise problems.NoSuchPath()

    def _is_embeddable(self, request: Request) -> bool:
        """Tell whether the path is that of an embeddable route, whatever the method."""
        scope = self._scope_inside(request)
        routes = (route for route in self.routes if route.embeddable)
        return any(route.pattern.matches(scope)[0] is not Match.NONE for route in routes)

    def _scope_inside(self, request: Request) -> dict[str, Any]:
        path = _sub_path(request.scope["path"], self.path)
        return {**request.scope, "path": path, "root_path": ""}


async def parse_body(
    model: type[Body], request: Request, limit: int = BODY_LIMIT, bounds: "Bounds | None" = None
) -> Body:
    """Read the request's JSON body as the model; an absent body counts as `{}`.

    `bounds`: what it may hold besides its files (as many bytes as `limit`, if absent).
    Raises BodyTooLarge, BodyTooSlow, BodyNotJson, BodyMalformed, RequestInvalid.
    """
    raw = await _collect(request, limit)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if raw and kind != "application/json" and not kind.endswith("+json"):
        raise problems.BodyNotJson()
    from shared import validation  # with Pydantic, which not every function has
    from shared.untrusted import Bounds

    return validation.validate_body(model, raw or bytearray(b"{}"), bounds or Bounds(limit))


def parse_query(model: type[Body], request: Request) -> Body:
    """Read the request's query as the model. Raises RequestInvalid."""
    if len(request.scope["query_string"]) > QUERY_LIMIT:
        fault = {"field": "", "message": f"The query is longer than {QUERY_LIMIT} bytes"}
        raise problems.RequestInvalid(errors=[fault])
    from shared import validation  # as above

    return validation.validate_query(model, request.query_params)


def is_known(request: Request, etag: str) -> bool:
    """Tell whether the caller has what has this tag, by its `If-None-Match`.

    That may list several, and proxies that compress mark them as weak.
    """
    return etag in request.headers.get("if-none-match", "")


async def read_body(request: Request, limit: int) -> bytes:
    """Read the request's body, never more than `limit` bytes of it into memory.

    Raises BodyTooLarge, BodyTooSlow.
    """
    return bytes(await _collect(request, limit))


async def _collect(request: Request, limit: int) -> bytearray:
    raw = bytearray()
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                if len(raw) + len(chunk) > limit:
                    raise problems.BodyTooLarge(f"The limit is {limit} bytes.")
                raw += chunk
    except (TimeoutError, ClientDisconnect):  # one who went away hears nothing
        raise problems.BodyTooSlow() from None
    return raw


class StreamedFile(Protocol):
    """A file for a browser, or a part of it, and how the browser has to treat it.

    `size`: of the whole file, in bytes. `etag`: of a file that can be asked for in parts.
    """

    @property
    def chunks(self) -> AsyncIterator[bytes]: ...
    @property
    def size(self) -> int: ...
    @property
    def mimetype(self) -> str: ...
    @property
    def disposition(self) -> str: ...
    @property
    def etag(self) -> str | None: ...
    @property
    def span(self) -> ByteSpan | None: ...


def stream_file(file: StreamedFile) -> Response:
    """Answer with a file, piece by piece; the browser may keep it."""
    headers = {"content-disposition": file.disposition, **CACHED_FILE, **_part_headers(file)}
    status = 206 if file.span else 200
    return StreamingResponse(file.chunks, status, headers, media_type=file.mimetype)


def _part_headers(file: StreamedFile) -> dict[str, str]:
    length, headers = file.size, dict[str, str]()
    if span := file.span:
        length = span.last + 1 - span.first
        headers["content-range"] = f"bytes {span.first}-{span.last}/{file.size}"
    if file.etag:
        headers |= {"etag": file.etag, "accept-ranges": "bytes"}
    return headers | ({"content-length": str(length)} if length <= LENGTH_LIMIT else {})


def _sub_path(path: str, prefix: str) -> str:
    inside = path == prefix or path.startswith(f"{prefix}/")
    rest = path.removeprefix(prefix) if inside else path
    return "/" + rest.strip("/")


def _response(answer: Answer) -> Response:
    if isinstance(answer, Response):
        return answer
    reply = answer if isinstance(answer, Reply) else Reply(answer)
    if reply.body is None:
        return Response(status_code=reply.status, headers=reply.headers)
    content = _write_json(reply.body)
    headers = {**JSON_HEADERS, **reply.headers}
    return Response(content, reply.status, headers, media_type="application/json")


def _write_json(body: "BaseModel | Struct") -> bytes | str:
    if isinstance(body, Struct):
        return msgspec.json.encode(body, enc_hook=_as_text)
    return body.model_dump_json(exclude_none=True)


def _as_text(value: Any) -> str:
    """Return a text of a form of its own, as settings are, as a plain one."""
    if not isinstance(value, str):
        raise NotImplementedError(type(value))
    return str(value)


def _compress_json(request: Request, response: Response) -> None:
    content = bytes(getattr(response, "body", b""))  # a stream has none
    if response.media_type not in JSON or len(content) < compression.WORTHWHILE:
        return
    response.headers.add_vary_header("accept-encoding")
    if compression.takes_gzip(request.headers.get("accept-encoding", "")):
        response.body = compression.compress(content)
        response.headers["content-encoding"] = "gzip"
        response.headers["content-length"] = str(len(response.body))


def _problem(problem: Problem) -> Response:
    headers = {**JSON_HEADERS}
    if problem.retry_after is not None:
        headers["retry-after"] = str(problem.retry_after)
    if isinstance(problem, problems.MethodNotAllowed):
        headers["allow"] = ", ".join(problem.methods)
    if problem.status == 401:
        headers["www-authenticate"] = "Bearer"
    content = msgspec.json.encode(problem.body(), enc_hook=_as_text)
    return Response(content, problem.status, headers, media_type="application/problem+json")


def _allow_origins(request: Request, response: Response, *, is_embeddable: bool) -> Response:
    try:
        settings = config.settings()
    except config.ConfigurationError:
        return response
    origins = settings.cors_origins + (settings.embed_origins if is_embeddable else ())
    if not origins or "origin" not in request.headers:
        return response
    response_app: Any = CORSMiddleware(
        _as_app(response),
        allow_origins=origins,
        allow_methods=CORS_METHODS,
        allow_headers=CORS_HEADERS,
        expose_headers=CORS_EXPOSED,
    )
    return response_app  # type: ignore[no-any-return]  # the framework sends any ASGI app


def _as_app(response: Response) -> ASGIApp:
    return response


def _log_access(status: int, **fields: Any) -> None:
    write = log.notice if 400 <= status < 500 else log.info
    write("request.answered", status=status, **fields)


def _trace(request: Request) -> log.Trace | None:
    try:
        return log.find_trace(request.headers, config.settings().google_cloud_project)
    except config.ConfigurationError:
        return None
