"""The settings: validated at once, and never quoted."""

import contextlib
import json
import traceback
from typing import Annotated, Any

import pytest
from msgspec import Meta
from msgspec.structs import FieldInfo, fields

from shared import config
from shared.config import ConfigurationError
from shared.setting_types import WORDS, NotRead, Password, Secret, read_setting
from tests.cases import in_each
from tests.conventions.conftest import SETTINGS

SECRET = "hunter2"
SERVER = {"id": "a", "url": "http://a.test", "api_key": "key-a"}


def read(**variables: str) -> config.Settings:
    return config.read({**SETTINGS, **variables})


def fleet(*servers: dict[str, Any]) -> str:
    return json.dumps(servers)


# What is missing or wrong names itself -------------------------------------------------------


@in_each("variable", ["PUBLIC_URL", "WEBHOOK_SECRET"])
def test_a_missing_variable_names_itself(variable: str):
    with pytest.raises(ConfigurationError, match=f"^{variable}: Field required$"):
        read(**{variable: ""})


@in_each("variable", ["EVOLUTION_URL", "EVOLUTION_API_KEY"])
def test_missing_server_names_both_variables(variable: str):
    with pytest.raises(ConfigurationError, match=r"EVOLUTION_URL.*EVOLUTION_SERVERS"):
        read(**{variable: ""})


WRONG = {
    "PUBLIC_URL": f"{SECRET} is no address",
    "EVOLUTION_URL": f"ftp://{SECRET}.test",
    "EVOLUTION_SERVERS": f"[{SECRET}",
    "INSTANCE_MAX": SECRET,
    "INSTANCE_PREFIX": f"{SECRET}/",
    "WEBHOOK_SECRET": SECRET,
    "WEBHOOK_SECRET_PREVIOUS": SECRET,
    "TENANT_FEED_SECRET": SECRET,
    "TENANT_FEED_SECRET_PREVIOUS": SECRET,
    "AUTH_HS256_SECRET": SECRET,
    "AUTH_JWKS_URL": f"http://{SECRET}:x@",
    "DEFAULT_REGION": "XQ",
    "TENANTS_ON_FIRST_USE": SECRET,
    "SCHEDULER_JWKS_URL": f"{SECRET} is no address",
    "CAPACITY_ALERT_RATIO": SECRET,
    "CAPACITY_MEMORY_GB": f"[{SECRET}",
    "ORPHAN_GRACE_DAYS": SECRET,
    "QUARANTINE_DAYS": f"-{SECRET}",
    "SWEEP_MAX_DELETES": SECRET,
    "SWEEP_MAX_LOSS": SECRET,
    "SWEEP_APPROVAL": SECRET,
    "SWEEP_SECONDS": SECRET,
    "ALERT_WEBHOOK_URL": f"{SECRET} is no address",
    "ALERT_WEBHOOK_KIND": SECRET,
    "ALERT_WEBHOOK_SECRET": SECRET,
    "ALERT_LANGUAGE": SECRET,
    "ALERT_EMAIL_PORT": SECRET,
    "ALERT_EMAIL_SECURITY": SECRET,
}


@in_each(("variable", "value"), WRONG.items(), ids=WRONG.keys())
def test_wrong_variable_hides_its_value(variable: str, value: str):
    with pytest.raises(ConfigurationError) as refused:
        read(**{variable: value})

    assert str(refused.value).startswith(f"{variable}: ")
    assert SECRET not in "".join(traceback.format_exception(refused.value))


@in_each("setting", fields(config.Settings), ids=[field.name for field in fields(config.Settings)])
def test_each_type_can_be_read(setting: FieldInfo):
    """Read any text: a type that msgspec can't read would only show where its setting is set."""
    with contextlib.suppress(NotRead):
        read_setting("x", setting.type)


@in_each(
    ("kind", "text", "meant"),
    [
        (bool | None, "yes", True),
        (Annotated[int, Meta(ge=1)] | None, " 7", 7),
        (Annotated[tuple[str, ...], WORDS] | None, "a b", ("a", "b")),
        (str | None, "null", "null"),
    ],
)
def test_setting_that_may_be_left_out_is_read_as_its_type(kind: Any, text: str, meant: Any):
    assert read_setting(text, kind) == meant


@in_each(
    ("text", "meant"),
    [(".5", 0.5), ("+1", 1), ("030", 30), ("1.", 1), ("1_000", 1000), ("1e2", 100)],
)
def test_number_has_several_spellings(text: str, meant: float):
    assert read(ORPHAN_GRACE_DAYS=text).orphan_grace_days == meant


@in_each(
    "variable",
    [field.name.upper() for field in fields(config.Settings) if "float" in repr(field.type)],
)
def test_no_number_is_no_number(variable: str):
    for number in ("nan", "inf", "-inf"):
        with pytest.raises(ConfigurationError, match=f"^{variable}"):
            read(**{variable: number})


@in_each(
    ("text", "meant"),
    [("true", True), ("1", True), ("Yes", True), ("ON", True), ("false", False), ("no", False)],
)
def test_yes_and_no_have_several_words(text: str, *, meant: bool):
    assert read(TENANTS_ON_FIRST_USE=text).tenants_on_first_use is meant


@in_each(
    ("variable", "value"),
    [
        ("ALERT_WEBHOOK_KIND", "null"),
        ("PUBLIC_URL", "https://256.1.1.1"),
        ("PUBLIC_URL", "ftp://perene.test:21"),
        ("PUBLIC_URL", "//perene.test:8080"),
        ("PUBLIC_URL", "https://perene.test[::1]"),
        ("PUBLIC_URL", "https://perene%20test"),
        ("PUBLIC_URL", "https:///page"),
        ("PUBLIC_URL", "https://[::1"),
        ("PUBLIC_URL", "https://perene.test\\page"),
    ],
)
def test_odd_text_is_refused(variable: str, value: str):
    with pytest.raises(ConfigurationError, match=f"^{variable}: must be "):
        read(**{variable: value})


@in_each("variable", ["INSTANCE_MAX", "BRAND_NAME", "EVOLUTION_SERVERS"])
def test_text_is_utf_8(variable: str):
    with pytest.raises(ConfigurationError, match=f"^{variable}: must be UTF-8$"):
        read(**{variable: b"\xff7".decode(errors="surrogateescape")})


def test_all_faults_are_said_at_once():
    with pytest.raises(ConfigurationError) as refused:
        read(PUBLIC_URL="", INSTANCE_MAX="many")

    assert "PUBLIC_URL: " in str(refused.value)
    assert "INSTANCE_MAX: " in str(refused.value)


@in_each(
    ("change", "where"),
    [
        pytest.param({"id": SECRET.upper()}, "EVOLUTION_SERVERS.1.id", id="an id in capitals"),
        pytest.param({"url": SECRET}, "EVOLUTION_SERVERS.1.url", id="no address"),
        pytest.param({"api_key": ""}, "EVOLUTION_SERVERS.1.api_key", id="no key"),
        pytest.param({"instance_max": -1}, "EVOLUTION_SERVERS.1.instance_max", id="less than none"),
        pytest.param({"apikey": SECRET}, "EVOLUTION_SERVERS.1.apikey", id="a field misspelled"),
    ],
)
def test_wrong_server_of_fleet_names_itself(change: dict[str, Any], where: str):
    with pytest.raises(ConfigurationError) as refused:
        read(EVOLUTION_SERVERS=fleet({**SERVER, "id": "b"}, {**SERVER, **change}))

    assert str(refused.value).startswith(f"{where}: ")
    assert SECRET not in str(refused.value).lower()


def test_deep_json_is_refused():
    deep = "[" * 5000 + "]" * 5000

    with pytest.raises(ConfigurationError, match=r"^EVOLUTION_SERVERS: is nested too deep$"):
        read(EVOLUTION_SERVERS=f'[{{"id": "a", "url": {deep}}}]')


def test_a_server_named_twice_is_refused():
    with pytest.raises(ConfigurationError, match="EVOLUTION_SERVERS names a server twice"):
        read(EVOLUTION_SERVERS=fleet(SERVER, SERVER))


def test_token_checks_exclude_each_other():
    both = {"AUTH_JWKS_URL": "https://issuer.test/jwks", "AUTH_HS256_SECRET": "s" * 32}

    with pytest.raises(ConfigurationError, match="AUTH_JWKS_URL and AUTH_HS256_SECRET"):
        read(**both)


@in_each("prefix", ["__", "__x", "a b", "a/", "a~", "é", "x" * 17])
def test_unsafe_prefix_is_refused(prefix: str):
    with pytest.raises(ConfigurationError, match=r"^INSTANCE_PREFIX:"):
        read(INSTANCE_PREFIX=prefix)


BRAND = {"BRAND_NAME": "Agência Sul", "BRAND_COLOR": "#1b7f5a"}


@in_each(
    ("wrong", "named"),
    [
        ({"BRAND_COLOR": "green"}, "BRAND_COLOR"),
        ({"BRAND_LOGO_URL": "http://agency.test/logo.png"}, "BRAND_LOGO_URL"),
        ({"BRAND_LOGO_URL": "https://ana:secret@agency.test/logo.png"}, "BRAND_LOGO_URL"),
        ({"BRAND_NAME": ""}, "BRAND_LOGO_URL and BRAND_COLOR need BRAND_NAME"),
        ({"TIME_ZONE": "Brazil/Nowhere"}, "TIME_ZONE"),
        ({"TIME_ZONE": "../etc/passwd"}, "TIME_ZONE"),
    ],
)
def test_wrong_brand_or_zone_names_itself(wrong: dict[str, str], named: str):
    with pytest.raises(ConfigurationError, match=rf"^{named}"):
        read(**BRAND | wrong)


def test_scheduler_needs_audience_and_email():
    with pytest.raises(ConfigurationError, match="SCHEDULER_AUDIENCE and SCHEDULER_EMAIL"):
        read(SCHEDULER_EMAIL="sweeper@project.test")


def test_alert_email_needs_sender_and_recipient():
    with pytest.raises(ConfigurationError, match="ALERT_EMAIL_HOST needs"):
        read(ALERT_EMAIL_HOST="mail.test", ALERT_EMAIL_FROM="perene@agency.test")


def test_a_table_of_memory_is_json():
    table = read(CAPACITY_MEMORY_GB='{"50": 3, "100": 5.5}').capacity_memory_gb

    assert table == {50: 3.0, 100: 5.5}


# Servers -------------------------------------------------------------------------------------


def test_a_single_server_is_called_main():
    (server,) = read(EVOLUTION_URL="http://e.test/", INSTANCE_MAX="7").servers.values()

    assert (server.id, server.url, server.instance_max) == ("main", "http://e.test", 7)
    assert server.api_key.get_secret_value() == SETTINGS["EVOLUTION_API_KEY"]


def test_fleet_is_known_by_its_ids():
    other = {**SERVER, "id": "b", "url": "http://b.test"}
    servers = read(EVOLUTION_SERVERS=fleet(SERVER, other)).servers

    assert list(servers) == ["a", "b"]
    assert servers["a"].api_key.get_secret_value() == "key-a"


def test_one_server_cannot_be_two():
    again = {**SERVER, "id": "b", "url": SERVER["url"].upper() + "/"}

    with pytest.raises(config.ConfigurationError, match="one url under two ids"):
        read(EVOLUTION_SERVERS=fleet(SERVER, again))


def test_fleet_wins_over_single_server():
    assert list(read(EVOLUTION_SERVERS=fleet(SERVER)).servers) == ["a"]


def test_a_fleet_needs_no_single_server():
    settings = read(EVOLUTION_SERVERS=fleet(SERVER), EVOLUTION_URL="", EVOLUTION_API_KEY="")

    assert list(settings.servers) == ["a"]


@in_each(
    ("version", "dialect"),
    [("1.8.2", "1.8"), ("2.2.3", "2"), ("2.3.7", "2"), ("2.4.0", "2"), ("2.4.0-rc2", "2")],
)
def test_server_version_decides_its_dialect(version: str, dialect: str):
    (server,) = read(EVOLUTION_SERVERS=fleet({**SERVER, "version": version})).servers.values()

    assert server.dialect == dialect


# What is absent ------------------------------------------------------------------------------


@in_each("nothing", ["", " ", "\t\n"], ids=["empty", "a space", "white space"])
def test_an_empty_variable_counts_as_absent(nothing: str):
    assert read(INSTANCE_MAX=nothing, AUTH_JWKS_URL=nothing) == read()


def test_surrounding_space_is_stripped():
    """Strip the new line that `openssl rand | gcloud secrets versions add` leaves."""
    secret = "s" * 32
    around = read(TENANT_FEED_SECRET=f"{secret}\n", EVOLUTION_API_KEY=" key\r\n")

    assert around.tenant_feed_secret == Secret(secret)
    assert around.evolution_api_key == Password("key")


@in_each(
    ("name", "default"),
    [
        ("instance_max", 100),
        ("instance_prefix", "instance_"),
        ("evolution_servers", ()),
        ("webhook_secret_previous", None),
        ("auth_issuer", None),
        ("auth_audience", None),
        ("auth_jwks_url", None),
        ("auth_hs256_secret", None),
        ("auth_tenant_claim", "sub"),
        ("auth_operator_claim", None),
        ("cors_origins", ()),
        ("embed_origins", ()),
        ("google_cloud_project", None),
        ("firestore_database", "(default)"),
        ("scheduler_issuer", "https://accounts.google.com"),
        ("scheduler_audience", None),
        ("capacity_alert_ratio", 0.9),
        ("capacity_memory_gb", {100: 4.0, 500: 16.0, 1000: 32.0}),
        ("orphan_grace_days", 30),
        ("never_paired_days", 7),
        ("quarantine_days", 7),
        ("sweep_max_deletes", 20),
        ("sweep_max_loss", 0.2),
        ("sweep_approval", "active"),
        ("sweep_seconds", 540),
        ("alert_language", "pt-BR"),
        ("alert_webhook_url", None),
    ],
)
def test_missing_variable_has_documented_default(name: str, default: Any):
    assert getattr(read(), name) == default


def test_fleet_server_carries_hundred_by_default():
    assert read(EVOLUTION_SERVERS=fleet(SERVER)).servers["a"].instance_max == 100


# What is said --------------------------------------------------------------------------------


@in_each("origins", ["https://a.test,https://b.test", " https://a.test  https://b.test "])
def test_commas_or_spaces_separate_origins(origins: str):
    assert read(CORS_ORIGINS=origins).cors_origins == ("https://a.test", "https://b.test")


@in_each(
    "origin",
    [
        "*",
        "https://*.test",
        "https://a.test/",
        "https://a.test/page",
        "http://a.test",
        "https://A.test",
        "https://a.test;script-src",
        "a.test",
        "null",
    ],
)
def test_embedding_needs_exact_origins(origin: str):
    with pytest.raises(ConfigurationError, match=r"^EMBED_ORIGINS\.1: "):
        read(EMBED_ORIGINS=f"https://a.test:8443,{origin}")


def test_trailing_slash_is_removed():
    assert read(PUBLIC_URL="https://perene.test/").public_url == "https://perene.test"


def test_unrelated_variables_are_ignored():
    assert read(HOME="/root", PATH="/bin") == read()


def test_no_secret_is_shown_by_accident():
    secrets = {
        "WEBHOOK_SECRET": "w" * 32,
        "AUTH_HS256_SECRET": "h" * 32,
        "ALERT_WEBHOOK_SECRET": "a" * 32,
        "ALERT_WEBHOOK_URL": "https://hooks.slack.com/services/secret",
        "ALERT_EMAIL_PASSWORD": "password-of-the-mail",
    }
    settings = read(**secrets, EVOLUTION_SERVERS=fleet(SERVER))

    shown = repr(settings) + str(settings.servers)

    assert not [secret for secret in (*secrets.values(), "key-a") if secret in shown]


def test_the_environment_is_read_once(deploy: Any):
    first = config.settings()

    assert config.settings() is first
    deploy(INSTANCE_MAX="7")
    assert config.settings().instance_max == 7
