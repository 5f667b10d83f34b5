"""Hold the server's state: rows in its database, sessions in its process."""

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
    """A refusal of an action that can't happen now; `why` is its key for the page."""

    status = 409

    def __init__(self, why: str, detail: str) -> None:
        super().__init__(detail)
        self.why = why


class NotANumber(Impossible):
    """A refusal of a text that can't be a phone number."""

    status = 400

    def __init__(self, number: str) -> None:
        complaint = f"{number!r} is not" if number else "a number is missing: it takes"
        super().__init__(
            "no_number",
            f"{complaint} 8 to 15 digits that begin with the country code, as in 5511999990001",
        )


class ServedRequest(NamedTuple):
    """A request that was served; status 0 if it never got an answer."""

    method: str
    path: str
    status: int


class SentMessage(NamedTuple):
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
class QrCode:
    """The QR code that is shown now; `count` rises with each code, `shown_at` is monotonic."""

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

    `is_deaf`: logged out through the API, so it ignores every message. `sockets`: the number of
    connections it has begun. `is_blocked`: an edit isn't delivered yet, so what comes waits in
    `inbound`.
    """

    name: str
    id: str
    token: str
    integration: str
    state: str = "close"
    code: QrCode | None = None
    wuid: str | None = None
    pairing_number: str | None = None
    sockets: int = 0
    is_deaf: bool = False
    base64: bool = False
    message_ids: set[str] = field(default_factory=set)
    acknowledged: set[tuple[str, str]] = field(default_factory=set)
    is_blocked: bool = False
    inbound: deque[Callable[[], None]] = field(default_factory=deque)

    @property
    def has_started(self) -> bool:
        """Tell whether the session has ever had a socket."""
        return self.sockets > 0


@dataclass
class ServerOptions:
    """The settings of a simulated server."""

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
    """The state of one server: memory, database, faults, and its HTTP clients."""

    def __init__(
        self, options: ServerOptions, client: httpx.AsyncClient | None, seed: int = 0
    ) -> None:
        self.options = options
        self.client = client
        self.fetch: httpx.AsyncClient | None = None
        self.faults = Faults(seed)
        self.background = Background()
        self.save: Callable[[], None] = lambda: None
        self.licensed = options.licensed
        self.empty()

    def empty(self) -> None:
        """Forget everything, and cancel all background work."""
        self.background.cancel()
        self.rows: dict[str, Row] = {}
        self.sessions: dict[str, Session] = {}
        self.on_whatsapp: set[str] = set()
        self.sent: list[SentMessage] = []
        self.media: dict[str, str] = {}
        self.deliveries: deque[Any] = deque(maxlen=20_000)
        self.calls: deque[ServedRequest] = deque(maxlen=10_000)
        self.calls_per_route: Counter[str] = Counter()
        self.creating: Counter[str] = Counter()
        self.creating_peak: dict[str, int] = {}
        self.turns: dict[str, asyncio.Lock] = {}
        self.random = random.Random(self.faults.seed)

    @property
    def is_legacy(self) -> bool:
        """Tell whether the server speaks 1.8."""
        return self.options.version.startswith("1.")

    @property
    def version(self) -> tuple[int, ...]:
        """Return the numbers of the version, without what stands after a dash."""
        numbers = self.options.version.partition("-")[0].split(".")
        return tuple(int(number) for number in numbers if number.isdecimal())

    @property
    def closes_after_removal(self) -> bool:
        """Tell whether a delete removes an open instance before it closes the socket (to 2.3.6)."""
        return self.version < (2, 3, 7)

    @property
    def needs_licence(self) -> bool:
        """Tell whether the server needs an activated licence: since 2.4."""
        return self.version >= (2, 4)

    def has_instance(self, name: str) -> bool:
        return name in self.sessions or name in self.rows

    def remove(self, name: str) -> None:
        """Remove the instance from the database and from the process."""
        self.rows.pop(name, None)
        self.sessions.pop(name, None)
        self.save()

    async def wait(self, seconds: float) -> None:
        """Wait as long as the real server takes, or not at all when `quick`."""
        if not self.options.quick:
            await asyncio.sleep(seconds)
