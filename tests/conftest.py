"""The real emulator for every test that keeps something, and one Perene to talk to."""

import gc
import os
from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local import emulator
from infra.local.emulator import Emulator
from tests.perene import VERSIONS, Perene

pytest_plugins = ["tests.skips"]


def pytest_collection_finish() -> None:
    """Exempt what was collected from the garbage collection: it lives as long as the process."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncIterator[None]:
    """Give all tests one event loop: gRPC's asynchronous client doesn't outlive a change."""
    yield  # noqa: PT022 - a fixture that is still open is what keeps the loop


@pytest.fixture(scope="session")
def emulator_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """The emulator of all tests of this process, also in the environment."""
    running = emulator.start(tmp_path_factory.mktemp("emulator") / "emulator.log")
    os.environ[emulator.HOST_VARIABLE] = running.host
    yield running
    running.stop()


@pytest.fixture(scope="session")
def firestore_emulator(emulator_of_tests: Emulator) -> str:
    """The emulator's host. A project id of its own isolates each test."""
    return emulator_of_tests.host


@pytest.fixture
async def perene(
    request: pytest.FixtureRequest, firestore_emulator: str, anyio_backend: str
) -> AsyncIterator[Perene]:
    """Perene with one Evolution 2.x; `in_both_dialects` runs a test on 1.8 as well."""
    async with Perene(main=getattr(request, "param", VERSIONS[0])) as perene:
        yield perene


@pytest.fixture
def on_2(perene: Perene) -> Perene:
    """Perene with one Evolution 2.x, for what 1.8 doesn't have or what the dialect can't change."""
    return perene
