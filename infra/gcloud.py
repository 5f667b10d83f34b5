"""`make gcloud ENV=.env.production > deploy.sh`: the deployment by hand, without Terraform.

From the same map as Terraform's. It makes the same functions, accounts, indexes, rules, jobs and
origin; alert policies, dashboard, budget and the way from `/` to the console are Terraform's alone.
Values of secrets aren't in it: the script asks for them.
"""

import argparse
import shlex
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from infra import deployment, environment
from infra.deployment import Function, deployed, listed, secret_name, service_name
from shared import config

Command = list[str]

SERVICES = (
    *("artifactregistry", "cloudbuild", "cloudscheduler", "compute", "firebaserules", "firestore"),
    *("iam", "logging", "run", "secretmanager"),
)
ROLES_OF_THE_BUILDER = (
    "roles/artifactregistry.writer",
    "roles/logging.logWriter",
    "roles/storage.objectViewer",
)
NOT_GIVEN = {"SCHEDULER_AUDIENCE", "SCHEDULER_EMAIL", "FIRESTORE_EMULATOR_HOST"}
SEPARATORS = ("@@", "##", "||", "%%", "~~", "&&")
"""Between variables of one flag: the first that no variable has in it."""

MAKING = {"create", "add-backend", "add-path-matcher"}
"""What fails when it was done already, in a script that is run again."""

EXCLUSION = "perene-webhook-addresses"
EXCLUDED = (
    "[[ $(gcloud logging sinks describe _Default --format='value(exclusions.name)')"
    f" == *{EXCLUSION}* ]] || \\\n  "
)
"""A second one of that name is refused, in words that nobody promises."""


@dataclass(frozen=True)
class Choice:
    """Where, and with which settings. `number` is the project's."""

    settings: Mapping[str, str]
    region: str
    time_zone: str
    number: str = "$NUMBER"

    @property
    def project(self) -> str:
        return self.settings["GOOGLE_CLOUD_PROJECT"]

    @property
    def domain(self) -> str:
        return urlsplit(self.settings["PUBLIC_URL"]).hostname or ""

    @property
    def database(self) -> str:
        return self.settings.get("FIRESTORE_DATABASE") or "(default)"

    @property
    def secrets(self) -> list[str]:
        return sorted(name for name in listed().secret if self.settings.get(name))

    def account(self, trust: str) -> str:
        return f"perene-{trust}@{self.project}.iam.gserviceaccount.com"

    def url(self, function: str) -> str:
        return f"https://{service_name(function)}-{self.number}.{self.region}.run.app"


def steps(choice: Choice) -> Iterator[tuple[str, list[Command]]]:
    """The whole deployment, step by step: what it is, and the commands."""
    yield "What is used", [["services", "enable", *(f"{each}.googleapis.com" for each in SERVICES)]]
    yield "Firestore", list(_firestore(choice))
    yield "One service account for each level of trust", list(_accounts(choice))
    yield "Secrets: their names, and who reads them", list(_secrets(choice))
    yield "Functions", list(_functions(choice))
    yield "Sweeps", list(_jobs(choice))
    yield "One origin", list(_origin(choice))
    yield "Logs without the tokens that a 1.8 server's addresses hold", [_exclusion()]


def _firestore(choice: Choice) -> Iterator[Command]:
    database = f"--database={choice.database}"
    create = ["firestore", "databases", "create", database, f"--location={choice.region}"]
    yield [*create, "--type=firestore-native", "--delete-protection", "--enable-pitr"]
    schedule = ["firestore", "backups", "schedules", "create", database]
    yield [*schedule, "--recurrence=daily", "--retention=14d"]
    for index in deployment.indexes()["indexes"]:
        create = ["firestore", "indexes", "composite", "create", database, "--async"]
        scope = str(index["queryScope"]).lower().replace("_", "-")
        fields = index["fields"]
        assert isinstance(fields, list)
        yield [
            *create,
            f"--collection-group={index['collectionGroup']}",
            f"--query-scope={scope}",
            *(
                f"--field-config=field-path={each['fieldPath']},order={each['order'].lower()}"
                for each in fields
            ),
        ]
    for field in deployment.indexes()["fieldOverrides"]:
        which = [str(field["fieldPath"]), f"--collection-group={field['collectionGroup']}"]
        update = ["firestore", "indexes", "fields", "update", *which, database, "--async"]
        yield [*update, "--disable-indexes"]
        if field.get("ttl"):
            ttl = ["firestore", "fields", "ttls", "update", *which, database, "--async"]
            yield [*ttl, "--enable-ttl"]


def _accounts(choice: Choice) -> Iterator[Command]:
    trusts = sorted({each.trust for each in deployed().functions.values()})
    for trust in (*trusts, "scheduler", "builder"):
        yield ["iam", "service-accounts", "create", f"perene-{trust}"]
    bind = ["projects", "add-iam-policy-binding", choice.project]
    for trust in trusts:
        where = f"projects/{choice.project}/databases/{choice.database}"
        if trust not in ("nobody", "page"):
            yield [
                *bind,
                f"--member=serviceAccount:{choice.account(trust)}",
                "--role=roles/datastore.user",
                f'--condition=expression=resource.name=="{where}",title=only-perenes-database',
            ]
    for role in ROLES_OF_THE_BUILDER:
        member = f"--member=serviceAccount:{choice.account('builder')}"
        yield [*bind, member, f"--role={role}", "--condition=None"]


def _secrets(choice: Choice) -> Iterator[Command]:
    for setting in choice.secrets:
        name = secret_name(setting)
        yield ["secrets", "create", name, "--replication-policy=automatic"]
        for trust in sorted(listed().secret[setting]):
            bind = ["secrets", "add-iam-policy-binding", name]
            member = f"--member=serviceAccount:{choice.account(trust)}"
            yield [*bind, member, "--role=roles/secretmanager.secretAccessor"]


def _functions(choice: Choice) -> Iterator[Command]:
    for name, function in deployed().functions.items():
        public = function.invoker == "public"
        deploy = ["run", "deploy", service_name(name), "--source=.", f"--function={name}"]
        yield [
            *deploy,
            f"--base-image={deployed().runtime}",
            f"--region={choice.region}",
            f"--set-build-env-vars=GOOGLE_FUNCTION_SOURCE=functions/{name}.py",
            f"--build-service-account=projects/{choice.project}/serviceAccounts/{choice.account('builder')}",
            f"--service-account={choice.account(function.trust)}",
            f"--memory={function.memory}",
            f"--cpu={function.cpu}",
            f"--concurrency={function.concurrency}",
            f"--min-instances={function.min_instances}",
            f"--max-instances={function.max_instances}",
            f"--timeout={function.timeout_seconds}s",
            f"--ingress={'internal-and-cloud-load-balancing' if public else 'internal'}",
            "--allow-unauthenticated" if public else "--no-allow-unauthenticated",
            "--cpu-boost",
            "--set-env-vars",  # in a word of its own: gcloud misreads `=^` after a switch
            _variables(choice, name, function),
            *_secret_variables(choice, function),
            "--quiet",
        ]
        if not public:
            bind = ["run", "services", "add-iam-policy-binding", service_name(name)]
            member = f"--member=serviceAccount:{choice.account('scheduler')}"
            yield [*bind, f"--region={choice.region}", member, "--role=roles/run.invoker"]


def _variables(choice: Choice, name: str, function: Function) -> str:
    given = {"PYTHONPATH": "/workspace"}
    if function.trust != "nobody":
        if function.trust not in listed().secret["WEBHOOK_SECRET"]:
            given |= listed().placeholders
        if function.trust == "page" and choice.settings.get("AUTH_HS256_SECRET"):
            given["AUTH_HS256_SECRET"] = listed().placeholders["WEBHOOK_SECRET"]
        known = (listed().plain | listed().computed) - NOT_GIVEN
        given |= {
            each: choice.settings[each] for each in sorted(known) if choice.settings.get(each)
        }
        given["SCHEDULER_AUDIENCE"] = choice.url(name)
        given["SCHEDULER_EMAIL"] = choice.account("scheduler")
    pairs = [f"{each}={value}" for each, value in given.items()]
    between = next(each for each in SEPARATORS if each.join(pairs).split(each) == pairs)
    return f"^{between}^{between.join(pairs)}"


def _secret_variables(choice: Choice, function: Function) -> list[str]:
    its = [name for name in choice.secrets if function.trust in listed().secret[name]]
    pairs = ",".join(f"{name}={secret_name(name)}:latest" for name in its)
    return [f"--set-secrets={pairs}"] if pairs else []


def _jobs(choice: Choice) -> Iterator[Command]:
    for name, function in deployed().functions.items():
        if function.schedule:
            yield [
                *("scheduler", "jobs", "create", "http", service_name(name)),
                f"--location={choice.region}",
                f"--schedule={function.schedule}",
                f"--time-zone={choice.time_zone}",
                f"--uri={choice.url(name)}{function.path}",
                "--http-method=POST",
                f"--oidc-service-account-email={choice.account('scheduler')}",
                f"--oidc-token-audience={choice.url(name)}",
                f"--attempt-deadline={function.timeout_seconds}s",
                "--max-retry-attempts=2",
                "--min-backoff=60s",
                "--max-backoff=600s",
            ]


def _origin(choice: Choice) -> Iterator[Command]:
    public = {name: each for name, each in deployed().functions.items() if each.invoker == "public"}
    yield ["compute", "addresses", "create", "perene", "--global"]
    for name in public:
        service, region = service_name(name), f"--region={choice.region}"
        group = f"perene-{service}"
        create = ["compute", "network-endpoint-groups", "create", group, region]
        yield [*create, "--network-endpoint-type=serverless", f"--cloud-run-service={service}"]
        create = ["compute", "backend-services", "create", group, "--global"]
        create += ["--load-balancing-scheme=EXTERNAL_MANAGED", "--protocol=HTTPS"]
        yield [*create, "--custom-response-header=Strict-Transport-Security: max-age=31536000"]
        add = ["compute", "backend-services", "add-backend", group, "--global"]
        add += [f"--network-endpoint-group={group}"]
        yield [*add, f"--network-endpoint-group-region={choice.region}"]
    nobodys = "--default-service=perene-openapi"
    yield ["compute", "url-maps", "create", "perene", nobodys, "--global"]
    rules = ",".join(
        f"{path}=perene-{service_name(name)}"
        for name, each in public.items()
        for path in (each.path, f"{each.path}/*")
    )
    matcher = ["compute", "url-maps", "add-path-matcher", "perene", "--global"]
    matcher += ["--path-matcher-name=functions", nobodys]
    yield [*matcher, f"--new-hosts={choice.domain}", f"--backend-service-path-rules={rules}"]
    certificate = ["compute", "ssl-certificates", "create", "perene", "--global"]
    yield [*certificate, f"--domains={choice.domain}"]
    policy = ["compute", "ssl-policies", "create", "perene", "--global"]
    yield [*policy, "--profile=MODERN", "--min-tls-version=1.2"]
    proxy = ["compute", "target-https-proxies", "create", "perene", "--global"]
    yield [*proxy, "--url-map=perene", "--ssl-certificates=perene", "--ssl-policy=perene"]
    rule = ["compute", "forwarding-rules", "create", "perene", "--global", "--ports=443"]
    rule += ["--load-balancing-scheme=EXTERNAL_MANAGED", "--address=perene"]
    yield [*rule, "--target-https-proxy=perene"]


def _exclusion() -> Command:
    service = service_name("receive_webhook")
    which = (
        'log_id("run.googleapis.com/requests") AND '
        f'resource.labels.service_name="{service}" AND httpRequest.requestUrl=~"/webhook/[^/]"'
    )
    update = ["logging", "sinks", "update", "_Default"]
    return [*update, f"--add-exclusion=name={EXCLUSION},filter={which}"]


RULES = """\
# The rules of Firestore (gcloud has no command for them)
release="projects/$PROJECT/releases/"{release}
ruleset=$(jq -n --rawfile rules infra/firestore.rules \\
  '{{source: {{files: [{{name: "firestore.rules", content: $rules}}]}}}}' \\
  | firebaserules POST "projects/$PROJECT/rulesets" | jq -r .name)
release() {{
  jq -n --arg name "$release" --arg ruleset "$ruleset" '{{name: $name, rulesetName: $ruleset}}'
}}
release | firebaserules POST "projects/$PROJECT/releases" \\
  || release | jq '{{release: .}}' | firebaserules PATCH "$release"
"""

BEGINNING = """\
#!/usr/bin/env bash
# Made by `make gcloud` for {project}: run it in the root of the repository. It ends at the first
# failure; run again, it passes over what is there.
set -euo pipefail
export CLOUDSDK_CORE_PROJECT={project} CLOUDSDK_CORE_DISABLE_PROMPTS=1
PROJECT={project}
NUMBER=$(gcloud projects describe "$PROJECT" --format='value(projectNumber)')
once() {{
  local said
  if said=$("$@" 2>&1); then echo "$said"; return; fi
  echo "$said" >&2
  grep -qi 'already[ _]exists\\|already part of' <<<"$said" && echo 'It is there: going on.' >&2
}}
firebaserules() {{
  curl --fail --silent --show-error -X "$1" \\
    -H @<(printf 'Authorization: Bearer %s' "$(gcloud auth print-access-token)") \\
    -H "x-goog-user-project: $PROJECT" -H 'Content-Type: application/json' \\
    --data @- "https://firebaserules.googleapis.com/v1/$2"
}}
"""

ENDING = """\
# Point the DNS A record of {domain} here:
gcloud compute addresses describe perene --global --format='value(address)'
"""


def script(choice: Choice) -> str:
    """All of it, to be read and run."""
    parts = [BEGINNING.format(project=shlex.quote(choice.project))]
    for title, commands in steps(choice):
        parts.append("\n".join([f"# {title}", *map(_line, commands), ""]))
        if title == "Firestore":
            named = "" if choice.database == "(default)" else f"/{choice.database}"
            parts.append(RULES.format(release=shlex.quote(f"cloud.firestore{named}")))
        if title.startswith("Secrets"):
            parts.append('PYTHONPATH=. .venv/bin/python -m infra.secrets --project="$PROJECT"\n')
    parts.append(ENDING.format(domain=choice.domain))
    return "\n".join(parts)


def _line(command: Command) -> str:
    line = " ".join(["gcloud", *(_quoted(word) for word in command)])
    if command[:2] == ["logging", "sinks"]:
        return EXCLUDED + line
    return line if MAKING.isdisjoint(command) else f"once {line}"


def _quoted(word: str) -> str:
    """For the shell, which puts the project's number where it is asked for."""
    if "$NUMBER" not in word:
        return shlex.quote(word)
    before, *rest = word.split("$NUMBER")
    return '"$NUMBER"'.join([shlex.quote(before), *(shlex.quote(each) for each in rest)])


def main() -> int:
    """Prints the script; 1 with a sentence if the settings aren't valid."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--env", type=Path, required=True, help="a file of NAME=value lines")
    asked.add_argument("--region", default="southamerica-east1")
    asked.add_argument("--time-zone", default="America/Sao_Paulo")
    given = asked.parse_args()
    try:
        settings = environment.read(given.env)
        config.read(settings)
    except (environment.NotReadable, config.ConfigurationError) as problem:
        print(problem, file=sys.stderr)
        return 1
    if not settings.get("GOOGLE_CLOUD_PROJECT"):
        print("GOOGLE_CLOUD_PROJECT: Field required", file=sys.stderr)
        return 1
    print(script(Choice(settings, given.region, given.time_zone)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
