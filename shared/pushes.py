"""Read what Pub/Sub pushes to a function."""

import base64
from typing import TypeVar

from pydantic import BaseModel, Field

from shared import problems, untrusted
from shared.domain.record import Record

BODY_LIMIT = 16 * 1024
DATA = untrusted.Bounds(size=4 * 1024, items=10, depth=1)

Poke = TypeVar("Poke", bound=BaseModel)


class PushedMessage(Record):
    """The message of a push: `data` is base64 of a poke's JSON, as in
    `{"tenant": "acme", "news": "message,send"}`."""

    data: str = Field(max_length=BODY_LIMIT)


class Push(Record):
    """What Pub/Sub posts. Everything else that it says is of no use here."""

    message: PushedMessage

    def read(self, poke: type[Poke]) -> Poke:
        """Return what the poke says. Raises RequestInvalid."""
        try:
            data = base64.b64decode(self.message.data, validate=True)
            return poke.model_validate(untrusted.read(data, DATA))
        except ValueError:
            errors = [{"field": "message.data", "message": "No poke"}]
            raise problems.RequestInvalid(errors=errors) from None
