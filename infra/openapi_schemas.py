"""Describe models, problems and events as the schemas of the OpenAPI document."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Struct
from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from shared.outbound import event_data
from shared.problems import TYPE_PREFIX, Problem

Schema = dict[str, Any]

_REFERENCE = "#/components/schemas/{model}"
_STRUCT_REFERENCE = _REFERENCE.format(model="{name}")
_PROBLEM_FIELDS: Schema = {
    "description": "What every problem says (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string", "description": "Stable: decide by this"},
        "title": {"type": "string", "description": "A sentence to show"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "retry_after": {"type": "integer", "description": "Seconds"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "message"],
                "properties": {"field": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


class BorderSchema(GenerateJsonSchema):
    """Describe what crosses the border: answers leave out what is None, and have all the rest."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Leave out titles: they repeat the name."""
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave out null where it is never sent."""
        if self.mode == "serialization":
            return self.generate_inner(schema["schema"])
        return super().nullable_schema(schema)

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Leave out a default that says nothing, and those of answers."""
        if self.mode == "serialization" or schema.get("default") is None:
            return self.generate_inner(schema["schema"])
        return super().default_schema(schema)

    def any_schema(self, schema: core_schema.AnySchema) -> JsonSchemaValue:
        """Describe what a view shows without validating it again."""
        shown = _find_shown(schema)
        return super().any_schema(schema) if shown is schema else self.generate_inner(shown)

    def field_is_required(self, field: Any, total: bool) -> bool:
        """Require in an answer whatever can't be None."""
        if self.mode == "serialization" and field["type"] == "model-field":
            return not _may_be_none(field["schema"])
        return super().field_is_required(field, total)


class QuerySchema(BorderSchema):
    """Describe a query, which has no null: what is None is simply not asked."""

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Leave out null."""
        return self.generate_inner(schema["schema"])


def describe_models(
    taken: Iterable[type[BaseModel]],
    answered: Iterable[type[BaseModel] | type[Struct]],
    asked: Iterable[type[BaseModel]],
) -> tuple[Schema, dict[type[BaseModel], Schema]]:
    """Return the schemas of bodies and answers by name, and those of queries by model.

    The schemas of queries refer to the former, which have all that they need.
    """
    answered = set(answered)
    models = [model for model in answered if issubclass(model, BaseModel)]
    structs = [model for model in answered if issubclass(model, Struct)]
    bodies = [(model, "validation") for model in _sort(taken)]
    answers = [(model, "serialization") for model in _sort({*models, *_list_event_data()})]
    _, schemas = models_json_schema(
        [*bodies, *answers],  # type: ignore[list-item]  # the modes are literals
        ref_template=_REFERENCE,
        schema_generator=BorderSchema,
    )
    queries = {
        model: model.model_json_schema(ref_template=_REFERENCE, schema_generator=QuerySchema)
        for model in _sort(asked)
    }
    needed = {name: schema for query in queries.values() for name, schema in _definitions(query)}
    _, of_structs = msgspec.json.schema_components(structs, ref_template=_STRUCT_REFERENCE)
    named = needed | schemas["$defs"] | of_structs
    for schema in named.values():
        schema.pop("title", None)
    return _describe_events(named), queries


def describe_problems(kinds: Iterable[type[Problem]]) -> Schema:
    """Return the schema of each problem, and their union, which `type` tells apart."""
    ordered = _sort_problems(kinds)
    schemas = {_name_problem(kind): _describe_problem(kind) for kind in ordered}
    union = {"description": "Any problem, told apart by `type`.", **unite_problems(ordered)}
    return {"Problem": union, "ProblemFields": _PROBLEM_FIELDS, **schemas}


def unite_problems(kinds: Iterable[type[Problem]]) -> Schema:
    """Return the schema of one of these problems."""
    ordered = _sort_problems(kinds)
    if len(ordered) == 1:
        return refer_to(_name_problem(ordered[0]))
    return _unite({TYPE_PREFIX + kind.slug(): _name_problem(kind) for kind in ordered})


def refer_to(name: str) -> Schema:
    """Return a reference to a named schema."""
    return {"$ref": _REFERENCE.format(model=name)}


def _describe_problem(kind: type[Problem]) -> Schema:
    constants = {"type": {"const": TYPE_PREFIX + kind.slug()}, "status": {"const": kind.status}}
    properties = {"type": "object", "required": ["type", "status"], "properties": constants}
    return {"description": kind.title, "allOf": [refer_to("ProblemFields"), properties]}


def _name_problem(kind: type[Problem]) -> str:
    return f"{kind.__name__}Problem"


def _describe_events(schemas: Schema) -> Schema:
    """Return the schemas with `Event` as a union: one schema for each model of data."""
    names = {kind: model.__name__ for kind, model in event_data.DATA.items()}
    events = {
        _name_event(name): _describe_event(
            schemas, name, [kind for kind in names if names[kind] == name]
        )
        for name in names.values()
    }
    data = {model.__name__: _describe_data(schemas, model) for model in _list_event_data()}
    union = _unite({str(kind): _name_event(name) for kind, name in names.items()})
    event = {"description": schemas["Event"]["description"], **union}
    return schemas | data | events | {"Event": event}


def _describe_event(schemas: Schema, data: str, types: list[str]) -> Schema:
    """Return the schema of the events that have this data."""
    fields = {"type": {"type": "string", "enum": types}, "data": refer_to(data)}
    properties = schemas["Event"]["properties"] | fields
    description = schemas[data]["description"]
    return {**schemas["Event"], "description": description, "properties": properties}


def _describe_data(schemas: Schema, model: type[BaseModel]) -> Schema:
    """Return the schema of an event's data: of what the API shows, and the rest."""
    schema: Schema = schemas[model.__name__]
    view = next((base.__name__ for base in model.__mro__[1:] if base.__name__ in schemas), "")
    fields = schemas.get(view, {}).get("properties", {})
    own = {name: field for name, field in schema["properties"].items() if field != fields.get(name)}
    if not view or own.keys() & fields.keys():
        return schema
    required = [name for name in schema["required"] if name in own]
    rest = {"type": "object", "properties": own, "required": required}
    return {"description": schema["description"], "allOf": [refer_to(view), rest]}


def _name_event(data: str) -> str:
    return data.replace("Data", "Event")


def _list_event_data() -> list[type[BaseModel]]:
    return list(dict.fromkeys(event_data.DATA.values()))


def _unite(names: Mapping[str, str]) -> Schema:
    """Return the union of named schemas, by the value of their field `type`."""
    references = {value: _REFERENCE.format(model=name) for value, name in names.items()}
    return {
        "oneOf": [{"$ref": reference} for reference in dict.fromkeys(references.values())],
        "discriminator": {"propertyName": "type", "mapping": references},
    }


def _may_be_none(schema: Any) -> bool:
    schema = _find_shown(schema)
    return schema["type"] == "nullable" or ("schema" in schema and _may_be_none(schema["schema"]))


def _find_shown(schema: Any) -> Any:
    """Return the schema of what is shown, which may be hidden behind one of anything."""
    shows = schema.get("metadata", {}).get("shows")
    return schema if shows is None else TypeAdapter(shows).core_schema


def _definitions(schema: Schema) -> Iterable[tuple[str, Schema]]:
    definitions: Schema = schema.pop("$defs", {})
    return definitions.items()


def _sort(models: Iterable[type[BaseModel]]) -> list[type[BaseModel]]:
    return sorted(models, key=lambda model: model.__name__)


def _sort_problems(kinds: Iterable[type[Problem]]) -> list[type[Problem]]:
    return sorted(set(kinds), key=lambda kind: kind.__name__)
