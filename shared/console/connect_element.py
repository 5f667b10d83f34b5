"""Load the versions of `<perene-connect>`, the element with which any page connects a line."""

import hashlib
from base64 import b64encode
from functools import cache
from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from shared.console.assets import Asset

ELEMENTS = Path(__file__).parent / "elements"
NEWEST = "v1"
NAME = "perene-connect.js"


class ConnectElement(Struct, frozen=True):
    """The newest version of `<perene-connect>`."""

    version: str
    src: Annotated[str, Meta(description="The address of its script")]
    integrity: Annotated[str, Meta(description="The hash for the `integrity` of a script element")]


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
