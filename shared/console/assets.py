"""Load the console's files, and serve them under a version that changes with any of them."""

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path

WEB = Path(__file__).parent / "web"
PAGE, ENTRY = "index.html", "app.js"
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

IMPORT = re.compile(r"""(?:^import|\bfrom)\s*["'](\.[^"']+)["']""", re.MULTILINE)
VERSION_LENGTH = 16


@dataclass(frozen=True)
class Asset:
    """A file of the console, with its bytes."""

    name: str
    content: bytes = field(repr=False)

    @property
    def suffix(self) -> str:
        return Path(self.name).suffix

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
    return {name: Asset(name, path.read_bytes()) for name, path in names}


@cache
def compute_version() -> str:
    """Hash all files together, so that a page never loads another version's modules."""
    digest = hashlib.sha256()
    for name, asset in load_assets().items():
        digest.update(f"{name}\0{asset.etag}\n".encode())
    return digest.hexdigest()[:VERSION_LENGTH]


@cache
def render_page(root: str) -> Asset:
    """Render the page for an address; `root` is its relative path to the console's root."""
    folder = f"{root}assets/{compute_version()}/"
    preloads = "\n".join(
        f'<link rel="modulepreload" href="{folder}{name}">' for name in list_modules(ENTRY)
    )
    text = load_assets()[PAGE].content.decode()
    text = text.replace("{{assets}}", folder).replace("{{modules}}", preloads)
    return Asset(PAGE, text.encode())


@cache
def list_modules(entry: str) -> list[str]:
    """List a module and everything it imports, so that the browser can fetch them at once."""
    modules = [entry]
    for name in modules:  # grows while it is walked
        text = load_assets()[name].content.decode()
        for path in IMPORT.findall(text):
            module = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            if module in load_assets() and module not in modules:
                modules.append(module)
    return modules
