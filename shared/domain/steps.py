"""What has to be done upstream to make a line live, or to let it go. Decisions only."""

from datetime import datetime, timedelta
from typing import assert_never

from msgspec import Struct

from shared.domain.instances import Code, Instance, Reason, State, epoch_ms
from shared.domain.upstream import Connected, Connection, Link, NoCode, Scannable

PATIENCE = timedelta(seconds=10)
"""How long the event that tells the number of an open line may take."""

REMOVAL_PATIENCE = timedelta(minutes=30)
"""How long a server may take to remove an instance before it is asked once more: it waits for the
delivery of a webhook, which it gives up after 20 minutes (EVOLUTION.md §1.4)."""

NOT_LEAVING = {"removal_asked_at": None, "silenced": False}
"""What the record of an instance says of its removal before there is one."""

FILES_PATIENCE = timedelta(hours=24)
"""How long a removal waits for the files of its line's messages. Most are given up sooner, but
others may come meanwhile."""


class Ready(Struct, frozen=True):
    """Nothing: this is what the caller can have."""

    instance: Instance


class Note(Struct, frozen=True):
    """Nothing, but the record is behind: it is this now."""

    instance: Instance


class Contest(Struct, frozen=True):
    """It is connected with a number that was live on another line: ask whether it still is."""

    instance: Instance


class Configure(Struct, frozen=True):
    """It is there, but was told to post elsewhere, or with another token, than we want now."""

    instance: Instance


class Heal(Struct, frozen=True):
    """It is gone upstream: make it again, under the same name."""

    instance: Instance


class Renew(Struct, frozen=True):
    """Make it again although it is there: only a new one can show what the caller wants.

    Only for one that was surely never paired.
    """

    instance: Instance


class AskForCode(Struct, frozen=True):
    """It is connecting: the server says its current code at once; asking starts nothing."""

    instance: Instance


class AskNumber(Struct, frozen=True):
    """It is open, and its number wasn't reported: an event got lost, or it was adopted."""

    instance: Instance


class Reconnect(Struct, frozen=True):
    """It is closed: start it, and show the code that comes."""

    instance: Instance


Step = Ready | Note | Contest | Configure | Heal | Renew | AskForCode | AskNumber | Reconnect


def decide_step(
    instance: Instance,
    connection: Connection | None,
    now: datetime,
    *,
    by_number: bool,
    mark: str,
) -> Step:
    """Decide what the server's answer means for a line that a caller wants live.

    `by_number`: the caller wants to type a code instead of scanning one. Evolution makes such a
    code only when a closed instance is started, and one that isn't typed spoils the next start
    (EVOLUTION.md §3, connect): both need a new instance. That is decided only on proof that the
    instance is unpaired: a code that is on show right now, or codes that all went unscanned.
    `mark`: of the configuration that we want (so that a deployment that moved, or signs with
    another secret, tells every line it meets).
    """
    if connection is None:
        return Heal(instance)
    if instance.configured != mark:
        return Configure(instance)
    if connection is Connection.OPEN:
        return _opened(instance, now)
    if connection is Connection.CONNECTING:
        return _connecting(instance, now, by_number=by_number)
    unscanned = instance.state is State.CLOSED and instance.reason is Reason.QR_LIMIT
    return Renew(instance) if instance.spoiled and unscanned else Reconnect(instance)


def _opened(instance: Instance, now: datetime) -> Step:
    if instance.state is State.CONFLICT:
        return Contest(instance)
    if instance.state is State.OPEN:
        silent = instance.number is None and instance.reason is None
        return (
            AskNumber(instance) if silent and now - instance.since > PATIENCE else Ready(instance)
        )
    return Note(_open_with_some_number(instance, now))


def _open_with_some_number(instance: Instance, now: datetime) -> Instance:
    """Open, but who paired it, and with which number, is for the server's event to say (P7)."""
    unpaired = _without_number(instance)
    return unpaired.with_state(State.OPEN, None, now, code=None, spoiled=False)


def _without_number(instance: Instance) -> Instance:
    """Return the record without its number, which people still see as the last one."""
    last = instance.number or instance.last_number
    return instance.model_copy(update={"number": None, "last_number": last})


def _connecting(instance: Instance, now: datetime, *, by_number: bool) -> Step:
    code = instance.code_at(now)
    if code is None or instance.state is not State.PAIRING:
        return AskForCode(instance)
    return Renew(instance) if by_number and code.pairing_code is None else Ready(instance)


class Leaving(Struct, frozen=True):
    """It has to go upstream; the record says so first."""

    instance: Instance


def decide_leaving(instance: Instance, asked: Reason, now: datetime) -> Ready | Leaving:
    """Decide what a release or a disconnect means for a line without a lease.

    A release that has begun isn't turned into less by a disconnect.
    """
    released = instance.reason is Reason.RELEASE_ASKED
    if asked is Reason.DISCONNECT_ASKED and instance.reason is Reason.DISCONNECTED:
        return Ready(instance)
    reason = Reason.RELEASE_ASKED if released else asked
    return Leaving(instance.with_state(State.RELEASING, reason, now, code=None))


def healing(gone: Instance, now: datetime) -> Instance:
    """Return the record of an instance that is about to be made again."""
    change = {"code": None, "spoiled": False, "born": epoch_ms(now), **NOT_LEAVING}
    return gone.with_state(State.CREATING, Reason.HEALING, now, **change)


def asked_for_number(silent: Instance, now: datetime) -> Instance:
    """Open all the same; asked once, so that a server that can't reach us isn't asked for ever."""
    return silent.with_state(State.OPEN, Reason.NUMBER_ASKED, now)


def removal_due(asked_at: datetime | None, now: datetime) -> bool:
    """Tell whether to ask a server for a removal: not asked yet, or it seems to have forgotten."""
    return asked_at is None or now - asked_at > REMOVAL_PATIENCE


def must_await_files(leaving: Instance, now: datetime) -> bool:
    """Tell whether it may not be removed before its messages' files are copied or given up."""
    return not leaving.without_media and now - leaving.since < FILES_PATIENCE


def decide_awaiting_files(leaving: Instance, files: int) -> Instance:
    """Return the record of an instance that isn't removed yet, as so many files aren't copied."""
    return leaving.model_copy(update={"media_awaited": files})


def decide_removing(leaving: Instance, now: datetime) -> Instance:
    """Return the record of an instance that the server was asked to remove, and hasn't yet."""
    change = {"removal_asked_at": leaving.removal_asked_at or now, "media_awaited": 0}
    return leaving.model_copy(update=change)


def disconnected(left: Instance, now: datetime) -> Instance:
    """Return the record of a line whose instance is gone, as was asked for."""
    change = {"code": None, "claimed": None, **NOT_LEAVING}
    return _without_number(left).with_state(State.CLOSED, Reason.DISCONNECTED, now, **change)


def decide_found(instance: Instance, link: Link, now: datetime) -> Ready | Note:
    """Decide what a connecting instance's current code means.

    A code that we have known until it expired is stale (EVOLUTION.md §3: it may belong to an
    earlier socket), so it isn't shown again, and stays in the record to be known by.
    """
    match link:
        case Connected():
            return Note(_open_with_some_number(instance, now))
        case Scannable(qr=qr) if instance.code is None or instance.code.qr != qr:
            return Note(instance.showing(Code.from_look(link, now), now))
        case Scannable() | NoCode() if _was_paired(instance):
            return Ready(instance.with_state(State.CLOSED, Reason.RECONNECTING, now))
        case Scannable() | NoCode():
            return Note(instance.with_state(State.PAIRING, Reason.NO_CODE, now))
        case _ as never:
            assert_never(never)


def decide_started(instance: Instance, link: Link, now: datetime) -> Instance:
    """Decide what a start (connect of a closed instance) made of it."""
    match link:
        case Connected():
            return _open_with_some_number(instance, now)
        case Scannable():
            return instance.showing(Code.begin(link, now), now)
        case NoCode() if _was_paired(instance):
            return instance.with_state(State.CLOSED, Reason.RECONNECTING, now, code=None)
        case NoCode():
            return instance.with_state(State.PAIRING, Reason.NO_CODE, now, code=None)
        case _ as never:
            assert_never(never)


def decide_settled(current: Instance, held: Instance, link: Link, now: datetime) -> Instance:
    """Return the record after its holder started it.

    Events may have reached the record since it was `held` and know better: an open line stays
    open, and a code that was pushed meanwhile is at least as new as the one the holder was shown.
    """
    current = current.model_copy(update={"configured": held.configured})
    is_newer = current.heard_at > held.heard_at
    if is_newer and current.state in (State.OPEN, State.CONFLICT):
        return current
    outcome = decide_started(current, link, now)
    if is_newer and outcome.state is State.PAIRING and current.code_at(now):
        return outcome.model_copy(update={"code": current.code})
    return outcome


def _was_paired(instance: Instance) -> bool:
    """Tell whether it was open at the last report, or is on its way back since."""
    return instance.state is State.OPEN or instance.reason is Reason.RECONNECTING
