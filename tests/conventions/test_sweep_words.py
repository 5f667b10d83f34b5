"""Everything that a sweep counts has words in the console."""

import ast
import re
from collections.abc import Iterator

from shared.console import assets
from shared.sweeps import unfinished
from tests.conventions.test_architecture import files

BLOCK = re.compile(r"^  counts: \{\n(.*?)^  \},", re.DOTALL | re.MULTILINE)
KEY = re.compile(r"^    (\w+):", re.MULTILINE)
MOVED = {"suspected", "quarantined", "cleared"}
"""What `orphans` counts by a variable."""


def test_every_count_has_words():
    counts = {count for path in files("shared/sweeps") for count in _counted(path.read_text())}
    counts |= {*unfinished.WHAT.values()} | MOVED

    assert "recovered" in counts
    for language in ("pt", "en"):
        (block,) = BLOCK.findall((assets.WEB / f"i18n/fleet.{language}.js").read_text())
        assert set(KEY.findall(block)) == counts, language


def _counted(source: str) -> Iterator[str]:
    """Yield the names in `run.did(step, name)` and `run.counts[name]`."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(attr="did"), args=[_, name]):
                yield from _texts(name)
            case ast.Subscript(value=ast.Attribute(attr="counts"), slice=name):
                yield from _texts(name)


def _texts(name: ast.expr) -> Iterator[str]:
    """Yield a text, or both of a choice."""
    match name:
        case ast.Constant(value=str() as text):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from (*_texts(one), *_texts(other))
