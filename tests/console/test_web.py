"""The page's sources: libraries as they were pinned, both languages, texts put in as texts."""

import hashlib
import json
import re
from pathlib import Path

from infra import vendor
from shared.console import assets
from tests.cases import in_each

WEB = assets.WEB
OURS = sorted(path for path in WEB.rglob("*.js") if "vendor" not in path.parts)
STYLES = sorted(path for path in WEB.rglob("*.css") if "vendor" not in path.parts)
DANGEROUS = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "dangerouslySetInnerHTML",
    "eval(",
    "new Function",
    "srcdoc",
)
LONGEST = 300


def named(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


# Libraries -----------------------------------------------------------------------------------


@in_each(
    ("folder", "packages"),
    [(vendor.WEB, vendor.LIBRARIES), (vendor.TESTS, vendor.TOOLS)],
    ids=["the page's", "the tests'"],
)
def test_every_library_is_what_was_pinned_and_nothing_else_is_there(
    folder: Path, packages: tuple[vendor.Package, ...]
):
    kept = json.loads((folder / vendor.MANIFEST).read_text())["packages"]
    promised = {name: digest for each in kept for name, digest in each["files"].items()}
    there = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != vendor.MANIFEST
    }

    assert there == promised
    assert [(each["name"], each["version"], each["integrity"]) for each in kept] == [
        (each.name, each.version, each.integrity) for each in packages
    ]


def test_every_library_says_under_which_licence_it_is():
    kept = json.loads((vendor.WEB / vendor.MANIFEST).read_text())["packages"]
    without = [
        each["name"]
        for each in kept
        if each["licence"] != "Unlicense"  # asks for nothing to be kept
        and not any(vendor.LICENCE.fullmatch(Path(name).name) for name in each["files"])
    ]

    assert without == []


def test_a_library_is_not_asked_for_what_a_browser_lacks():
    assert vendor.rewrite_module("if (process.env.NODE_ENV)", "x") == 'if ("production")'
    for path in WEB.glob("vendor/**/*.js"):
        assert "process.env" not in path.read_text()


def test_bare_names_become_paths_and_nothing_else_changes():
    text = 'import{h}from"preact";import "./x.js";\n//# sourceMappingURL=a.map\n'

    assert (
        vendor.rewrite_module(text, "htm")
        == 'import{h}from"../preact/preact.js";import "./x.js";\n'
    )


# Modules -------------------------------------------------------------------------------------


def imported(path: Path) -> set[str]:
    text = path.read_text()
    names = re.findall(r"""(?:^import|\bfrom)\s*["']([^"']+)["']""", text, re.MULTILINE)
    return set(names) | set(re.findall(r"""import\(["']([^"']+)["']\)""", text))


@in_each("script", OURS, ids=named)
def test_a_module_imports_only_files_that_are_there(script: Path):
    assert all((script.parent / name).resolve().is_file() for name in imported(script))


@in_each("script", OURS, ids=named)
def test_texts_are_put_in_as_texts(script: Path):
    text = script.read_text()

    assert [each for each in DANGEROUS if each in text] == []


@in_each("script", [*OURS, *STYLES, WEB / assets.PAGE], ids=named)
def test_nothing_comes_from_elsewhere(script: Path):
    assert re.findall(r"https?://(?!\$)", script.read_text()) == []


def test_the_page_has_nothing_inline():
    page = (WEB / assets.PAGE).read_text()

    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page) == []


@in_each("script", [*OURS, *STYLES], ids=named)
def test_files_of_the_page_stay_small(script: Path):
    assert len(script.read_text().splitlines()) < LONGEST


def test_views_know_neither_each_other_nor_the_libraries():
    views = {path.name for path in (WEB / "views").iterdir() if path.is_dir()}
    another = re.compile(rf"\.\./({'|'.join(views)})/")
    wrong = [
        f"{named(script)} imports {name}"
        for script in OURS
        if script.parent.name in views
        for name in imported(script)
        if another.search(name) or "vendor/preact" in name
    ]

    assert wrong == []
