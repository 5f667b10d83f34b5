"""JSON that others wrote is read in one place, and never more of it than its reader takes."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from infra import openapi
from shared import untrusted, validation
from shared.untrusted import Bounds, NotJson, TooDeep, TooMuch
from tests.conventions.test_architecture import ROOT, files

FILE = "QUJD" * 1_000
SMALL = Bounds(size=200, items=10, depth=4)
READER = "shared/untrusted.py"
READING = {
    "load",
    "loads",
    "from_json",
    "model_validate_json",
    "validate_json",
    "JSONDecoder",
    "raw_decode",
    "get_json",
    "parse_raw",
}


# Only here -----------------------------------------------------------------------------------


def test_only_untrusted_module_reads_json():
    readers = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files("shared", "functions")
        if path.relative_to(ROOT).as_posix() != READER
        for line in _reading(path)
    ]

    assert readers == []


def _reading(path: Path) -> Iterator[int]:
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in READING:
                yield node.lineno
            case ast.Call(func=ast.Attribute(attr="json")):
                yield node.lineno


# Lengths before expressions ------------------------------------------------------------------

ROUTES = [route for edge in openapi.load_edges() for route in edge.routes]
ASKED = {model for route in ROUTES for model in (route.takes, route.asks) if model}


@pytest.mark.parametrize("model", sorted(ASKED, key=lambda model: model.__name__))
def test_pattern_comes_with_length(model: Any):
    patterns = [node for node in _objects(model.model_json_schema()) if "pattern" in node]

    assert [node for node in patterns if "maxLength" not in node] == []


def _objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _objects(item)


# What callers wrote --------------------------------------------------------------------------


def read(written: str | bytes, bounds: Bounds = SMALL) -> Any:
    raw = written.encode() if isinstance(written, str) else written
    return untrusted.read(bytearray(raw), bounds)


@pytest.mark.parametrize(
    "value", [{}, [], None, 1, "é", {"a": [{"b": [1.5, True]}]}, [0] * 9], ids=repr
)
def test_a_small_text_is_its_value(value: Any):
    assert read(json.dumps(value)) == value


@pytest.mark.parametrize(
    "written",
    ["", "{", "[1,]", "nul", "NaN", "[Infinity]", r'"\ud800"', b'"\xff"', "[" * 190, "{} {}"],
)
def test_invalid_json_differs_from_too_much(written: str | bytes):
    with pytest.raises(NotJson) as raised:
        read(written)

    assert not isinstance(raised.value, TooMuch)


@pytest.mark.parametrize(
    "value", ["x" * 200, [0] * 10, [[[[[0]]]]], {"a": {"b": {"c": {"d": {"e": 0}}}}}], ids=repr
)
def test_oversized_json_is_refused(value: Any):
    with pytest.raises(TooMuch):
        read(json.dumps(value))


@pytest.mark.parametrize(
    "value",
    [
        {"base64": FILE},
        {"image": {"caption": 'a "base64": "b"', "base64": FILE}, "to": "55"},
        [{"base64": FILE}, {"base64": FILE[::-1]}],
        {"image": {"base64": FILE.replace("Q", "/")}},
        {"base64": FILE, "text": "\0file0"},
    ],
    ids=["alone", "with words", "two", "with slashes", "with our own mark"],
)
@pytest.mark.parametrize("escaped", [False, True])
def test_a_file_does_not_count(value: Any, escaped: bool):
    written = json.dumps(value, ensure_ascii=escaped)
    written = written.replace("/", r"\/") if escaped else written

    assert read(written) == value
    assert untrusted.read(written.encode(), SMALL) == value


@pytest.mark.parametrize(
    "written",
    [
        json.dumps({"text": FILE}),
        json.dumps({"base64": [FILE]}),
        json.dumps([{"base64": FILE}] * 5),
        '{"base64": "' + FILE,
        '{"base64": "' + FILE + '\\"}',
    ],
    ids=["another field", "a list", "too many", "without end", "with an escaped end"],
)
def test_file_lookalike_counts_towards_bounds(written: str):
    with pytest.raises(TooMuch):
        read(written)


def test_accents_in_a_file_are_refused():
    with pytest.raises(NotJson):
        read(json.dumps({"base64": FILE + "é"}, ensure_ascii=False))


def test_large_file_is_held_once():
    written = bytearray(json.dumps({"base64": FILE}).encode())

    untrusted.read(written, SMALL)

    assert not written


# What servers wrote --------------------------------------------------------------------------


def test_lenient_reading_takes_loose_json():
    assert untrusted.read_lenient(r'[NaN, "\ud800", -Infinity]') == [None, "\ud800", None]
    assert untrusted.read_lenient(b'{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("written", "problem"),
    [
        ("[" * 100_000, TooDeep),
        ("{", NotJson),
        (b"\xff", NotJson),
        ("[0,0]", TooMuch),
        ("9" * 99, TooMuch),
    ],
)
def test_server_answers_have_bounds_too(written: str | bytes, problem: type[NotJson]):
    bounds = Bounds(size=50, items=1) if problem is TooMuch else untrusted.SERVERS

    with pytest.raises(problem):
        untrusted.read_lenient(written, bounds)


# What doesn't fit ----------------------------------------------------------------------------


def test_first_faults_are_named_briefly():
    model = next(model for model in ASKED if model.__name__ == "EnsureInstance")
    written = bytearray(json.dumps({"x" * 500 + str(n): 0 for n in range(30)}).encode())

    with pytest.raises(validation.problems.RequestInvalid) as raised:
        validation.validate_body(model, written, Bounds(64 * 1024))

    faults = raised.value.errors or []
    assert len(faults) == validation.MOST_FAULTS
    assert all(len(fault["field"]) <= validation.LONGEST_FAULT for fault in faults)
