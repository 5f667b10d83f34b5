"""Words of Evolution API stay inside its adapter."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from shared.evolution import deliveries, subscription
from shared.evolution.events import envelope

ROOT = Path(__file__).parent.parent.parent
ADAPTER = ROOT / "shared" / "evolution"
OWN_HEADER_OF_EVOLUTION = "apikey"
FIELD = re.compile(r"[a-z]+(?:[A-Z]+[a-z0-9]*)+")
"""A name as Evolution's JSON spells it; ours are in snake case."""

HOSTS = ("s.whatsapp.net", "c.us", "g.us")

EXCEPTIONS = {
    ("shared/domain/contacts.py", "s.whatsapp.net"): "a contact's stored identity is its address",
    ("shared/domain/contacts.py", "c.us"): "the older spelling of the same address",
    ("shared/domain/contacts.py", "g.us"): "a group's stored identity is its address",
    ("shared/sending/destination.py", "s.whatsapp.net"): "a stored contact may have only a number",
}


def constants(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the texts in a file's code with their lines, without docstrings and descriptions."""
    tree = ast.parse(path.read_text())
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.lineno, node.value


def names(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the identifiers in a file with their lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Name(id=name) | ast.Attribute(attr=name) | ast.arg(arg=name):
                yield node.lineno, name
            case ast.keyword(arg=str(name)):
                yield node.value.lineno, name


def provider_words() -> set[str]:
    """List the fields, events and statuses that the adapter reads or writes."""
    texts = {text for path in ADAPTER.rglob("*.py") for _, text in constants(path)}
    events = {
        *envelope.READERS,
        *envelope.UNUSED,
        *subscription.EVENTS,
        *subscription.EVENTS_SINCE_2,
    }
    return {
        OWN_HEADER_OF_EVOLUTION,
        *HOSTS,
        *filter(FIELD.fullmatch, texts),
        *(event for event in events if not event.isalpha()),
        *(status for status in deliveries.DELIVERIES if "_" in status),
    }


def others() -> list[Path]:
    paths = [*(ROOT / "functions").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]
    return sorted(path for path in paths if ADAPTER not in path.parents)


def trespasses() -> Iterator[tuple[str, int, str]]:
    """Yield each place outside the adapter where a provider word stands in the code."""
    word = re.compile(
        r"(?<![\w.])(?:" + "|".join(sorted(map(re.escape, provider_words()))) + r")(?![\w])"
    )
    for path in others():
        for line, text in (*constants(path), *names(path)):
            yield from (
                (path.relative_to(ROOT).as_posix(), line, hit) for hit in word.findall(text)
            )


def test_provider_words_include_common_ones():
    words = {"remoteJid", "pushName", "fromMe", "instanceName", "messageType", "keyId", "apikey"}
    words |= {"connection.update", "messages.upsert", "MESSAGES_UPSERT", "SERVER_ACK"}

    assert words <= provider_words()


def test_evolution_words_stay_in_their_adapter():
    strangers = [
        f"{path}:{line} {word}"
        for path, line, word in trespasses()
        if (path, word) not in EXCEPTIONS
    ]

    assert strangers == []


def test_every_exception_is_needed():
    needed = {(path, word) for path, _, word in trespasses()}

    assert set(EXCEPTIONS) == needed & set(EXCEPTIONS)


def test_only_adapter_asks_for_dialect():
    readers = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in others()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "dialect" and path.name != "config.py"
    ]

    assert readers == []
