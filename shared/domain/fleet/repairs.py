"""Where our records and the servers disagree without any deletion."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from shared.domain.fleet.survey import ELSEWHERE, Survey
from shared.domain.instances import Instance, Reason, State
from shared.domain.upstream import Connection, Sighting

STUCK = timedelta(minutes=10)
"""Its caller is gone for so long that it won't come back."""


class Missing(Struct, frozen=True):
    """We think that its server carries it, and it doesn't."""

    line: Instance


class Liar(Struct, frozen=True):
    """Our record and its server say different things of its connection."""

    line: Instance


class Stuck(Struct, frozen=True):
    """A release, a disconnect or a creation that its caller never finished."""

    line: Instance


Repair = Missing | Liar | Stuck


def find_repairs(survey: Survey, now: datetime) -> Iterator[Repair]:
    """Find at most one per line; each is to be looked at once more before anything is done."""
    for line in survey.lines.values():
        if repair := _repair(survey, line, now):
            yield repair


def _repair(survey: Survey, line: Instance, now: datetime) -> Repair | None:
    if line.leased(now):
        return None
    if line.state in (State.CREATING, State.RELEASING):
        return Stuck(line) if now - _touched(line) > STUCK else None
    if line.server not in survey.seen:
        return None
    sighting = survey.sighting_of(line)
    if sighting is None:
        return None if _may_be_gone(line) else Missing(line)
    return Liar(line) if _disagree(line, sighting) else None


def _touched(line: Instance) -> datetime:
    return max(line.since, line.lease.until if line.lease else line.since)


def _may_be_gone(line: Instance) -> bool:
    return line.state in ELSEWHERE or line.reason is Reason.DISCONNECTED


def _disagree(line: Instance, sighting: Sighting) -> bool:
    """Tell whether a census contradicts the record: a hint, as it is behind (EVOLUTION.md §1.7)."""
    if line.state is State.MISSING:
        return True
    open_here = line.state in (State.OPEN, State.CONFLICT)
    return open_here != (sighting.connection is Connection.OPEN)


def decide_looked(
    line: Instance, connection: Connection | None, number: str | None, now: datetime
) -> Instance | None:
    """Return the record after its server was asked; None when it was right, or unknown.

    `number`: what the census says it is paired with, believed only of an open one.
    """
    if line.leased(now) or line.state is State.RELEASING:
        return None
    closed = partial(line.with_state, State.CLOSED, now=now, code=None)
    match connection:
        case None:
            if _may_be_gone(line) and line.state is not State.CREATING:
                return None
            return line.with_state(State.MISSING, Reason.VANISHED, now, code=None)
        case Connection.OPEN if line.state not in (State.OPEN, State.CONFLICT):
            change = {"code": None, "number": number, "spoiled": False}
            return line.with_state(State.OPEN, None, now, **change)
        case Connection.CLOSED if line.state not in (State.CLOSED, State.PAIRING):
            return closed(reason=Reason.CONNECTION_LOST)
        case Connection.CONNECTING if line.state in (State.OPEN, State.CONFLICT):
            return closed(reason=Reason.RECONNECTING)
        case Connection.CONNECTING if line.state in (State.CREATING, State.MISSING):
            return line.with_state(State.PAIRING, Reason.NO_CODE, now, code=None)
        case _:
            return None
