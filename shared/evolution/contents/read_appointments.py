"""Read events, planned calls, and the calls that a message reports."""

from shared.domain.content import Content, Kind
from shared.domain.content.appointments import Appointment, EventContent
from shared.domain.content.calls import CallContent, CallOutcome, PhoneCall
from shared.evolution import json_values
from shared.evolution.contents.fields import Fields, first_text, read_enum
from shared.evolution.contents.read_places import read_place

_OUTCOMES = (
    "CONNECTED",
    "MISSED",
    "FAILED",
    "REJECTED",
    "ACCEPTED_ELSEWHERE",
    "ONGOING",
    "SILENCED_BY_DND",
    "SILENCED_UNKNOWN_CALLER",
)
_ANSWERED = frozenset({"CONNECTED", "ACCEPTED_ELSEWHERE", "ONGOING"})
_MEDIA = ("UNKNOWN", "AUDIO", "VIDEO")
_CALLS = ("UNKNOWN", "VOICE", "VIDEO")


def read_event(value: Fields) -> Content:
    """Read `eventMessage`."""
    event = Appointment(
        name=first_text(value, "name"),
        description=first_text(value, "description"),
        starts_at=json_values.read_millis(value.get("startTime")),
        ends_at=json_values.read_millis(value.get("endTime")),
        link=first_text(value, "joinLink"),
        call=value.get("isScheduleCall") is True,
        cancelled=value.get("isCanceled") is True,
    )
    return EventContent(kind=Kind.EVENT, event=event, place=read_place(value.get("location")))


def read_scheduled_call(value: Fields) -> Content:
    """Read `scheduledCallCreationMessage`."""
    event = Appointment(
        name=first_text(value, "title"),
        starts_at=json_values.read_millis(value.get("scheduledTimestampMs")),
        call=True,
        video=read_enum(value.get("callType"), _CALLS) == "VIDEO",
    )
    return EventContent(kind=Kind.SCHEDULED_CALL, event=event)


def read_call_log(value: Fields) -> Content:
    """Read `callLogMesssage` (sic)."""
    told = read_enum(value.get("callOutcome"), _OUTCOMES)
    outcome = CallOutcome.ANSWERED if told in _ANSWERED else CallOutcome.MISSED
    outcome = CallOutcome.REJECTED if told == "REJECTED" else outcome
    call = PhoneCall(
        outcome=outcome,
        video=value.get("isVideo") is True,
        group=bool(value.get("participants")),
        seconds=json_values.read_count(value.get("durationSecs")) or None,
        logged=True,
    )
    return CallContent(kind=Kind.CALL, call=call)


def read_call(value: Fields) -> Content:
    """Read `call`: Baileys puts it into the message of a missed call."""
    return CallContent(kind=Kind.CALL, call=PhoneCall(outcome=CallOutcome.MISSED))


def read_broadcast_call(value: Fields) -> Content:
    """Read `bcallMessage`: a call to many."""
    call = PhoneCall(video=read_enum(value.get("mediaType"), _MEDIA) == "VIDEO", group=True)
    return CallContent(kind=Kind.CALL, text=first_text(value, "caption"), call=call)
