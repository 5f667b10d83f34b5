"""Dependencies point one way, and nothing depends on somebody's machine."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

from tests.cases import in_each

ROOT = Path(__file__).parent.parent.parent
MADE = {"__pycache__", "node_modules", ".git", ".venv", ".local", ".terraform"}
MADE |= {".hypothesis", ".mypy_cache", ".pytest_cache", ".ruff_cache"}
DOOR = ROOT / "shared" / "recording.py"
STORE_CALL = re.compile(r"\bstore(?:\(\))?\.([\w.]+)$")
MESSAGE_WRITE = re.compile(r"messages\.(?!(?:find|list|read|count)(?:_|$))\w+")
STORE = ROOT / "shared" / "store"
TOUCH_OF_MESSAGES = re.compile(r"""db\.messages?\(|["']messages["']|\badd_(?:message|insert)\(""")
KNOWN_TO_TOUCH_MESSAGES = {"base", "logged", "media_copies", "missed_windows", "sends"}
"""Beside `store.messages`: the paths, one that only reads, two that the door calls, and one that
notes what became of a file, which was said before."""
SOMEBODYS_MACHINE = re.compile("/" + r"work\b")


class Import(NamedTuple):
    """Record who imports which module, and whether only when it is needed."""

    file: str
    line: int
    module: str
    lazily: bool

    def of(self, *packages: str) -> bool:
        return any(self.module == name or self.module.startswith(f"{name}.") for name in packages)

    def within(self, *places: str) -> bool:
        return any(self.file == place or self.file.startswith(f"{place}/") for place in places)

    def __str__(self) -> str:
        return f"{self.file}:{self.line} imports {self.module}"


def files(*places: str) -> list[Path]:
    return [path for place in places for path in sorted((ROOT / place).rglob("*.py"))]


def imports(path: Path) -> Iterator[Import]:
    """List a file's imports, `from x import y` as `x.y` (which may be less than a module)."""
    tree, name = ast.parse(path.read_text()), path.relative_to(ROOT).as_posix()
    typing_only = {id(node) for block in guarded(tree) for node in ast.walk(block)}
    for node in ast.walk(tree):
        lazily = node not in tree.body
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            yield from (Import(name, node.lineno, alias.name, lazily) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{name}:{node.lineno} imports relatively"
            for alias in node.names:
                yield Import(name, node.lineno, f"{node.module}.{alias.name}", lazily)


def guarded(tree: ast.Module) -> Iterator[ast.If]:
    """Find the blocks that only the type checker imports."""
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield node


FUNCTIONS = sorted((ROOT / "functions").glob("*.py"))


@cache
def all_imports() -> list[Import]:
    return [imported for path in files("functions", "shared") for imported in imports(path)]


def those(broken: Callable[[Import], bool]) -> list[str]:
    return [str(imported) for imported in all_imports() if broken(imported)]


@cache
def loaded_by() -> dict[str, set[str]]:
    """Map each of our modules to what its import loads at once: modules, and names in them."""
    loaded: dict[str, set[str]] = {}
    for imported in all_imports():
        module = imported.file.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        if not imported.lazily:
            loaded.setdefault(module, set()).add(imported.module)
    return loaded


def load(name: str, loaded: set[str]) -> set[str]:
    """Add to `loaded` what the import of one of our modules loads, with what these load."""
    parts = name.split(".")
    for module in (".".join(parts[:length]) for length in range(1, len(parts) + 1)):
        if module not in loaded:
            loaded.add(module)
            for imported in loaded_by().get(module, ()):
                load(imported, loaded)
    return loaded


# One way -------------------------------------------------------------------------------------


def test_the_domain_knows_only_itself():
    values = ("msgspec", "pydantic", "pydantic_core")

    def strange(imported: Import) -> bool:
        allowed = imported.of("shared.domain", *values, *sys.stdlib_module_names)
        return imported.within("shared/domain") and not allowed

    assert those(strange) == []


def test_shared_code_knows_no_function():
    assert those(lambda imported: imported.within("shared") and imported.of("functions")) == []


def test_functions_never_know_each_other():
    assert those(lambda imported: imported.within("functions") and imported.of("functions")) == []


def test_production_imports_no_tools_or_tests():
    assert those(lambda imported: imported.of("infra", "tests")) == []


def test_only_the_store_knows_firestore():
    def elsewhere(imported: Import) -> bool:
        allowed = imported.within("shared/store") or (
            imported.within("shared/services.py") and imported.lazily
        )
        return imported.of("google") and not allowed

    assert those(elsewhere) == []


def test_only_client_and_auth_import_httpx():
    def elsewhere(imported: Import) -> bool:
        adapters = ("shared/evolution", "shared/auth.py", "shared/alerts", "shared/scheduler.py")
        outbound = ("shared/pubsub.py", "shared/outbound/sender.py", "shared/pokes.py")
        client = "shared/http_requests.py"
        google = ("shared/bucket.py", "shared/google_account.py")
        allowed = imported.within(*adapters, *outbound, *google, client)
        now_and_then = ("shared/services.py", "shared/outbound/endpoint_addresses.py")
        lazily = imported.within(*now_and_then) and imported.lazily
        return imported.of("httpx") and not (allowed or lazily)

    assert those(elsewhere) == []


def test_only_edge_and_functions_know_web():
    def elsewhere(imported: Import) -> bool:
        allowed = imported.within("functions", "shared/web.py", "shared/auth.py")
        return imported.of("starlette", "functions_framework") and not allowed

    assert those(elsewhere) == []


def test_adapters_import_no_neighbours_or_callers():
    above = ("shared.lines", "shared.services", "shared.web", "shared.auth")

    def upwards(imported: Import) -> bool:
        store = imported.within("shared/store") and imported.of("shared.evolution", *above)
        client = imported.within("shared/evolution") and imported.of("shared.store", *above)
        return store or client

    assert those(upwards) == []


def test_no_shared_package_is_cyclic():
    dependencies: dict[str, set[str]] = {}
    for imported in all_imports():
        if imported.within("shared") and imported.of("shared"):
            dependencies.setdefault(package(imported.file), set()).add(package(imported.module))

    assert find_cycle(dependencies) == []


def package(place: str) -> str:
    """Return the package or module, directly in `shared`, that a file or a module belongs to."""
    return place.removesuffix(".py").replace("/", ".").split(".")[1]


def find_cycle(dependencies: dict[str, set[str]]) -> list[str]:
    """Find a cycle, as the path around it; what depends on itself is none."""
    graph = {name: imported - {name} for name, imported in dependencies.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        path: list[str] = error.args[1]
        return path
    return []


def test_messages_are_recorded_in_one_place():
    calls = [(path, *call) for path in files("functions", "shared") for call in store_calls(path)]
    recording = {method for path, _, method in calls if path == DOOR and "." in method}

    bypasses = [
        f"{path.relative_to(ROOT)}:{line} {method}"
        for path, line, method in calls
        if path != DOOR and (method in recording or MESSAGE_WRITE.fullmatch(method))
    ]
    assert len(recording) > 10
    assert bypasses == []


def test_only_known_topics_touch_messages():
    """A new topic of the store could write messages that the door never sees."""
    topics = {
        path.stem
        for path in sorted(STORE.glob("*.py"))
        if TOUCH_OF_MESSAGES.search(path.read_text())
    }

    assert topics == KNOWN_TO_TOUCH_MESSAGES


def store_calls(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the methods of the store that a file uses, and the lines."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and (call := STORE_CALL.search(ast.unparse(node))):
            yield node.lineno, call[1]


def test_only_the_settings_read_the_environment():
    readers = [
        path.relative_to(ROOT).as_posix()
        for path in files("functions", "shared")
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text())
    ]

    assert readers == ["shared/config.py"]


# One file, one function ----------------------------------------------------------------------


@in_each("path", FUNCTIONS, ids=lambda path: path.stem)
def test_function_is_named_like_its_file(path: Path):
    defined = {
        node.name: node
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.AsyncFunctionDef)
    }

    decorated = [ast.unparse(decorator) for decorator in defined[path.stem].decorator_list]
    assert decorated == ["functions_framework.aio.http"]


@in_each("path", FUNCTIONS, ids=lambda path: path.stem)
def test_every_function_file_has_a_summary(path: Path):
    docstring = ast.get_docstring(ast.parse(path.read_text()))

    assert docstring
    assert len(docstring.splitlines()[0]) < 100


# Portable --------------------------------------------------------------------------


def test_nothing_names_somebodys_machine():
    naming = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in every_file()
        if (match := SOMEBODYS_MACHINE.search(path.read_text(errors="replace")))
    ]

    assert naming == []


def every_file() -> Iterator[Path]:
    """List the files that people wrote."""
    for place, folders, names in os.walk(ROOT):
        folders[:] = [name for name in folders if name not in MADE]
        yield from (Path(place, name) for name in names if name not in (".coverage", ".git"))


def test_every_folder_of_tests_is_run():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
    folders = {path.relative_to(ROOT).parts[1] for path in (ROOT / "tests").rglob("test_*.py")}

    proven = re.search(r"pytest (tests/proofs .*)", (ROOT / "Makefile").read_text())
    assert proven
    run = {*settings["ini_options"]["testpaths"], *proven[1].split()}
    assert run == {f"tests/{name}" for name in folders}


# Starts --------------------------------------------------------------------------------------

EVERY = {path.stem for path in FUNCTIONS}
OF_MESSAGES = {"conversations", "deliver_events", "events", "receive_webhook", "send_message"}
OF_MESSAGES |= {"store_media", "sweep_orphans"}
OF_ENDPOINTS = {"deliver_events", "endpoints", "fleet", "sweep_capacity", "sweep_orphans"}
FROZEN = re.compile(r"\bdataclass\(.*\bfrozen=True")
LEFT_OUT = re.compile(r"^\w+: .* = field\(.*\b(repr|compare)=False")
"""A field that a struct could not leave out of its repr or its comparison."""
SPARED = {
    "google.cloud.firestore": {"console", "openapi", "tenant_feed"},
    "jwt": {"console", "openapi"},
    "pydantic": {"console", "openapi"},
    "httpx": EVERY,
    "shared.evolution.client": EVERY,
    "smtplib": EVERY,
    "shared.alerts.words": EVERY - {"fleet"},
    "phonenumbers": EVERY,
    "zoneinfo": EVERY,
    "statistics": EVERY,
    "shared.domain.content": EVERY - OF_MESSAGES,
    "shared.evolution.events.envelope": EVERY - {"receive_webhook"},
    "shared.sweeps.orphans": EVERY - {"sweep_orphans"},
    "shared.inbound.backfill": EVERY,
    "shared.outbound.event_views": EVERY,
    "shared.outbound.event_data": EVERY,
    "shared.store.messages.all_messages": EVERY,
    "shared.store.instances": EVERY - {"ensure_instance"},
    "shared.domain.endpoints": EVERY - OF_ENDPOINTS,
}
"""What costs a part of a start that tells, or grows, and the functions that start without it."""


def test_frozen_values_are_structs():
    """A frozen dataclass takes forty times as long to make, and there were over a hundred."""
    slow = [
        f"{path.relative_to(ROOT)}: {node.name}"
        for path in files("functions", "shared")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
        and any(FROZEN.search(ast.unparse(decorator)) for decorator in node.decorator_list)
        and not any(LEFT_OUT.search(ast.unparse(statement)) for statement in node.body)
    ]

    assert slow == []


@in_each("module", SPARED)
def test_functions_start_without(module: str):
    starts = {path.stem: load(f"functions.{path.stem}", set()) for path in FUNCTIONS}

    assert not {name for name in SPARED[module] if module in starts[name]}


def run_anew(code: str) -> str:
    """Return what the code prints in a process that has loaded nothing of ours yet."""
    command = [sys.executable, "-W", "error", "-c", code]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def test_database_client_loads_no_guesses_of_encodings():
    code = (
        "import functions.receive_webhook, google.cloud.firestore, sys;"
        "print('requests' in sys.modules, bool(sys.modules['charset_normalizer']))"
    )
    assert run_anew(code) == "True False\n"


def test_picture_is_shown_though_its_own_model_was_never_built():
    code = (
        "from datetime import UTC, datetime; from shared.domain.kept_messages import KeptMessage;"
        "from shared.conversations.conversation_views import message_view;"
        "contact = {'key': '552188887777', 'address': '5521988887777@s.whatsapp.net'};"
        "said = {'kind': 'image', 'text': 'oi', 'media': {'mimetype': 'image/png'}};"
        "told = {'id': '3A', 'from_me': False, 'at': 1, 'contact': contact, 'content': said};"
        "where = {'conversation': 'c', 'line': 'default', 'number': '5511999990001'};"
        "message = KeptMessage.model_validate(told | where);"
        "print(message_view(message, datetime.now(UTC)).model_dump(exclude_none=True)['media'])"
    )
    assert run_anew(code) == "{'mimetype': 'image/png'}\n"


def test_first_message_builds_its_kind_only():
    code = (
        "from shared.domain import content, messages; messages.Message.model_rebuild();"
        "content.read_content({'kind': 'text', 'text': 'oi'});"
        "print([model.__name__ for model in content.MODELS if model.__pydantic_complete__])"
    )
    assert run_anew(code) == "['TextContent']\n"
