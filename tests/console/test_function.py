"""Call the function itself: what it serves, what it tells to whom, and what it refuses."""

import gzip
import hashlib
import re
import subprocess
import sys
from base64 import b64encode
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from functions import console as deployed
from infra.local import gateway
from shared import config
from shared.console import assets
from shared.console.page_config import choose_ink
from tests.cases import in_each
from tests.conventions.conftest import Deploy, deploy  # noqa: F401 - a fixture

pytestmark = pytest.mark.anyio
INFRA = Path(__file__).parents[2] / "infra"
PINNED = (INFRA / "docs" / "embed.md", INFRA / "examples" / "react-supabase" / "index.html")
"""Pages that pin the element's hash."""
SIGN_IN = {
    "AUTH_ISSUER": "https://issuer.test/realm",
    "AUTH_AUDIENCE": "perene",
    "AUTH_JWKS_URL": "https://issuer.test/keys",
    "CONSOLE_CLIENT_ID": "console",
    "CONSOLE_CONNECT": "https://tokens.test",
}


class PrefixGateway:
    """Put the functions behind a gateway that cuts a prefix off."""

    def __init__(self, app: Any, prefix: str) -> None:
        self.app, self.prefix = app, prefix

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(self.prefix)
        await self.app({**scope, "path": path, "raw_path": path.encode()}, receive, send)


@pytest.fixture
async def http(deploy: Deploy) -> AsyncIterator[httpx.AsyncClient]:  # noqa: F811
    """Open one origin with all functions, as a browser that takes gzip sees it."""
    deploy(**SIGN_IN)
    async with open_client(gateway.build(gateway.FUNCTIONS)) as http:
        yield http


def open_client(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app)
    return httpx.AsyncClient(transport=transport, base_url="https://perene.test")


def find_entry(page: httpx.Response) -> str:
    """Return the address of the page's first module."""
    module = re.search(r'<script type="module" src="([^"]+)"', page.text)
    assert module
    return str(page.url.join(module[1]))


# The page ------------------------------------------------------------------------------------


@in_each("path", ["/", "/lines", "/conversations/a%2Fb", "/fleet/sweeps/x/"])
async def test_page_names_existing_files(http: httpx.AsyncClient, path: str):
    page = await http.get(f"/console{path}")

    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for address in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert not address.startswith(("/", "http")), "relative, whatever the prefix"
        assert (await http.get(page.url.join(address))).status_code == 200, address


async def test_slashless_root_redirects_with_query(http: httpx.AsyncClient):
    answer = await http.get("/console?code=x")

    assert (answer.status_code, answer.headers["location"]) == (308, "console/?code=x")


async def test_policy_allows_us_and_the_issuer(http: httpx.AsyncClient):
    headers = (await http.get("/console/lines")).headers
    policy = headers["content-security-policy"]
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))

    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == "'self'"
    assert rules["connect-src"] == "'self' https://issuer.test https://tokens.test"
    assert rules["frame-ancestors"] == rules["base-uri"] == rules["form-action"] == "'none'"
    assert rules["require-trusted-types-for"] == "'script'"
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in headers["permissions-policy"]
    assert headers["cache-control"] == "no-cache"


@in_each(
    ("path", "frames"),
    [
        ("/connect", "https://shop.test https://www.shop.test"),
        ("/connect/", "https://shop.test https://www.shop.test"),
        ("/connect/x", "'none'"),
        ("/", "'none'"),
        ("/lines", "'none'"),
        ("/signed-in", "'none'"),
    ],
)
async def test_only_connect_page_may_be_framed(
    http: httpx.AsyncClient,
    deploy: Deploy,  # noqa: F811
    path: str,
    frames: str,
):
    deploy(EMBED_ORIGINS="https://shop.test,https://www.shop.test")

    policy = (await http.get(f"/console{path}")).headers["content-security-policy"]

    assert f"frame-ancestors {frames};" in policy


async def test_brand_is_shown_with_its_picture(
    http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
):
    brand = {"BRAND_NAME": "Sul", "BRAND_LOGO_URL": "https://sul.test/a.png"}
    for name, value in (brand | {"BRAND_COLOR": "#1b7f5a"}).items():
        monkeypatch.setenv(name, value)
    config.settings.cache_clear()

    described = (await http.get("/console/config.json")).json()
    policy = (await http.get("/console/lines")).headers["content-security-policy"]

    config.settings.cache_clear()
    shown = {"name": "Sul", "logo": "https://sul.test/a.png", "color": "#1b7f5a", "ink": "#ffffff"}
    assert (described["brand"], described["time_zone"]) == (shown, "America/Sao_Paulo")
    assert "img-src 'self' data: blob: https://sul.test;" in policy


@in_each(("color", "ink"), [("#ffffff", "#000000"), ("#777777", "#000000"), ("#003366", "#ffffff")])
def test_ink_is_readable_on_color(color: str, ink: str):
    assert choose_ink(color) == ink


async def test_unknown_address_suits_the_caller(http: httpx.AsyncClient):
    person = await http.get("/console/linhas", headers={"accept": "text/html,*/*"})
    program = await http.get("/console/linhas", headers={"accept": "application/json"})

    assert (person.status_code, person.headers["content-type"][:9]) == (404, "text/html")
    assert program.status_code == 404
    assert program.json()["type"] == "urn:perene:problem:no-such-path"


async def test_page_names_what_its_view_needs(http: httpx.AsyncClient):
    page = await http.get("/console/fleet/review", headers={"accept-language": "en-GB,pt;q=0.8"})

    for name in ("views/fleet/index.js", "views/fleet/others.js", "i18n/review.en.js"):
        assert f"../assets/{assets.compute_version()}/{name}" in page.text
    assert "accept-language" in page.headers["vary"]


async def test_unchanged_page_is_not_sent_again(http: httpx.AsyncClient):
    first = await http.get("/console/lines")
    again = await http.get("/console/lines", headers={"if-none-match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["content-security-policy"] == first.headers["content-security-policy"]


# Its files -----------------------------------------------------------------------------------


async def test_versioned_file_is_immutable(http: httpx.AsyncClient):
    address = find_entry(await http.get("/console/"))
    first = await http.get(address)
    again = await http.get(address, headers={"if-none-match": first.headers["etag"]})

    assert first.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert first.headers["content-type"] == "text/javascript; charset=utf-8"
    assert first.headers["x-content-type-options"] == "nosniff"
    assert again.status_code == 304
    old = address.replace(assets.compute_version(), "0" * 16)
    assert (await http.get(old)).status_code == 404


def test_version_changes_with_any_file(monkeypatch: pytest.MonkeyPatch):
    before, files = assets.compute_version(), dict(assets.load_assets())
    files["app.js"] = assets.Asset("app.js", files["app.js"].content + b"\n")
    monkeypatch.setattr(assets, "load_assets", lambda: files)
    assets.compute_version.cache_clear()

    after = assets.compute_version()

    assets.compute_version.cache_clear()
    assert after != before


@in_each(
    ("accepted", "compressed"),
    [
        ("gzip, deflate, br", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("*", True),
        ("identity", False),
        ("gzip;q=0", False),
        ("", False),
    ],
)
async def test_file_is_compressed_if_accepted(
    http: httpx.AsyncClient, accepted: str, compressed: bool
):
    address = find_entry(await http.get("/console/"))
    async with http.stream("GET", address, headers={"accept-encoding": accepted}) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])

    assert (answer.headers.get("content-encoding") == "gzip") is compressed
    assert answer.headers["vary"] == "accept-encoding"
    app = assets.find_asset("app.js")
    assert app
    assert (gzip.decompress(raw) if compressed else raw) == app.content


@in_each(
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
async def test_other_paths_are_refused(http: httpx.AsyncClient, path: str):
    answer = await http.get(f"/console/assets/{assets.compute_version()}/{path}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


@in_each("path", ["/", "/lines", "/config.json"])
async def test_only_reading_is_allowed(http: httpx.AsyncClient, path: str):
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        answer = await http.request(method, f"/console{path}")
        assert answer.status_code == 405
        assert answer.headers["allow"] == "GET"
        assert answer.headers["content-type"] == "application/problem+json"

    assert (await http.head(f"/console{path}")).status_code == 200


# The element of other pages ------------------------------------------------------------------


async def test_element_is_what_its_hash_says(http: httpx.AsyncClient):
    described = (await http.get("/console/embed")).json()
    script = await http.get(described["src"])
    again = await http.get(described["src"], headers={"if-none-match": script.headers["etag"]})

    digest = hashlib.sha384(script.content).digest()
    assert described["integrity"] == f"sha384-{b64encode(digest).decode()}"
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cross-origin-resource-policy"] == "same-origin"
    assert (script.headers["cache-control"], again.status_code) == ("no-cache", 304)
    assert "origin" in script.headers["vary"]
    for page in PINNED:
        assert set(re.findall(r"sha384-[\w+/=]+", page.read_text())) == {described["integrity"]}


@in_each("version", ["v0", "v1.js", "", "..", "%2e%2e", "..%2Fv1"])
async def test_other_versions_of_element_are_unknown(http: httpx.AsyncClient, version: str):
    answer = await http.get(f"/console/embed/{version}/perene-connect.js")

    assert (answer.status_code, answer.json()["type"]) == (404, "urn:perene:problem:no-such-path")


# Where it is, and what it knows ---------------------------------------------------------------


async def test_console_works_behind_a_prefix(http: httpx.AsyncClient):
    app = PrefixGateway(gateway.build(gateway.FUNCTIONS), "/tools/perene")
    async with open_client(app) as http:
        page = await http.get("/tools/perene/console/conversations/x")
        assert find_entry(page).startswith("https://perene.test/tools/perene/console/assets/")
        assert (await http.get(find_entry(page))).status_code == 200
        config = (await http.get("/tools/perene/console/config.json")).json()

    assert config["api"] == "../"


async def test_lone_function_calls_public_address(http: httpx.AsyncClient):
    async def app(scope: Any, receive: Any, send: Any) -> None:
        from starlette.requests import Request

        answer = await deployed.edge.answer(Request(scope, receive))
        await answer(scope, receive, send)

    async with open_client(app) as http:
        page, config = await http.get("/lines"), (await http.get("/config.json")).json()

    assert find_entry(page) == f"https://perene.test/assets/{assets.compute_version()}/app.js"
    assert config["api"] == "https://perene.test/"
    assert "https://perene.test" in page.headers["content-security-policy"]


async def test_config_describes_sign_in_only(http: httpx.AsyncClient):
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
        "time_zone": "America/Sao_Paulo",
    }


async def test_client_audience_takes_id_token(
    http: httpx.AsyncClient,
    deploy: Deploy,  # noqa: F811
):
    deploy(**SIGN_IN | {"CONSOLE_CLIENT_ID": "perene"})

    assert (await http.get("/console/config.json")).json()["sign_in"]["token"] == "id"


async def test_config_names_missing_variables(
    http: httpx.AsyncClient,
    deploy: Deploy,  # noqa: F811
):
    deploy()

    config = (await http.get("/console/config.json")).json()
    assert "sign_in" not in config
    assert config["missing"] == [
        "AUTH_ISSUER",
        "AUTH_AUDIENCE",
        "CONSOLE_CLIENT_ID",
        "AUTH_JWKS_URL",
    ]


def test_function_starts_without_database_and_network():
    program = "import sys, functions.console; print(*sys.modules)"
    modules = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "functions.console" in modules
    assert {"httpx", "google.cloud.firestore", "grpc", "jwt"} & set(modules) == set()
