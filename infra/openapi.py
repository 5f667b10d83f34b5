"""Write the OpenAPI 3.1 document from the routes and models that the functions really use."""

import ast
import importlib.util
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from infra import openapi_schemas
from shared import auth, problems, web
from shared.problems import Problem
from shared.sending import requests

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "functions" / "openapi" / "openapi.json"
EXAMPLES = ROOT / "infra" / "openapi_examples.json"
ANSWERS = {
    200: "Done",
    201: "Created",
    202: "Under way: ask again after Retry-After",
    204: "Done",
    206: "A part of the file",
    304: "Nothing new",
}
HEADERS: dict[str, dict[str, Any]] = {
    requests.KEY_HEADER: {
        "description": "A key of the caller's own: with the same one, a message is sent once",
        "required": True,
        "schema": {"type": "string", "pattern": f"^{requests.KEY}$"},
    },
    "if-none-match": {
        "description": "The last answer's `ETag`: nothing new is a 304",
        "schema": {"type": "string"},
    },
    "range": {"description": "A part, as in `bytes=0-1023`", "schema": {"type": "string"}},
}
"""The headers that routes read, besides those by which a caller is known."""

FILE: dict[str, Any] = {"*/*": {"schema": {"type": "string", "format": "binary"}}}

_LONE_REFERENCE = re.compile(r'\{\s+("\$ref": "[^"]+")\s+\}')
_Queries = Mapping[type[BaseModel], dict[str, Any]]


def load_edges() -> list[web.Edge]:
    """Load the edge of every function from the function's file."""
    return [_load_edge(file) for file in sorted((ROOT / "functions").glob("*.py"))]


def build_document() -> dict[str, Any]:
    """Build the whole document."""
    edges = load_edges()
    routes = [route for edge in edges for route in edge.routes]
    schemas, queries = openapi_schemas.describe_models(
        {route.takes for route in routes if route.takes},
        {model for route in routes for model in route.answers.values() if model},
        {route.asks for route in routes if route.asks},
    )
    kinds = {kind for route in routes for kind in _list_problems(route)}
    schemas |= openapi_schemas.describe_problems(kinds)
    for name, example in json.loads(EXAMPLES.read_text()).items():
        schemas[name]["examples"] = [example]
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Perene",
            "version": "1",
            "summary": "One client, one WhatsApp instance, forever.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "One origin for all functions"}],
        "tags": [_build_tag(edge) for edge in edges],
        "paths": _build_paths(edges, queries),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "responses": _build_failures(routes),
            "parameters": {name.title(): _build_header(name) for name in HEADERS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "webhook": {"type": "apiKey", "in": "header", "name": "X-Webhook-Token"},
                "feed": {"type": "apiKey", "in": "header", "name": auth.FEED_HEADER.title()},
            },
        },
    }


def render_document() -> str:
    """Return the document as the text that the repository holds: a reference is one line."""
    text = json.dumps(build_document(), indent=2, ensure_ascii=False)
    return _LONE_REFERENCE.sub(r"{\1}", text) + "\n"


def main() -> None:
    """Bring the repository's document up to date."""
    DOCUMENT.parent.mkdir(exist_ok=True)
    DOCUMENT.write_text(render_document())


def _load_edge(file: Path) -> web.Edge:
    spec = importlib.util.spec_from_file_location(f"openapi_{file.stem}", file)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    edge: web.Edge = module.edge
    return edge


def _build_tag(edge: web.Edge) -> dict[str, Any]:
    """Describe the routes of a function as its file does."""
    file = ROOT / "functions" / f"{edge.function}.py"
    return {"name": edge.function, "description": ast.get_docstring(ast.parse(file.read_text()))}


def _build_paths(edges: Iterable[web.Edge], queries: _Queries) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for edge in edges:
        for route in edge.routes:
            operations = paths.setdefault(format_path(edge, route), {})
            operations[route.method.lower()] = _build_operation(edge, route, queries)
    return dict(sorted(paths.items()))


def format_path(edge: web.Edge, route: web.Route) -> str:
    """Return the route's path under the one origin, as OpenAPI writes it."""
    return re.sub(r":path}", "}", edge.path + route.path.rstrip("/"))


def _build_operation(edge: web.Edge, route: web.Route, queries: _Queries) -> dict[str, Any]:
    summary, _, description = (route.run.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": _name_operation(edge, route),
        "tags": [edge.function],
        "summary": summary.strip(),
    }
    if text := " ".join(description.split()):
        operation["description"] = text
    operation["security"] = _find_security(route)
    if parameters := [
        *(_build_parameter(name) for name in re.findall(r"{(\w+)}", format_path(edge, route))),
        *(_refer_to("parameters", name.title()) for name in _list_headers(route)),
        *(_list_query_parameters(queries[route.asks]) if route.asks else ()),
    ]:
        operation["parameters"] = parameters
    if route.takes:
        operation["requestBody"] = _build_body(route.takes)
    return operation | {"responses": _build_responses(route)}


def _name_operation(edge: web.Edge, route: web.Route) -> str:
    """Return the coroutine's name, and for one with several paths also what is in the path."""
    twins = [twin for twin in edge.routes if twin.run is route.run]
    places = re.findall(r"{(\w+)}", route.path) if len(twins) > 1 else []
    first, *others = "_".join([route.run.__name__, *places]).split("_")
    return first + "".join(word.title() for word in others)


def _find_security(route: web.Route) -> list[dict[str, list[str]]]:
    """Find the credentials that a route needs, from the problems it answers without them."""
    if problems.WebhookForged in route.problems:
        return [{"webhook": []}]
    if auth.FEED_HEADER in route.needs:
        return [{"feed": []}]
    return [{"token": []}] if problems.TokenMissing in route.problems else []


def _build_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _list_headers(route: web.Route) -> list[str]:
    """List the headers that a route reads, but for those that say who is calling."""
    optional = {304: "if-none-match", 206: "range"}
    conditions = [name for status, name in optional.items() if status in route.answers]
    return [name for name in route.needs if name != auth.FEED_HEADER] + conditions


def _build_header(name: str) -> dict[str, Any]:
    return {"name": name.title(), "in": "header"} | HEADERS[name]


def _list_query_parameters(query: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "query", "schema": schema}
        for name, schema in query["properties"].items()
    ]


def _build_body(model: type[BaseModel]) -> dict[str, Any]:
    content = {"application/json": {"schema": _refer_to("schemas", model.__name__)}}
    try:
        model.model_validate({})  # an absent body counts as {}
    except ValidationError:
        return {"required": True, "content": content}
    return {"content": content}


def _build_responses(route: web.Route) -> dict[str, Any]:
    answers = {str(status): _build_answer(status, model) for status, model in route.answers.items()}
    if "206" in answers:  # the route answers with a file, whatever else it answers with
        answers["200"]["content"] |= FILE
    failures = {
        str(status): _refer_to("responses", _name_failure(kinds))
        for status, kinds in _group_problems(route).items()
    }
    return answers | failures


def _build_answer(status: int, model: web.AnswerType) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": ANSWERS[status]}
    if status == 202:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    if model:
        answer["content"] = {"application/json": {"schema": _refer_to("schemas", model.__name__)}}
    elif status in (200, 206):
        answer["content"] = FILE
    return answer


def _list_problems(route: web.Route) -> list[type[Problem]]:
    return [*route.problems, *web.EVERYWHERE]


def _group_problems(route: web.Route) -> dict[int, list[type[Problem]]]:
    """Return the problems that a route can answer, sorted, by their status."""
    by_status: dict[int, list[type[Problem]]] = {}
    for kind in sorted(set(_list_problems(route)), key=lambda kind: (kind.status, kind.slug())):
        by_status.setdefault(kind.status, []).append(kind)
    return by_status


def _name_failure(kinds: Iterable[type[Problem]]) -> str:
    return ".".join(kind.slug() for kind in kinds)


def _build_failures(routes: Iterable[web.Route]) -> dict[str, Any]:
    """Return the responses that routes share: those of one status, whose problems are the same."""
    groups = [kinds for route in routes for kinds in _group_problems(route).values()]
    return dict(sorted((_name_failure(kinds), _build_failure(kinds)) for kinds in groups))


def _build_failure(kinds: list[type[Problem]]) -> dict[str, Any]:
    lines = [f"`{kind.slug()}`: {kind.title}" for kind in kinds]
    schema = openapi_schemas.unite_problems(kinds)
    return {
        "description": "; ".join(lines),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _refer_to(part: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{part}/{name}"}


if __name__ == "__main__":
    main()
