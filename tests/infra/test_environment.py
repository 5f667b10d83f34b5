"""A file of settings is read as people write it, and a mistake in it is named."""

from pathlib import Path

import pytest

from infra import environment
from tests.cases import in_each


def test_file_may_have_comments_and_quotes(tmp_path: Path):
    file = tmp_path / "settings"
    file.write_text("# ours\n\nA=1\nB='two words'\n C = \"x=y\" \nD=\n")

    assert environment.read_variables(file) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}


def test_file_of_another_encoding_is_refused(tmp_path: Path):
    file = tmp_path / "settings"
    file.write_bytes("A=açaí\n".encode("cp1252"))

    with pytest.raises(environment.UnreadableFile, match=r"isn't UTF-8\.$"):
        environment.read_variables(file)


@in_each("line", ["export A=1", "nothing"])
def test_faulty_line_is_never_quoted(tmp_path: Path, line: str):
    file = tmp_path / "settings"
    file.write_text(f"A=1\n{line}\n")

    with pytest.raises(environment.UnreadableFile, match=r"settings:2 isn't NAME=value\.$"):
        environment.read_variables(file)
