"""The base of everything that crosses a border: stored, posted or answered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, Strict


class Record(BaseModel):
    """A frozen value that ignores what it doesn't know and never quotes its input in an error.

    Its validator is built on first use: a function starts without those that it never needs.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", hide_input_in_errors=True, defer_build=True
    )


def _likely(moment: datetime) -> datetime:
    if not 2000 <= moment.year <= 2200:
        raise ValueError("no time of ours")
    return moment


Moment = Annotated[AwareDatetime, Strict(), AfterValidator(_likely)]
"""A time as the store gives it: a number, a text or another millennium written by hand
is none."""


class Kept(Record):
    """A record that the store keeps."""

    version: Any = Field(default=None, exclude=True, repr=False)
    """When the store last wrote it; the condition of a compare-and-set."""
