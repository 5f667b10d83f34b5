"""Read the settings of a deployment from a file of `NAME=value` lines or from this process."""

import os
from pathlib import Path


class UnreadableFile(Exception):
    """The file is absent or isn't a file of settings; the message is one sentence."""


def read_variables(file: Path | None) -> dict[str, str]:
    """Return the variables of the file, or of this process without a file. Raises UnreadableFile.

    Comments and empty lines are skipped. Quotes around a value are removed.
    """
    if file is None:
        return dict(os.environ)
    try:
        lines = file.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise UnreadableFile(f"{file} can't be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise UnreadableFile(f"{file} isn't UTF-8.") from None
    return dict(
        _parse_pair(file, number, line)
        for number, line in enumerate(lines, 1)
        if not _is_comment(line)
    )


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _parse_pair(file: Path, number: int, line: str) -> tuple[str, str]:
    name, equals, value = line.partition("=")
    if not equals or not name.strip().isidentifier():
        raise UnreadableFile(f"{file}:{number} isn't NAME=value.")
    value = value.strip()
    is_quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return name.strip(), value[1:-1] if is_quoted else value
