"""A database that a proof may pause."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local.emulator import Emulator
from tests.proofs.stage import open_database


@pytest.fixture
def database(emulator_of_tests: Emulator, tmp_path: Path) -> Iterator[Emulator]:
    """The emulator of this process's tests; another one if somebody else started that."""
    if emulator_of_tests.child:
        yield emulator_of_tests
        return
    with open_database(tmp_path) as own:
        yield own
