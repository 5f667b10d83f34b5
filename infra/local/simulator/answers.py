"""Requests to the simulated server, and the bodies of its responses and refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

Json = dict[str, Any]
Value = Any  # JSON of unknown shape


@dataclass(frozen=True)
class ApiRequest:
    """A request: `route` is the path without the instance name, `name` the instance name in it.

    `target` is another instance if the query has `?instanceName=`: Evolution checks the right to
    use `name` and then works on `target`.
    """

    method: str
    route: str
    name: str
    query: Mapping[str, str]
    body: Json
    key: str

    @property
    def target(self) -> str:
        return self.query.get("instanceName") or self.name


class ApiResponse(NamedTuple):
    """A status and a JSON body."""

    status: int
    body: Any


class Refusal(Exception):
    """An exception that ends a request with an error response."""

    def __init__(self, response: ApiResponse) -> None:
        super().__init__(str(response.status))
        self.response = response


def refusal(status: int, message: Value) -> Refusal:
    """Build an error in Evolution's usual envelope."""
    body = {"status": status, "error": HTTPStatus(status).phrase, "response": {"message": message}}
    return Refusal(ApiResponse(status, body))


def bad_request(*messages: Value) -> Refusal:
    return refusal(400, list(messages))


def invalid(*complaints: str) -> Refusal:
    """Build the error of its JSON-schema validation: an array in an array."""
    return refusal(400, [list(complaints)])


def server_error(text: Value) -> Refusal:
    return refusal(500, text)


def unauthorized() -> Refusal:
    return refusal(401, "Unauthorized")


def no_such_instance(name: str) -> Refusal:
    return refusal(404, [f'The "{name}" instance does not exist'])


def not_found(name: str) -> Refusal:
    """Build the error of fetchInstances for an unknown name, id or number."""
    return refusal(404, [f'Instance "{name}" not found'])


def name_in_use(name: object) -> Refusal:
    return refusal(403, [f'This name "{name}" is already in use.'])


def no_such_route(method: str, path: str) -> Refusal:
    return refusal(404, [f"Cannot {method} {path}"])


def malformed_json() -> Refusal:
    body = {"status": 400, "error": "Internal Server Error"}
    return Refusal(
        ApiResponse(400, body | {"response": {"message": "Unexpected end of JSON input"}})
    )


def success(message: str) -> ApiResponse:
    body = {"status": "SUCCESS", "error": False, "response": {"message": message}}
    return ApiResponse(200, body)


def require_properties(body: Json, *names: str) -> None:
    """Raise a Refusal that names every property which the body lacks."""
    missing = [f'instance requires property "{name}"' for name in names if name not in body]
    if missing:
        raise invalid(*missing)
