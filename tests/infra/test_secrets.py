"""Secrets get their values from a person, once, and nothing shows them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import losses, secrets
from tests.cases import in_each

ROOT = Path(__file__).parents[2]
SERVERS = '[{"id": "main", "url": "https://evolution.test", "api_key": "hunter2"}]'

GCLOUD = """#!{python}
import json, os, pathlib, sys
place, asked = pathlib.Path(os.environ["PLACE"]), sys.argv[1:]
(place / "asked").open("a").write(json.dumps(asked) + "\\n")
if asked[:2] == ["secrets", "list"]:
    names = json.loads((place / "there").read_text())
    print(json.dumps([{{"name": f"projects/1/secrets/{{each}}"}} for each in names]))
elif asked[:3] == ["secrets", "versions", "list"]:
    print(json.dumps([{{"name": "1"}}] if (place / asked[3]).exists() else []))
elif asked[3] == "perene-refused":
    sys.exit("PERMISSION_DENIED")
else:
    (place / asked[3]).write_text(sys.stdin.read())
"""


@pytest.fixture
def gcloud(tmp_path: Path) -> Any:
    """Return a function that runs the tool with an SDK of these secrets and a person's answers."""
    program = tmp_path / "gcloud"
    program.write_text(GCLOUD.format(python=sys.executable))
    program.chmod(0o755)

    def run(*there: str, typed: str = "") -> Any:
        (tmp_path / "there").write_text(json.dumps(there))
        return subprocess.run(
            [sys.executable, "-W", "ignore", "-m", "infra.secrets", "--project=p"],
            cwd=ROOT, capture_output=True, text=True, input=typed, start_new_session=True,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PLACE": str(tmp_path)},
        )  # fmt: skip

    return run


def test_empty_secret_gets_typed_value(gcloud: Any, tmp_path: Path):
    ran = gcloud("perene-evolution-servers", "somebody-elses", typed=f"{SERVERS}\n")

    assert ran.returncode == 0, ran.stderr
    assert (tmp_path / "perene-evolution-servers").read_text() == SERVERS
    assert "hunter2" not in (tmp_path / "asked").read_text()
    assert "hunter2" not in ran.stdout
    assert not (tmp_path / "somebody-elses").exists()


def test_secret_that_has_value_keeps_it(gcloud: Any, tmp_path: Path):
    (tmp_path / "perene-webhook-secret").write_text("old")

    assert gcloud("perene-webhook-secret").returncode == 0
    assert (tmp_path / "perene-webhook-secret").read_text() == "old"


def test_interrupted_prompts_continue_next_time(gcloud: Any, tmp_path: Path):
    both = ("perene-webhook-secret", "perene-evolution-servers")

    first = gcloud(*both, typed="\n")
    drawn = (tmp_path / "perene-webhook-secret").read_text()
    again = gcloud(*both, typed=f"{SERVERS}\n")

    assert (first.returncode, "run it again" in first.stderr) == (1, True)
    assert "Traceback" not in first.stderr
    assert again.returncode == 0
    assert (tmp_path / "perene-webhook-secret").read_text() == drawn
    assert (tmp_path / "perene-evolution-servers").read_text() == SERVERS


def test_webhook_secret_is_drawn(gcloud: Any, tmp_path: Path):
    assert gcloud("perene-webhook-secret", typed="\n").returncode == 0

    drawn = (tmp_path / "perene-webhook-secret").read_text()
    assert len(drawn) == 64


@in_each(
    ("setting", "typed"),
    [
        ("EVOLUTION_SERVERS", "[hunter2"),
        ("WEBHOOK_SECRET", "hunter2"),
        ("AUTH_HS256_SECRET", ""),
    ],
)
def test_invalid_secret_is_never_quoted(
    setting: str, typed: str, capsys: pytest.CaptureFixture[str]
):
    valid = SERVERS if setting == "EVOLUTION_SERVERS" else "x" * 40
    answers = iter([typed, valid])

    assert secrets.prompt_value(setting, lambda _: next(answers)) == valid

    report = capsys.readouterr().err
    assert setting in report
    assert "hunter2" not in report


def test_project_without_secrets_fails(gcloud: Any):
    ran = gcloud("somebody-elses")

    assert ran.returncode == 1
    assert ran.stderr.strip() == "No secret of Perene's is in p yet: make secrets makes them."


# What a plan loses ---------------------------------------------------------------------------


def plan(kind: str, *actions: str) -> dict[str, Any]:
    change = {"address": f"{kind}.this", "type": kind, "change": {"actions": [*actions]}}
    return {"resource_changes": [change]}


@in_each(
    ("kind", "actions", "lost"),
    [
        ("google_firestore_database", ["delete"], True),
        ("google_firestore_database", ["delete", "create"], True),
        ("google_firestore_database", ["update"], False),
        ("google_secret_manager_secret", ["create", "delete"], True),
        ("google_cloudfunctions2_function", ["delete", "create"], False),
        ("google_compute_global_address", ["no-op"], False),
        ("google_firestore_database", ["forget"], False),
    ],
)
def test_plan_with_losses_is_stopped(kind: str, actions: list[str], lost: bool):
    assert bool(list(losses.list_losses(plan(kind, *actions)))) == lost


def test_missing_plan_is_an_error():
    ran = subprocess.run(
        [sys.executable, "-m", "infra.losses"], cwd=ROOT, capture_output=True, text=True, input=""
    )

    assert (ran.returncode, ran.stdout) == (1, "")
    assert ran.stderr == "There is no plan to look at: make plan.\n"


@in_each(("setting", "lost"), [("WEBHOOK_SECRET", True), ("WEBHOOK_SECRET_PREVIOUS", False)])
def test_only_previous_secret_may_be_deleted(setting: str, lost: bool):
    deleted = plan("google_secret_manager_secret", "delete")
    deleted["resource_changes"][0]["index"] = setting

    assert bool(list(losses.list_losses(deleted))) == lost


@in_each(("actions", "code"), [(["delete"], 1), (["create"], 0)])
def test_check_names_losses(actions: list[str], code: int):
    ran = subprocess.run(
        [sys.executable, "-m", "infra.losses"], cwd=ROOT, capture_output=True, text=True,
        input=json.dumps(plan("google_firestore_database", *actions)),
    )  # fmt: skip

    assert ran.returncode == code
    assert ("every record and message" in ran.stderr) == bool(code)
