"""What a tenant's people do among themselves: labels, who looks after what, notes, quick replies.

None of it leaves for WhatsApp.
"""

import re
import secrets

from pydantic import Field

from shared import auth, problems, services
from shared.domain.conversations import Conversation
from shared.domain.desk import REPLY_NAME, ConversationNote, Desk
from shared.domain.instances import epoch_ms
from shared.domain.names import TenantId
from shared.domain.record import Record

NOTE_ID = r"[A-Za-z0-9_-]{16}"


class QuickReply(Record):
    """A text that is offered when its name is typed behind a slash."""

    name: str
    text: str


class DeskView(Record):
    """What the tenant's people choose from, in the order of the alphabet."""

    labels: list[str]
    assignees: list[str]
    replies: list[QuickReply]
    me: str = Field(description="What the caller is called: the assignee when they assign it to me")


class NoteView(Record):
    """A note on a conversation, which only the tenant's people see."""

    id: str
    at: int = Field(description="Epoch milliseconds")
    by: str = Field(description="Who wrote it, as their token says")
    text: str


class NoteList(Record):
    """The notes on a conversation, newest first."""

    notes: list[NoteView]


def desk_view(desk: Desk, me: auth.Caller) -> DeskView:
    """Show a desk to one of its people."""
    return DeskView(
        labels=sorted(desk.labels, key=str.casefold),
        assignees=sorted(desk.assignees, key=str.casefold),
        replies=[QuickReply(name=name, text=text) for name, text in sorted(desk.replies.items())],
        me=me.name,
    )


def note_view(note: ConversationNote) -> NoteView:
    """Show a note."""
    return NoteView(id=note.id, at=note.at, by=note.by, text=note.text)


def require_reply_name(name: str) -> str:
    """Return what is typed for a quick reply. Raises RequestInvalid."""
    if not re.fullmatch(REPLY_NAME, name):
        fault = {"field": "name", "message": "1 to 32 of a-z, 0-9, - and _, no sign first"}
        raise problems.RequestInvalid(errors=[fault])
    return name


async def write_note(tenant: TenantId, about: Conversation, by: auth.Caller, text: str) -> NoteView:
    """Write a note. Raises NotesFull. Firestore: 1 read, 1 write."""
    note = ConversationNote(
        id=secrets.token_urlsafe(12),
        conversation=about.id,
        at=epoch_ms(services.now()),
        by=by.name,
        text=text,
    )
    await services.store().desks.add_note(tenant, about, note)
    return note_view(note)


async def delete_note(tenant: TenantId, about: Conversation, name: str) -> None:
    """Delete a note, if it is there. Firestore: 1 read, 1 delete."""
    if re.fullmatch(NOTE_ID, name):
        await services.store().desks.remove_note(tenant, about, name)
