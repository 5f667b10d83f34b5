"""Tell a server that serves nothing without its licence from one that fails."""

import pytest

from shared import problems
from shared.domain.upstream import Connection
from tests.adapters.evolution_calls import EVERYTHING, everything
from tests.adapters.evolution_wire import an_evolution, saying, says

pytestmark = pytest.mark.anyio
GATE = {
    "error": "service not activated",
    "code": "LICENSE_REQUIRED",
    "register_url": "https://evolution.test/manager/login",
    "instance_id": "5e1f",
    "message": "This Evolution API instance is not activated.",
}
"""Read in 2.4's source (EVOLUTION.md §9)."""

SHAPES = [
    GATE,
    {"code": "LICENSE_REQUIRED"},
    {"error": "LICENSE_REQUIRED"},
    {"status": 503, "error": "Service Unavailable", "message": "LICENSE_REQUIRED"},
    says("LICENSE_REQUIRED") | {"status": 503},
]


@everything
async def test_missing_licence_is_its_own_problem(call: str):
    evolution, wire = an_evolution(saying(503, GATE), "2.4.0")

    with pytest.raises(problems.ServerNotLicensed):
        await EVERYTHING[call](evolution)
    assert len(wire.requests) == 1


async def test_missing_licence_has_many_shapes():
    for body in SHAPES:
        evolution, _ = an_evolution(saying(503, body), "2.4.0")

        with pytest.raises(problems.ServerNotLicensed):
            await evolution.find_connection("wa1")


@pytest.mark.parametrize("body", [None, [], "<html>LICENSE_REQUIRED</html>", {"code": 1}, {}])
async def test_other_503_is_server_that_failed(body: object):
    evolution, wire = an_evolution(saying(503, body), "2.4.0")

    with pytest.raises(problems.EvolutionFailed):
        await evolution.find_connection("wa1")
    assert len(wire.requests) == 2


async def test_other_status_is_no_missing_licence():
    evolution, _ = an_evolution(saying(500, GATE), "2.4.0")

    with pytest.raises(problems.EvolutionFailed):
        await evolution.find_connection("wa1")


@pytest.mark.parametrize(
    ("status", "body", "licensed"),
    [
        (200, {"status": "active", "instance_id": "5e1f", "api_key": "evo_…0024"}, True),
        (200, {"status": "inactive", "instance_id": "5e1f"}, False),
        (404, says("Cannot GET /license/status"), None),
        (404, "not found", None),
    ],
)
async def test_licence_is_asked_for(status: int, body: object, licensed: bool | None):
    evolution, wire = an_evolution(saying(status, body), "2.4.0")

    assert await evolution.is_licensed() is licensed
    assert wire.paths == ["GET /license/status"]


@pytest.mark.parametrize("body", [{}, [], {"status": 1}, "html"])
async def test_odd_licence_is_a_failure(body: object):
    evolution, _ = an_evolution(saying(200, body), "2.4.0")

    with pytest.raises(problems.EvolutionFailed):
        await evolution.is_licensed()


async def test_licensed_server_answers_as_ever():
    body = {"instance": {"instanceName": "wa1", "state": "open"}}
    evolution, _ = an_evolution(saying(200, body), "2.4.0")

    assert await evolution.find_connection("wa1") is Connection.OPEN


@pytest.mark.parametrize(
    ("url", "manager"),
    [
        ("http://evolution.test", "http://evolution.test/manager"),
        ("https://evolution.test:8080", "https://evolution.test:8080/manager"),
        ("https://ana:hunter2@evolution.test/base", "https://evolution.test/base/manager"),
    ],
)
def test_managers_address_signs_nobody_in(url: str, manager: str):
    evolution, _ = an_evolution(saying(200), url=url)

    assert evolution.manager_url == manager
