"""Gives Secret Manager the values that it hasn't got yet; they are never shown or kept here."""

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
"""Nobody has to know it: drawn, if nothing is typed."""

HINTS = {
    "WEBHOOK_SECRET": " (empty: one is drawn)",
    "EVOLUTION_SERVERS": " (a JSON list, in one line, as in infra/operations.md)",
}

NEUTRAL = {
    "EVOLUTION_URL": "https://evolution.invalid",
    "EVOLUTION_API_KEY": "key",
    "PUBLIC_URL": "https://perene.invalid",
    "WEBHOOK_SECRET": "w" * 32,
}


class GcloudFailed(Exception):
    """`gcloud` didn't do it; what it said is in the message."""


class NothingThere(Exception):
    """The project has none of the secrets yet."""


def main() -> int:
    """Every secret of the deployment has a value."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--project", required=True)
    project = asked.parse_args().project
    if shutil.which("gcloud") is None:
        print("The Google Cloud SDK (`gcloud`) is needed to add secrets.", file=sys.stderr)
        return 1
    try:
        for setting in _waiting(project):
            _add(project, setting, value_of(setting, getpass.getpass))
            print(f"{setting}: its first version is there.")
    except (GcloudFailed, NothingThere) as failure:
        print(failure, file=sys.stderr)
        return 1
    except (EOFError, KeyboardInterrupt):
        print("\nNot every secret has a value: run it again.", file=sys.stderr)
        return 1
    print("Every secret has a value.")
    return 0


def value_of(setting: str, ask: Callable[[str], str]) -> str:
    """What a person types (unseen), once it is a valid value; drawn for them if it may be."""
    while True:
        typed = ask(f"{setting}{HINTS.get(setting, '')}: ").strip()
        if not typed and setting in OURS:
            return secrets.token_urlsafe(48)
        fault = wrong(setting, typed)
        if fault is None:
            return typed
        print(fault, file=sys.stderr)


def wrong(setting: str, value: str) -> str | None:
    """What is wrong with a setting's value, if anything; never quotes it."""
    if not value:
        return f"{setting}: nothing was typed"
    try:
        config.read({**NEUTRAL, setting: value})
    except config.ConfigurationError as error:
        return str(error)
    return None


def _waiting(project: str) -> list[str]:
    """Secrets that are there and have no version that can be used."""
    names = {deployment.secret_name(setting): setting for setting in deployment.listed().secret}
    found = json.loads(_gcloud("secrets", "list", f"--project={project}", "--format=json"))
    there = [each["name"].rpartition("/")[2] for each in found]
    ours = [name for name in there if name in names]
    if not ours:
        raise NothingThere(f"No secret of Perene's is in {project} yet: make secrets makes them.")
    return [names[name] for name in ours if not _versions(project, name)]


def _versions(project: str, name: str) -> list[Any]:
    asked = ["secrets", "versions", "list", name, f"--project={project}"]
    versions: list[Any] = json.loads(_gcloud(*asked, "--filter=state=ENABLED", "--format=json"))
    return versions


def _add(project: str, setting: str, value: str) -> None:
    name = deployment.secret_name(setting)
    add = ["secrets", "versions", "add", name, f"--project={project}", "--data-file=-"]
    _gcloud(*add, typed=value)


def _gcloud(*asked: str, typed: str | None = None) -> str:
    ran = subprocess.run(
        ["gcloud", *asked], input=typed, capture_output=True, text=True, check=False
    )
    if ran.returncode:
        raise GcloudFailed(f"gcloud {' '.join(asked[:3])}: {ran.stderr.strip()}")
    return ran.stdout


if __name__ == "__main__":
    sys.exit(main())
