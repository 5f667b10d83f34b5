"""What people did that has consequences, and who it was."""

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime, Field

from shared.domain.names import LineId, TenantId
from shared.domain.record import Kept

KEPT_FOR = timedelta(days=180)


class Action(StrEnum):
    """What was done."""

    TENANT_CHANGED = "tenant.changed"
    SERVER_ACCEPTING = "server.accepting"
    CANDIDATE_APPROVED = "candidate.approved"
    CANDIDATE_UNDONE = "candidate.undone"
    CANDIDATE_KEPT = "candidate.kept"
    LOSS_ACCEPTED = "loss.accepted"
    LINK_MADE = "link.made"
    SWEEP_RUN = "sweep.run"
    LETTER_REPLAYED = "letter.replayed"
    LETTER_DISCARDED = "letter.discarded"
    LINE_RELEASED = "line.released"
    LINE_DISCONNECTED = "line.disconnected"


class Act(Kept):
    """Something that was done, by whom and to what. It holds ids, never words or numbers."""

    id: str
    at: AwareDatetime
    by: Literal["operator", "tenant"]
    who: str = Field(description="The subject of their token")
    name: str | None = Field(default=None, description="Of operators: what their token calls them")
    action: Action
    tenant: TenantId | None = None
    line: LineId | None = None
    subject: str | None = Field(
        default=None, description="The server, candidate, dead letter or kind of sweep"
    )
    facts: dict[str, str | int | bool] = Field(
        default_factory=dict, description="What was set: status, max_lines, accepting, outcome"
    )
