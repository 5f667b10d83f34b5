"""The deployment by hand is the same as Terraform's, and its commands are commands."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from infra import environment, gcloud
from infra.deployment import deployed, indexes, listed
from infra.gcloud import Choice
from tests.infra.test_terraform import MAP, computes
from tests.infra.test_terraform import service as in_terraform

ROOT = Path(__file__).parents[2]
SECRETS = {
    "EVOLUTION_SERVERS": '[{"id": "main", "url": "https://evolution.test", "api_key": "hunter2"}]',
    "WEBHOOK_SECRET": "hunter2" * 5,
}
SETTINGS = {
    **SECRETS,
    "PUBLIC_URL": "https://whatsapp.example.com",
    "GOOGLE_CLOUD_PROJECT": "my-perene-project",
    "AUTH_ISSUER": "https://securetoken.google.com/my-perene-project",
    "AUTH_AUDIENCE": "my-perene-project",
    "AUTH_JWKS_URL": "https://issuer.test/jwks",
    "AUTH_OPERATOR_CLAIM": "operator",
    "CORS_ORIGINS": "https://app.example.com,https://other.example.com",
}


def commands(number: str = "$NUMBER", **settings: str) -> list[list[str]]:
    choice = Choice({**SETTINGS, **settings}, "southamerica-east1", "America/Sao_Paulo", number)
    return [command for _, some in gcloud.steps(choice) for command in some]


def those(*beginning: str) -> list[list[str]]:
    return [each for each in commands("1234567890") if each[: len(beginning)] == [*beginning]]


def flags(command: list[str]) -> dict[str, str]:
    pairs = [word.partition("=") for word in command if word.startswith("--")]
    given = {name.removeprefix("--"): value for name, _, value in pairs}
    if "--set-env-vars" in command:
        given["set-env-vars"] = command[command.index("--set-env-vars") + 1]
    return given


def variables_of(deploy: list[str]) -> dict[str, str]:
    """As the SDK takes them apart: what stands between `^` is between them."""
    _, separator, pairs = flags(deploy)["set-env-vars"].split("^", 2)
    return dict(each.split("=", 1) for each in pairs.split(separator))


@pytest.mark.parametrize("name", MAP["functions"])
def test_every_function_is_deployed_as_the_map_says(name: str):
    (deploy,) = [each for each in those("run", "deploy") if f"--function={name}" in each]
    entry, given = deployed().functions[name], flags(deploy)

    assert given["set-build-env-vars"] == f"GOOGLE_FUNCTION_SOURCE=functions/{name}.py"
    assert given["memory"] == entry.memory
    assert given["concurrency"] == str(entry.concurrency)
    assert given["max-instances"] == str(entry.max_instances)
    assert given["timeout"] == f"{entry.timeout_seconds}s"
    assert ("allow-unauthenticated" in given) == (entry.invoker == "public")
    assert given["ingress"].startswith("internal")


@computes
@pytest.mark.parametrize("name", MAP["functions"])
def test_a_function_gets_the_settings_and_secrets_that_terraform_would_give_it(name: str):
    (deploy,) = [each for each in those("run", "deploy") if f"--function={name}" in each]
    given, terraforms = flags(deploy), in_terraform(name)

    variables = variables_of(deploy)
    secrets = [each.partition("=")[0] for each in given.get("set-secrets", "").split(",") if each]

    optional = {"FIRESTORE_DATABASE", "ALERT_LANGUAGE"}
    assert set(variables) == set(terraforms["environment_variables"]) - optional
    assert secrets == [each["key"] for each in terraforms["secret_environment_variables"]]
    for same in ("SCHEDULER_AUDIENCE", "PYTHONPATH", "PUBLIC_URL"):
        assert variables.get(same) == terraforms["environment_variables"].get(same)


def test_sweeps_are_for_the_scheduler_alone():
    bound = {each[3]: flags(each) for each in those("run", "services", "add-iam-policy-binding")}
    jobs = {each[4]: flags(each) for each in those("scheduler", "jobs", "create", "http")}

    assert set(bound) == set(jobs) == {"sweep-capacity", "sweep-orphans"}
    for name, job in jobs.items():
        assert bound[name]["member"] == f"serviceAccount:{job['oidc-service-account-email']}"
        assert job["uri"].startswith(job["oidc-token-audience"] + "/")
        assert job["time-zone"] == "America/Sao_Paulo"


def test_every_index_exemption_and_end_of_life_is_made():
    assert len(those("firestore", "indexes", "composite", "create")) == len(indexes()["indexes"])
    assert len(those("firestore", "indexes", "fields", "update")) == len(
        indexes()["fieldOverrides"]
    )
    ending = {each[4] for each in those("firestore", "fields", "ttls", "update")}
    assert ending == {"expires_at"}


def test_every_public_function_is_at_its_path():
    (matcher,) = those("compute", "url-maps", "add-path-matcher")
    rules = dict(
        each.split("=") for each in flags(matcher)["backend-service-path-rules"].split(",")
    )

    for name, entry in deployed().functions.items():
        if entry.invoker == "public":
            service = f"perene-{name.replace('_', '-')}"
            assert rules[entry.path] == rules[f"{entry.path}/*"] == service


def test_no_value_of_a_secret_is_in_the_script(tmp_path: Path):
    printed = run(tmp_path, SETTINGS)

    assert printed.returncode == 0, printed.stderr
    assert "hunter2" not in printed.stdout + printed.stderr
    assert "perene-webhook-secret:latest" in printed.stdout


def test_the_script_is_one_that_the_shell_can_read(tmp_path: Path):
    odd = {"AUTH_AUDIENCE": 'it\'s a "$(reboot)"', "FIRESTORE_DATABASE": "x$(reboot)"}
    printed = run(tmp_path, SETTINGS | odd)

    read = subprocess.run(["bash", "-n"], input=printed.stdout, text=True, capture_output=True)

    assert read.returncode == 0, read.stderr
    (line,) = [each for each in printed.stdout.splitlines() if "--function=fleet" in each]
    assert 'AUTH_AUDIENCE=it\'s a "$(reboot)"' in " ".join(shlex.split(line))

    (release,) = [each for each in printed.stdout.splitlines() if each.startswith("release=")]
    assert release.endswith("'cloud.firestore/x$(reboot)'")


@pytest.mark.parametrize("odd", ["a@@b", "a@", "@b", "a,b=c^d", "a##b@", "'a' \\"])
def test_a_value_of_any_characters_arrives_as_it_is(odd: str):
    given = {"AUTH_AUDIENCE": odd, "ALERT_EMAIL_FROM": odd}
    (deploy,) = [each for each in commands("1", **given) if "--function=fleet" in each]

    variables = variables_of(deploy)

    assert (variables["AUTH_AUDIENCE"], variables["ALERT_EMAIL_FROM"]) == (odd, odd)
    assert set(variables) > {"PYTHONPATH", "PUBLIC_URL", "SCHEDULER_EMAIL"}


SDK = """#!{python}
import json, os, pathlib, sys
UPDATE = ["logging", "sinks", "update"]
place, asked = pathlib.Path({place!r}), [pathlib.Path(sys.argv[0]).name, *sys.argv[1:]]
log = place / "asked"
earlier = [json.loads(each) for each in log.read_text().splitlines()] if log.exists() else []
if len(earlier) == int(os.environ.get("DIES_AT", -1)):
    sys.exit("the network is away")
log.open("a").write(json.dumps(asked) + "\\n")
if asked[0] == "curl":
    headers = [pathlib.Path(each[1:]).read_text() for each in asked if each.startswith("@/")]
    (place / "headers").open("a").write("".join(headers))
    sys.stdin.read()
    made = "POST" in asked and asked[-1].endswith("releases") and asked in earlier
    sys.exit("409") if made else print('{{"name": "projects/p/rulesets/1"}}')
elif asked[1:3] == ["auth", "print-access-token"]:
    print("hunter2")
elif asked[1:3] == ["secrets", "list"]:
    made = [each[3] for each in earlier if each[1:3] == ["secrets", "create"]]
    print(json.dumps([{{"name": f"projects/1/secrets/{{each}}"}} for each in made]))
elif asked[1:4] == ["secrets", "versions", "list"]:
    print('[{{"name": "1"}}]')
elif asked[1:4] == ["logging", "sinks", "describe"]:
    print("somebody-elses;" + "".join(each[-1] for each in earlier if each[1:4] == UPDATE))
elif asked[1:4] == UPDATE and asked in earlier:
    sys.exit("ERROR: what it says is anybody's guess")
elif asked in earlier and {{"create", "add-backend", "add-path-matcher"}} & set(asked):
    sys.exit("ERROR: it already exists.")
"""


@pytest.mark.skipif(shutil.which("jq") is None, reason="needs jq")
def test_a_script_that_died_half_way_is_run_again_and_goes_on(tmp_path: Path):
    script = run(tmp_path, SETTINGS).stdout
    for program in ("gcloud", "curl"):
        (tmp_path / program).write_text(SDK.format(python=sys.executable, place=str(tmp_path)))
        (tmp_path / program).chmod(0o755)
    given = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}

    def bash(**variables: str) -> Any:
        return subprocess.run(
            ["bash", "-s"], input=script, cwd=ROOT, capture_output=True, text=True,
            env={**given, **variables},
        )  # fmt: skip

    first, again, once_more = bash(DIES_AT="30"), bash(), bash()

    assert first.returncode != 0
    assert "the network is away" in first.stderr
    assert (again.returncode, once_more.returncode) == (0, 0), again.stderr + once_more.stderr
    asked = [json.loads(each) for each in (tmp_path / "asked").read_text().splitlines()]
    done = [each[1:] for each in asked if each[0] == "gcloud"]
    assert [each for each in commands() if "$NUMBER" not in str(each) and each not in done] == []
    assert "hunter2" not in str(asked)
    assert "Authorization: Bearer hunter2" in (tmp_path / "headers").read_text()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({**SETTINGS, "PUBLIC_URL": ""}, "PUBLIC_URL: Field required"),
        ({**SETTINGS, "GOOGLE_CLOUD_PROJECT": ""}, "GOOGLE_CLOUD_PROJECT: Field required"),
        (None, "can't be read"),
    ],
    ids=["invalid", "without a project", "no file"],
)
def test_what_is_missing_is_said_in_a_sentence(
    tmp_path: Path, settings: dict[str, str] | None, sentence: str
):
    refused = run(tmp_path, settings)

    assert refused.returncode == 1
    assert refused.stdout == ""
    assert sentence in refused.stderr


def run(place: Path, settings: dict[str, str] | None) -> Any:
    file = place / "production"
    if settings is not None:
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return subprocess.run(
        [sys.executable, "-m", "infra.gcloud", f"--env={file}"],
        cwd=ROOT, capture_output=True, text=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip


def test_a_file_of_settings_may_have_comments_and_quotes(tmp_path: Path):
    file = tmp_path / "settings"
    file.write_text("# ours\n\nA=1\nB='two words'\n C = \"x=y\" \nD=\n")

    assert environment.read(file) == {"A": "1", "B": "two words", "C": "x=y", "D": ""}


def test_a_file_of_another_encoding_is_told_in_a_sentence(tmp_path: Path):
    file = tmp_path / "settings"
    file.write_bytes("A=açaí\n".encode("cp1252"))

    with pytest.raises(environment.NotReadable, match=r"isn't UTF-8\.$"):
        environment.read(file)


@pytest.mark.parametrize("line", ["export A=1", "nothing"])
def test_a_line_that_sets_nothing_is_named_and_not_quoted(tmp_path: Path, line: str):
    file = tmp_path / "settings"
    file.write_text(f"A=1\n{line}\n")

    with pytest.raises(environment.NotReadable, match=r"settings:2 isn't NAME=value\.$"):
        environment.read(file)


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="needs the Google Cloud SDK")
def test_every_command_is_one_that_the_sdk_knows(tmp_path: Path):
    every = {name: "1" for name in listed().plain if name not in ("CAPACITY_MEMORY_GB",)}
    asked = commands("1234567890", **every)
    wrong = ["run", "deploy", "x", "--memry=1Gi"]
    file = tmp_path / "commands.json"
    lines = [f"gcloud {shlex.join(each)}" for each in [*asked, wrong]]
    file.write_text(json.dumps([{"command_string": line} for line in lines]))

    linted = subprocess.run(
        ["gcloud", "meta", "lint-gcloud-commands", f"--commands-file={file}"],
        capture_output=True, text=True, timeout=300,
        env={**os.environ, "CLOUDSDK_CORE_PROJECT": "x", "CLOUDSDK_CONFIG": str(tmp_path)},
    )  # fmt: skip

    verdicts = json.loads(linted.stdout)
    assert len(verdicts) == len(lines)
    failed = [each for each in verdicts[:-1] if not each["success"]]
    assert [(each["command_string"], each["error_message"]) for each in failed] == []
    assert re.search(r"memry", json.dumps(verdicts[-1]))
    assert not verdicts[-1]["success"]
