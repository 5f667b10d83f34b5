"""The settings of a deployment, from a file of `NAME=value` lines or from this process."""

import os
from pathlib import Path


class NotReadable(Exception):
    """The file isn't there, or isn't such a file."""


def read(file: Path | None) -> dict[str, str]:
    """What the file says (comments and empty lines apart), or else what is in the environment."""
    if file is None:
        return dict(os.environ)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise NotReadable(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise NotReadable(f"{file} isn't UTF-8.") from None
    return dict(_pair(file, number, line) for number, line in enumerate(lines, 1) if _says(line))


def _says(line: str) -> bool:
    return bool(line.strip()) and not line.lstrip().startswith("#")


def _pair(file: Path, number: int, line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or not name.strip().isidentifier():
        raise NotReadable(f"{file}:{number} isn't NAME=value.")
    value = value.strip()
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return name.strip(), value[1:-1] if quoted else value
