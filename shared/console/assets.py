"""Load the console's files, and serve them under a version that changes with any of them."""

import gzip
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from os.path import splitext
from pathlib import Path

from shared.console import modules

WEB = Path(__file__).parent / "web"
PAGE = "index.html"
STYLE, STYLES = "styles/console.css", ("tokens", "base", "ui", "shell")
"""The page's stylesheet, and the files that it is joined from."""
VIEWS = "views/index.js"
PART = re.compile(
    r"""words: \[(?P<words>.*?)\], styles: \[(?P<styles>.*?)\],"""
    r""" load: \(\) => import\("\./(?P<module>[^"]+)"\)"""
)
"""What comes when it is needed first: a view, and of a view what its first page doesn't show."""
VIEW = re.compile(rf"""path: "/(?P<path>[\w-]+)".*{PART.pattern}""")
FIRST_VIEW = "conversations"
"""The view that most people see first; an operator's is the fleet."""
OTHERS = {
    "connect": (["shell/Linked.js"], ["views/lines/lines.css"], ["lines"]),
    "signed-in": (["vendor/oauth4webapi/oauth4webapi.js"], [], []),
}
"""What addresses that aren't a view's need besides: modules, stylesheets, words."""
LANGUAGES = ("pt", "en")
PAGES = 64
"""Rendered pages that are kept: addresses are the callers', of any depth."""
TYPES = {
    "": "text/plain; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
}
ALREADY_COMPRESSED = {".png"}
"""Types that gzip makes no smaller."""

VERSION_LENGTH = 16
FIRST_SCRIPT = "theme-first.js"
"""The one script that isn't a module: it runs before the first paint."""


@dataclass(frozen=True)
class Asset:
    """A file of the console, with its bytes."""

    name: str
    content: bytes = field(repr=False)

    @property
    def suffix(self) -> str:
        return splitext(self.name)[1]

    @property
    def mimetype(self) -> str:
        return TYPES[self.suffix]

    @cached_property
    def etag(self) -> str:
        """Return a hash of the content, quoted as HTTP wants it."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:VERSION_LENGTH]}"'

    @cached_property
    def gzipped(self) -> bytes | None:
        """Return the content in gzip (once per process), or None if gzip makes it no smaller."""
        if self.suffix in ALREADY_COMPRESSED:
            return None
        return gzip.compress(self.content, mtime=0)


@cache
def load_assets() -> dict[str, Asset]:
    """Load every file of the console, by its path in `web/`; no other file is served."""
    paths = (path for path in sorted(WEB.rglob("*")) if path.is_file() and path.suffix in TYPES)
    names = ((path.relative_to(WEB).as_posix(), path) for path in paths)
    assets = {name: Asset(name, path.read_bytes()) for name, path in names}
    parts = [assets[f"styles/{name}.css"].content for name in STYLES]
    return assets | {STYLE: Asset(STYLE, b"\n".join(parts))}


def find_asset(name: str) -> Asset | None:
    """Return a file as it is served, a module with what it imports; None if there is none."""
    asset = load_assets().get(name)
    if asset is None or asset.suffix != ".js" or name == FIRST_SCRIPT:
        return asset
    return _join(name)


@cache
def _join(name: str) -> Asset:
    return Asset(name, modules.join(name, _load_sources()).encode())


@cache
def _load_sources() -> dict[str, str]:
    scripts = (asset for asset in load_assets().values() if asset.suffix == ".js")
    return {asset.name: asset.content.decode() for asset in scripts}


@cache
def compute_version() -> str:
    """Hash all files together, so that a page never loads another version's modules."""
    digest = hashlib.sha256()
    for name, asset in load_assets().items():
        digest.update(f"{name}\0{asset.etag}\n".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


@lru_cache(PAGES)
def render_page(
    root: str, place: str = "", language: str = LANGUAGES[0], *, is_deep: bool = False
) -> Asset:
    """Render the page for an address; `root` is its relative path to the console's root.

    It names at once what the view of that `place` needs, so that nothing is found out late;
    `is_deep`: the address leads on from the view's first page.
    """
    folder = f"{root}assets/{compute_version()}/"
    scripts, styles, words = list_needed(place, is_deep=is_deep)
    scripts = scripts + [f"i18n/{name}.{language}.js" for name in ["shell", *words]]
    links = [f'<link rel="stylesheet" href="{folder}{name}">' for name in styles]
    links += [f'<link rel="modulepreload" href="{folder}{name}">' for name in scripts]
    text = load_assets()[PAGE].content.decode()
    for name, value in (("assets", folder), ("root", root), ("links", "\n".join(links))):
        text = text.replace(f"{{{{{name}}}}}", value)
    return Asset(PAGE, text.encode())


def list_needed(place: str, *, is_deep: bool = False) -> tuple[list[str], list[str], list[str]]:
    """List what the view at a place needs, or what is deep in it: modules, stylesheets, words."""
    views = {view["path"]: view for view in VIEW.finditer(load_assets()[VIEWS].content.decode())}
    if place in OTHERS:
        return OTHERS[place]
    if not (view := views.get(place or FIRST_VIEW)):
        return [], [], []
    module = f"views/{view['module']}"
    parts = [view, *(PART.finditer(_load_sources()[module]) if is_deep else ())]
    modules = [module, *(f"{module.rpartition('/')[0]}/{part['module']}" for part in parts[1:])]
    return modules, _list_named(parts, "styles"), _list_named(parts, "words")


def _list_named(parts: Iterable[re.Match[str]], what: str) -> list[str]:
    return [name for part in parts for name in re.findall(r'"([^"]+)"', part[what])]


def choose_language(accepted: str) -> str:
    """Choose the page's language as its script does: the first that it has of those accepted."""
    tags = (part.partition(";")[0].strip()[:2].lower() for part in accepted.split(","))
    return next((tag for tag in tags if tag in LANGUAGES), LANGUAGES[0])
