"""Tell what a server of some version can do, so that no other module compares versions."""

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from shared import config

_REPEATS_LONG_SINCE = (2, 3)


class Capabilities(Struct, frozen=True):
    """What differs between servers for those who use them (EVOLUTION.md §3, §4)."""

    sends_headers: bool
    """Webhooks carry headers of ours."""

    tells_numbers: bool
    """The census tells the number of an instance that isn't connected."""

    repeats_webhooks: bool
    """An event that we didn't accept is posted again."""

    holds_edits_back: bool
    """While we are unreachable, an edit holds back what comes after it; a restart loses that."""

    repeats_for_long: bool = False
    """Webhooks are repeated for longer than 5 minutes, and not those that we refuse for good."""


_BY_DIALECT: Mapping[config.DialectName, Capabilities] = {
    "2": Capabilities(
        sends_headers=True, tells_numbers=True, repeats_webhooks=True, holds_edits_back=True
    ),
    "1.8": Capabilities(
        sends_headers=False, tells_numbers=False, repeats_webhooks=False, holds_edits_back=False
    ),
}


def find_capabilities(version: str) -> Capabilities:
    """Return what servers of a version can do. The version must be one that Perene knows."""
    dialect = config.dialect_of(version)
    assert dialect
    release = tuple(int(part) for part in version.split(".")[:2])
    return replace(_BY_DIALECT[dialect], repeats_for_long=release >= _REPEATS_LONG_SINCE)
