"""Validate the files of requests to send: at a public address, or in the request itself."""

import ipaddress
import re
import string
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from shared.domain.record import Record

LARGEST = 16 * 1024 * 1024
"""Bytes of a file in a request; WhatsApp takes no larger image, video or audio."""

LONGEST_BASE64 = 4 * -(-LARGEST // 3)
_BASE64 = f"{string.ascii_letters}{string.digits}+/".encode()
_PIECE = 1024 * 1024
_HOST = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?:[a-z]{2,63}|xn--[a-z0-9-]{2,59})",
    re.IGNORECASE | re.ASCII,
)
_UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u3000\ufeff]")
_INSIDE = (
    *(".local", ".localhost", ".internal", ".invalid", ".test", ".example", ".home.arpa"),
    *(".lan", ".intranet", ".corp", ".home", ".private"),
)


def _require_public_address(value: str) -> str:
    """Return an address that a server may fetch: on the public web, never in its own network.

    A name can still resolve to an inner address; the server's network has to refuse that.
    """
    if _UNPRINTABLE.search(value):
        raise ValueError("must be an address without blanks")  # readers differ on what they mean
    parts = urlsplit(value)
    host = parts.hostname or ""
    if parts.scheme != "https" or parts.username or parts.password:
        raise ValueError("must be an https:// address without a password")
    if (
        parts.port == 0
        or _is_ip(host)
        or not _HOST.fullmatch(host)
        or host.lower().endswith(_INSIDE)
    ):
        raise ValueError("must be on the public web")
    return value


def _is_ip(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _require_base64(value: str) -> str:
    if len(value) > LONGEST_BASE64:
        raise ValueError(f"is too large: {LARGEST} bytes at most")
    if not value or len(value) % 4 or not _is_base64(value):
        raise ValueError("must be plain base64, without `data:` and line breaks")
    return value


def _is_base64(value: str) -> bool:
    """Tell whether a text is base64; a regular expression would take as long as all the rest."""
    bare = len(value) - value.endswith("=") - value.endswith("==")
    return value.isascii() and not any(
        value[start : min(start + _PIECE, bare)].encode().translate(None, _BASE64)
        for start in range(0, bare, _PIECE)
    )


MIMETYPE = r'^[\w.+-]+/[\w.+-]+( *; *[\w.+-]+=([\w.+-]+|"[\w .,+-]*"))*$'
"""A type, which may have parameters: `audio/ogg; codecs=opus`."""


class File(Record):
    """A file: either its public address or its base64."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(max_length=2_000), AfterValidator(_require_public_address)] | None = (
        None
    )
    base64: Annotated[str, AfterValidator(_require_base64)] | None = Field(default=None, repr=False)

    mimetype: str | None = Field(default=None, pattern=MIMETYPE, max_length=100)

    @model_validator(mode="after")
    def _require_one_source(self) -> Self:
        if (self.url is None) == (self.base64 is None):
            raise ValueError("exactly one of url and base64 is needed")
        return self

    @property
    def source(self) -> str:
        """Return the address or the base64, as a server takes it."""
        return self.url or self.base64 or ""


Caption = Annotated[str, Field(min_length=1, max_length=1_024)]


class Picture(File):
    """An image or a video."""

    caption: Caption | None = None


class Document(Picture):
    """A file of any type, with its name."""

    name: str = Field(min_length=1, max_length=200)


Sent = TypeVar("Sent", bound=File)


def _require_agreement(file: File, shown: str) -> None:
    from shared.sending import file_types  # loads a library that most requests don't need

    name = file.name if isinstance(file, Document) else None
    file_types.require_agreement(file_types.Shown(shown), file.mimetype, name, file.base64)


def sent_as(shown: Literal["image", "video", "audio", "document"]) -> AfterValidator:
    """Make a validator of files that are sent so: each has to be what it is said to be."""

    def require(file: Sent) -> Sent:
        _require_agreement(file, shown)
        return file

    return AfterValidator(require)
