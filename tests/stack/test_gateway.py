import asyncio
import sys
from datetime import timedelta

import httpx
import pytest

from infra.local import gateway
from infra.local.clock import Clock

ECHO = """
import functions_framework.aio

@functions_framework.aio.http
async def {name}(request):
    return {{"function": "{name}", "method": request.method, "path": request.url.path,
             "query": request.url.query, "body": (await request.body()).decode()}}
"""
NAMES = ("ensure_instance", "instances", "receive_webhook", "openapi", "sweep_orphans")


@pytest.fixture
def functions(tmp_path, mocker):
    """Make a folder of functions that echo their requests."""
    mocker.patch.object(sys, "path", [*sys.path])
    mocker.patch.dict(sys.modules)
    mocker.patch.dict("os.environ")
    for name in NAMES:
        (tmp_path / f"{name}.py").write_text(ECHO.format(name=name))
    return tmp_path


@pytest.fixture
def ask(functions):
    return make_client(functions)


def make_client(functions):
    """Return a function that sends requests to a gateway over these functions."""
    transport = httpx.ASGITransport(gateway.build(functions))

    def ask(path, method="GET", **extra):
        async def answer():
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, f"http://localhost{path}", **extra)

        return asyncio.run(answer())

    return ask


@pytest.mark.parametrize(
    ("path", "function"),
    [
        ("/ensure-instance", "ensure_instance"),
        ("/instances", "instances"),
        ("/instances/", "instances"),
        ("/instances/default/restart", "instances"),
        ("/instances/a%20b", "instances"),
        ("/sweep-orphans", "sweep_orphans"),
        ("/webhook", "receive_webhook"),
        ("/webhook/token/messages-upsert", "receive_webhook"),
        ("/openapi.json", "openapi"),
    ],
)
def test_path_reaches_its_function_in_full(ask, path, function):
    answer = ask(path, params={"limit": "2"}).json()

    assert answer["function"] == function
    assert answer["path"] == path.replace("%20", " ")
    assert answer["query"] == "limit=2"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods_and_bodies_get_through(ask, method):
    answer = ask("/instances/x", method, content="said").json()

    assert answer["method"] == method
    assert answer["body"] == "said"


@pytest.mark.parametrize(
    "path", ["/nobody", "/receive-webhook", "/openapi", "/ensure_instance", "/instancesx", "//"]
)
def test_unknown_path_is_404_problem(ask, path):
    answer = ask(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:perene:problem:no-such-path"


def test_front_page_lists_what_is_served(ask):
    segments = ask("/").text.split()

    assert segments == [
        "/ensure-instance",
        "/instances",
        "/openapi.json",
        "/webhook",
        "/sweep-orphans",
    ]


def test_front_page_is_the_console(functions):
    (functions / "console.py").write_text(ECHO.format(name="console"))

    answer = make_client(functions)("/")

    assert answer.headers["location"] == "/console"


def test_others_survive_a_crashed_function(functions):
    crashing = ECHO.format(name="fleet").replace("return", "1 / 0\n    return")
    (functions / "fleet.py").write_text(crashing)

    ask = make_client(functions)

    assert ask("/fleet").status_code == 500
    assert ask("/instances").status_code == 200


def test_underscored_file_is_no_function(functions):
    (functions / "_shared.py").write_text("raise AssertionError")

    gateway.build(functions)


async def test_local_clock_can_be_moved(functions):
    clock = Clock()
    transport = httpx.ASGITransport(gateway.build(functions, clock))
    before = clock()
    async with httpx.AsyncClient(transport=transport, base_url="http://perene.test") as client:
        moved = await client.post("/local/clock", json={"days": 30, "hours": 1})
        refused = [
            await client.post("/local/clock", content=body)
            for body in (b'{"days": -1}', b'{"days": "x"}', b"[]", b"x", b'{"days": 1e400}')
        ]

    assert moved.status_code == 200
    assert clock() - before >= timedelta(days=30, hours=1)
    assert {answer.status_code for answer in refused} == {400}


async def test_clock_is_local_only(functions):
    transport = httpx.ASGITransport(gateway.build(functions))
    async with httpx.AsyncClient(transport=transport, base_url="http://perene.test") as client:
        assert (await client.post("/local/clock", json={"days": 1})).status_code == 404
