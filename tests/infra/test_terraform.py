"""What Terraform would deploy: all that the code needs, for nobody but those whom it is for."""

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pytest
from msgspec.structs import fields

from infra import environment
from infra.local import gateway
from shared import bucket, config
from tests.cases import in_each
from tests.infra import provider, terraform
from tests.infra.granted import grant_settings
from tests.infra.indexes import DECLARED
from tests.infra.terraform import INFRA, Refused

ROOT = INFRA.parent
MAP = json.loads((INFRA / "functions.json").read_text())
SETTINGS = json.loads((INFRA / "settings.json").read_text())
FUNCTIONS = {file.stem: file for file in (ROOT / "functions").glob("[!_]*.py")}
SCHEDULED = {"deliver_events", "store_media"} & set(FUNCTIONS)
SECRET_VALUES = {
    "EVOLUTION_SERVERS": '[{"id": "main", "url": "https://evolution.test", "api_key": "key"}]',
    "WEBHOOK_SECRET": "w" * 32,
    "TENANT_FEED_SECRET": "f" * 32,
}

computes = pytest.mark.skipif(
    terraform.PROGRAM is None, reason="needs terraform or tofu on this machine"
)


@cache
def deployed() -> dict[str, dict[str, Any]]:
    return terraform.computed()


def functions() -> dict[str, Any]:
    return deployed()["google_cloudfunctions2_function.function"]


def service(name: str) -> Any:
    (service_config,) = functions()[name]["service_config"]
    return service_config


# Every function ------------------------------------------------------------------------------


def test_map_lists_exactly_the_functions():
    assert set(MAP["functions"]) == set(FUNCTIONS), (
        "A file in functions/ needs an entry in infra/functions.json: path, trust, invoker, size."
    )


@in_each("name", MAP["functions"])
def test_map_has_path_that_function_answers(name: str):
    expected = gateway.SEGMENTS.get(name, name.replace("_", "-"))

    assert MAP["functions"][name]["path"] == f"/{expected}"
    assert f'"/{expected}"' in FUNCTIONS[name].read_text()


@in_each("name", MAP["functions"])
def test_map_entries_are_complete(name: str):
    entry = MAP["functions"][name]
    sizes = {"memory", "cpu", "concurrency", "min_instances", "max_instances", "timeout_seconds"}

    assert set(entry) - {"schedule", "topic"} == {"path", "trust", "invoker", *sizes}
    assert entry["invoker"] in ("public", "scheduler")
    assert ("schedule" in entry) == (entry["invoker"] == "scheduler")
    assert entry["trust"] in ("nobody", "page", *trusts_of_secrets())
    assert float(entry["cpu"]) >= 1 or entry["concurrency"] == 1


def trusts_of_secrets() -> set[str]:
    return {trust for trusts in SETTINGS["secret"].values() for trust in trusts}


@computes
@in_each("name", MAP["functions"])
def test_functions_start_from_own_files(name: str):
    (build,) = functions()[name]["build_config"]
    source = build["environment_variables"]["GOOGLE_FUNCTION_SOURCE"]

    assert build["entry_point"] == name
    assert (ROOT / source).samefile(FUNCTIONS[name])
    assert service(name)["environment_variables"]["PYTHONPATH"] == "/workspace"
    assert build["runtime"] == MAP["runtime"]
    assert name in defined(ROOT / source)


def defined(file: Path) -> set[str]:
    return {
        statement.name
        for statement in ast.parse(file.read_text()).body
        if isinstance(statement, ast.AsyncFunctionDef)
    }


@computes
def test_variables_override_the_maps_sizes():
    chosen = terraform.example() | {"instances": {"receive_webhook": {"min": 2}}}

    changed = terraform.computed(chosen)["google_cloudfunctions2_function.function"]

    (webhook,) = changed["receive_webhook"]["service_config"]
    assert webhook["min_instance_count"] == 2
    assert webhook["max_instance_count"] == MAP["functions"]["receive_webhook"]["max_instances"]
    assert service("receive_webhook")["min_instance_count"] == 0


@in_each("name", MAP["functions"])
def test_sweep_stops_before_it_is_stopped(name: str):
    entry = MAP["functions"][name]
    if not name.startswith("sweep_"):
        return

    defaults = {setting.name: setting.default for setting in fields(config.Settings)}

    assert defaults["sweep_seconds"] < entry["timeout_seconds"] <= 1800


# Settings and secrets ------------------------------------------------------------------------


def test_deployment_knows_every_setting_once():
    kinds = ("secret", "computed", "plain", "local")
    variables = [name for kind in kinds for name in SETTINGS[kind]]

    assert sorted(variables) == sorted(map(str.upper, config.Settings.__struct_fields__)), (
        "A setting of shared/config.py needs its place in infra/settings.json."
    )


def test_secret_settings_are_deployed_secrets():
    hidden = {
        field.name.upper()
        for field in fields(config.Settings)
        if re.search("Password|Secret|HiddenAddress|Server", repr(field.type))
    }

    assert set(SETTINGS["secret"]) == hidden


@computes
@in_each("name", [n for n, e in MAP["functions"].items() if e["trust"] != "nobody"])
def test_functions_get_valid_settings(name: str):
    given = service(name)["environment_variables"]
    secrets = {variable["key"] for variable in service(name)["secret_environment_variables"]}

    read = config.read({**given, **{secret: SECRET_VALUES[secret] for secret in secrets}})

    assert read.public_url == "https://whatsapp.example.com"
    assert read.google_cloud_project == "my-perene-project"
    assert read.auth_jwks_url
    assert read.scheduler_email


@computes
@in_each("name", MAP["functions"])
def test_grants_match_computed_ones(name: str):
    """test_package.py starts each function with what tests/infra/granted.py computes."""
    granted = service(name)["environment_variables"]
    secrets = {secret["key"] for secret in service(name)["secret_environment_variables"]}
    settings = terraform_settings() | {
        setting: granted.get(setting, "") for setting in ("SCHEDULER_AUDIENCE", "SCHEDULER_EMAIL")
    }

    expected = grant_settings(name, settings | dict.fromkeys(terraform.example()["secrets"], "x"))

    assert {setting: "x" for setting in secrets} | granted == expected | {
        "PYTHONPATH": "/workspace"
    }


def terraform_settings() -> dict[str, str]:
    with NamedTemporaryFile("w") as file:
        file.write(deployed()["output.environment"])
        file.flush()
        return environment.read_variables(Path(file.name))


@computes
def test_doctor_gets_the_functions_settings(tmp_path: Path):
    (tmp_path / "production").write_text(deployed()["output.environment"])

    given = environment.read_variables(tmp_path / "production")

    own = {"PYTHONPATH", "SCHEDULER_AUDIENCE", "SCHEDULER_EMAIL"}
    theirs = service("fleet")["environment_variables"]
    assert given == {name: value for name, value in theirs.items() if name not in own}
    assert not set(given) & set(SETTINGS["secret"])


@computes
def test_every_setting_reaches_the_functions():
    given = terraform.example()
    given |= {"settings": {name: "1" for name in SETTINGS["plain"]}}
    given |= {"secrets": [*SETTINGS["secret"]], "auth_jwks_url": None, "keep_media": True}
    given |= {"embed_origins": ["https://www.example.com"]}
    everything = terraform.computed(given)["google_cloudfunctions2_function.function"].values()
    reached: set[str] = {"AUTH_JWKS_URL"}

    for function in everything:
        (service_config,) = function["service_config"]
        reached |= set(service_config["environment_variables"])
        reached |= {secret["key"] for secret in service_config["secret_environment_variables"]}

    assert reached - {"PYTHONPATH"} == {
        *SETTINGS["secret"],
        *SETTINGS["computed"],
        *SETTINGS["plain"],
    }


@computes
def test_functions_read_secrets_by_trust():
    given = terraform.example() | {"secrets": [*SETTINGS["secret"]], "auth_jwks_url": None}
    all_there_is = terraform.computed(given)
    readers = {
        (member["secret_id"], member["member"])
        for member in all_there_is["google_secret_manager_secret_iam_member.reader"].values()
    }

    assert len(readers) == sum(map(len, SETTINGS["secret"].values()))
    for name, function in all_there_is["google_cloudfunctions2_function.function"].items():
        trust = MAP["functions"][name]["trust"]
        (service_config,) = function["service_config"]
        given_to_it = {
            variable["key"] for variable in service_config["secret_environment_variables"]
        }
        assert given_to_it == {
            secret for secret, trusts in SETTINGS["secret"].items() if trust in trusts
        }
        for secret in given_to_it:
            where = f"<google_secret_manager_secret.setting[{secret}].id>"
            assert (where, f"<google_service_account.function[{trust}].member>") in readers


@computes
def test_no_secret_is_in_plain_text():
    for name in MAP["functions"]:
        given = service(name)["environment_variables"]
        secret = {name: value for name, value in given.items() if name in SETTINGS["secret"]}
        assert set(secret.values()) <= set(SETTINGS["placeholders"].values())


def test_few_functions_know_webhook_secret():
    unknowing = {
        name for name, entry in MAP["functions"].items()
        if entry["trust"] not in SETTINGS["secret"]["WEBHOOK_SECRET"]
    }  # fmt: skip

    assert unknowing <= {"openapi", "console", "tenant_feed", "deliver_events", "store_media"}


@computes
def test_no_variable_is_granted_twice():
    given = terraform.example() | {"secrets": [*SETTINGS["secret"]], "auth_jwks_url": None}
    everything = terraform.computed(given)["google_cloudfunctions2_function.function"].values()

    for function in everything:
        (service_config,) = function["service_config"]
        secrets = {secret["key"] for secret in service_config["secret_environment_variables"]}
        assert not secrets & set(service_config["environment_variables"])


@computes
def test_page_gets_only_plain_settings():
    page = MAP["functions"]["openapi"] | {"path": "/console", "trust": "page"}
    functions = MAP | {"functions": MAP["functions"] | {"console": page}}

    computed = terraform.computed(None, functions)

    (its,) = computed["google_cloudfunctions2_function.function"]["console"]["service_config"]
    assert config.read(its["environment_variables"]).auth_jwks_url
    by_secret = terraform.example() | {"auth_jwks_url": None}
    by_secret |= {"secrets": ["EVOLUTION_SERVERS", "WEBHOOK_SECRET", "AUTH_HS256_SECRET"]}
    there = terraform.computed(by_secret, functions)["google_cloudfunctions2_function.function"]
    (other,) = there["console"]["service_config"]
    assert config.read(other["environment_variables"]).auth_hs256_secret
    assert other["secret_environment_variables"] == []
    assert its["secret_environment_variables"] == []
    assert "page" not in computed["google_project_iam_member.documents"]
    (matcher,) = computed["google_compute_url_map.origin"][""]["path_matcher"]
    (home,) = [rule for rule in matcher["path_rule"] if rule["paths"] == ["/"]]
    assert home["url_redirect"][0]["path_redirect"] == "/console"


@in_each("file", terraform.FILES, ids=lambda file: file.name)
def test_no_secret_value_is_written(file: Path):
    text = file.read_text()

    assert "google_secret_manager_secret_version" not in text
    assert "random_password" not in text
    assert not re.search(r"AKIA|AIza|BEGIN [A-Z ]*PRIVATE KEY|secret_data", text)
    assert not re.search(r"[0-9a-fA-F]{32}", text)


@computes
def test_openapi_gets_nothing_secret():
    assert service("openapi")["secret_environment_variables"] == []
    assert set(service("openapi")["environment_variables"]) == {"PYTHONPATH"}
    assert "nobody" not in deployed()["google_project_iam_member.documents"]


# Who may call --------------------------------------------------------------------------------


@computes
def test_sweeps_are_for_the_scheduler_alone():
    sweeps = {*SCHEDULED, *(name for name in FUNCTIONS if name.startswith("sweep_"))}
    public = deployed()["google_cloud_run_service_iam_member.public"]
    scheduled = deployed()["google_cloud_run_service_iam_member.scheduler"]

    assert set(scheduled) == sweeps
    assert set(public) == set(FUNCTIONS) - sweeps
    assert {member["member"] for member in public.values()} == {"allUsers"}
    assert {member["member"] for member in scheduled.values()} == {
        "<google_service_account.scheduler.member>"
    }
    for name in sweeps:
        assert service(name)["ingress_settings"] == "ALLOW_INTERNAL_ONLY"
        assert name not in deployed()["google_compute_region_network_endpoint_group.function"]


def test_nothing_else_is_open_to_everybody():
    (opened,) = [
        resource for resource in terraform.resources() if "allUsers" in json.dumps(resource.body)
    ]

    assert (opened.kind, opened.name) == ("google_cloud_run_service_iam_member", "public")
    assert opened.body["for_each"] == "${local.public}"


@computes
def test_origin_alone_reaches_what_is_public():
    for name, entry in MAP["functions"].items():
        if entry["invoker"] == "public":
            assert service(name)["ingress_settings"] == "ALLOW_INTERNAL_AND_GCLB"


@computes
@in_each("name", [n for n, e in MAP["functions"].items() if "schedule" in e])
def test_scheduler_signs_for_its_function(name: str):
    job = deployed()["google_cloud_scheduler_job.sweep"][name]
    (target,) = job["http_target"]
    (token,) = target["oidc_token"]
    expected = service(name)["environment_variables"]

    assert token["audience"] == expected["SCHEDULER_AUDIENCE"]
    assert token["service_account_email"] == expected["SCHEDULER_EMAIL"]
    assert target["uri"] == token["audience"] + MAP["functions"][name]["path"]
    assert target["http_method"] == "POST"
    assert job["time_zone"] == "America/Sao_Paulo"
    assert job["attempt_deadline"] == f"{MAP['functions'][name]['timeout_seconds']}s"


@computes
@in_each("name", [n for n, e in MAP["functions"].items() if "topic" in e])
def test_topic_is_pushed_to_its_function(name: str):
    topic, entry = f"perene-{MAP['functions'][name]['topic']}", MAP["functions"][name]
    subscription = deployed()["google_pubsub_subscription.pushed"][name]
    (push,), (token,) = subscription["push_config"], subscription["push_config"][0]["oidc_token"]
    expected = service(name)["environment_variables"]
    pokers = deployed()["google_pubsub_topic_iam_member.poker"].values()

    assert deployed()["google_pubsub_topic.pushed"][name]["name"] == topic
    assert expected[f"{entry['topic'].upper()}_TOPIC"].endswith(f"/topics/{topic}")
    assert push["push_endpoint"] == f"{expected['SCHEDULER_AUDIENCE']}{entry['path']}/push"
    assert token["audience"] == expected["SCHEDULER_AUDIENCE"]
    assert subscription["ack_deadline_seconds"] == min(entry["timeout_seconds"], 600)
    where = f"<google_pubsub_topic.pushed[{name}].id>"
    members = {poker["member"] for poker in pokers if poker["topic"] == where}
    recording = {entry["trust"] for entry in MAP["functions"].values()} - {"nobody", "page", "feed"}
    assert members == {f"<google_service_account.function[{trust}].member>" for trust in recording}


# Media ---------------------------------------------------------------------------------------


KEY = "projects/p/locations/southamerica-east1/keyRings/r/cryptoKeys/k"


@cache
def with_media() -> dict[str, dict[str, Any]]:
    return terraform.computed(terraform.example() | {"keep_media": True, "media_key": KEY})


@computes
def test_no_bucket_without_keep_media():
    assert not deployed()["google_storage_bucket.media"]
    assert not deployed()["google_storage_bucket_iam_member.media"]
    assert "MEDIA_BUCKET" not in service("conversations")["environment_variables"]


@computes
def test_bucket_of_media_is_closed_and_cleaned():
    (media,) = with_media()["google_storage_bucket.media"].values()
    (rule,) = media["lifecycle_rule"]
    buckets = {
        resource.name: resource.body for resource in terraform.resources("google_storage_bucket")
    }

    assert media["uniform_bucket_level_access"] is True
    assert media["public_access_prevention"] == "enforced"
    assert rule["condition"] == [{"age": 1, "matches_suffix": [bucket.INCOMING]}]
    assert media["soft_delete_policy"] == [{"retention_duration_seconds": 7 * 24 * 3600}]
    assert media["encryption"] == [{"default_kms_key_name": KEY}]
    assert buckets["media"]["lifecycle"][0]["prevent_destroy"] is True
    functions = with_media()["google_cloudfunctions2_function.function"]
    (given,) = functions["conversations"]["service_config"]
    assert config.read(given["environment_variables"] | SECRET_VALUES).media_bucket == media["name"]


@computes
def test_links_are_signed_by_frontend_as_itself():
    (grant,) = with_media()["google_service_account_iam_member.links"].values()
    roles = with_media()["google_storage_bucket_iam_member.media"]

    assert grant["service_account_id"] == "<google_service_account.function[frontend].name>"
    assert grant["member"] == "<google_service_account.function[frontend].member>"
    assert {trust: grant["role"] for trust, grant in roles.items()} == {
        "frontend": "roles/storage.objectViewer",
        "media": "roles/storage.objectUser",
        "sweep": "roles/storage.objectUser",
    }


@computes
def test_build_reads_only_its_source():
    (copies,) = deployed()["google_project_iam_member.copies"].values()
    (condition,) = copies["condition"]

    assert copies["role"] == "roles/storage.objectViewer"
    assert copies["member"] == "<google_service_account.builder.member>"
    assert re.fullmatch(
        r'resource.name.startsWith\("projects/_/buckets/gcf-v2-sources-\d+-southamerica-east1"\)',
        condition["expression"],
    )
    (function,) = terraform.resources("google_cloudfunctions2_function")
    assert "google_project_iam_member.copies" in str(function.body["depends_on"])


def test_roles_are_narrow():
    roles = {
        role
        for kind in ("google_project_iam_member", "google_storage_bucket_iam_member")
        for resource in terraform.resources(kind)
        for role in re.findall(r"roles/[\w.]+", json.dumps(resource.body))
    }

    assert roles == {
        "roles/cloudscheduler.jobRunner",
        "roles/datastore.user",
        "roles/artifactregistry.writer",
        "roles/logging.logWriter",
        "roles/storage.objectViewer",
    }


# The origin ----------------------------------------------------------------------------------


@computes
def test_origin_serves_public_functions():
    (matcher,) = deployed()["google_compute_url_map.origin"][""]["path_matcher"]
    served = {rule["service"]: rule["paths"] for rule in matcher["path_rule"] if "service" in rule}

    for name, entry in MAP["functions"].items():
        where = f"<google_compute_backend_service.function[{name}].id>"
        if entry["invoker"] == "public":
            assert served.pop(where) == [entry["path"], f"{entry['path']}/*"]
    assert served == {}


@computes
def test_long_domain_has_certificate_too():
    long = f"{'whatsapp.' * 20}example.com"

    named = [
        terraform.computed(terraform.example() | {"domain": domain})[
            "google_compute_managed_ssl_certificate.origin"
        ][""]["name"]
        for domain in (long, f"{'whatsapp.' * 21}example.com")
    ]

    assert len({*named}) == 2
    assert all(re.fullmatch("[a-z]([-a-z0-9]{0,61}[a-z0-9])?", name) for name in named)


@computes
@in_each(("limit", "limited"), [(0, False), (600, True)])
def test_rate_limit_spares_webhooks(limit: int, limited: bool):
    computed = terraform.computed(terraform.example() | {"requests_per_minute": limit})
    behind = computed["google_compute_backend_service.function"]

    assert bool(computed["google_compute_security_policy.edge"]) == limited
    assert bool(behind["instances"]["security_policy"]) == limited
    assert behind["receive_webhook"]["security_policy"] is None


@computes
def test_platform_logs_quote_no_tokens():
    exclusion = deployed()["google_logging_project_exclusion.tokens"][""]["filter"]
    behind = deployed()["google_compute_backend_service.function"].values()

    assert 'service_name="receive-webhook"' in exclusion
    assert "run.googleapis.com/requests" in exclusion
    assert [log["enable"] for backend in behind for log in backend["log_config"]] == [False] * len(
        behind
    )


# Firestore -----------------------------------------------------------------------------------


@computes
def test_declared_indexes_are_deployed():
    declared = json.loads(DECLARED.read_text())["indexes"]
    made = deployed()["google_firestore_index.composite"].values()

    assert [
        {
            "collectionGroup": index["collection"],
            "queryScope": index["query_scope"],
            "fields": [
                {"fieldPath": field["field_path"], "order": field["order"]}
                if field["order"]
                else {"fieldPath": field["field_path"], "arrayConfig": field["array_config"]}
                for field in index["fields"]
            ],
        }
        for index in made
    ] == sorted(declared, key=name_index)


def name_index(index: dict[str, Any]) -> str:
    """Return the name that Terraform knows an index by."""
    scope = ["of all"] if index["queryScope"] == "COLLECTION_GROUP" else []
    fields = [field["fieldPath"] for field in index["fields"]]
    return " ".join([index["collectionGroup"], *fields, *scope])


@computes
def test_declared_exemptions_are_deployed():
    declared = json.loads(DECLARED.read_text())["fieldOverrides"]
    made = deployed()["google_firestore_field.override"].values()

    assert {(field["collection"], field["field"], len(field["ttl_config"])) for field in made} == {
        (field["collectionGroup"], field["fieldPath"], int(field.get("ttl", False)))
        for field in declared
    }
    assert all(field["index_config"] == [{"indexes": []}] for field in made)


@computes
@in_each(
    ("database", "release"),
    [("(default)", "cloud.firestore"), ("perene", "cloud.firestore/perene")],
)
def test_rules_belong_to_the_database(database: str, release: str):
    computed = terraform.computed(terraform.example() | {"firestore_database": database})
    (source,) = computed["google_firebaserules_ruleset.firestore"][""]["source"]

    assert source["files"][0]["content"] == (INFRA / "firestore.rules").read_text()
    assert computed["google_firebaserules_release.firestore"][""]["name"] == release


def test_database_is_protected():
    (database,) = terraform.resources("google_firestore_database")

    assert database.body["point_in_time_recovery_enablement"].strip('"').endswith("_ENABLED")
    assert database.body["delete_protection_state"].strip('"').endswith("_ENABLED")
    assert database.body["lifecycle"][0]["prevent_destroy"] is True
    assert len(terraform.resources("google_firestore_backup_schedule")) == 1


# Variables -----------------------------------------------------------------------------------


@in_each("name", terraform.variables())
def test_every_variable_is_described(name: str):
    body = terraform.variables()[name]

    assert len(body["description"]) > 20
    assert "type" in body


WRONG = {
    "project": "My Project",
    "region": "Brazil",
    "firestore_database": "x",
    "domain": "https://whatsapp.example.com/",
    "auth_issuer": "http://issuer.test",
    "auth_audience": "",
    "cors_origins": ["*"],
    "embed_origins": ["https://app.example.com/"],
    "secrets": ["EVOLUTION_SERVERS"],
    "settings": {"WEBHOOK_SECRET": "in plain text"},
    "instances": {"nothing": {"min": 1}},
    "time_zone": "now",
    "schedules": {"sweep_orphans": "nightly"},
    "alert_emails": [],
    "requests_per_minute": 5,
    "backup_days": 0,
    "media_key": "mine",
    "media_undelete_days": 3,
    "billing_account": "mine",
    "budget": {"amount": 0, "currency": "USD"},
}


@computes
def test_wrong_values_are_refused_and_named():
    names = list_refused_variables(WRONG)

    assert sorted(names) == sorted(WRONG)


@computes
@in_each(
    ("variable", "value"),
    [
        ("auth_jwks_url", None),
        ("secrets", ["WEBHOOK_SECRET"]),
        ("secrets", ["WEBHOOK_SECRET", "EVOLUTION_SERVERS", "HOME"]),
    ],
)
def test_secrets_and_sign_in_must_fit(variable: str, value: list[str] | None):
    assert list_refused_variables({variable: value}) == [variable]


def list_refused_variables(values: dict[str, Any]) -> list[str]:
    """Return the variables that Terraform refuses with the example's values and these."""
    with pytest.raises(Refused) as refusal:
        terraform.computed(terraform.example() | values)
    errors = str(refusal.value).split("Error: Invalid value for variable")[1:]
    return [re.findall(r"\bvar\.(\w+)[\w.]* is ", error)[0] for error in errors]


# What the cloud calls things -----------------------------------------------------------------


def test_attributes_match_the_providers_schema():
    schema = provider.load_schema()

    assert [
        wrong
        for resource in terraform.resources()
        for wrong in faults(
            resource.body, schema[resource.kind], f"{resource.kind}.{resource.name}"
        )
    ] == []


def test_references_match_the_providers_exports():
    schema, text = provider.load_schema(), "\n".join(file.read_text() for file in terraform.FILES)
    made = {(resource.kind, resource.name) for resource in terraform.resources()}
    referred = re.findall(r"(?<!data\.)\b(google_\w+)\.(\w+)(?:\[[^\]]+\]+)?\.(\w+)", text)

    assert referred
    assert [
        reference for reference in referred
        if reference[:2] not in made or reference[2] not in schema[reference[0]]["exports"]
    ] == []  # fmt: skip


@in_each(
    ("body", "found"),
    [
        ({"location": "x", "entry_pint": "y"}, ["it.entry_pint"]),
        ({"name": "x"}, ["it needs location"]),
        ({"location": "x", "service_config": [{"memory": 1}]}, ["it.service_config.memory"]),
    ],
    ids=["a typo", "something missing", "a typo inside"],
)
def test_attribute_check_finds_faults(body: dict[str, Any], found: list[str]):
    assert (
        list(faults(body, provider.load_schema()["google_cloudfunctions2_function"], "it")) == found
    )


def faults(body: dict[str, Any], schema: dict[str, Any], where: str) -> list[str]:
    given = {
        name: value
        for name, value in body.items()
        if name not in terraform.META and not name.startswith("__")
    }
    for dynamic in body.get("dynamic", ()):
        given |= {name.strip('"'): block["content"] for name, block in dynamic.items()}
    attributes, wrong, seen = schema["attributes"], [], set()
    for name, value in given.items():
        plural = f"{name}s" if attributes.get(f"{name}s", {}).get("many") else name
        plural = f"{name}es" if f"{name}es" in attributes else plural
        attribute = attributes.get(name) or attributes.get(plural)
        seen |= {name, plural}
        if attribute is None and name not in attributes:
            wrong.append(f"{where}.{name}")
        elif attribute and isinstance(value, list):
            for block in value:
                wrong += faults(block, attribute["block"], f"{where}.{name}")
    missing = [name for name in schema["needed"] if name not in seen]
    return wrong + [f"{where} needs {name}" for name in missing]


@computes
def test_the_files_are_formatted():
    assert terraform.PROGRAM
    ran = subprocess.run(
        [terraform.PROGRAM, "fmt", "-check", "-diff", "-recursive", INFRA / "terraform"],
        capture_output=True, text=True,
    )  # fmt: skip

    assert ran.returncode == 0, ran.stdout
