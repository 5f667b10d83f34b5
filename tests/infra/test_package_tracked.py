"""The zip holds what git tracks, as it is in the work tree, and nothing that merely lies there."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from infra import package

ROOT = Path(__file__).parents[2]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """Return a repository with one tracked file in every place that is deployed."""
    root = tmp_path / "clone"
    for name in ("functions/a.py", "shared/b.py", "requirements.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    git(root, "init", "--quiet")
    git(root, "add", ".")
    return root


def git(root: Path, *arguments: str) -> None:
    if shutil.which("git") is None:
        pytest.skip("needs git")
    subprocess.run(["git", "-C", str(root), *arguments], check=True, capture_output=True)


def packed(root: Path) -> set[str]:
    package.write_zip(root.parent / "perene.zip", root)
    with zipfile.ZipFile(root.parent / "perene.zip") as made:
        return set(made.namelist())


def test_untracked_file_stays_out(clone: Path):
    tracked = packed(clone)
    (clone / "shared" / "customers.csv").write_text("names and numbers")
    (clone / "functions" / "açaí.py").write_text("half a thought")

    assert packed(clone) == tracked == {"functions/a.py", "shared/b.py", "requirements.txt"}
    assert set(package.list_untracked(clone)) == {
        Path("functions/açaí.py"),
        Path("shared/customers.csv"),
    }


def test_strange_file_name_is_packed(clone: Path):
    (clone / "shared" / "ação nova.py").write_text("")
    git(clone, "add", ".")

    assert "shared/ação nova.py" in packed(clone)


def test_deleted_file_is_not_packed(clone: Path):
    (clone / "shared" / "b.py").unlink()

    assert packed(clone) == {"functions/a.py", "requirements.txt"}


def test_changed_file_is_packed_as_changed(clone: Path):
    (clone / "shared" / "b.py").write_text("changed")

    packed(clone)

    with zipfile.ZipFile(clone.parent / "perene.zip") as made:
        assert made.read("shared/b.py") == b"changed"


def test_source_without_git_is_packed_whole(clone: Path):
    shutil.rmtree(clone / ".git")
    (clone / "shared" / "c.py").write_text("")

    assert "shared/c.py" in packed(clone)
    assert package.list_untracked(clone) == []


def test_left_out_file_is_named(clone: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    (clone / "shared" / "new.py").write_text("")
    monkeypatch.setattr(package, "ROOT", clone)
    monkeypatch.setattr(sys, "argv", ["package", f"--to={clone.parent / 'perene.zip'}"])

    code = package.main()

    assert code == 0
    assert "shared/new.py" in capsys.readouterr().err


def test_unreadable_repository_makes_no_zip(clone: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    shutil.rmtree(clone / ".git" / "objects")
    monkeypatch.setattr(package, "ROOT", clone)
    monkeypatch.setattr(sys, "argv", ["package", f"--to={clone.parent / 'perene.zip'}"])

    code = package.main()

    assert code == 1
    assert capsys.readouterr().err.count("\n") == 1
    assert not (clone.parent / "perene.zip").exists()
