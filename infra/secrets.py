"""Give Secret Manager the values that are missing; they are neither shown nor stored here."""

import argparse
import getpass
import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable
from typing import Any

from infra import deployment
from shared import config

OURS = {"WEBHOOK_SECRET"}
"""Secrets that no person has to know: drawn at random if nothing is typed."""

HINTS = {
    "WEBHOOK_SECRET": " (empty: one is drawn)",
    "EVOLUTION_SERVERS": " (a JSON list, in one line, as in infra/docs/operations.md)",
}

NEUTRAL = {
    "EVOLUTION_URL": "https://evolution.invalid",
    "EVOLUTION_API_KEY": "key",
    "PUBLIC_URL": "https://perene.invalid",
    "WEBHOOK_SECRET": "w" * 32,
}


class GcloudFailed(Exception):
    """The `gcloud` command failed; the message holds what it printed."""


class SecretsAbsent(Exception):
    """The project has none of the secrets yet."""


def main() -> int:
    """Ask for the value of each secret that has none. Return 1 if some still lack theirs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", required=True)
    project = parser.parse_args().project
    if shutil.which("gcloud") is None:
        print("The Google Cloud SDK (`gcloud`) is needed to add secrets.", file=sys.stderr)
        return 1
    try:
        for setting in _list_valueless(project):
            _add_version(project, setting, prompt_value(setting, getpass.getpass))
            print(f"{setting}: its first version is there.")
    except (GcloudFailed, SecretsAbsent) as failure:
        print(failure, file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\nNot every secret has a value: run it again.", file=sys.stderr)
        return 1
    print("Every secret has a value.")
    return 0


def prompt_value(setting: str, ask: Callable[[str], str]) -> str:
    """Ask (unseen) until the value is valid, and return it; draw one where that is allowed."""
    while True:
        typed = ask(f"{setting}{HINTS.get(setting, '')}: ").strip()
        if not typed and setting in OURS:
            return secrets.token_urlsafe(48)
        fault = find_fault(setting, typed)
        if fault is None:
            return typed
        print(fault, file=sys.stderr)


def find_fault(setting: str, value: str) -> str | None:
    """Return what is wrong with a setting's value, without quoting it; None if it is valid."""
    if not value:
        return f"{setting}: nothing was typed"
    try:
        config.read({**NEUTRAL, setting: value})
    except config.ConfigurationError as error:
        return str(error)
    return None


def _list_valueless(project: str) -> list[str]:
    """List the settings whose secret exists and has no usable version. Raises SecretsAbsent."""
    names = {
        deployment.name_secret(setting): setting
        for setting in deployment.load_setting_list().secret
    }
    listing = json.loads(_run_gcloud("secrets", "list", f"--project={project}", "--format=json"))
    present = [secret["name"].rpartition("/")[2] for secret in listing]
    ours = [name for name in present if name in names]
    if not ours:
        raise SecretsAbsent(f"No secret of Perene's is in {project} yet: make secrets makes them.")
    return [names[name] for name in ours if not _list_versions(project, name)]


def _list_versions(project: str, name: str) -> list[Any]:
    command = ["secrets", "versions", "list", name, f"--project={project}"]
    versions: list[Any] = json.loads(
        _run_gcloud(*command, "--filter=state=ENABLED", "--format=json")
    )
    return versions


def _add_version(project: str, setting: str, value: str) -> None:
    name = deployment.name_secret(setting)
    command = ["secrets", "versions", "add", name, f"--project={project}", "--data-file=-"]
    _run_gcloud(*command, typed=value)


def _run_gcloud(*words: str, typed: str | None = None) -> str:
    """Run a command of the SDK and return its output. Raises GcloudFailed."""
    ran = subprocess.run(
        ["gcloud", *words], input=typed, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise GcloudFailed(f"gcloud {' '.join(words[:3])}: {ran.stderr.strip()}")
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
