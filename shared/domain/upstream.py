"""What a server tells us, in our words. `shared.evolution` speaks in these."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

from shared.domain.names import InstanceName

if TYPE_CHECKING:
    from shared.domain.events import Event


class Connection(StrEnum):
    """What a server says of an instance's socket (in memory: EVOLUTION.md §1.7)."""

    OPEN = "open"
    CONNECTING = "connecting"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Configuration:
    """How we want every instance to be configured.

    Where its webhook goes is not shown: it proves itself with a token, on 1.8 in the URL.
    """

    webhook_url: str = field(repr=False)
    webhook_headers: Mapping[str, str] = field(repr=False)
    webhook_events: tuple[str, ...]
    settings: Mapping[str, bool] = field(default_factory=dict, compare=False)
    """How it behaves; empty where only its webhook was looked at."""

    @property
    def mark(self) -> str:
        """Return what tells two configurations apart without telling what is in them."""
        webhook = [self.webhook_url, dict(self.webhook_headers), self.webhook_events]
        whole = [*webhook, dict(self.settings)]
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


class Created(Struct, frozen=True):
    """The server made the instance."""


class NameInUse(Struct, frozen=True):
    """The server carries an instance of that name already (the 403 of EVOLUTION.md §2)."""


class Refused(Struct, frozen=True):
    """The server made nothing and says why; asking again the same way won't help.

    `full`: because it (or a proxy before it) takes no more instances.
    """

    why: str
    full: bool = False


class Doubtful(Struct, frozen=True):
    """Unknown whether the instance was made (or deleted): look before anything else.

    `over`: the server itself answered, so the call can't be running any more.
    """

    why: str
    over: bool = False


Creation = Created | NameInUse | Refused | Doubtful


class Connected(Struct, frozen=True):
    """No code is needed: the instance is open."""


class Scannable(Struct, frozen=True):
    """A code to scan (`qr` raw, `png` as a data URI) or, when a number was given, to type."""

    qr: str
    png: str
    pairing_code: str | None = None


class NoCode(Struct, frozen=True):
    """The server has no code to show (yet)."""


Link = Connected | Scannable | NoCode


@dataclass(frozen=True)
class Sighting:
    """One instance in a server's census. `number` is the phone number it last was paired with,
    `uid` what its server calls it: no two servers share one; `updated_at` when its row was last
    written, which every opening of its connection does (None: the server doesn't tell).
    """

    name: InstanceName
    connection: Connection
    number: str | None
    uid: str | None = None
    updated_at: datetime | None = field(default=None, compare=False)


class MessageKey(Struct, frozen=True):
    """Which message, in which chat (`jid`), and whether it is ours."""

    id: str
    jid: str
    from_me: bool


@dataclass(frozen=True)
class Sent:
    """The server wrote the message to WhatsApp's socket; nothing more (EVOLUTION.md §1.8).

    `jid` is the address WhatsApp really uses, which may not be the one that was asked for.
    """

    message_id: str
    jid: str
    events: tuple["Event", ...] = field(default=(), repr=False)
    """What the answer reports of the message, as a webhook would; empty for a deletion."""


class WhyNotSent(StrEnum):
    """Why a message surely wasn't sent."""

    NOT_CONNECTED = "not_connected"
    NOT_ON_WHATSAPP = "not_on_whatsapp"
    GROUP_UNKNOWN = "group_unknown"
    MEDIA_UNREACHABLE = "media_unreachable"
    UPLOAD_FAILED = "upload_failed"
    TOO_BIG = "too_big"
    UNSUPPORTED = "unsupported"
    INVALID = "invalid"
    INSTANCE_MISSING = "instance_missing"
    RESTRICTED = "restricted"
    UNREACHABLE = "unreachable"
    UNLICENSED = "unlicensed"


class NotSent(Struct, frozen=True):
    """The message surely wasn't sent. Sending it again can't make two of it."""

    reason: WhyNotSent
    why: str


class SendDoubtful(Struct, frozen=True):
    """Unknown whether the message was sent: never send it again unasked."""

    why: str


Sending = Sent | NotSent | SendDoubtful


class Presence(Struct, frozen=True):
    """Whether a number, as it was asked for, is on WhatsApp, and under which address."""

    number: str
    jid: str
    exists: bool
    name: str | None
    lid: str | None


class HistoryPage(Struct, frozen=True):
    """A page of the messages that a server stores; page 1 is the newest.

    `events`: one Recalled event with the messages, oldest first, and their refusals and other
    changes. `size`: how many records it was read from. `newest_at`: the time of the newest record
    (epoch milliseconds; 0 for none). `cut`: the server has older ones of the time asked for, which
    it never lists.
    """

    events: tuple["Event", ...]
    size: int
    newest_at: int
    page: int
    pages: int
    cut: bool = False


@dataclass
class ReceivedMedia:
    """The file in a message, as it comes: its type and name are known after the last chunk."""

    chunks: AsyncIterator[bytes] = field(repr=False)
    mimetype: str = ""
    file_name: str | None = None
