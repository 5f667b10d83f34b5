"""What the simulated server is asked, and the bodies it answers with, refusals included."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NamedTuple

Json = dict[str, Any]
Value = Any  # the honest type of JSON that somebody else wrote


@dataclass(frozen=True)
class Ask:
    """One request: its route without the instance name, the name in the path, the name it acts on.

    The two names differ when `?instanceName=` is in the query: Evolution checks the right to use
    the first and then works on the second.
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


class Answer(NamedTuple):
    """A status and a JSON body."""

    status: int
    body: Any


class Refusal(Exception):
    """Ends a request with an error answer."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(str(answer.status))
        self.answer = answer


def refuse(status: int, message: Value) -> Refusal:
    """An error in Evolution's usual envelope."""
    body = {"status": status, "error": HTTPStatus(status).phrase, "response": {"message": message}}
    return Refusal(Answer(status, body))


def bad_request(*messages: Value) -> Refusal:
    return refuse(400, list(messages))


def invalid(*complaints: str) -> Refusal:
    """What its JSON-schema validation says: an array in an array."""
    return refuse(400, [list(complaints)])


def crashed(text: Value) -> Refusal:
    return refuse(500, text)


def unauthorized() -> Refusal:
    return refuse(401, "Unauthorized")


def no_such_instance(name: str) -> Refusal:
    return refuse(404, [f'The "{name}" instance does not exist'])


def not_found(name: str) -> Refusal:
    """What fetchInstances says of an unknown name, id or number."""
    return refuse(404, [f'Instance "{name}" not found'])


def name_in_use(name: object) -> Refusal:
    return refuse(403, [f'This name "{name}" is already in use.'])


def no_such_route(method: str, path: str) -> Refusal:
    return refuse(404, [f"Cannot {method} {path}"])


def malformed_json() -> Refusal:
    body = {"status": 400, "error": "Internal Server Error"}
    return Refusal(Answer(400, body | {"response": {"message": "Unexpected end of JSON input"}}))


def success(message: str) -> Answer:
    body = {"status": "SUCCESS", "error": False, "response": {"message": message}}
    return Answer(200, body)


def required(body: Json, *names: str) -> None:
    """Nothing, or the refusal that names every property the body lacks."""
    missing = [f'instance requires property "{name}"' for name in names if name not in body]
    if missing:
        raise invalid(*missing)
