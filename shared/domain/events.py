"""What WhatsApp told us, in our words."""

from dataclasses import dataclass

from shared.domain.upstream import Scannable


@dataclass(frozen=True)
class Opened:
    """The instance is connected; `number` is the phone number it is paired with."""

    number: str | None


@dataclass(frozen=True)
class LoggedOut:
    """The session ended for good: only a new pairing brings it back."""


@dataclass(frozen=True)
class ConnectionLost:
    """The connection closed in a way that isn't a log-out."""


@dataclass(frozen=True)
class CodeShown:
    """There is a new code to scan."""

    shown: Scannable


@dataclass(frozen=True)
class CodesExhausted:
    """Nobody scanned any of the codes; none comes until somebody asks again."""


@dataclass(frozen=True)
class Removed:
    """The instance is gone upstream."""


@dataclass(frozen=True)
class Ignored:
    """Nothing we are interested in, and why."""

    reason: str


Event = Opened | LoggedOut | ConnectionLost | CodeShown | CodesExhausted | Removed | Ignored
