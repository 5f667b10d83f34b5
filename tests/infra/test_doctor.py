"""The doctor sees what is wrong with a deployment, says so in a sentence, and what to do."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import jwt
import pytest
from jwt.algorithms import RSAAlgorithm

from infra import deployment
from infra.doctor import checks, fetch, servers
from infra.doctor.diagnosis import Diagnosis, Verdict
from infra.local.bucket_emulator import BucketEmulator
from tests.conventions.issuer import a_key
from tests.infra import google
from tests.infra.google import Google
from tests.perene import Perene

ROOT = Path(__file__).parents[2]
HTTPS = "https://perene.test"
KEYS = {"keys": [json.loads(RSAAlgorithm.to_jwk(a_key("rsa-1").public_key())) | {"kid": "1"}]}


class Says(httpx.AsyncBaseTransport):
    """A host that always gives the same answer."""

    def __init__(self, status: int = 200, body: Any = None, **headers: str) -> None:
        self.answer = (status, body, headers)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        status, body, headers = self.answer
        return httpx.Response(status, json=body, headers=headers)


class Flood(httpx.AsyncBaseTransport):
    """A host whose answer never ends, quickly or slowly."""

    def __init__(self, pause: float) -> None:
        self.pause, self.sent = pause, 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=self._pieces())

    async def _pieces(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(self.pause)
            self.sent += 1
            yield b" " * 65536


class Dead(httpx.AsyncBaseTransport):
    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)


class Administered(httpx.AsyncBaseTransport):
    """Firestore's administration, with what is declared, in pages; some of it otherwise."""

    def __init__(self) -> None:
        self.indexes = [
            {
                "name": f"projects/p/databases/d/collectionGroups/{index['collectionGroup']}"
                "/indexes/1",
                "queryScope": index["queryScope"],
                "fields": [*index["fields"], {"fieldPath": "__name__", "order": "DESCENDING"}],
                "state": "READY",
            }
            for index in deployment.load_indexes()["indexes"]
        ]
        self.fields = [
            {
                "name": f"projects/p/databases/d/collectionGroups/{override['collectionGroup']}"
                f"/fields/{override['fieldPath']}",
                "ttlConfig": {"state": "ACTIVE"},
            }
            for override in deployment.load_indexes()["fieldOverrides"]
            if override.get("ttl")
        ]
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.headers["authorization"] != "Bearer of-the-doctor":
            return httpx.Response(401)
        what = request.url.path.rpartition("/")[2]
        every = self.indexes if what == "indexes" else self.fields
        start = int(request.url.params.get("pageToken", 0))
        more = {"nextPageToken": str(start + 3)} if len(every) > start + 3 else {}
        return httpx.Response(200, json={what: every[start : start + 3], **more})


class Patient:
    """A deployment to look at: `environment` is what the doctor is given."""

    def __init__(self, perene: Perene, folder: Path) -> None:
        self.perene = perene
        self.hosts = perene.hosts.transports
        self.hosts["perene.test"] = httpx.ASGITransport(perene.app, raise_app_exceptions=False)
        self.hosts["issuer.test"] = self.hosts["www.googleapis.com"] = Says(body=KEYS)
        self.administered = self.hosts["firestore.googleapis.com"] = Administered()
        self.hosts["pubsub.googleapis.com"] = Google()
        self.hosts["cloudscheduler.googleapis.com"] = Google()
        self.bucket = BucketEmulator(folder)
        self.hosts["storage.googleapis.com"] = httpx.ASGITransport(self.bucket.app)
        perene.set(PUBLIC_URL=HTTPS)
        (server,) = perene.servers
        self.server = {"id": server, "url": f"https://{server}.test", "api_key": f"key-of-{server}"}
        self.environment = perene.environment() | {
            "PUBLIC_URL": HTTPS,
            "AUTH_HS256_SECRET": "",
            "AUTH_JWKS_URL": "https://issuer.test/jwks",
            "CORS_ORIGINS": "https://app.test",
            "ALERT_WEBHOOK_URL": "https://chat.test/hook",
            "SCHEDULER_AUDIENCE": "https://sweep.test",
            "SCHEDULER_EMAIL": google.SCHEDULER_EMAIL,
            **google.SETTINGS,
            "MEDIA_BUCKET": self.bucket.bucket,
        }
        self.served()

    def served(self, **change: Any) -> None:
        """Change how the server is configured."""
        version = next(iter(self.perene.versions.values()))
        self.environment["EVOLUTION_SERVERS"] = json.dumps(
            [self.server | {"version": version} | change]
        )

    async def examined(
        self, evolution: dict[str, str] | None = None, token: Callable[[], str] | None = None
    ) -> list[Diagnosis]:
        diagnoses = checks.run_checks(
            self.environment, evolution, token or (lambda: "of-the-doctor")
        )
        return [finding async for finding in diagnoses]

    def instead(self, path: str, answer: httpx.Response | Exception) -> None:
        """Let the origin give that answer at the path."""
        whole = self.hosts["perene.test"]

        class Otherwise(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if not request.url.path.startswith(path):
                    return await whole.handle_async_request(request)
                if isinstance(answer, Exception):
                    raise answer
                return answer

        self.hosts["perene.test"] = Otherwise()

    async def left(self) -> set[str]:
        """List the collections that exist."""
        return {collection.id for collection in self.perene.database.collections()}

    async def ills(self, **more: Any) -> list[Diagnosis]:
        """List the diagnoses that are bad or doubtful."""
        wrong = (Verdict.BAD, Verdict.DOUBTFUL)
        return [
            diagnosis for diagnosis in await self.examined(**more) if diagnosis.verdict in wrong
        ]


@pytest.fixture
def patient(on_2: Perene, tmp_path: Path) -> Patient:
    return Patient(on_2, tmp_path)


async def test_nothing_is_wrong_with_good_deployment(patient: Patient):
    diagnoses = await patient.examined({"DEL_INSTANCE": "false"})

    assert [
        str(diagnosis)
        for diagnosis in diagnoses
        if diagnosis.verdict in (Verdict.BAD, Verdict.DOUBTFUL)
    ] == []
    good = [str(diagnosis) for diagnosis in diagnoses if diagnosis.verdict is Verdict.GOOD]
    for seen in (
        "document",
        "indexes are ready",
        "TTL",
        "our key",
        "is 2.3",
        "OpenAPI",
        "ours",
        "pushed",
        "every minute",
        "endpoint(s)",
        "deleted",
        "public",
    ):
        assert any(seen in statement for statement in good), seen
    assert len(patient.administered.asked) > 2


async def test_it_leaves_nothing_behind(patient: Patient):
    await patient.examined()

    assert await patient.left() == set()
    assert patient.bucket.objects == {}


@pytest.mark.parametrize(
    ("change", "statement"),
    [
        ({"PUBLIC_URL": ""}, "PUBLIC_URL: Field required"),
        ({"WEBHOOK_SECRET": "short", "INSTANCE_MAX": "many"}, "WEBHOOK_SECRET"),
        ({"AUTH_ISSUER": ""}, "no token counts"),
        ({"AUTH_OPERATOR_CLAIM": ""}, "no caller is one"),
        ({"AUTH_OPERATOR_CLAIM": "user_metadata.role=operator"}, "people write themselves"),
        ({"AUTH_TENANT_CLAIM": "user_metadata.tenant"}, "every person can be any tenant"),
        ({"CORS_ORIGINS": "*"}, "every page"),
        ({"EMBED_ORIGINS": "http://localhost:5173"}, "a developer's own machine"),
        ({"ALERT_WEBHOOK_URL": ""}, "only in the log"),
        ({"PUBLIC_URL": "http://perene.test"}, "isn't https"),
        ({"MEDIA_BUCKET": ""}, "there is no bucket"),
        ({"MEDIA_BUCKET": "another-bucket"}, "a file can't be kept: There is no such bucket."),
        (
            {"WEBHOOK_SECRET_PREVIOUS": "the webhooks' secret of the tests"},
            "nothing was rotated",
        ),
        (
            {"TENANT_FEED_SECRET": "f" * 32, "TENANT_FEED_SECRET_PREVIOUS": "f" * 32},
            "nothing was rotated",
        ),
    ],
)
async def test_wrong_setting_is_named(patient: Patient, change: dict[str, str], statement: str):
    patient.environment |= change

    ills = await patient.ills()

    assert any(statement in f"{diagnosis.subject}: {diagnosis.statement}" for diagnosis in ills), (
        ills
    )
    assert all(diagnosis.remedy for diagnosis in ills)


async def test_wrong_value_is_never_shown(patient: Patient):
    patient.environment |= {"WEBHOOK_SECRET": "hunter2", "EVOLUTION_SERVERS": "[hunter2"}

    assert "hunter2" not in str(await patient.ills())


# Media ---------------------------------------------------------------------------------------


async def test_open_bucket_is_named(patient: Patient):
    access = {"publicAccessPrevention": "inherited"}
    stray = {"rule": [{"action": {"type": "Delete"}, "condition": {"age": 30}}]}
    patient.bucket.configuration |= {"iamConfiguration": access, "lifecycle": stray}

    statements = [diagnosis.statement for diagnosis in await patient.ills()]

    assert len(statements) == 3
    for word in ("can be made public", "never finished", "deletes files that messages still show"):
        assert any(word in statement for statement in statements), word


def refuse_sign_in() -> str:
    raise ValueError("DefaultCredentialsError")


async def test_bucket_without_sign_in_is_told(patient: Patient):
    assert "a file can't be kept" in str(await patient.ills(token=refuse_sign_in))


async def test_emulated_bucket_needs_no_sign_in(patient: Patient):
    patient.hosts["bucket.test"] = httpx.ASGITransport(patient.bucket.app)
    patient.environment["STORAGE_EMULATOR_HOST"] = "http://bucket.test"

    diagnoses = await patient.examined(token=refuse_sign_in)

    bucket = next(it for it in diagnoses if it.subject == "Media")
    assert bucket.verdict is Verdict.GOOD


# Evolution -----------------------------------------------------------------------------------


async def test_server_that_is_away_is_named(patient: Patient):
    patient.hosts["main.test"] = Dead()

    (ill,) = await patient.ills()

    assert (ill.verdict, ill.subject) == (Verdict.BAD, "Server main")
    assert "can't be reached" in ill.statement


@pytest.mark.parametrize("body", [[], {"openapi": "3.1.0"}, {"hello": "there"}])
async def test_foreign_server_is_not_good(patient: Patient, body: Any):
    patient.hosts["main.test"] = Says(body=body)

    (ill,) = await patient.ills()

    assert (ill.verdict, ill.subject) == (Verdict.BAD, "Server main")
    assert "something else than Evolution" in ill.statement


async def test_key_that_is_refused_is_told(patient: Patient):
    patient.served(api_key="another")

    assert "refuses our key" in str(await patient.ills())


async def test_server_of_another_dialect_is_told(patient: Patient):
    patient.served(version="1.8.2")

    (ill,) = [
        diagnosis for diagnosis in await patient.ills() if "configured as" in diagnosis.statement
    ]

    assert "2.3.6, and configured as 1.8.2" in ill.statement


async def test_server_in_some_network_is_doubted(patient: Patient):
    patient.hosts["10.1.2.3"] = patient.hosts["main.test"]
    patient.served(url="http://10.1.2.3:8080")

    (ill,) = await patient.ills()

    assert "inside some network" in ill.statement


async def test_unencrypted_key_is_bad(patient: Patient):
    patient.served(url="http://main.test")

    (ill,) = await patient.ills()

    assert (ill.verdict, "in the clear" in ill.statement) == (Verdict.BAD, True)


@pytest.mark.parametrize("version", ["1.8.2", "2.2.3"])
async def test_an_old_server_is_doubted(firestore_emulator: str, tmp_path: Path, version: str):
    async with Perene(main=version) as perene:
        (ill,) = await Patient(perene, tmp_path).ills()

    assert "Upgrad" in ill.remedy


@pytest.mark.parametrize(
    ("behind", "verdict"),
    [(1, Verdict.GOOD), (7, Verdict.DOUBTFUL), (-90, Verdict.BAD)],
)
async def test_clocks_that_differ_are_told(behind: float, verdict: Verdict):
    there = format_datetime(datetime.now(UTC) - timedelta(seconds=behind), usegmt=True)

    async with httpx.AsyncClient(transport=Says(date=there)) as http:
        diagnosis = await servers.check_clock("It", "https://it.test", http)

    assert diagnosis.verdict is verdict


async def test_slow_answer_skews_no_clock(monkeypatch):
    start = datetime.now(UTC)
    clock = iter([start, start + timedelta(seconds=14)])
    monkeypatch.setattr(servers, "datetime", SimpleNamespace(now=lambda _: next(clock)))
    there = format_datetime(start + timedelta(seconds=1), usegmt=True)

    async with httpx.AsyncClient(transport=Says(date=there)) as http:
        diagnosis = await servers.check_clock("It", "https://it.test", http)

    assert diagnosis.verdict is Verdict.GOOD


async def test_unseen_clock_is_not_good():
    async with httpx.AsyncClient(transport=Says()) as http:
        diagnosis = await servers.check_clock("It", "https://it.test", http)

    assert diagnosis.verdict is Verdict.UNSEEN


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({}, "DEL_INSTANCE"),
        ({"DEL_INSTANCE": "5"}, "DEL_INSTANCE"),
        ({"S3_ENABLED": "true", "S3_SAVE_VIDEO": "false"}, "S3_SAVE_VIDEO"),
        ({"WEBHOOK_RETRY_MAX_ATTEMPTS": "3"}, "WEBHOOK_RETRY_MAX_ATTEMPTS"),
        ({"WEBHOOK_RETRY_MAX_DELAY_SECONDS": "30"}, "WEBHOOK_RETRY_MAX_DELAY_SECONDS"),
        ({"WEBHOOK_RETRY_NON_RETRYABLE_STATUS_CODES": "400, 503"}, "503"),
        ({"WEBHOOK_GLOBAL_ENABLED": "true"}, "WEBHOOK_GLOBAL_ENABLED"),
        ({"AUTHENTICATION_EXPOSE_IN_FETCH_INSTANCES": "true"}, "EXPOSE"),
        ({"TZ": "America/Sao_Paulo"}, "TZ"),
    ],
)
def test_servers_environment_is_checked(given: dict[str, str], named: str):
    usual = {"DEL_INSTANCE": "false"} if given else {}

    (ill,) = servers.check_environment(usual | given)

    assert ill.verdict is Verdict.BAD
    assert named in ill.statement


def test_unseen_facts_are_said_so():
    (diagnosis,) = servers.check_environment(None)

    assert diagnosis.verdict is Verdict.UNSEEN
    assert "--evolution-env" in diagnosis.remedy


# The origin ----------------------------------------------------------------------------------


async def test_origin_that_is_away_is_told(patient: Patient):
    patient.hosts["perene.test"] = Dead()

    (ill,) = await patient.ills()

    assert ill.subject == "PUBLIC_URL"
    assert "DNS" in ill.remedy


async def test_foreign_origin_is_reported(patient: Patient):
    patient.hosts["perene.test"] = Says(body={"hello": "there"})

    (ill,) = await patient.ills()

    assert "something else than Perene" in ill.statement


async def test_local_origin_is_reported(patient: Patient):
    patient.hosts["localhost"] = patient.hosts["perene.test"]
    patient.environment["PUBLIC_URL"] = "https://localhost:8443"

    assert "Evolution can't post there" in str(await patient.ills())


async def test_missing_function_is_named(patient: Patient):
    patient.instead("/fleet", httpx.Response(404, json={"type": "urn:perene:problem:no-such-path"}))

    (ill,) = await patient.ills()

    assert ill.statement == "/fleet: no function answers there"


@pytest.mark.parametrize(
    ("status", "slug"), [(500, "unexpected"), (503, "auth-not-configured"), (422, "body-not-json")]
)
async def test_broken_function_is_no_refusal(patient: Patient, status: int, slug: str):
    patient.instead("/fleet", httpx.Response(status, json={"type": f"urn:perene:problem:{slug}"}))

    (ill,) = await patient.ills()

    assert ill.verdict is Verdict.BAD
    assert f"/fleet: a stranger is answered {status} ({slug})" in ill.statement


@pytest.mark.parametrize("path", ["/send-message", "/console", "/webhook"])
async def test_origin_that_stops_answering_is_told(patient: Patient, path: str):
    patient.instead(path, httpx.ReadError("the line is cut"))

    (ill,) = await patient.ills()

    assert ill.statement == "it stopped answering (ReadError)"


async def test_feeds_secret_is_tried(patient: Patient):
    patient.environment["TENANT_FEED_SECRET"] = "of the table, long enough to be one"
    assert "answers 503 to this TENANT_FEED_SECRET" in str(await patient.ills())

    patient.perene.set(TENANT_FEED_SECRET="of another table, long enough to be one")
    assert "answers 401 to this TENANT_FEED_SECRET" in str(await patient.ills())

    patient.perene.set(TENANT_FEED_SECRET=patient.environment["TENANT_FEED_SECRET"])
    assert await patient.ills() == []
    assert await patient.left() == set()


async def test_other_webhook_secret_is_reported(patient: Patient):
    patient.environment["WEBHOOK_SECRET"] = "another secret, long enough to be one"

    (ill,) = await patient.ills()

    assert "refuses a token signed with this WEBHOOK_SECRET" in ill.statement


SHARED = {"AUTH_JWKS_URL": "", "AUTH_HS256_SECRET": "the secret of the issuer, long enough"}


@pytest.mark.parametrize("claim", ["sub", "app_metadata.tenant_id"])
async def test_deployed_shared_secret_counts(patient: Patient, claim: str):
    patient.perene.set(**SHARED, AUTH_TENANT_CLAIM=claim)
    patient.environment |= {**SHARED, "AUTH_TENANT_CLAIM": claim}

    statements = [str(diagnosis) for diagnosis in await patient.examined()]

    assert "✓ Sign-in: a token signed with AUTH_HS256_SECRET counts" in statements
    assert {collection.id for collection in patient.perene.database.collections()} == set()


@pytest.mark.parametrize(
    "other",
    [
        {"AUTH_HS256_SECRET": "another secret, and long enough too"},
        {"AUTH_ISSUER": "https://issuer.test/"},
        {"AUTH_AUDIENCE": "others"},
    ],
    ids=["secret", "issuer", "audience"],
)
async def test_other_sign_in_is_reported(patient: Patient, other: dict[str, str]):
    patient.perene.set(**SHARED)
    patient.environment |= SHARED | other

    (_, ill) = await patient.ills()

    assert (ill.verdict, ill.subject) == (Verdict.BAD, "Sign-in")


# Firestore and issuers -----------------------------------------------------------------------


async def test_unreadable_firestore_is_reported(patient: Patient, monkeypatch: Any):
    async def refused(_: Any) -> Any:
        raise PermissionError("of the person who runs this")

    monkeypatch.setattr(patient.perene.store.servers, "read_rooms", refused)

    (ill,) = await patient.ills()

    assert "can't be read (PermissionError)" in ill.statement
    assert "application-default login" in ill.remedy


async def test_emulator_has_no_checkable_indexes(patient: Patient):
    patient.environment["FIRESTORE_EMULATOR_HOST"] = os.environ["FIRESTORE_EMULATOR_HOST"]

    diagnoses = await patient.examined()

    assert "can't be checked: the emulator" in str(diagnoses)
    assert patient.administered.asked == []


async def test_a_missing_index_is_named(patient: Patient):
    gone = patient.administered.indexes.pop(0)

    (ill,) = await patient.ills()

    assert ill.verdict is Verdict.BAD
    assert gone["fields"][0]["fieldPath"] in ill.statement


async def test_unfinished_index_is_awaited(patient: Patient):
    patient.administered.indexes[2]["state"] = "CREATING"

    (ill,) = await patient.ills()

    assert (ill.verdict, "not ready yet" in ill.statement) == (Verdict.DOUBTFUL, True)


async def test_missing_end_of_life_is_named(patient: Patient):
    patient.administered.fields = patient.administered.fields[1:]

    (ill,) = await patient.ills()

    assert "no TTL policy is active for sends" in ill.statement


async def test_unlistable_indexes_are_reported(patient: Patient):
    diagnoses = await patient.examined(token=lambda: "of-somebody-else")

    assert any(
        "can't be listed" in diagnosis.statement
        for diagnosis in diagnoses
        if diagnosis.verdict is Verdict.UNSEEN
    )


@pytest.mark.parametrize(
    ("host", "statement"),
    [
        (Dead(), "the keys can't be read"),
        (Says(404), "the keys can't be read"),
        (Says(body={"keys": []}), "there are no keys"),
        (Says(body=["what"]), "there are no keys"),
        (Says(body={"keys": [{"kty": "oct", "k": "c2VjcmV0", "alg": "HS256"}]}), "of a kind"),
    ],
    ids=["away", "not found", "none", "something else", "another kind"],
)
async def test_an_issuer_without_keys_is_told(patient: Patient, host: Any, statement: str):
    patient.hosts["issuer.test"] = host

    (ill,) = await patient.ills()

    assert ill.subject == "AUTH_JWKS_URL"
    assert statement in ill.statement


@pytest.mark.parametrize(("slash", "verdict"), [("", Verdict.GOOD), ("/", Verdict.BAD)])
async def test_issuers_name_must_match(patient: Patient, slash: str, verdict: Verdict):
    patient.environment["AUTH_ISSUER"] = "https://issuer.test/auth"
    patient.hosts["issuer.test"] = Says(body=KEYS | {"issuer": f"https://issuer.test/auth{slash}"})

    diagnoses = [
        diagnosis for diagnosis in await patient.examined() if diagnosis.subject == "AUTH_ISSUER"
    ]

    assert [diagnosis.verdict for diagnosis in diagnoses] == [verdict]


@pytest.mark.parametrize("pause", [0.0, 0.05], ids=["quickly", "slowly"])
async def test_answer_without_end_is_given_up(
    patient: Patient, pause: float, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(fetch, "PATIENCE", 1.0)
    flood = patient.hosts["issuer.test"] = patient.hosts["perene.test"] = Flood(pause)

    ills = await patient.ills()

    assert [diagnosis.subject for diagnosis in ills] == ["AUTH_JWKS_URL", "PUBLIC_URL"]
    assert flood.sent < 500


async def test_unreadable_answer_stops_nothing(patient: Patient):
    class Deep(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, text="[" * 100_000)

    patient.hosts["issuer.test"] = patient.hosts["perene.test"] = Deep()

    report = str(await patient.ills())

    assert "there are no keys" in report
    assert "something else than Perene" in report


async def test_wrong_ttl_policy_is_reported(patient: Patient):
    name = "projects/p/databases/d/collectionGroups/messages/fields/at"
    patient.administered.fields.append({"name": name, "ttlConfig": {"state": "ACTIVE"}})

    (ill,) = await patient.ills()

    assert ill.verdict is Verdict.BAD
    assert "isn't ours is active: messages.at" in ill.statement


async def test_no_project_no_lookup(patient: Patient):
    patient.environment["GOOGLE_CLOUD_PROJECT"] = ""

    (ill,) = await patient.ills()

    assert "GOOGLE_CLOUD_PROJECT isn't set" in ill.statement
    assert patient.administered.asked == []


async def test_a_shared_secret_is_doubted(patient: Patient):
    patient.perene.set(**SHARED)
    patient.environment |= SHARED

    (ill,) = await patient.ills()

    assert ill.subject == "AUTH_HS256_SECRET"


# The program ---------------------------------------------------------------------------------


def doctor(*arguments: str, **more: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "infra.doctor", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
        env={"PATH": os.environ["PATH"], "HOME": "/nonexistent", **more},
    )  # fmt: skip


NOWHERE = "http://127.0.0.1:1"


def settings_of_nothing(folder: Path, **more: str) -> Path:
    """A file of valid settings, of a deployment where nobody answers."""
    settings = {
        "PUBLIC_URL": NOWHERE, "EVOLUTION_URL": NOWHERE, "EVOLUTION_API_KEY": "key",
        "WEBHOOK_SECRET": "w" * 32, "GOOGLE_CLOUD_PROJECT": "doctor", **more,
    }  # fmt: skip
    file = folder / "settings"
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return file


def test_bad_finding_ends_badly(tmp_path: Path, firestore_emulator: str):
    file = settings_of_nothing(
        tmp_path, INSTANCE_MX="5", FIRESTORE_EMULATOR_HOST=firestore_emulator
    )

    ran = doctor(f"--env={file}", f"--evolution-env={ROOT}/infra/evolution/.env.example")

    assert ran.returncode == 1, ran.stderr
    assert "✓ Firestore: a document can be read" in ran.stdout
    assert "✗ Server main" in ran.stdout
    assert "! Settings: INSTANCE_MX isn't one of Perene's: it has no effect" in ran.stdout
    assert "Is INSTANCE_MAX meant?" in ran.stdout
    assert ran.stdout.count("isn't one of Perene's") == 1
    assert "✓ Evolution's environment" in ran.stdout
    assert "    → " in ran.stdout
    assert "key" not in ran.stderr


def test_only_the_file_is_examined(tmp_path: Path, firestore_emulator: str):
    """An emulator that a shell still names is not the deployment's Firestore."""
    file = settings_of_nothing(tmp_path, SCHEDULER_JWKS_URL=NOWHERE)

    ran = doctor(f"--env={file}", FIRESTORE_EMULATOR_HOST=firestore_emulator, NO_GCE_CHECK="true")

    assert ran.returncode == 1, ran.stderr
    assert "✓ Firestore" not in ran.stdout
    assert "✗ Firestore: it can't be read" in ran.stdout


def test_missing_file_is_one_sentence():
    ran = doctor("--env=/nonexistent/settings")

    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr.count("\n") == 1


def test_forged_token_is_not_ours(patient: Patient):
    from infra.doctor.origin import FORGED

    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(FORGED, patient.environment["WEBHOOK_SECRET"], algorithms=["HS256"])


@pytest.mark.parametrize(("attempts", "good"), [("45", True), ("0", False), ("30", False)])
def test_many_short_pauses_are_good(attempts: str, good: bool):
    given = {"DEL_INSTANCE": "false", "WEBHOOK_RETRY_MAX_DELAY_SECONDS": "30"}

    (diagnosis,) = servers.check_environment(given | {"WEBHOOK_RETRY_MAX_ATTEMPTS": attempts})

    assert (diagnosis.verdict is Verdict.GOOD) is good
