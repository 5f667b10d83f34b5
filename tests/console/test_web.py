"""Read the page's sources: libraries as pinned, only files of ours, texts put in as texts."""

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
FOLLOWED = "https://www.google.com/maps/search/"
"""A map: a person may follow the link, the page loads nothing from there."""
LONGEST = 300


def name_of(path: Path) -> str:
    return path.relative_to(WEB).as_posix()


# Libraries -----------------------------------------------------------------------------------


@in_each(
    ("folder", "packages"),
    [(vendor.WEB, vendor.LIBRARIES), (vendor.TESTS, vendor.TOOLS)],
    ids=["the page's", "the tests'"],
)
def test_libraries_are_as_pinned(folder: Path, packages: tuple[vendor.Package, ...]):
    entries = json.loads((folder / vendor.MANIFEST).read_text())["packages"]
    digests = {name: digest for entry in entries for name, digest in entry["files"].items()}
    files = {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file() and path.name != vendor.MANIFEST
    }

    assert files == digests
    assert [(entry["name"], entry["version"], entry["integrity"]) for entry in entries] == [
        (package.name, package.version, package.integrity) for package in packages
    ]


def test_libraries_have_licences():
    entries = json.loads((vendor.WEB / vendor.MANIFEST).read_text())["packages"]
    unlicensed = [
        entry["name"]
        for entry in entries
        if entry["licence"] != "Unlicense"  # asks for no file
        and not any(vendor.LICENCE.fullmatch(Path(name).name) for name in entry["files"])
    ]

    assert unlicensed == []


def test_libraries_need_only_a_browser():
    assert vendor.rewrite_module("if (process.env.NODE_ENV)", "x") == 'if ("production")'
    for path in WEB.glob("vendor/**/*.js"):
        assert "process.env" not in path.read_text()


def test_bare_names_become_paths():
    text = 'import{h}from"preact";import "./x.js";\n//# sourceMappingURL=a.map\n'

    assert (
        vendor.rewrite_module(text, "htm")
        == 'import{h}from"../preact/preact.js";import "./x.js";\n'
    )


# Modules -------------------------------------------------------------------------------------


def list_imports(path: Path) -> set[str]:
    text = path.read_text()
    names = re.findall(r"""(?:^import|\bfrom)\s*["']([^"']+)["']""", text, re.MULTILINE)
    return set(names) | set(re.findall(r"""import\(["']([^"']+)["']\)""", text))


@in_each("script", OURS, ids=name_of)
def test_imports_exist(script: Path):
    assert all((script.parent / name).resolve().is_file() for name in list_imports(script))


@in_each("script", OURS, ids=name_of)
def test_texts_are_never_markup(script: Path):
    text = script.read_text()

    assert [call for call in DANGEROUS if call in text] == []


@in_each("script", [*OURS, *STYLES, WEB / assets.PAGE], ids=name_of)
def test_no_address_is_foreign(script: Path):
    text = script.read_text().replace(FOLLOWED, "")

    assert re.findall(r"https?://(?!\$)", text) == []


def test_page_has_nothing_inline():
    page = (WEB / assets.PAGE).read_text()

    assert re.findall(r"<script(?![^>]*src=)|<style|\son\w+=|style=", page) == []


@in_each("script", [it for it in [*OURS, *STYLES] if it.parent.name != "i18n"], ids=name_of)
def test_files_stay_small(script: Path):
    assert len(script.read_text().splitlines()) < LONGEST


def test_views_are_independent():
    views = {path.name for path in (WEB / "views").iterdir() if path.is_dir()}
    another = re.compile(rf"\.\./({'|'.join(views)})/")
    wrong = [
        f"{name_of(script)} imports {name}"
        for script in OURS
        if script.parent.name in views
        for name in list_imports(script)
        if another.search(name) or "vendor/preact" in name
    ]

    assert wrong == []
