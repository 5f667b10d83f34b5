"""Write the zip that is deployed: the functions, what they share, and their requirements.

Equal files produce equal bytes, so a deployment that changes nothing deploys nothing. The zip is
not compressed, because machines compress differently. In a clone only files that git tracks are
packed, as they are in the work tree: an untracked file may be a list of customers.
"""

import argparse
import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PLACE = ROOT / "dist" / "perene.zip"
FOLDERS = ("functions", "shared")
ALONE = ("requirements.txt",)
EPOCH = (1980, 1, 1, 0, 0, 0)
READABLE, UNIX = 0o100644 << 16, 3
LEFT_OUT = ("__pycache__", "node_modules")


class GitFailed(Exception):
    """Git doesn't list the files of the project; the message is one sentence."""


def list_files(root: Path = ROOT) -> Iterator[Path]:
    """List the files of the zip in their order, relative to the root. Raises GitFailed."""
    tracked = _list_tracked(root)
    return (path for path in _list_present(root) if tracked is None or path in tracked)


def list_untracked(root: Path = ROOT) -> list[Path]:
    """List the files that stay out of the zip because git doesn't track them. Raises GitFailed."""
    tracked = _list_tracked(root)
    return [] if tracked is None else [path for path in _list_present(root) if path not in tracked]


def write_zip(place: Path = PLACE, root: Path = ROOT) -> str:
    """Write the zip and return its SHA-256. Raises GitFailed."""
    paths = list(list_files(root))
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w") as archive:
        for path in paths:
            entry = zipfile.ZipInfo(path.as_posix(), EPOCH)
            entry.external_attr, entry.create_system = READABLE, UNIX
            archive.writestr(entry, (root / path).read_bytes())
    return hashlib.sha256(place.read_bytes()).hexdigest()


def main() -> int:
    """Write the zip and print its place and hash; return 1 with one sentence if git fails."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=PLACE)
    place = parser.parse_args().to
    try:
        print(f"{place} {write_zip(place, ROOT)}")
        for path in list_untracked(ROOT):
            print(f"Not in it, as git doesn't track it: {path.as_posix()}", file=sys.stderr)
    except GitFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _list_present(root: Path) -> Iterator[Path]:
    paths = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    for path in sorted([*paths, *(root / name for name in ALONE)]):
        relative = path.relative_to(root)
        if not any(part in LEFT_OUT or part.startswith(".") for part in relative.parts):
            yield relative


def _list_tracked(root: Path) -> set[Path] | None:
    """List the files that git tracks; None for a copy without git, which is packed whole."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "ls-files", "-z", "--", *FOLDERS, *ALONE]
    try:
        listing = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise GitFailed("Git doesn't say what it tracks here: does `git status` work?") from None
    return {Path(name) for name in listing.decode(errors="surrogateescape").split("\0") if name}


if __name__ == "__main__":
    sys.exit(main())
