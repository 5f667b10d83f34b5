"""The document describes what the functions really do."""

import functools
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from infra import openapi
from infra.local import gateway
from shared import web
from shared.domain.event_types import EventType
from shared.outbound import event_views
from shared.outbound.event_data import DATA
from shared.problems import TYPE_PREFIX
from tests.cases import in_each
from tests.conventions.conftest import Deploy

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
DOCUMENT: dict[str, Any] = json.loads(openapi.DOCUMENT.read_text())
OPERATIONS = [
    pytest.param(path, operation, id=operation["operationId"])
    for path, methods in DOCUMENT["paths"].items()
    for operation in methods.values()
]
ROUTES = [
    pytest.param(edge, route, id=f"{edge.function} {route.method} {route.path}")
    for edge in openapi.load_edges()
    for route in edge.routes
]
every_operation = in_each(("path", "operation"), OPERATIONS)
every_route = in_each(("edge", "route"), ROUTES)


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in the document."""
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    for child in children if isinstance(value, dict | list) else ():
        yield from nodes(child)


def follow(reference: str) -> Any:
    """Return what a reference leads to."""
    return functools.reduce(lambda at, key: at[key], reference[2:].split("/"), DOCUMENT)


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """Return a part of the document that may be a reference."""
    found: dict[str, Any] = follow(part["$ref"]) if "$ref" in part else part
    return found


def problems_of(answer: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the constants of each problem that an answer may be."""
    content = resolve(answer).get("content", {}).get("application/problem+json")
    schema = content["schema"] if content else {"oneOf": []}
    for kind in schema.get("oneOf", [schema]):
        yield resolve(kind)["allOf"][1]["properties"]


# It is a good document -----------------------------------------------------------------------


def test_kept_document_is_up_to_date():
    rendered = openapi.render_document()

    assert openapi.DOCUMENT.read_text() == rendered, "run `python -m infra.openapi`"


def test_document_names_its_version():
    assert DOCUMENT["openapi"].startswith("3.1.")
    assert {"title", "version"} <= DOCUMENT["info"].keys()
    assert DOCUMENT.keys() <= {"openapi", "info", "paths", "components", "servers", "tags"}


def test_every_reference_leads_somewhere():
    references = [node["$ref"] for node in nodes(DOCUMENT) if "$ref" in node]

    assert references
    for reference in references:
        assert reference.startswith("#/")
        follow(reference)


def test_every_component_is_used():
    text = json.dumps(DOCUMENT)
    components = DOCUMENT["components"]

    names = [f"{part}/{name}" for part in components for name in components[part]]
    unused = [name for name in names if f'"#/components/{name}"' not in text]
    schemes = [f"securitySchemes/{name}" for name in components["securitySchemes"]]
    assert unused == ["schemas/Problem", *schemes]  # what a client catches; referred to by name


def test_every_shape_is_written_once():
    schemas = [json.dumps(schema) for schema in DOCUMENT["components"]["schemas"].values()]
    responses = [json.dumps(answer) for answer in DOCUMENT["components"]["responses"].values()]

    assert len(set(schemas)) == len(schemas)
    assert len(set(responses)) == len(responses)


def test_paths_are_absolute_with_known_methods():
    for path, methods in DOCUMENT["paths"].items():
        assert path.startswith("/")
        assert methods.keys() <= METHODS


def test_operation_names_are_unique():
    names = [operation.values[1]["operationId"] for operation in OPERATIONS]

    assert len(set(names)) == len(names)
    assert [name for name in names if not re.fullmatch(r"[a-z]+([A-Z][a-z]+)+", name)] == []


@every_operation
def test_operation_has_summary_and_answers(path: str, operation: dict[str, Any]):
    assert operation["summary"]
    assert operation["responses"]
    for status, answer in operation["responses"].items():
        assert re.fullmatch(r"[2-5]\d\d", status)
        assert resolve(answer)["description"]


@every_operation
def test_operation_declares_parts_of_its_path(path: str, operation: dict[str, Any]):
    parameters = [resolve(parameter) for parameter in operation.get("parameters", [])]
    declared = {parameter["name"] for parameter in parameters if parameter["in"] == "path"}

    assert declared == set(re.findall(r"{(\w+)}", path))


@every_operation
def test_operation_says_who_may_call_it(path: str, operation: dict[str, Any]):
    schemes = [name for scheme in operation.get("security", []) for name in scheme]

    assert set(schemes) <= DOCUMENT["components"]["securitySchemes"].keys()
    assert bool(schemes) == ("401" in operation["responses"])


def test_event_is_told_apart_by_its_type():
    event = DOCUMENT["components"]["schemas"]["Event"]
    kinds = [follow(kind["$ref"]) for kind in event["oneOf"]]

    types = [name for kind in kinds for name in kind["properties"]["type"]["enum"]]
    assert sorted(types) == sorted(EventType)
    assert event["discriminator"]["mapping"].keys() == set(types)


def test_cut_event_has_what_its_schema_requires():
    folded = [[["x" * 100] * 9] * 9] * 9
    for kind, model in DATA.items():
        required = list_required({"$ref": f"#/components/schemas/{model.__name__}"})
        fields = {
            name: "x" * 100 if name in required or field.annotation == str | None else folded
            for name, field in model.model_fields.items()
        }

        fitted = event_views.fit(fields, kind)

        assert required <= fitted.keys(), model.__name__
        assert len(json.dumps(fitted)) <= event_views.LARGEST, model.__name__


def list_required(schema: dict[str, Any]) -> set[str]:
    """Return the names that a schema, and those that it is made of, require."""
    whole = resolve(schema)
    parts = whole.get("allOf", ())
    return set(whole.get("required", ())).union(*(list_required(part) for part in parts))


# It is about these functions -----------------------------------------------------------------


def described(edge: web.Edge, route: web.Route) -> dict[str, Any]:
    return DOCUMENT["paths"][openapi.format_path(edge, route)][route.method.lower()]


def test_nothing_else_is_described():
    assert len(OPERATIONS) == len(ROUTES)


@every_route
def test_route_is_described_with_its_answers(edge: web.Edge, route: web.Route):
    responses = described(edge, route)["responses"]

    for status, model in route.answers.items():
        content = responses[str(status)].get("content", {})
        shown = [
            media["schema"].get("$ref", "file").rpartition("/")[2] for media in content.values()
        ]
        has_file = status in (200, 206) and (not model or 206 in route.answers)
        assert shown == ([model.__name__] if model else []) + (["file"] if has_file else [])


@every_route
def test_route_describes_its_body(edge: web.Edge, route: web.Route):
    body = described(edge, route).get("requestBody")

    assert bool(body) == bool(route.takes)
    if route.takes:
        schema = body["content"]["application/json"]["schema"]
        assert schema["$ref"].endswith(f"/{route.takes.__name__}")


@every_route
def test_route_describes_its_problems(edge: web.Edge, route: web.Route):
    responses = described(edge, route)["responses"]

    shown = {
        (kind["type"]["const"], kind["status"]["const"])
        for status, answer in responses.items()
        for kind in problems_of(answer)
        if int(status) == kind["status"]["const"]
    }
    answered = (*route.problems, *web.EVERYWHERE)
    assert shown == {(TYPE_PREFIX + problem.slug(), problem.status) for problem in answered}


@every_route
def test_route_with_body_may_refuse_it(edge: web.Edge, route: web.Route):
    assert not route.takes or set(web.BODY_PROBLEMS) <= set(route.problems)


async def test_it_is_served_with_the_functions(deploy: Deploy):
    through = httpx.ASGITransport(gateway.build(openapi.ROOT / "functions"))
    async with httpx.AsyncClient(transport=through, base_url="http://perene.test") as client:
        answer = await client.get("/openapi.json")

    assert (answer.status_code, answer.json()) == (200, DOCUMENT)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-encoding"] == "gzip"
