"""Load the versions of `<perene-connect>`, the element with which any page connects a line."""

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path

from pydantic import Field

from shared.console.assets import Asset
from shared.domain.record import Record

ELEMENTS = Path(__file__).parent / "elements"
NEWEST = "v1"
NAME = "perene-connect.js"


class ConnectElement(Record):
    """The newest version of `<perene-connect>`."""

    version: str
    src: str = Field(description="The address of its script")
    integrity: str = Field(description="The hash for `integrity` of the script tag")


@cache
def load_versions() -> dict[str, Asset]:
    """Load every version, by its name: `v1`. No other file is served."""
    paths = ELEMENTS.glob(f"*/{NAME}")
    return {path.parent.name: Asset(NAME, path.read_bytes()) for path in paths}


def describe(origin: str) -> ConnectElement:
    """Describe the newest version, as the deployment at that origin serves it."""
    integrity = compute_integrity(load_versions()[NEWEST].content)
    src = f"{origin}/console/embed/{NEWEST}/{NAME}"
    return ConnectElement(version=NEWEST, src=src, integrity=integrity)


def compute_integrity(content: bytes) -> str:
    """Return the hash of a file as subresource integrity writes it."""
    return f"sha384-{b64encode(hashlib.sha384(content).digest()).decode()}"
