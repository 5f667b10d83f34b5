"""Write the OpenAPI 3.1 document from the routes and models that the functions really use."""

import importlib.util
import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from shared import auth, problems, web
from shared.problems import TYPE_PREFIX, Problem

ROOT = Path(__file__).parent.parent
DOCUMENT = ROOT / "functions" / "openapi" / "openapi.json"
REFERENCE = "#/components/schemas/{model}"
PROBLEM_SCHEMA = {
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Stable: decide by this"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "retry_after": {"type": "integer", "description": "Seconds"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def load_edges() -> list[web.Edge]:
    """Load the edge of every function from the function's file."""
    return [_load_edge(file) for file in sorted((ROOT / "functions").glob("*.py"))]


def build_document() -> dict[str, Any]:
    """Build the whole document."""
    edges = load_edges()
    models = {model for edge in edges for route in edge.routes for model in _list_models(route)}
    ordered = sorted(models, key=lambda model: model.__name__)
    _, schemas = models_json_schema(
        [(model, "serialization") for model in ordered], ref_template=REFERENCE
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Perene",
            "version": "1",
            "summary": "One client, one WhatsApp instance, forever.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "paths": _build_paths(edges),
        "components": {
            "schemas": {**schemas["$defs"], "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "webhook": {"type": "apiKey", "in": "header", "name": "X-Webhook-Token"},
                "feed": {"type": "apiKey", "in": "header", "name": "X-Feed-Secret"},
            },
        },
    }


def render_document() -> str:
    """Return the document as the text that the repository holds."""
    return json.dumps(build_document(), indent=2, ensure_ascii=False) + "\n"


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


def _list_models(route: web.Route) -> Iterable[type[BaseModel]]:
    return filter(None, (route.takes, *route.answers.values()))


def _build_paths(edges: Iterable[web.Edge]) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for edge in edges:
        for route in edge.routes:
            operations = paths.setdefault(format_path(edge, route), {})
            operations[route.method.lower()] = _build_operation(edge, route)
    return dict(sorted(paths.items()))


def format_path(edge: web.Edge, route: web.Route) -> str:
    """Return the route's path under the one origin, as OpenAPI writes it."""
    return re.sub(r":path}", "}", edge.path + route.path.rstrip("/"))


def _build_operation(edge: web.Edge, route: web.Route) -> dict[str, Any]:
    summary, _, description = (route.run.__doc__ or "").partition("\n")
    operation: dict[str, Any] = {
        "operationId": _name_operation(edge, route),
        "tags": [edge.function],
        "summary": summary.strip(),
        "responses": _build_responses(route),
    }
    if text := " ".join(description.split()):
        operation["description"] = text
    if security := _find_security(route):
        operation["security"] = security
    parameters = [
        _build_parameter(name) for name in re.findall(r"{(\w+)}", format_path(edge, route))
    ]
    parameters += [_build_header(name) for name in route.needs]
    if parameters := parameters + _list_query_parameters(route):
        operation["parameters"] = parameters
    if route.takes:
        content = {"application/json": {"schema": _refer_to(route.takes)}}
        operation["requestBody"] = {"content": content}
    return operation


def _name_operation(edge: web.Edge, route: web.Route) -> str:
    places = re.findall(r"{(\w+)}", route.path) if edge.function == "receive_webhook" else []
    return "_".join([edge.function, route.run.__name__, *places])


def _find_security(route: web.Route) -> list[dict[str, list[str]]]:
    """Find the credentials that a route needs, from the problems it answers without them."""
    if problems.WebhookForged in route.problems:
        return [{"webhook": []}]
    if auth.FEED_HEADER in route.needs:
        return [{"feed": []}]
    return [{"token": []}] if problems.TokenMissing in route.problems else []


def _build_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _build_header(name: str) -> dict[str, Any]:
    return {"name": name.title(), "in": "header", "required": True, "schema": {"type": "string"}}


def _list_query_parameters(route: web.Route) -> list[dict[str, Any]]:
    schema = route.asks.model_json_schema() if route.asks else {}
    fields = _inline_definitions(schema.get("properties", {}), schema.get("$defs", {}))
    return [{"name": name, "in": "query", "schema": schema} for name, schema in fields.items()]


def _inline_definitions(value: Any, definitions: dict[str, Any]) -> Any:
    """Replace every reference in a schema by the definition, so that it needs no other schema."""
    match value:
        case {"$ref": str(reference)}:
            rest = {name: item for name, item in value.items() if name != "$ref"}
            return _inline_definitions(
                definitions[reference.rpartition("/")[2]] | rest, definitions
            )
        case dict():
            return {name: _inline_definitions(item, definitions) for name, item in value.items()}
        case list():
            return [_inline_definitions(item, definitions) for item in value]
        case _:
            return value


def _build_responses(route: web.Route) -> dict[str, Any]:
    answers = {str(status): _build_answer(status, model) for status, model in route.answers.items()}
    by_status: dict[int, list[type[Problem]]] = {}
    for problem in (*route.problems, *web.EVERYWHERE):
        by_status.setdefault(problem.status, []).append(problem)
    failures = {str(status): _build_failure(kinds) for status, kinds in sorted(by_status.items())}
    return answers | failures


def _build_answer(status: int, model: type[BaseModel] | None) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": ANSWERS[status]}
    if model:
        answer["content"] = {"application/json": {"schema": _refer_to(model)}}
    if status == 202:
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answer


ANSWERS = {
    200: "Done",
    201: "Sent",
    202: "Under way: ask again after Retry-After",
    204: "Done",
    304: "Nothing new",
}


def _build_failure(kinds: list[type[Problem]]) -> dict[str, Any]:
    types = [TYPE_PREFIX + kind.slug() for kind in kinds]
    lines = [f"`{kind.slug()}`: {kind.title}" for kind in kinds]
    schema = {
        "allOf": [
            {"$ref": REFERENCE.format(model="Problem")},
            {"properties": {"type": {"enum": types}}},
        ]
    }
    return {
        "description": "; ".join(lines),
        "content": {"application/problem+json": {"schema": schema}},
    }


def _refer_to(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REFERENCE.format(model=model.__name__)}


if __name__ == "__main__":
    main()
