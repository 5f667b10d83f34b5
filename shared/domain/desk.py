"""What the people of a tenant share: labels, who may be assigned, quick replies, and notes."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.domain.contacts import ConversationId, clean_name
from shared.domain.record import Kept, Record

MOST_LABELS = 10
"""Labels of one conversation."""

MOST_ON_DESK = 100
"""Labels, people and quick replies, of each, that a tenant has."""

MOST_NOTES = 100
"""Notes on one conversation."""

LONGEST_LABEL, LONGEST_ASSIGNEE, LONGEST_TEXT = 40, 80, 2_000
"""Characters of a label, of a person's name, and of a note or quick reply."""

REPLY_NAME = r"^[a-z0-9][a-z0-9_-]{0,31}$"


def _require_visible(name: str) -> str:
    """Return a name in one line, if it has a visible character."""
    if cleaned := clean_name(name):
        return cleaned
    raise ValueError("has no visible character")


def _require_different(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels, if none is named twice."""
    if len(set(labels)) < len(labels):
        raise ValueError("names a label twice")
    return labels


Label = Annotated[str, Field(max_length=LONGEST_LABEL), AfterValidator(_require_visible)]
Assignee = Annotated[str, Field(max_length=LONGEST_ASSIGNEE), AfterValidator(_require_visible)]
Labels = Annotated[
    tuple[Label, ...], Field(max_length=MOST_LABELS), AfterValidator(_require_different)
]
NoteText = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"\S")]


class Desk(Kept):
    """What a tenant's people choose from. `replies` are texts by what is typed behind a slash."""

    labels: tuple[str, ...] = ()
    assignees: tuple[str, ...] = ()
    replies: dict[str, str] = Field(default_factory=dict)


class ConversationNote(Record):
    """Something about a conversation that only the tenant's people see, and who wrote it when.

    `at` counts epoch milliseconds.
    """

    id: str
    conversation: ConversationId
    at: int
    by: str
    text: str


def find_new(known: Iterable[str], named: Iterable[str]) -> list[str]:
    """Return what was named and isn't known, once each."""
    return sorted(set(named).difference(known))
