"""Hold what happens at a time: events, and calls that are planned."""

from typing import Literal

from shared.domain.content.kinds import BaseContent, Kind, Piece
from shared.domain.content.places import Place


class Appointment(Piece):
    """An event or a planned call; times are epoch milliseconds. `call`: people meet in a call."""

    name: str | None = None
    description: str | None = None
    starts_at: int | None = None
    ends_at: int | None = None
    link: str | None = None
    call: bool = False
    video: bool = False
    cancelled: bool = False


class EventContent(BaseContent):
    """An event, or a call that is planned, and where it is."""

    kind: Literal[Kind.EVENT, Kind.SCHEDULED_CALL]
    event: Appointment | None = None
    place: Place | None = None
