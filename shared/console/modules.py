"""Join the page's modules, so that a page needs few round trips.

A module is served with everything it imports, except what `app.js` has brought already. Each is
evaluated once, whichever file brings it first: all files share `app.js`'s registry. So any module
can still be imported at its own address. `import` and `export` are rewritten as they are written
here and in the pinned libraries; another way to write them is refused.
"""

import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

ENTRY = "app.js"
REGISTRY = "$modules"

STATEMENT = r"(?:^|(?<=[;}]))"
PATH = r"""["'](?P<path>\.[^"']+)["'];?"""
IMPORT = re.compile(
    rf"""{STATEMENT}import\s*(?:(?P<names>[\w${{*][^"'();]*?)\s*from\s*)?{PATH}""", re.M
)
LIST = re.compile(rf"{STATEMENT}export\s*\{{(?P<names>[^}}]*)\}}(?:\s*from\s*{PATH}|;?)", re.M)
DECLARATION = re.compile(
    r"^export (?P<what>(?:const|class|(?:async )?function\*?) (?P<name>[\w$]+))", re.M
)
DEFAULT = re.compile(
    rf"{STATEMENT}export default (?:(?P<what>(?:async )?function (?P<name>[\w$]+))|)", re.M
)
LATER = re.compile(r"""\bimport\((?P<quote>["`])(?P<path>\.{1,2}/[^"`$]*)""")
HERE = "import.meta.url"
LEFT = re.compile(rf"{STATEMENT}\s*(?:import\b(?![.(])|export\b).*", re.M)
COMMENT = re.compile(r"^[ \t]*(?://.*|/\*(?!!)[\s\S]*?\*/[ \t]*)\n", re.M)

Sources = Mapping[str, str]
"""What every module says, by its path."""


class Unjoinable(Exception):
    """A module imports or exports in a way that isn't understood."""


class Names(NamedTuple):
    """A name inside of a module, and what it is called outside."""

    inside: str
    outside: str


@dataclass
class Module:
    """A module as the body of a function, and what it imports and exports."""

    path: str
    code: str = ""
    imports: list[str] = field(default_factory=list)
    exports: list[Names] = field(default_factory=list)

    def resolve(self, path: str) -> str:
        """Return where a relative path leads from this module."""
        found = posixpath.normpath(posixpath.join(posixpath.dirname(self.path), path))
        return found + "/" if path.endswith("/") else found

    def note_import(self, path: str) -> str:
        """Note a module that must come first; return the words that mean it."""
        self.imports.append(self.resolve(path))
        return f'{REGISTRY}["{self.imports[-1]}"]'


def join(path: str, sources: Sources) -> str:
    """Join a module with what it imports and `app.js` doesn't. Raises Unjoinable."""
    core = {} if path == ENTRY else _collect(ENTRY, sources)
    modules = [module for name, module in _collect(path, sources).items() if name not in core]
    folder = posixpath.dirname(path)
    begin = (
        f"export const {REGISTRY} = {{}};"
        if path == ENTRY
        else f'import {{ {REGISTRY} }} from "{_point(ENTRY, folder)}";'
    )
    return "\n".join(
        [begin, *(_wrap(module, folder) for module in modules), *_export(path, sources)]
    )


def _collect(path: str, sources: Sources) -> dict[str, Module]:
    """Collect a module and what it imports, each after what it needs itself."""
    collected: dict[str, Module] = {}
    _visit(path, sources, collected, [])
    return collected


def _visit(path: str, sources: Sources, collected: dict[str, Module], importers: list[str]) -> None:
    if path in importers:
        raise Unjoinable(f"{' imports '.join([*importers, path])}")
    if path in collected:
        return
    module = parse_module(path, sources[path])
    for imported in module.imports:
        _visit(imported, sources, collected, [*importers, path])
    collected[path] = module


@cache
def parse_module(path: str, text: str) -> Module:
    """Turn a module into a function's body. Raises Unjoinable."""
    module = Module(path)

    def take_import(match: re.Match[str]) -> str:
        source = module.note_import(match["path"])
        return f"const {_bind(match['names'])} = {source};" if match["names"] else ""

    def take_list(match: re.Match[str]) -> str:
        source = f"{module.note_import(match['path'])}." if match["path"] else ""
        module.exports += [
            Names(source + inside, outside) for inside, outside in _pairs(match["names"])
        ]
        return ""

    def take_declaration(match: re.Match[str]) -> str:
        module.exports.append(Names(match["name"], match["name"]))
        return match["what"]

    def take_default(match: re.Match[str]) -> str:
        module.exports.append(Names(match["name"] or "$default", "default"))
        return match["what"] or "const $default = "

    code = COMMENT.sub("", text)
    for pattern, take in (
        (IMPORT, take_import),
        (LIST, take_list),
        (DECLARATION, take_declaration),
        (DEFAULT, take_default),
    ):
        code = pattern.sub(take, code)
    if left := LEFT.search(code):
        raise Unjoinable(f"{path}: {left[0].strip()[:80]}")
    module.code = code.strip()
    return module


def _bind(clause: str) -> str:
    """Turn an import clause into what `const` takes: `a, { b as c }` is `{ default: a, b: c }`."""
    if star := re.fullmatch(r"\*\s*as\s+([\w$]+)", clause):
        return star[1]
    alone, _, listed = clause.partition("{")
    parts = [f"default: {alone.strip(' ,')}"] if alone.strip(" ,") else []
    parts += [f"{outside}: {inside}" for outside, inside in _pairs(listed.rstrip("} "))]
    return f"{{ {', '.join(parts)} }}"


def _pairs(names: str) -> Iterator[tuple[str, str]]:
    """Split `a as b, c` into pairs: (a, b), (c, c)."""
    for part in filter(None, (part.strip() for part in names.split(","))):
        first, *more = re.split(r"\s+as\s+", part)
        yield first, more[0] if more else first


def _wrap(module: Module, folder: str) -> str:
    """Evaluate a module unless another file has."""
    exports = ", ".join(f"{names.outside}: {names.inside}" for names in module.exports)
    here = f'new URL("{_point(module.path, folder)}", {HERE}).href'
    code = module.code.replace(HERE, here)
    code = LATER.sub(
        lambda match: f"import({match['quote']}{_point(module.resolve(match['path']), folder)}",
        code,
    )
    body = f"{code}\nreturn {{ {exports} }};"
    return f'{REGISTRY}["{module.path}"] ??= (() => {{\n{body}\n}})();'


def _export(path: str, sources: Sources) -> Iterator[str]:
    """Export what the module itself exports."""
    for index, names in enumerate(parse_module(path, sources[path]).exports):
        yield f'const $x{index} = {REGISTRY}["{path}"].{names.outside};'
        yield f"export {{ $x{index} as {names.outside} }};"


def _point(path: str, folder: str) -> str:
    """Return the way to a path from a folder, as an import names it."""
    way = posixpath.relpath(path, folder or ".") + ("/" if path.endswith("/") else "")
    return way if way.startswith(".") else f"./{way}"
