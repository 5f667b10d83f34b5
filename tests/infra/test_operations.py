"""The operating guide is true: its headings, figures, links and commands."""

import json
import os
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
import yaml

from infra import costs, deployment, environment, scale
from infra.costs import Operations
from infra.doctor import servers
from infra.doctor.diagnosis import Verdict
from shared import config
from shared.domain.fleet.incidents import Cause
from tests.adapters.counting import counting
from tests.infra import terraform
from tests.journeys import test_message_costs as counted
from tests.perene import Perene

INFRA = terraform.INFRA
GUIDE = (INFRA / "docs" / "operations.md").read_text()
EVOLUTION = INFRA / "evolution"
HEADINGS = re.findall(r"^#+ (.+)$", GUIDE, re.MULTILINE)


# The runbook ---------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", Cause)
def test_every_incident_has_its_runbook(cause: Cause):
    assert f"`{cause.value}`" in HEADINGS


def policies() -> list[str]:
    named = [
        local
        for file in terraform.parsed()
        for block in file.get("locals", ())
        for local in ("told", "watched")
        if local in block
    ]
    assert named
    return [
        name.strip('"')
        for file in terraform.parsed()
        for block in file.get("locals", ())
        for local in ("told", "watched")
        for name in block.get(local, {})
        if not name.startswith("__")
    ]


def test_every_alert_policy_has_its_runbook():
    assert [policy for policy in policies() if policy not in HEADINGS] == []


def test_alerts_match_logged_events():
    text = (INFRA / "terraform" / "alerts.tf").read_text()
    sources = [*(INFRA.parent / "shared").rglob("*.py"), *(INFRA.parent / "functions").glob("*.py")]
    code = "\n".join(file.read_text() for file in sources)

    for event in set(re.findall(r'jsonPayload\.message=\\"([\w.]+)\\"', text)):
        assert f'"{event}"' in code, event
    assert '"alert": True' in code
    assert 'f"incident.{incident.news}"' in code
    for field in set(re.findall(r"EXTRACT\(jsonPayload\.(\w+)\)", text)):
        assert f"{field}=" in code or f'"{field}"' in code, field


# Figures -------------------------------------------------------------------------------------


def test_tables_of_costs_are_computed():
    printed = re.findall(r"<!-- python -m infra.costs.*? -->\n(.*?)\n<!-- end -->", GUIDE, re.S)

    computed = [costs.render_table(), costs.render_comparison()]
    assert [table.splitlines() for table in printed] == [*map(list, computed)]


def test_tables_of_scale_are_computed():
    page = (INFRA / "docs" / "scale.md").read_text()
    printed = re.findall(r"<!-- python -m infra.scale.*? -->\n(.*?)\n<!-- end -->", page, re.S)

    computed = [scale.render_load(100_000), scale.render_table()]
    assert [table.splitlines() for table in printed] == [*map(list, computed)]


def test_costs_match_counted_operations():
    assert Operations(counted.NEW.reads, counted.NEW.writes) == costs.RECEIVED
    assert Operations(counted.ONE_WRITE.reads, counted.ONE_WRITE.writes) == costs.DELIVERY


async def test_send_costs_what_table_says(on_2: Perene):
    await on_2.pair()
    conversation = await counted.in_conversation(on_2)
    on_2.evolution.faults.turn_on("webhook_lost")

    with counting(on_2.store.db.client) as calls:
        await counted.say_to_maria(on_2, conversation=conversation, text="oi")

    assert (calls.reads, calls.writes) == (costs.SENT.reads, costs.SENT.writes)


async def test_night_costs_line_what_table_says(firestore_emulator: str):
    few, many = await a_night(2), await a_night(6)

    per_line = [(more - less) / 4 for less, more in zip(few, many, strict=True)]
    assert per_line == [costs.NIGHT.reads, costs.NIGHT.writes, costs.CENSUS.reads]


async def a_night(lines: int) -> tuple[int, int, int]:
    """Count what the sweeps of so many lines read and write when nothing is wrong."""
    async with Perene() as perene:
        for at in range(lines):
            await perene.pair(f"t{at}", f"55119999{at:05}")
        await perene.sweep("/sweep-capacity")
        await perene.sweep()
        perene.clock.advance(timedelta(days=1))
        with counting(perene.store.db.client) as orphans:
            await perene.sweep()
        with counting(perene.store.db.client) as capacity:
            await perene.sweep("/sweep-capacity")
    return orphans.reads, orphans.writes, capacity.reads


def test_daily_censuses_match_the_schedule():
    every = deployment.load_function_map().functions["sweep_capacity"].schedule or ""

    (minutes,) = re.findall(r"^\*/(\d+) \* \* \* \*$", every)
    assert 24 * 60 / int(minutes) == costs.CENSUSES_A_DAY


# Commands ------------------------------------------------------------------------------------


def test_guide_restarts_every_secret_reader():
    (listed,) = re.findall(r"^for f in (.+); do$", GUIDE, re.MULTILINE)

    reading = {
        deployment.name_service(name)
        for name, function in deployment.load_function_map().functions.items()
        if function.trust not in ("nobody", "page")
    }
    assert set(listed.split()) == reading


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="needs the Google Cloud SDK")
def test_sdk_knows_every_command(tmp_path: Path):
    whole = GUIDE.replace("\\\n", " ")
    commands = re.findall(r"`(gcloud [^`|]+)`|^ *(gcloud [^|\n]+)$|\| (gcloud [^`]+)`", whole, re.M)
    lines = [re.sub(r'"\$\(?[\w +%]+\)?"|"\$f"', "1", "".join(command)) for command in commands]
    file = tmp_path / "commands.json"
    file.write_text(json.dumps([{"command_string": line} for line in lines]))

    linted = subprocess.run(
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={file}"],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "CLOUDSDK_CORE_PROJECT": "x", "CLOUDSDK_CONFIG": str(tmp_path)},
    )  # fmt: skip

    verdicts = json.loads(linted.stdout)
    failed = [verdict for verdict in verdicts if not verdict["success"]]
    assert len(verdicts) == len(lines) > 8
    assert [(verdict["command_string"], verdict["error_message"]) for verdict in failed] == []


# The recommended Evolution server ------------------------------------------------------------


def test_doctor_likes_recommended_environment():
    given = environment.read_variables(EVOLUTION / ".env.example")

    assert [diagnosis.verdict for diagnosis in servers.check_environment(given)] == [Verdict.GOOD]
    checked = {*servers.REQUIRED_VALUES, *servers.RETRY_DEFAULTS, servers.FINAL_STATUSES}
    assert checked <= set(given)
    assert given["AUTHENTICATION_API_KEY"] == ""


def test_every_recommendation_has_its_reason():
    blocks = (EVOLUTION / ".env.example").read_text().split("\n\n")

    for block in blocks:
        names = re.findall(r"^([A-Z_0-9]+)=", block, re.MULTILINE)
        plain = {"SERVER_URL", "SERVER_PORT"}
        assert not names or set(names) <= plain or "#" in block, names


def test_server_is_reached_through_tls_only():
    services = yaml.safe_load((EVOLUTION / "docker-compose.yml").read_text())["services"]

    assert [name for name, service in services.items() if service.get("ports")] == ["caddy"]
    assert services["evolution"]["env_file"] == ".env"
    assert services["evolution"]["image"].endswith(f":v{config.DEFAULT_VERSION}")
    assert all(
        ":" in service["image"] and "latest" not in service["image"]
        for service in services.values()
    )
    assert all(service["restart"] == "unless-stopped" for service in services.values())
    assert all(service["logging"] == {"driver": "local"} for service in services.values())


def test_server_demands_own_keys():
    """Left empty, Evolution would take a key that stands in its source."""
    text = (EVOLUTION / "docker-compose.yml").read_text()
    given = environment.read_variables(EVOLUTION / ".env.example")

    empty = {name for name, value in given.items() if not value}
    assert empty == {"POSTGRES_PASSWORD", "AUTHENTICATION_API_KEY", "DATABASE_CONNECTION_URI"}
    demanded = set(re.findall(r"\$\{(\w+):\?\}", text))
    assert demanded >= {"POSTGRES_PASSWORD", "AUTHENTICATION_API_KEY", "DOMAIN"}


def test_changed_image_defaults_are_set():
    given = environment.read_variables(EVOLUTION / ".env.example")

    assert given["CACHE_REDIS_ENABLED"] == "false"
    assert given["CACHE_LOCAL_ENABLED"] == "true"
    assert "WEBHOOKS" not in given["LOG_LEVEL"].split(",")


@pytest.mark.skipif(not (INFRA.parent / ".git").exists(), reason="not a clone")
def test_secret_files_are_ignored_by_git():
    ignored = ["infra/evolution/.env", ".env.production", "infra/terraform/terraform.tfvars"]

    answer = subprocess.run(
        ["git", "check-ignore", *ignored, "infra/evolution/.env.example"],
        cwd=INFRA.parent, capture_output=True, text=True,
    )  # fmt: skip
    assert answer.stdout.split() == ignored


def test_unguarded_paths_are_not_public():
    (refused,) = re.findall(r"@unguarded path (.+)", (EVOLUTION / "Caddyfile").read_text())

    assert {"/webhook/evolution*", "/webhook/meta*"} <= set(refused.split())
    assert "/webhook/set" not in refused
