"""Match uncertain sends with messages: ours, in the same words, at that time."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.domain.kept_messages import ME, KeptMessage
from shared.domain.sends import LEASE, Send, SendState

LOOK_AFTER = timedelta(seconds=10)
"""How long an echo may take before the server is asked."""

LOOK_EVERY = timedelta(seconds=20)
"""No more often is a server asked what became of one send."""

SKEW = timedelta(minutes=2)
"""How far a server's clock may be from ours before its messages are no evidence."""

SENT_BY_SERVERS = ("3EB0", "BAE5")
"""What ids begin with that a server makes; what is typed on a phone has others."""


def matches(send: Send, message: KeptMessage) -> bool:
    """Tell whether it may be what was asked for: ours, the same, in the time it was sent in.

    By its id it was said through a server (EVOLUTION.md §5), and nothing was known of it before.
    """
    asked_ms, margin = send.asked_at.timestamp() * 1000, SKEW.total_seconds() * 1000
    longest = LEASE.total_seconds() * 1000
    return (
        send.content is not None
        and message.from_me
        and message.id.startswith(SENT_BY_SERVERS)
        and not 0 < message.changed < asked_ms
        and asked_ms - margin <= message.at <= asked_ms + longest + margin
        and message.content.fingerprint() == send.content.fingerprint()
    )


def pair(sends: Iterable[Send], found: Sequence[KeptMessage], now: datetime) -> dict[str, str]:
    """Match uncertain sends with messages: the message's id by the send's key, where one fits.

    A message belongs to one send only. What another send that is still under way says in the same
    words isn't taken from it. Of sends that can't be told apart, the first asked gets the first.
    """
    unsettled = sorted(sends, key=lambda send: (send.asked_at, send.key))
    live = [send for send in unsettled if send.state is SendState.SENDING and now < send.until]
    free = sorted(
        (
            message
            for message in found
            if not message.send and not any(matches(send, message) for send in live)
        ),
        key=lambda message: (message.at, message.id),
    )
    paired: dict[str, str] = {}
    for send in (send for send in unsettled if send not in live):
        matched_ids = set(paired.values())
        unmatched = (message for message in free if message.id not in matched_ids)
        fitting = (message.id for message in unmatched if matches(send, message))
        if message_id := next(fitting, None):
            paired[send.key] = message_id
    return paired


def reacted(send: Send, message: KeptMessage) -> bool:
    """Tell whether the message has the reaction that was asked for, since it was."""
    assert send.reaction
    ours = message.reactions.get(ME, {}).values()
    since = (send.asked_at - SKEW).timestamp() * 1000
    newest = max(ours, key=lambda reaction: reaction.at, default=None)
    if newest is None or newest.at < since:
        return False
    return (newest.emoji or "") == send.reaction.emoji


def look_due(send: Send, now: datetime) -> bool:
    """Tell whether to ask the server what it keeps: not before the echo had its time."""
    since = now - (send.looked_at or send.asked_at)
    return since >= (LOOK_EVERY if send.looked_at else LOOK_AFTER)
