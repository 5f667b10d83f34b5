"""What the server remembers: rows in its database, sessions in its process."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import httpx

from infra.local.simulator import ids
from infra.local.simulator.answers import Json
from infra.local.simulator.background import Background
from infra.local.simulator.faults import Faults

BAILEYS = "WHATSAPP-BAILEYS"
EVOLUTION = "EVOLUTION"
BUSINESS = "WHATSAPP-BUSINESS"

SETTINGS: Json = {
    "rejectCall": False,
    "msgCall": "",
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": False,
    "syncFullHistory": False,
    "wavoipToken": "",
}


class Impossible(ValueError):
    """What a person or a contact is said to do can't happen; `why` is the word for it."""

    status = 409

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


class NotANumber(Impossible):
    """What was given as a phone number can't be one."""

    status = 400

    def __init__(self, given: str) -> None:
        said = f"{given!r} is not" if given else "a number is missing: it takes"
        super().__init__(
            "no_number",
            f"{said} 8 to 15 digits that begin with the country code, as in 5511999990001",
        )


class Call(NamedTuple):
    """A request that was served; status 0 if it never got an answer."""

    method: str
    path: str
    status: int


class Sent(NamedTuple):
    """A message as the contact received it."""

    instance: str
    sender: str
    to: str
    id: str
    kind: str
    text: str
    message: Json
    at: str


@dataclass
class Code:
    """The QR code that is shown now, since that moment of the clock; `count` rises with each."""

    code: str
    count: int
    pairing_code: str | None = None
    shown_at: float = field(default_factory=time.monotonic)


@dataclass
class Row:
    """An instance in the database."""

    name: str
    id: str
    token: str
    integration: str
    number: str | None = None
    connection_status: str = "close"
    owner_jid: str | None = None
    profile_name: str | None = None
    disconnection: Json | None = None
    created_at: str = field(default_factory=ids.moment)
    updated_at: str = field(default_factory=ids.moment)
    setting: Json = field(default_factory=dict)
    webhook: Json | None = None
    messages: list[Json] = field(default_factory=list)
    contacts: dict[str, Json] = field(default_factory=dict)
    paired: bool = False


@dataclass
class Session:
    """An instance in the process.

    `deaf`: logged out through the API, so it hears no message any more. `sockets`: how many
    connections it has begun. `held`: an edit isn't delivered yet, so what comes waits in `inbound`.
    """

    name: str
    id: str
    token: str
    integration: str
    state: str = "close"
    code: Code | None = None
    wuid: str | None = None
    pairing_number: str | None = None
    sockets: int = 0
    deaf: bool = False
    base64: bool = False
    seen: set[str] = field(default_factory=set)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    held: bool = False
    inbound: deque[Callable[[], None]] = field(default_factory=deque)

    @property
    def started(self) -> bool:
        """It has had a socket, whatever became of it."""
        return self.sockets > 0


@dataclass
class Options:
    """How this server is set up."""

    api_key: str
    version: str = "2.3.6"
    quick: bool = True
    timezone_offset_hours: float = 0
    server_url: str = "http://127.0.0.1:8081"
    expose_token: bool = False
    webhook_timeout: float = 30
    qr_limit: int = 30
    licensed: bool = True


class World:
    """One server: its memory, its database, its faults, what it posts with and fetches with."""

    def __init__(self, options: Options, client: httpx.AsyncClient | None, seed: int = 0) -> None:
        self.options = options
        self.client = client
        self.fetch: httpx.AsyncClient | None = None
        self.faults = Faults(seed)
        self.background = Background()
        self.changed: Callable[[], None] = lambda: None
        self.licensed = options.licensed
        self.empty()

    def empty(self) -> None:
        """Nothing is known, nothing is under way."""
        self.background.cancel()
        self.rows: dict[str, Row] = {}
        self.sessions: dict[str, Session] = {}
        self.on_whatsapp: set[str] = set()
        self.sent: list[Sent] = []
        self.media: dict[str, str] = {}
        self.deliveries: deque[Any] = deque(maxlen=20_000)
        self.calls: deque[Call] = deque(maxlen=10_000)
        self.calls_per_route: Counter[str] = Counter()
        self.creating: Counter[str] = Counter()
        self.creating_peak: dict[str, int] = {}
        self.turns: dict[str, asyncio.Lock] = {}
        self.random = random.Random(self.faults.seed)

    @property
    def legacy(self) -> bool:
        """It speaks 1.8."""
        return self.options.version.startswith("1.")

    @property
    def version(self) -> tuple[int, ...]:
        """The numbers of its version, without what stands after a dash."""
        numbers = self.options.version.partition("-")[0].split(".")
        return tuple(int(number) for number in numbers if number.isdecimal())

    @property
    def closes_after_removal(self) -> bool:
        """A delete removes an open instance before its socket is closed: so until 2.3.6."""
        return self.version < (2, 3, 7)

    @property
    def wants_licence(self) -> bool:
        """It serves nothing before somebody activated a licence: since 2.4."""
        return self.version >= (2, 4)

    def knows(self, name: str) -> bool:
        return name in self.sessions or name in self.rows

    def forget(self, name: str) -> None:
        """The instance is gone from the database and from the process."""
        self.rows.pop(name, None)
        self.sessions.pop(name, None)
        self.changed()

    async def wait(self, seconds: float) -> None:
        """As long as the real server takes; no time at all when quick."""
        if not self.options.quick:
            await asyncio.sleep(seconds)
