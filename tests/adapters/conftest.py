"""What the tests of the adapters share."""

import pytest

from shared.store import Store
from tests.perene import Perene


@pytest.fixture
async def store(perene: Perene) -> Store:
    """The records of one Perene."""
    return perene.store
