"""The instance that carries a line: what it is, and what happens to it.

```mermaid
stateDiagram-v2
    [*] --> creating: ensure (a slot is taken)
    creating --> pairing: a code to scan (or none yet: no_code)
    creating --> open: adopted while open
    pairing --> open: scanned
    pairing --> closed: no scan (qr_limit)
    open --> closed: logged out, banned, disconnected
    open --> conflict: its number is live on another line
    conflict --> open: the number is free again
    closed --> pairing: ensure
    open --> missing: gone upstream
    missing --> creating: ensure
    closed --> open: reconnected
    closed --> releasing: release, disconnect (from any state)
    releasing --> closed: disconnect done
    releasing --> [*]: release done (the slot is free)
```
"""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from pydantic import AwareDatetime

from shared.domain.names import InstanceName, LineId, LineKey, TenantId
from shared.domain.record import Kept, Record
from shared.domain.upstream import Scannable

CODE_LIFETIME = timedelta(seconds=45)
"""How long Evolution shows one QR code (EVOLUTION.md §3, connect)."""

FOUND_CODE_LIFETIME = timedelta(seconds=15)
"""What we grant a code whose beginning we didn't see: a third of a life, then we look again."""

LEASE = timedelta(seconds=60)
"""How long one caller may change an instance upstream.

It outlives the longest upstream call (20 s) twice, so that when a lease has expired nothing its
holder sent can still be running."""


RESTRICTED_FOR = timedelta(hours=24)
"""How long we believe that a number is restricted: no one reports its end."""


class State(StrEnum):
    """How connected a line is."""

    CREATING = "creating"
    PAIRING = "pairing"
    OPEN = "open"
    CLOSED = "closed"
    CONFLICT = "conflict"
    MISSING = "missing"
    RELEASING = "releasing"


class Reason(StrEnum):
    """Why a line is in its state, for a person to act on."""

    NEW = "new"
    HEALING = "healing"
    WAITING_FOR_SCAN = "waiting_for_scan"
    NO_CODE = "no_code"
    QR_LIMIT = "qr_limit"
    RECONNECTING = "reconnecting"
    LOGGED_OUT = "logged_out"
    BANNED = "banned"
    DISCONNECT_ASKED = "disconnect_asked"
    DISCONNECTED = "disconnected"
    NUMBER_ASKED = "number_asked"
    RELEASE_ASKED = "release_asked"
    CONNECTION_LOST = "connection_lost"
    NUMBER_IN_USE = "number_in_use"
    VANISHED = "vanished"


CONNECTED = (State.OPEN, State.CONFLICT)
PAIRED = (Reason.LOGGED_OUT, Reason.BANNED, Reason.CONNECTION_LOST, Reason.RECONNECTING)
UNPAIRED = (Reason.NEW, Reason.WAITING_FOR_SCAN, Reason.NO_CODE, Reason.QR_LIMIT)
"""The reasons of those that are waiting for their first pairing (and of some that aren't)."""


class Code(Record):
    """What a person scans (`qr` raw, `png` as a data URI) or types to pair, until `expires_at`."""

    qr: str
    png: str
    pairing_code: str | None = None
    expires_at: AwareDatetime

    @classmethod
    def begin(cls, shown: Scannable, now: datetime) -> "Code":
        """Return the code of a scan that has just begun."""
        return cls._of(shown, now + CODE_LIFETIME)

    @classmethod
    def from_look(cls, shown: Scannable, now: datetime) -> "Code":
        """Return a code already on show: it may be almost over."""
        return cls._of(shown, now + FOUND_CODE_LIFETIME)

    @classmethod
    def _of(cls, shown: Scannable, expires_at: datetime) -> "Code":
        return cls(
            qr=shown.qr, png=shown.png, pairing_code=shown.pairing_code, expires_at=expires_at
        )


class Lease(Record):
    """The exclusive right to change an instance upstream.

    Every grant has a higher `fence` and names its `holder`, one call of ours: a commit that was
    repeated because its answer got lost is recognised by it.
    """

    fence: int
    holder: str
    until: AwareDatetime


CHANGES_KEPT = 32
"""Changes of its state that a line's record remembers, for the log of events."""


class StateChange(Record):
    """A state that a line took, since when and why."""

    state: State
    reason: Reason | None = None
    since: AwareDatetime


class Instance(Kept):
    """Our record of the one instance of a line."""

    name: InstanceName
    tenant: TenantId
    line: LineId
    label: str
    server: str
    state: State
    since: AwareDatetime
    reason: Reason | None = None
    changes: tuple[StateChange, ...] = ()
    """The last of its states, oldest first."""
    number: str | None = None
    last_number: str | None = None
    """The number that it had last, if it has none now."""
    code: Code | None = None
    claimed: str | None = None
    """The number that `numbers/` says is this line's, live or not."""
    born: int = 0
    """When the instance upstream was (to be) made, in epoch milliseconds: tells it from earlier
    ones of the same name."""
    removal_asked_at: AwareDatetime | None = None
    """When the server was last asked to remove it, and hadn't yet."""
    silenced: bool = False
    """Its webhook was turned off to have it removed; by that it is known from the next of its name,
    as a removal that was asked for may have succeeded without our knowing."""
    media_awaited: int = 0
    """How many files its removal was waiting for when it was last asked for."""
    without_media: bool = False
    """A caller said that its removal waits for no files."""
    configured: str | None = None
    """The mark of the configuration that it was given last."""
    spoiled: bool = False
    """A pairing code was shown and not typed: the next start would try to log in with it
    instead of showing a code (EVOLUTION.md §3, connect)."""
    fence: int = 0
    lease: Lease | None = None
    ever_open: bool = False
    """It was seen connected, so it had been paired."""
    closed_since: AwareDatetime | None = None
    """Since when it isn't connected, whatever was tried since; None while it is."""
    claimed_at: AwareDatetime | None = None
    """Since when the number is this line's: what was said before was said under another."""
    heard_until: int = 0
    """Up to when, in epoch milliseconds, nothing that its server keeps is missing here."""
    heard_number: str | None = None
    """Under which number that was."""
    heard_at: int = 0
    """The `date_time` of the newest event that moved it, in the server's own epoch milliseconds."""
    paced_until: int = 0
    """When it may speak as much as ever (a bucket of `pacing`)."""
    reached_until: int = 0
    """When it may write to as many new contacts as ever (a bucket of `pacing`)."""
    restricted_since: AwareDatetime | None = None
    restricted_at: AwareDatetime | None = None
    """When WhatsApp first and last said that this number may not write to new contacts."""
    created_at: AwareDatetime

    def restricted(self, now: datetime) -> bool:
        """Tell whether WhatsApp said lately that the number may not write to new contacts."""
        return self.restricted_at is not None and now - self.restricted_at < RESTRICTED_FOR

    def found_restricted(self, now: datetime) -> "Instance":
        """Return the instance, restricted since WhatsApp says so now."""
        since = self.restricted_since if self.restricted(now) else now
        return self.model_copy(update={"restricted_since": since, "restricted_at": now})

    @property
    def key(self) -> LineKey:
        return LineKey(self.tenant, self.line)

    def leased(self, now: datetime) -> bool:
        """Tell whether a caller holds its lease right now."""
        return self.lease is not None and self.lease.until > now

    def code_at(self, now: datetime) -> Code | None:
        """Return the code, as long as it can still be scanned."""
        return self.code if self.code and self.code.expires_at > now else None

    def with_state(
        self, state: State, reason: Reason | None, now: datetime, **change: Any
    ) -> "Instance":
        """Return it in another state since now; the time stays if the state and its reason do."""
        same = (self.state, self.reason) == (state, reason)
        since = self.since if same else now
        connected = {} if same else self._connected(state, now)
        states: dict[str, Any] = {"state": state, "reason": reason, "since": since}
        if state is not State.RELEASING:
            states |= {"media_awaited": 0, "without_media": False}
        if not same:
            latest = StateChange(state=state, reason=reason, since=now)
            states["changes"] = (*self.changes, latest)[-CHANGES_KEPT:]
        return self.model_copy(update={**connected, **states, **change})

    def _connected(self, state: State, now: datetime) -> dict[str, Any]:
        """Return the fields that say whether it was ever connected, and since when it isn't."""
        if state in CONNECTED:
            return {"ever_open": True, "closed_since": None}
        paired = self.state in CONNECTED or self.reason in PAIRED
        return {"ever_open": self.ever_open or paired, "closed_since": self.closed_since or now}

    @property
    def surely_unpaired(self) -> bool:
        """Tell whether our record proves that it was never paired; a doubt counts as paired."""
        paired = self.ever_open or self.number or self.claimed
        return not paired and self.reason in UNPAIRED

    @property
    def idle_since(self) -> datetime:
        """Return since when it hasn't been connected, by our own record."""
        return self.closed_since or self.since

    def showing(self, code: Code, now: datetime) -> "Instance":
        """Pairing, with this code to scan or to type."""
        spoiled = self.spoiled or code.pairing_code is not None
        change = {"code": code, "spoiled": spoiled}
        return self.with_state(State.PAIRING, Reason.WAITING_FOR_SCAN, now, **change)

    def granted(self, holder: str, now: datetime) -> "Instance":
        """Return it with the lease of a new holder, whose fence is above every earlier one."""
        lease = Lease(fence=self.fence + 1, holder=holder, until=now + LEASE)
        return self.model_copy(update={"fence": lease.fence, "lease": lease})

    def extended(self, now: datetime) -> "Instance":
        """Return it with the same holder's lease, for its whole length from now on."""
        assert self.lease
        lease = self.lease.model_copy(update={"until": now + LEASE})
        return self.model_copy(update={"lease": lease})

    def held_by(self, other: "Instance") -> bool:
        """Tell whether both carry the same grant of the same lease."""
        if self.lease is None or other.lease is None:
            return False
        return (self.lease.fence, self.lease.holder) == (other.lease.fence, other.lease.holder)

    def differs_visibly(self, earlier: "Instance") -> bool:
        """Tell whether the log of events has something to tell of the line since then."""
        return any(getattr(self, name) != getattr(earlier, name) for name in _TOLD)

    def differs_only_in_pace(self, earlier: "Instance") -> bool:
        """Tell whether nothing but messages came between the two records of an instance."""
        pace = {"paced_until"}
        return self.model_dump(exclude=pace) == earlier.model_dump(exclude=pace)

    def freed(self) -> "Instance":
        """Return it without a lease."""
        return self.model_copy(update={"lease": None})


_TOLD = ("changes", "code", "restricted_since")

PAIRING = timedelta(hours=1)
"""From the first event of a number to the one that says so it never takes longer."""


def new_instance(
    key: LineKey, name: InstanceName, label: str, server: str, now: datetime
) -> Instance:
    """Make a line's first instance, not leased yet."""
    return Instance(
        name=name,
        tenant=key.tenant,
        line=key.line,
        label=label,
        server=server,
        state=State.CREATING,
        reason=Reason.NEW,
        since=now,
        changes=(StateChange(state=State.CREATING, reason=Reason.NEW, since=now),),
        born=epoch_ms(now),
        created_at=now,
    )


def number_at(line: Instance, at: int) -> str | None:
    """Return the number by which it spoke then (epoch ms), if only its record says so.

    What was told long before the number became this line's was told under an earlier one.
    """
    early = line.claimed_at and at < epoch_ms(line.claimed_at - PAIRING)
    return None if early else line.number


def epoch_ms(moment: datetime) -> int:
    """Return a moment as events and tokens write it."""
    return int(moment.timestamp() * 1000)
