"""How far a reader has come in the log of events, as an opaque text.

The newest of the log is looked at twice: in between a position remembers what was told, seven bytes
for each event.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from msgspec import Struct, field
from msgspec.structs import replace

from shared import problems, untrusted
from shared.domain import names
from shared.domain.names import TenantId
from shared.outbound.facts import SHORT_BYTES, parse_event_id
from shared.store.base import is_document_id
from shared.store.logged import LogPlace, LogSource, micros_of

LONGEST: Final = 12_000
"""Characters of a position."""

LATEST: Final = 2**53
"""Microseconds, later than any time in the log."""

_BOUNDS: Final = untrusted.Bounds(size=LONGEST, items=64, depth=4)
_VERSION: Final = 1
_DIGEST, _OFFSET = SHORT_BYTES, 2
_TICK: Final = 100_000
"""Microseconds: the times of what was told are remembered in tenths of a second, rounded up."""

OLDEST: Final = _TICK * (256**_OFFSET - 2)
"""Microseconds between what was checked and the newest that can be remembered: nearly two hours."""

_COLLECTIONS: Final = {
    LogSource.MESSAGES: "messages",
    LogSource.SENDS: "sends",
    LogSource.CONVERSATIONS: "conversations",
}


class SourcePosition(Struct, frozen=True):
    """How far one source was told: all until `place`, and until `checked` for good.

    `told`: what was told since `checked`, by the short digest of the fact, and when that happened.
    (Microseconds since 1970.)
    """

    place: LogPlace
    checked: int
    told: Mapping[int, int] = field(default_factory=dict)

    @property
    def is_checked(self) -> bool:
        """Tell whether nothing can become visible any more before the place."""
        return self.checked >= self.place.at

    def go_back(self) -> "SourcePosition":
        """Return the position behind what was checked; what was told since is remembered."""
        return replace(self, place=LogPlace(self.checked + 1), checked=self.checked + 1)


class LogPosition(Struct, frozen=True):
    """How far a reader has come; `start`: where it began in each source that isn't named."""

    start: SourcePosition
    sources: Mapping[LogSource, SourcePosition] = field(default_factory=dict)

    def of(self, source: LogSource) -> SourcePosition:
        """Return how far a source was told."""
        return self.sources.get(source, self.start)

    def at(self, source: LogSource, position: SourcePosition) -> "LogPosition":
        """Return the position with one source moved; the same if that stands where it stood."""
        if position == self.of(source):
            return self
        return replace(self, sources={**self.sources, source: position})


def start_at(moment: datetime) -> LogPosition:
    """Return the position of a reader to whom all is told that happens from then on."""
    at = max(micros_of(moment), 0)
    return LogPosition(SourcePosition(LogPlace(at), at))


def write(position: LogPosition, tenant: TenantId | None) -> str:
    """Write the position as an opaque text, for a reader of this tenant (None: of all)."""
    sources = {source.value: _write_source(one) for source, one in position.sources.items()}
    parts = [_VERSION, _owner(tenant), _write_source(position.start), dict(sorted(sources.items()))]
    text = json.dumps(parts, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def write_start(moment: datetime) -> str:
    """Write the position of a reader that begins then, of whichever tenant."""
    parts = [_VERSION, "", _write_source(start_at(moment).start), {}]
    text = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(text: str, tenant: TenantId | None) -> LogPosition:
    """Read a position, or an event's id: after that event. Empty: the beginning of the log.

    Raises CursorInvalid for what isn't ours, or another tenant's.
    """
    if not text:
        return LogPosition(SourcePosition(LogPlace(0), 0))
    if event := parse_event_id(text):
        at, digest = event
        return LogPosition(SourcePosition(LogPlace(_time(at)), max(at - 1, 0), {digest: at}))
    if len(text) > LONGEST:
        raise problems.CursorInvalid()
    try:
        padded = text + "=" * (-len(text) % 4)
        raw = base64.b64decode(padded, altchars=b"-_", validate=True)
        version, owner, start, sources = untrusted.read(raw, _BOUNDS)
        if version != _VERSION or owner not in ("", _owner(tenant)):
            raise ValueError("not this reader's")
        return LogPosition(
            _read_source(start, None, tenant),
            {
                LogSource(name): _read_source(one, LogSource(name), tenant)
                for name, one in dict(sources).items()
            },
        )
    except (ValueError, TypeError, binascii.Error):
        raise problems.CursorInvalid() from None


def _owner(tenant: TenantId | None) -> str:
    """Return a mark of whom a position belongs to, which doesn't name them."""
    return hashlib.sha256(f"log of {tenant or ''}".encode()).hexdigest()[:12]


def _write_source(position: SourcePosition) -> list[Any]:
    parts: list[Any] = [position.place.at, position.place.path, position.checked]
    if not position.told:
        return parts
    entries = bytearray()
    for digest, at in sorted(position.told.items()):
        ticks = min(max(-(-(at - position.checked) // _TICK), 0), 256**_OFFSET - 1)
        entries += digest.to_bytes(_DIGEST) + ticks.to_bytes(_OFFSET)
    return [*parts, base64.urlsafe_b64encode(bytes(entries)).decode()]


def _read_source(parts: Any, source: LogSource | None, tenant: TenantId | None) -> SourcePosition:
    """Read a source's position. Raises ValueError, TypeError."""
    at, path, checked, *rest = parts
    if not isinstance(path, str) or (path and not _fits(path, source, tenant)):
        raise ValueError("no document of this source")
    entries = base64.urlsafe_b64decode(rest[0]) if rest else b""
    size = _DIGEST + _OFFSET
    checked = _time(checked)
    told = {
        int.from_bytes(entries[start : start + _DIGEST]): checked
        + _TICK * int.from_bytes(entries[start + _DIGEST : start + size])
        for start in range(0, len(entries), size)
    }
    return SourcePosition(LogPlace(_time(at), path), checked, told)


def _time(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < LATEST:
        raise ValueError("no time of ours")
    return value


def _fits(path: str, source: LogSource | None, tenant: TenantId | None) -> bool:
    """Tell whether a document of this path can be in the source, and is the tenant's."""
    match path.split("/"):
        case ["instances", name]:
            return source is LogSource.LINES and is_document_id(name)
        case ["tenants", owner, collection, name]:
            is_own = tenant is None or owner == names.spell(tenant)
            fits = is_own and names.unspell(owner) is not None and is_document_id(name)
            return fits and source is not None and collection == _COLLECTIONS.get(source)
        case _:
            return False
