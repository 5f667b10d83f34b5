"""The types of settings, and how each is read from a text; no fault quotes it."""

import re
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from ipaddress import ip_address
from types import NoneType
from typing import Any, ClassVar, Self, get_args
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

JSON = Meta(extra={"written": "json"})
WORDS = Meta(extra={"written": "words"})
"""Mark a setting that is written as JSON, and one whose words spaces or commas separate."""

_PORTS = {"http": 80, "https": 443}
_OUTSIDE_ADDRESS = re.compile(r"[\s\x00-\x1f\x7f<>\"\\]")
_PLACE = re.compile(r"(?:[^@\[\]]*@)?(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:@%^|]+)(?::[0-9]*)?")
"""User, host and port."""

_PICTURE = re.compile(r"https://[^@\s;,]+")
_LONGEST_PICTURE = 500
_SPELLINGS = {
    **dict.fromkeys(("1", "on", "t", "true", "y", "yes"), "true"),
    **dict.fromkeys(("0", "f", "false", "n", "no", "off"), "false"),
}
_EXPECTED = {
    "Expected `int`, got `str`": "must be a whole number",
    "Expected `float`, got `str`": "must be a number",
    "Expected `bool`, got `str`": "must be true or false",
}
"""Reasons in the words of people, who know no types."""

_STEP = re.compile(r"\[(\d+)\]|\.(\w+)")
_FIELD = re.compile(r"Object (contains unknown|missing required) field `([^`]*)`")


class SettingText(str):
    """A text of some form."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the text as a setting. Raises ValueError."""
        cls.check(text)
        return cls(text)

    @staticmethod
    def check(text: str) -> None:
        """Raise ValueError for a text of another form."""


class Address(SettingText):
    """An address of the web."""

    __slots__ = ()

    @staticmethod
    def check(text: str) -> None:
        """Raise ValueError for what is no address."""
        spell_address(text)


class Url(Address):
    """An address of the web, without a slash at its end."""

    __slots__ = ()

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the address. Raises ValueError."""
        return super().read(text.rstrip("/"))


class HiddenAddress(Address):
    """An address of the web that is never shown by accident."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "HiddenAddress(…)"


class PictureAddress(Address):
    """An address of a picture that pages may show."""

    __slots__ = ()

    @staticmethod
    def check(text: str) -> None:
        """Raise ValueError for an address that a page's policy couldn't allow."""
        spell_address(text)
        if not _PICTURE.fullmatch(text) or len(text) > _LONGEST_PICTURE:
            raise ValueError(
                f"must begin with https://, name no user, and have {_LONGEST_PICTURE} characters"
                " at most"
            )


class Password:
    """A text that is never shown by accident."""

    __slots__ = ("_text",)
    least: ClassVar = 1

    def __init__(self, text: str) -> None:
        self._text = text

    @classmethod
    def read(cls, text: str) -> Self:
        """Return the text as a setting. Raises ValueError."""
        if len(text) < cls.least:
            raise ValueError(f"must have {cls.least} characters at least")
        return cls(text)

    def get_secret_value(self) -> str:
        """Return the text."""
        return self._text

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Password) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


class Secret(Password):
    """A secret by which callers are known: too long to be guessed."""

    __slots__ = ()
    least = 32


class NotRead(ValueError):
    """A text that isn't what the setting should be; `place`: where in it, as in `.1.url`."""

    def __init__(self, reason: str, place: str = "") -> None:
        super().__init__(reason)
        self.place = place


def read_setting(text: str, kind: Any) -> Any:
    """Return a setting of the type `kind` from its text, which is never None. Raises NotRead."""
    kind = _without_none(kind)
    written = next((meta.extra["written"] for meta in _metas(kind) if meta.extra), None)
    try:
        text.encode()
        if written == "json":
            return msgspec.json.decode(text, type=kind, strict=False, dec_hook=_read_value)
        value: Any = text
        if written == "words":
            value = [word for word in re.split(r"[\s,]+", text) if word]
        elif kind is bool:
            value = _SPELLINGS.get(text.lower(), text)
        elif (number := getattr(kind, "__origin__", kind)) in (int, float):
            with suppress(ValueError):
                value = number(text)  # of more spellings than msgspec knows
        return msgspec.convert(value, kind, strict=False, dec_hook=_read_value)
    except UnicodeEncodeError:
        raise NotRead("must be UTF-8") from None
    except RecursionError:
        raise NotRead("is nested too deep") from None
    except msgspec.MsgspecError as error:
        raise _explain(error, kind) from None


def spell_address(address: str) -> str:
    """Return the one spelling of all addresses that mean the same. Raises ValueError."""
    try:
        parts = urlsplit(address)
        host, usual_port = parts.hostname or "", _PORTS[parts.scheme]
        port = parts.port or usual_port
        if not host.isascii():
            host = host.encode("idna").decode()
        if ":" in host or host.rpartition(".")[2].isdigit():
            host = str(ip_address(host))
        if not _PLACE.fullmatch(parts.netloc) or _OUTSIDE_ADDRESS.search(address):
            raise ValueError
    except (KeyError, ValueError):
        raise ValueError("must be an address, as in https://perene.example.com") from None
    user = parts.netloc.rpartition("@")[0]
    return f"{parts.scheme}://{user}@{host}:{port}{parts.path.rstrip('/')}?{parts.query}"


def _read_value(kind: Any, value: Any) -> Any:
    """Read what msgspec knows nothing of."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    return kind.read(value)


def _explain(error: msgspec.MsgspecError, kind: Any) -> NotRead:
    reason, _, where = str(error).partition(" - at `")
    place = "".join(f".{index or name}" for index, name in _STEP.findall(where))
    if field := _FIELD.match(reason):
        reason = "Field required" if field[1] == "missing required" else "There is no such field"
        place += f".{field[2]}"
    if reason.startswith("Invalid enum value"):  # msgspec would quote it
        choices = ", ".join(_list_choices(kind))
        reason = f"must be one of {choices}" if choices else "must be another word"
    reason = _EXPECTED.get(reason, reason)
    return NotRead(f"a name {reason}" if where.startswith("key") else reason, place)


def _without_none(kind: Any) -> Any:
    """Return the type of a setting that is there, of one that may be left out."""
    kinds = [one for one in get_args(kind) if one is not NoneType]
    return kinds[0] if NoneType in get_args(kind) and len(kinds) == 1 else kind


def _metas(kind: Any) -> tuple[Meta, ...]:
    return getattr(kind, "__metadata__", ())


def _list_choices(kind: Any) -> Iterator[str]:
    """List the texts that a type allows."""
    if isinstance(kind, str):
        yield kind
    elif isinstance(kind, type) and issubclass(kind, Enum):
        yield from (str(choice.value) for choice in kind)
    for part in get_args(kind):
        yield from _list_choices(part)
