"""Fetch the console's pinned libraries from npm: `make vendor`. Nothing is built.

A browser resolves a bare specifier only with an import map, which a strict policy doesn't allow
inline. So `from "preact"` becomes `from "../preact/preact.js"`. Nothing else in a module changes.
Only the icons that the console shows are vendored.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).parent.parent
WEB = ROOT / "shared" / "console" / "web" / "vendor"
TESTS = ROOT / "tests" / "console" / "vendor"
MANIFEST = "manifest.json"
SPECIFIER = re.compile(r"""\b(from|import)(\s*)(["'])([^"']+)\3""")
SOURCE_MAP = re.compile(r"^//# sourceMappingURL=.*\n?", re.MULTILINE)
MODE = "process.env.NODE_ENV"
LICENCE = re.compile(r"licen[cs]e(\.\w+)?", re.IGNORECASE)


class Package(NamedTuple):
    """A package of npm. `files` maps a path in its tarball to the name of our copy."""

    name: str
    version: str
    integrity: str
    files: Mapping[str, str]

    @property
    def folder(self) -> str:
        return self.name.removeprefix("@").replace("/", "-")


LIBRARIES = (
    Package(
        "preact",
        "10.29.8",
        "sha512-ej2aVZ+vZ8WO7tvlQWRM9N63A0KzF9q4mWJfDUHgYaIofWY9hu74Q"
        "dnQrjoPMmZi2/nZ5gN0bJCQF49xQqx09Q==",
        {
            "dist/preact.module.js": "preact.js",
            "hooks/dist/hooks.module.js": "hooks.js",
        },
    ),
    Package(
        "@preact/signals-core",
        "1.14.5",
        "sha512-vcRv7Ityz5JVmeiVqIluLFzT/PDS/AlhHUpw3/aUWqcVUs6bDGIPX"
        "E/6RSC4evBNWYvnniozg5Syfj33al3gkg==",
        {
            "dist/signals-core.mjs": "signals-core.js",
        },
    ),
    Package(
        "@preact/signals",
        "2.11.4",
        "sha512-Rb+5RPo9gWSaHtzJeauhHxiC8KP/IF2DEPkHPEOGOnuy2wnJzRqye"
        "LRankUCYd6ADqtxS6GnWGv6Ie343d8aYw==",
        {
            "dist/signals.mjs": "signals.js",
        },
    ),
    Package(
        "htm",
        "3.1.1",
        "sha512-983Vyg8NwUE7JkZ6NmOqpCZ+sh1bKv2iYTlUkzlWmA5JD2acKoxd4"
        "KVxbMmxX/85mtfdnDmTFoNKcg5DGAvxNQ==",
        {
            "dist/htm.mjs": "htm.js",
            "preact/index.mjs": "preact.js",
        },
    ),
    Package(
        "regexparam",
        "3.0.0",
        "sha512-RSYAtP31mvYLkAHrOlh25pCNQ5hWnT106VukGaaFfuJrZFkGRX5Gh"
        "UAdPqpSDXxOhA2c4akmRuplv1mRqnBn6Q==",
        {
            "dist/index.mjs": "regexparam.js",
        },
    ),
    Package(
        "wouter-preact",
        "3.11.1",
        "sha512-44+fVR6YegxQsMi89zbfE0vH294zqLwBlNPS2E3TOByYuE1od+Ctd"
        "aNALP/d62YZjJAEwvPn2w7N/CkypiQTJw==",
        {
            "src/index.js": "index.js",
            "src/paths.js": "paths.js",
            "src/react-deps.js": "react-deps.js",
            "src/use-browser-location.js": "use-browser-location.js",
        },
    ),
    Package(
        "oauth4webapi",
        "3.8.8",
        "sha512-8N28E+a/oxfXWBgOMt+ZP/JUf/XR+IFbvkAEPP3gznXOMv9BpAAwi"
        "Ij0TFNz3tGTPc0ZQ8zmWBNgN1nAys0gng==",
        {
            "build/index.js": "oauth4webapi.js",
        },
    ),
    Package(
        "uplot",
        "1.6.32",
        "sha512-KIMVnG68zvu5XXUbC4LQEPnhwOxBuLyW1AHtpm6IKTXImkbLgkMy+"
        "jabjLgSLMasNuGGzQm/ep3tOkyTxpiQIw==",
        {
            "dist/uPlot.esm.js": "uplot.js",
            "dist/uPlot.min.css": "uplot.css",
        },
    ),
    Package(
        "lucide-static",
        "1.62.0",
        "sha512-WBZA/m2PvkFpMGHDtsBck5P2A9G4ehLlYu4GwwICcmEm1BvYVgj00"
        "lCDxKRWLlbMlOibLaiwdQ88G5pHkSWgwA==",
        {"icon-nodes.json": "icons.js"},
    ),
)
TOOLS = (
    Package(
        "axe-core",
        "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5"
        "qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        {
            "axe.min.js": "axe.min.js",
        },
    ),
)
ICONS = [
    "activity",
    "archive",
    "archive-restore",
    "arrow-down",
    "arrow-left",
    "arrow-right",
    "arrow-up",
    "arrow-up-down",
    "ban",
    "banknote",
    "bell",
    "book-user",
    "calendar",
    "chart-line",
    "check",
    "check-check",
    "chevron-down",
    "chevron-left",
    "chevron-right",
    "chevron-up",
    "circle",
    "circle-alert",
    "circle-check",
    "circle-x",
    "clipboard-list",
    "clock",
    "contact-round",
    "copy",
    "download",
    "ellipsis",
    "ellipsis-vertical",
    "external-link",
    "eye",
    "face-slightly-smiling",
    "face-slightly-smiling-plus",
    "file",
    "file-text",
    "forward",
    "gauge",
    "hash",
    "headphones",
    "hourglass",
    "image",
    "inbox",
    "info",
    "keyboard",
    "languages",
    "layout-dashboard",
    "link",
    "list",
    "list-filter",
    "loader-circle",
    "lock",
    "log-in",
    "log-out",
    "map-pin",
    "megaphone",
    "menu",
    "message-circle",
    "message-square",
    "messages-square",
    "mic",
    "moon",
    "mouse-pointer-click",
    "package",
    "paperclip",
    "pause",
    "pen",
    "phone",
    "phone-incoming",
    "phone-missed",
    "phone-off",
    "pin",
    "play",
    "plug",
    "plus",
    "qr-code",
    "refresh-cw",
    "reply",
    "rotate-ccw",
    "search",
    "search-x",
    "send",
    "server",
    "server-off",
    "settings",
    "shield",
    "shield-alert",
    "shield-check",
    "shopping-cart",
    "sliders-horizontal",
    "smartphone",
    "sparkles",
    "sticker",
    "sun",
    "sun-moon",
    "tag",
    "timer",
    "trash",
    "triangle-alert",
    "undo-2",
    "unlink",
    "unplug",
    "user",
    "user-plus",
    "users",
    "video",
    "wifi",
    "wifi-off",
    "wrench",
    "x",
    "zap",
    "zoom-in",
    "zoom-out",
]
"""The icons that the console shows, of lucide's two thousand."""
SPECIFIERS = {
    "preact": "preact/preact.js",
    "preact/hooks": "preact/hooks.js",
    "@preact/signals-core": "preact-signals-core/signals-core.js",
    "htm": "htm/htm.js",
    "regexparam": "regexparam/regexparam.js",
}
"""The file for every bare specifier that a library may import."""


def main() -> None:
    """Fill the folders with exactly the pinned files, and a manifest in each."""
    for folder, packages in ((WEB, LIBRARIES), (TESTS, TOOLS)):
        shutil.rmtree(folder, ignore_errors=True)
        entries = [_vendor_package(package, folder) for package in packages]
        (folder / MANIFEST).write_text(json.dumps({"packages": entries}, indent=2) + "\n")


def rewrite_module(text: str, folder: str) -> str:
    """Return a module that a browser can load: bare specifiers become relative paths.

    `folder` is the folder of the module's package.
    """

    def make_relative(match: re.Match[str]) -> str:
        keyword, space, quote, specifier = match.groups()
        if specifier not in SPECIFIERS:  # relative already, or only in a comment
            return match[0]
        path = os.path.relpath(SPECIFIERS[specifier], folder)
        path = path if path.startswith(".") else f"./{path}"
        return f"{keyword}{space}{quote}{path}{quote}"

    return SOURCE_MAP.sub("", SPECIFIER.sub(make_relative, text)).replace(MODE, '"production"')


def _vendor_package(package: Package, folder: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as place:
        tarball = _download(package, Path(place))
        digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
        if package.integrity != f"sha512-{digest}":
            sys.exit(f"{package.name} {package.version} is not what was pinned: sha512-{digest}")
        with tarfile.open(tarball) as archive:
            archive.extractall(place, filter="data")
        return _copy_files(package, Path(place) / "package", folder)


def _download(package: Package, place: Path) -> Path:
    command = ["npm", "pack", "--silent", "--ignore-scripts", f"--pack-destination={place}"]
    subprocess.run(
        [*command, f"{package.name}@{package.version}"], check=True, stdout=subprocess.DEVNULL
    )
    (tarball,) = place.glob("*.tgz")
    return tarball


def _copy_files(package: Package, unpacked: Path, folder: Path) -> dict[str, Any]:
    target = folder / package.folder
    target.mkdir(parents=True)
    licences = {path.name: path.name for path in unpacked.iterdir() if LICENCE.fullmatch(path.name)}
    for source, name in (package.files | licences).items():  # type: ignore[operator]
        content = (unpacked / source).read_bytes()
        if name == "icons.js":
            content = _select_icons(content)
        elif name.endswith(".js") and folder == WEB:
            content = rewrite_module(content.decode(), package.folder).encode()
        (target / name).write_bytes(content)
    manifest = json.loads((unpacked / "package.json").read_text())
    return {
        "name": package.name,
        "version": package.version,
        "integrity": package.integrity,
        "licence": manifest["license"],
        "files": {
            f"{package.folder}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(target.iterdir())
        },
    }


def _select_icons(nodes: bytes) -> bytes:
    icons = json.loads(nodes)
    lines = (f"  {json.dumps(name)}: {json.dumps(icons[name])}," for name in ICONS)
    return "\n".join(["export default {", *lines, "};", ""]).encode()


if __name__ == "__main__":
    main()
