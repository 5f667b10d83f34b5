"""The function itself: what it serves, to whom it says what, and what it refuses."""

import gzip
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from functions import console as deployed
from infra.local import gateway
from shared.console import assets
from tests.conventions.conftest import Deploy, deploy  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio
SIGN_IN = {
    "AUTH_ISSUER": "https://issuer.test/realm",
    "AUTH_AUDIENCE": "perene",
    "AUTH_JWKS_URL": "https://issuer.test/keys",
    "CONSOLE_CLIENT_ID": "console",
    "CONSOLE_CONNECT": "https://tokens.test",
}


class Beside:
    """The functions behind a gateway that cuts a prefix off, or a function at its own address."""

    def __init__(self, app: Any, prefix: str = "", inside: str = "") -> None:
        self.app, self.prefix, self.inside = app, prefix, inside

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = self.inside + scope["path"].removeprefix(self.prefix)
        await self.app({**scope, "path": path, "raw_path": path.encode()}, receive, send)


@pytest.fixture
async def http(deploy: Deploy) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    """One origin with all functions, as a browser that takes gzip sees it."""
    deploy(**SIGN_IN)
    async with client(gateway.build(gateway.FUNCTIONS)) as http:
        yield http


def client(app: Any) -> httpx.AsyncClient:
    through = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=through, base_url="https://perene.test")


def entry(page: httpx.Response) -> str:
    """The address of the page's first module."""
    found = re.search(r'<script type="module" src="([^"]+)"', page.text)
    assert found
    return str(page.url.join(found[1]))


# The page ------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/lines", "/conversations/a%2Fb", "/fleet/sweeps/x/"])
async def test_every_address_serves_the_page_with_files_that_exist(
    http: httpx.AsyncClient, path: str
):
    page = await http.get(f"/console{path}")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert not address.startswith(("/", "http")), "relative, whatever the prefix"
        assert (await http.get(page.url.join(address))).status_code == 200, address


async def test_the_root_without_its_slash_is_sent_on_with_its_query(http: httpx.AsyncClient):
    answer = await http.get("/console?code=x")

    assert (answer.status_code, answer.headers["location"]) == (308, "console/?code=x")


async def test_the_policy_allows_only_what_is_ours_and_the_issuers(http: httpx.AsyncClient):
    headers = (await http.get("/console/lines")).headers
    rules = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' https://issuer.test https://tokens.test"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-cache"


async def test_an_unknown_address_is_a_page_for_people_and_a_problem_for_programs(
    http: httpx.AsyncClient,
):
    person = await http.get("/console/linhas", headers={"accept": "text/html,*/*"})
    program = await http.get("/console/linhas", headers={"accept": "application/json"})

    assert (person.status_code, person.headers["content-type"][:9]) == (404, "text/html")
    assert program.status_code == 404
    assert program.json()["type"] == "urn:perene:problem:no-such-path"


async def test_an_unchanged_page_is_not_sent_again(http: httpx.AsyncClient):
    first = await http.get("/console/lines")
    again = await http.get("/console/lines", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


# Its files -----------------------------------------------------------------------------------


async def test_a_file_may_be_kept_for_good_under_its_version(http: httpx.AsyncClient):
    address = entry(await http.get("/console/"))
    first = await http.get(address)
    again = await http.get(address, headers={"if-none-match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert again.status_code == 304
    old = address.replace(assets.compute_version(), "0" * 16)
    assert (await http.get(old)).status_code == 404


def test_the_version_changes_with_any_file(monkeypatch: pytest.MonkeyPatch):
    before, files = assets.compute_version(), dict(assets.load_assets())
    files["app.js"] = assets.Asset("app.js", files["app.js"].content + b"\n")
    monkeypatch.setattr(assets, "load_assets", lambda: files)
    assets.compute_version.cache_clear()

    after = assets.compute_version()

    assets.compute_version.cache_clear()
    assert after != before


@pytest.mark.parametrize(
    ("accepted", "squeezed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("", False),
    ],
)
async def test_a_file_is_squeezed_for_who_can_read_it(
    http: httpx.AsyncClient, accepted: str, squeezed: bool
):
    address = entry(await http.get("/console/"))
    async with http.stream("GET", address, headers={"accept-encoding": accepted}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])

    assert (answer.headers.get("content-encoding") == "gzip") is squeezed
    assert answer.headers["vary"] == "accept-encoding"
    assert (gzip.decompress(raw) if squeezed else raw) == assets.load_assets()["app.js"].content


@pytest.mark.parametrize(
    "path",
    [
        "../assets.py",
        "..%2Fassets.py",
        "%2e%2e/%2e%2e/config.py",
        "/etc/passwd",
        "styles/../../policy.py",
        "styles",
        "",
        "README.md",
        "app.js%00.css",
    ],
)
async def test_nothing_else_can_be_had(http: httpx.AsyncClient, path: str):
    answer = await http.get(f"/console/assets/{assets.compute_version()}/{path}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/", "/lines", "/config.json"])
async def test_only_reading_is_possible(http: httpx.AsyncClient, path: str):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await http.request(method, f"/console{path}")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET"
        assert answer.headers["content-type"] == "application/problem+json"

    assert (await http.head(f"/console{path}")).status_code == 200


# Where it is, and what it knows ---------------------------------------------------------------


async def test_it_works_behind_a_prefix(http: httpx.AsyncClient):
    behind = Beside(gateway.build(gateway.FUNCTIONS), "/tools/perene")
    async with client(behind) as http:
        page = await http.get("/tools/perene/console/conversations/x")
        assert entry(page).startswith("https://perene.test/tools/perene/console/assets/")
        assert (await http.get(entry(page))).status_code == 200
        known = (await http.get("/tools/perene/console/config.json")).json()

    assert known["api"] == "../"


async def test_at_an_address_of_its_own_it_calls_the_functions_at_the_public_one(
    http: httpx.AsyncClient,
):
    async def alone(scope: Any, receive: Any, send: Any) -> None:
        from starlette.requests import Request

        answer = await deployed.edge.answer(Request(scope, receive))
        await answer(scope, receive, send)

    async with client(alone) as http:
        page, known = await http.get("/lines"), (await http.get("/config.json")).json()

    assert entry(page) == f"https://perene.test/assets/{assets.compute_version()}/app.js"
    assert known["api"] == "https://perene.test/"
    assert "https://perene.test" in page.headers["content-security-policy"]


async def test_it_says_how_to_sign_in_and_nothing_secret(http: httpx.AsyncClient):
    answer = await http.get("/console/config.json")

    assert answer.headers["cache-control"] == "no-store"
    assert answer.json() == {
        "api": "../",
        "sign_in": {
            "issuer": "https://issuer.test/realm",
            "client_id": "console",
            "scopes": "openid profile email",
            "audience": "perene",
            "token": "access",
        },
        "missing": [],
        "tenant_claim": "sub",
    }


async def test_where_the_audience_is_the_client_the_id_token_is_the_one(
    http: httpx.AsyncClient,
    deploy: Deploy,  # noqa: F811
):
    deploy(**SIGN_IN | {"CONSOLE_CLIENT_ID": "perene"})

    assert (await http.get("/console/config.json")).json()["sign_in"]["token"] == "id"


async def test_without_sign_in_it_says_which_variables_are_missing(
    http: httpx.AsyncClient,
    deploy: Deploy,  # noqa: F811
):
    deploy()

    known = (await http.get("/console/config.json")).json()
    assert "sign_in" not in known
    assert known["missing"] == [
        "AUTH_ISSUER",
        "AUTH_AUDIENCE",
        "CONSOLE_CLIENT_ID",
        "AUTH_JWKS_URL",
    ]


def test_it_starts_without_the_database_and_the_network():
    program = "import sys, functions.console; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "functions.console" in loaded
    assert {"httpx", "google.cloud.firestore", "grpc", "jwt"} & set(loaded) == set()
