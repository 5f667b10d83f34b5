"""Makes the one zip that is deployed: the functions, what they share, and what they need.

The same files make the same bytes, so that a deployment that changes nothing deploys nothing;
not compressed, since machines compress differently.
"""

import argparse
import hashlib
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


def files(root: Path = ROOT) -> Iterator[Path]:
    """What is in it, in order, relative to the root."""
    found = [path for folder in FOLDERS for path in (root / folder).rglob("*") if path.is_file()]
    for path in sorted([*found, *(root / name for name in ALONE)]):
        inside = path.relative_to(root)
        if not any(part in LEFT_OUT or part.startswith(".") for part in inside.parts):
            yield inside


def write(place: Path = PLACE, root: Path = ROOT) -> str:
    """The zip is there; the SHA-256 of it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w") as made:
        for inside in files(root):
            entry = zipfile.ZipInfo(inside.as_posix(), EPOCH)
            entry.external_attr, entry.create_system = READABLE, UNIX
            made.writestr(entry, (root / inside).read_bytes())
    return hashlib.sha256(place.read_bytes()).hexdigest()


def main() -> int:
    """Prints where it is and its hash."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--to", type=Path, default=PLACE)
    place = asked.parse_args().to
    print(f"{place} {write(place)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
