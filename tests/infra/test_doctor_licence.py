"""The doctor asks a server for its licence, and knows which versions Perene knows."""

from pathlib import Path

import httpx
import pytest

from infra.doctor.diagnosis import Verdict
from shared import config
from tests.infra.test_doctor import Patient, Says
from tests.perene import Perene


@pytest.fixture
async def licensed(firestore_emulator: str, anyio_backend: str, tmp_path: Path):
    """A deployment with one Evolution 2.4."""
    async with Perene(main="2.4.0") as perene:
        yield Patient(perene, tmp_path)


async def test_active_licence_is_good(licensed: Patient):
    statements = [str(diagnosis) for diagnosis in await licensed.examined()]

    assert "✓ Server main: its licence is active" in statements
    assert await licensed.ills() == []


async def test_missing_licence_is_bad(licensed: Patient):
    licensed.perene.evolution.license(active=False)

    (ill,) = await licensed.ills()

    assert (ill.verdict, ill.subject) == (Verdict.BAD, "Server main")
    assert "no licence" in ill.statement
    assert "https://main.test/manager" in ill.remedy


async def test_licence_is_asked_where_needed(on_2: Perene, tmp_path: Path):
    report = str(await Patient(on_2, tmp_path).examined())

    assert "licence" not in report


async def test_licence_that_nobody_understands_is_unseen(licensed: Patient):
    evolution = licensed.hosts["main.test"]

    class Odd(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.path == "/license/status":
                return await Says(body={"what": 1}).handle_async_request(request)
            return await evolution.handle_async_request(request)

    licensed.hosts["main.test"] = Odd()

    diagnoses = await licensed.examined()

    (unseen,) = [diagnosis for diagnosis in diagnoses if "licence" in diagnosis.statement]
    assert unseen.verdict is Verdict.UNSEEN


async def test_unknown_version_is_bad(licensed: Patient):
    licensed.perene.evolution.world.options.version = "2.99.0"

    (ill,) = await licensed.ills()

    assert (ill.verdict, "2.99.0" in ill.statement) == (Verdict.BAD, True)
    assert config.KNOWN_VERSIONS in ill.remedy
