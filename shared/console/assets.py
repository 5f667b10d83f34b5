"""The page's files as they are served: under their version, which changes when any of them does."""

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
UNSQUEEZABLE = {".png"}
IMPORT = re.compile(r"""(?:^import|\bfrom)\s*["'](\.[^"']+)["']""", re.MULTILINE)
VERSION_LENGTH = 16


@dataclass(frozen=True)
class Asset:
    """One file, ready to be sent."""

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
        """Changes with the content."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:VERSION_LENGTH]}"'

    @cached_property
    def squeezed(self) -> bytes | None:
        """The content in gzip, once per process; None where that gains nothing."""
        if self.suffix in UNSQUEEZABLE:
            return None
        return gzip.compress(self.content, mtime=0)


@cache
def every() -> dict[str, Asset]:
    """All files of the page by their path in `web/`; nothing else can be asked for."""
    found = (path for path in sorted(WEB.rglob("*")) if path.is_file() and path.suffix in TYPES)
    names = ((path.relative_to(WEB).as_posix(), path) for path in found)
    return {name: Asset(name, path.read_bytes()) for name, path in names}


@cache
def version() -> str:
    """Of all files together, so that a page never meets another version's modules."""
    together = hashlib.sha256()
    for name, asset in every().items():
        together.update(f"{name}\0{asset.etag}\n".encode())
    return together.hexdigest()[:VERSION_LENGTH]


@cache
def page(root: str) -> Asset:
    """The page, seen from an address whose way back to the console's root is `root`."""
    folder = f"{root}assets/{version()}/"
    early = "\n".join(
        f'<link rel="modulepreload" href="{folder}{name}">' for name in modules(ENTRY)
    )
    text = every()[PAGE].content.decode()
    text = text.replace("{{assets}}", folder).replace("{{modules}}", early)
    return Asset(PAGE, text.encode())


@cache
def modules(entry: str) -> list[str]:
    """A module and all that it can't do without, so that the browser asks for them at once."""
    found = [entry]
    for name in found:
        text = every()[name].content.decode()
        for path in IMPORT.findall(text):
            wanted = posixpath.normpath(posixpath.join(posixpath.dirname(name), path))
            if wanted in every() and wanted not in found:
                found.append(wanted)
    return found
