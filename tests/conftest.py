"""The real emulator for every test that keeps something, and one Perene to talk to."""

import os
from collections.abc import AsyncIterator, Iterator

import pytest

from infra.local import emulator
from tests.perene import Perene

pytest_plugins = ["tests.skips"]

DIALECTS = ("2.3.6", "1.8.2")


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
async def one_loop(anyio_backend: str) -> AsyncIterator[None]:
    """All tests share one event loop: gRPC's asynchronous client doesn't outlive a change."""
    yield  # noqa: PT022 - a fixture that is still open is what keeps the loop


@pytest.fixture(scope="session")
def firestore_emulator() -> Iterator[str]:
    """The emulator's host, also in the environment. A project id of its own isolates each test."""
    with emulator.running() as host:
        os.environ["FIRESTORE_EMULATOR_HOST"] = host
        yield host


@pytest.fixture(params=DIALECTS)
async def perene(
    request: pytest.FixtureRequest, firestore_emulator: str, anyio_backend: str
) -> AsyncIterator[Perene]:
    """Perene with one Evolution: every test runs on both dialects."""
    async with Perene(main=request.param) as perene:
        yield perene


@pytest.fixture
async def on_2(firestore_emulator: str, anyio_backend: str) -> AsyncIterator[Perene]:
    """Perene with one Evolution 2.x, for what 1.8 doesn't have or what the dialect can't change."""
    async with Perene() as perene:
        yield perene
