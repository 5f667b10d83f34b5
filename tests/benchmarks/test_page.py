"""The page and the READMEs show what the committed reports say."""

from pathlib import Path

import pytest

from tests.benchmarks import page
from tests.cases import in_each

INTAKE = {
    "machine": {"cores": 2},
    "tables": [
        {
            "title": f"{page.HIGHEST}",
            "columns": ["", "added ms", "webhooks/s", "p50 ms", "p99 ms", "wrong in the store"],
            "rows": [
                ["Perene", 0, 1234.4, 12.2, 99.0, "nothing"],
                ["client alone", 0, 2000.0, 9.0, 50.0, "nothing"],
            ],
        }
    ],
}
COLD = {
    "tables": [
        {
            "title": "Starts",
            "columns": ["function", "× bare"],
            "rows": [["no_io", 1.0], ["instances", 1.2], ["fleet", 1.4], ["console", 0.9]],
        },
        {"title": "Imports", "columns": ["import", "CPU ms"], "rows": []},
    ]
}


@in_each("path", page.PAGES)
def test_page_shows_committed_reports(path: Path):
    text = path.read_text()

    assert page.list_blocks(text)
    assert page.render_page(text, page.load_reports()) == text


def test_every_report_has_its_place():
    blocks = page.list_blocks(page.PAGES[0].read_text())

    assert set(page.load_reports()) <= set(blocks)


def test_report_of_a_part_is_not_taken(tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "target"
    for folder in (source, target):
        folder.mkdir()
    for name in ("gates", "gates-burst"):
        (source / f"{name}.json").write_text("{}")

    page.take_reports(source, target)

    assert [path.name for path in target.iterdir()] == ["gates.json"]


def test_headlines_are_the_reports_figures():
    text = "<!-- python -m tests.benchmarks.page, destaques -->\n<!-- end -->"

    shown = page.render_page(text, {"intake": INTAKE, "cold": COLD})

    assert "**1.234 webhooks por segundo**" in shown
    assert "leva 1,20 vezes" in shown
    assert "a pior: 1,40" in shown


def test_rate_with_wrong_store_is_no_headline():
    (table,) = INTAKE["tables"]
    wrong = {**table, "rows": [[*row[:-1], "3 doubled"] for row in table["rows"]]}
    text = "<!-- python -m tests.benchmarks.page, headlines -->\n<!-- end -->"

    with pytest.raises(AssertionError):
        page.render_page(text, {"intake": {**INTAKE, "tables": [wrong]}, "cold": COLD})
