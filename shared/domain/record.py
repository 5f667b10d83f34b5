"""The base of everything that crosses a border: stored, posted or answered."""

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, Strict


class Record(BaseModel):
    """A frozen value that ignores what it doesn't know and never quotes its input in an error."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


Moment = Annotated[AwareDatetime, Strict()]
"""A time as the store gives it: a number or a text that somebody wrote by hand is none."""


class Kept(Record):
    """A record that the store keeps."""

    version: Any = Field(default=None, exclude=True, repr=False)
    """When the store last wrote it; the condition of a compare-and-set."""
