"""The documents are true: links, commands, settings, states and functions that they name exist."""

import ast
import functools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import problems
from shared.config import Settings
from shared.domain.content import Kind
from shared.domain.event_types import EventType
from shared.domain.instances import Reason, State
from shared.evolution.events.envelope import READERS

ROOT = Path(__file__).parents[2]
READMES = [ROOT / "README.md", ROOT / "README.pt-BR.md"]
DOCS = ROOT / "infra" / "docs"
DECISIONS = sorted((ROOT / "infra" / "decisions").glob("*.md"))
PACKAGES = [ROOT / "infra/clients/typescript", ROOT / "infra/examples/react-supabase"]
PACKAGE_DOCUMENTS = [package / "README.md" for package in PACKAGES]
DOCUMENTS = sorted([*READMES, *DOCS.rglob("*.md"), *DECISIONS, *PACKAGE_DOCUMENTS])
API = (DOCS / "api.md").read_text()
FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")
SYMBOL = re.compile(r"`([\w/]+\.py):([\w.]+)`")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(document: Path):
    broken = [link for link in links(document) if not leads_somewhere(document, link)]

    assert broken == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_make_target_exists(document: Path):
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))

    assert make_targets(document) - targets == set()


def test_every_npm_script_exists():
    packages = [json.loads((folder / "package.json").read_text()) for folder in PACKAGES]
    scripts = {script for package in packages for script in package["scripts"]}
    calls = {call for path in DOCUMENTS for call in re.findall(r"npm run (\w+)", path.read_text())}

    assert calls >= {"dev", "build"}
    assert calls - scripts == set()


def test_named_functions_exist():
    symbols = [symbol for document in DOCUMENTS for symbol in SYMBOL.findall(document.read_text())]

    missing = [f"{file}:{name}" for file, name in symbols if name not in definitions(ROOT / file)]
    assert len(symbols) > 30
    assert missing == []


def test_api_names_every_kind():
    _, _, table = API.partition("| kind | fields |")
    cells = [row.split("|")[1] for row in table.partition("\n\n")[0].splitlines()[2:]]

    kinds = [kind for cell in cells for kind in INLINE.findall(cell)]
    assert sorted(kinds) == sorted(Kind)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_and_attributes_exist(document: Path):
    events = {*READERS, *EventType}
    words = [word for word in INLINE.findall(prose_and_code(document)) if word not in events]

    missing = [word for word in words if not (is_no_file(word) or has_file(word))]
    missing += [word for word in words if not (is_no_attribute(word) or has_attribute(word))]
    assert missing == []


def test_every_decision_has_its_own_number():
    numbers = Counter(path.name.partition("-")[0] for path in DECISIONS)

    assert len(numbers) > 30
    assert [number for number, count in numbers.items() if count > 1] == []


def test_every_setting_is_documented():
    text = (DOCS / "configuration.md").read_text()

    missing = [name for name in Settings.__struct_fields__ if f"`{name.upper()}`" not in text]
    assert missing == []


def test_every_connection_state_is_explained():
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \|", section(API, "Connection states"), re.MULTILINE)
    reasons = {reason for _, cell in rows for reason in re.findall(r"`(\w+)`", cell)}

    assert {state for state, _ in rows} == {state.value for state in State}
    assert reasons == {reason.value for reason in Reason}


def test_example_of_problem_is_real():
    ((_, example),) = FENCED.findall(section(API, "Problems"))

    assert json.loads(example) == problems.MaximumInstancesReached().body()


# The two READMEs -----------------------------------------------------------------------------


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.name)
def test_a_readme_takes_ten_minutes(readme: Path):
    assert len(readme.read_text().splitlines()) <= 200


def test_both_readmes_have_the_same_outline():
    english, portuguese = map(outline, READMES)

    assert portuguese == english


def test_both_readmes_have_the_same_commands():
    english, portuguese = map(commands, READMES)

    assert len(english) >= 3
    assert portuguese == english


def test_both_readmes_lead_to_same_places():
    english, portuguese = (
        [link for link in links(readme) if not link.startswith("README")] for readme in READMES
    )

    assert portuguese == english


# Files and attributes ------------------------------------------------------------------------


FOREIGN = {"main.py", "invariants.violations", *map(str, EventType)}
"""A file that we don't have, as a decision says, a field of a report, and types of events."""


def prose_and_code(document: Path) -> str:
    """Return the text of a document without its blocks of code."""
    return FENCED.sub("", document.read_text())


def is_no_file(word: str) -> bool:
    return word in FOREIGN or not re.fullmatch(r"[\w./-]+\.(py|js|json|md)", word)


def has_file(word: str) -> bool:
    return any(f"/{path}".endswith("/" + word.lstrip("/")) for path in tracked_files())


def is_no_attribute(word: str) -> bool:
    """Tell whether a word isn't an attribute of one of our modules, like `names.line_key`."""
    module, _, name = word.partition(".")
    is_foreign = word in FOREIGN or not is_no_file(word) or not name.isidentifier()
    return is_foreign or not modules_named(module)


def has_attribute(word: str) -> bool:
    module, _, name = word.partition(".")
    return any(
        re.search(rf"^(async )?(def|class) {name}\b|^{name}\b", path.read_text(), re.MULTILINE)
        for path in modules_named(module)
    )


def modules_named(name: str) -> list[Path]:
    return [
        ROOT / path
        for path in tracked_files()
        if path.startswith("shared/") and path.endswith(f"/{name}.py")
    ]


@functools.cache
def tracked_files() -> list[str]:
    """List the files below functions, shared, infra and tests."""
    return [
        str(path.relative_to(ROOT))
        for top in ("functions", "shared", "infra", "tests")
        for path in (ROOT / top).rglob("*.*")
    ]


# Reading documents ---------------------------------------------------------------------------


def prose(document: Path) -> str:
    """Return the text of a document without its code."""
    return INLINE.sub("", FENCED.sub("", document.read_text()))


def links(document: Path) -> list[str]:
    return LINK.findall(prose(document))


def leads_somewhere(document: Path, link: str) -> bool:
    """Tell whether a relative link has a target; addresses on the web aren't asked."""
    if re.match(r"https?://|mailto:", link):
        return True
    path, _, anchor = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not anchor or anchor in anchors(target))


def anchors(document: Path) -> set[str]:
    """Return the anchors that GitHub gives the headings of a document, and its own."""
    text = document.read_text()
    counts: Counter[str] = Counter()
    slugs = set(re.findall(r'id="([\w-]+)"', text))
    for heading in re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        slugs.add(f"{slug}-{counts[slug]}" if counts[slug] else slug)
        counts[slug] += 1
    return slugs


def make_targets(document: Path) -> set[str]:
    text = document.read_text()
    blocks = [block for _, block in FENCED.findall(text)]
    code = "\n".join([*blocks, *INLINE.findall(FENCED.sub("", text))])
    calls = re.findall(r"(?<![\w-])make(?: +(?:-s|[A-Z_]+=\S+))*((?: +[a-z][a-z-]*)+)", code)
    return {target for targets in calls for target in targets.split()}


def definitions(file: Path) -> set[str]:
    """Return the names of all functions, classes and methods (`Class.method`) of a file."""
    return set(_definitions(ast.parse(file.read_text()))) if file.exists() else set()


def _definitions(node: ast.AST, prefix: str = "") -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.ClassDef(name=name):
                yield prefix + name
                yield from _definitions(child, f"{prefix}{name}.")
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield prefix + name


def section(text: str, heading: str) -> str:
    """Return the text below a heading, up to the next one."""
    return re.split(r"^#+ ", text.split(f"# {heading}\n", 1)[1], flags=re.MULTILINE)[0]


def outline(document: Path) -> list[str]:
    """Return the kinds of a document's blocks in their order: headings, code, lists and tables."""
    marks = r"^(#+ |```\w*|\* |\|)"
    text = FENCED.sub(r"```\1", document.read_text())
    return re.findall(marks, text, re.MULTILINE)


def commands(document: Path) -> list[str]:
    """Return the code blocks of a document without comments and trailing blanks."""
    blocks = [block for _, block in FENCED.findall(document.read_text())]
    return [re.sub(r"(^|[ \t]+)# .*$", "", block, flags=re.MULTILINE) for block in blocks]
