import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def make():
    if not shutil.which("make"):
        pytest.skip("needs make")

    def make(*arguments, where=ROOT):
        command = ["make", "--no-print-directory", "-C", str(where), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    return make


def test_make_alone_lists_every_target(make):
    text = (ROOT / "Makefile").read_text().replace("\\\n", "")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)

    listed = re.findall(r"^  make ([\w-]+) ", make().stdout, re.MULTILINE)

    assert listed == phony[1].split()


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("exit 1", "Python 3.11 or newer is needed"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt install python3-venv"),
    ],
    ids=["too old", "without ensurepip"],
)
def test_setup_names_what_is_missing(make, tmp_path, python, sentence):
    shutil.copy(ROOT / "Makefile", tmp_path)
    for name in ("requirements.txt", "infra/local/requirements.txt", "tests/requirements.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "python").write_text(f"#!/bin/sh\n{python}\n")
    (tmp_path / "python").chmod(0o755)

    refused = make("setup", f"PYTHON={tmp_path}/python", where=tmp_path)

    assert refused.returncode != 0
    assert sentence in refused.stderr
    assert not (tmp_path / ".venv").exists()


TERRAFORM = """#!/bin/sh
[ "$2" != plan ] || sleep 0.5
echo "$2" >> '{place}/asked'
[ "$2" != show ] || echo '{{"resource_changes": [{changes}]}}'
"""
LOSS = '{"address": "x", "type": "google_firestore_database", "change": {"actions": ["delete"]}}'


@pytest.mark.parametrize(
    ("changes", "commands"),
    [("", ["plan", "show", "apply"]), (LOSS, ["plan", "show"])],
    ids=["a plan that loses nothing", "one that would"],
)
@pytest.mark.parametrize("how", [[], ["-j4"]], ids=["one by one", "in parallel"])
def test_deploy_applies_the_checked_plan(make, tmp_path, changes, commands, how):
    program = tmp_path / "terraform"
    program.write_text(TERRAFORM.format(place=tmp_path, changes=changes))
    program.chmod(0o755)

    ran = make("deploy", f"TERRAFORM={program}", *how)

    assert (tmp_path / "asked").read_text().split() == commands, ran.stderr
    assert (ran.returncode == 0) == ("apply" in commands)
