"""Makes the one zip that is deployed: the functions, what they share, and what they need.

The same files make the same bytes, so that a deployment that changes nothing deploys nothing;
not compressed, since machines compress differently. Of a clone only what git tracks goes in, as it
is in the work tree: what merely lies there may be somebody's list of customers.
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


class NotListed(Exception):
    """Git, which knows what belongs to the project, doesn't say it; the message is one sentence."""


def files(root: Path = ROOT) -> Iterator[Path]:
    """What is in it, in order, relative to the root. Raises NotListed."""
    tracked = _tracked(root)
    return (path for path in _there(root) if tracked is None or path in tracked)


def untracked(root: Path = ROOT) -> list[Path]:
    """List what lies among the files and stays out of the zip. Raises NotListed."""
    tracked = _tracked(root)
    return [] if tracked is None else [path for path in _there(root) if path not in tracked]


def write(place: Path = PLACE, root: Path = ROOT) -> str:
    """The zip is there; the SHA-256 of it. Raises NotListed."""
    packed = list(files(root))
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w") as made:
        for inside in packed:
            entry = zipfile.ZipInfo(inside.as_posix(), EPOCH)
            entry.external_attr, entry.create_system = READABLE, UNIX
            made.writestr(entry, (root / inside).read_bytes())
    return hashlib.sha256(place.read_bytes()).hexdigest()


def main() -> int:
    """Prints where it is and its hash; 1 with one sentence if git can't say what belongs to it."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--to", type=Path, default=PLACE)
    place = asked.parse_args().to
    try:
        print(f"{place} {write(place, ROOT)}")
        for path in untracked(ROOT):
            print(f"Not in it, as git doesn't track it: {path.as_posix()}", file=sys.stderr)
    except NotListed as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _there(root: Path) -> Iterator[Path]:
    paths = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    for path in sorted([*paths, *(root / name for name in ALONE)]):
        inside = path.relative_to(root)
        if not any(part in LEFT_OUT or part.startswith(".") for part in inside.parts):
            yield inside


def _tracked(root: Path) -> set[Path] | None:
    """List what git tracks; None for a copy of the project that has no git, which goes in whole."""
    if not (root / ".git").exists():
        return None
    command = ["git", "-C", str(root), "ls-files", "-z", "--", *FOLDERS, *ALONE]
    try:
        listed = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        raise NotListed("Git doesn't say what it tracks here: does `git status` work?") from None
    return {Path(name) for name in listed.decode(errors="surrogateescape").split("\0") if name}


if __name__ == "__main__":
    sys.exit(main())
