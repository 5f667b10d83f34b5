"""Test that the local identity provider is strict where a real one is."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import httpx
import jwt
import pytest
from starlette.applications import Starlette

from infra.local.sign_in import oidc_routes
from shared import config
from tests.conventions.conftest import SETTINGS

pytestmark = pytest.mark.anyio
ISSUER, SECRET = "http://localhost:1/local", "a secret of the tests, long enough for HS256"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode()
BACK = "http://127.0.0.1:1/console/signed-in"
REQUEST = {
    "client_id": "perene-console",
    "redirect_uri": BACK,
    "response_type": "code",
    "code_challenge": CHALLENGE.rstrip("="),
    "code_challenge_method": "S256",
    "state": "s",
    "nonce": "n",
}
GRANT = {
    "client_id": "perene-console",
    "grant_type": "authorization_code",
    "redirect_uri": BACK,
    "code_verifier": VERIFIER,
}


@pytest.fixture
async def issuer():
    settings = SETTINGS | {
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": "perene-local",
        "AUTH_HS256_SECRET": SECRET,
    }
    app = Starlette(routes=oidc_routes.build_routes(config.read(settings)))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=ISSUER) as http:
        yield http


async def get_code(issuer, subject="demo"):
    answer = await issuer.get("/authorize", params=REQUEST | {"as": subject})
    target = urlsplit(answer.headers["location"])
    assert f"{target.scheme}://{target.netloc}{target.path}" == BACK
    return parse_qs(target.query)["code"][0]


async def test_a_code_becomes_tokens_once(issuer):
    grant = GRANT | {"code": await get_code(issuer, "operator")}

    first, second = [await issuer.post("/token", data=grant) for _ in range(2)]

    claims = jwt.decode(first.json()["access_token"], SECRET, ["HS256"], audience="perene-local")
    assert (claims["iss"], claims["sub"], claims["operator"]) == (ISSUER, "operator", True)
    identity = jwt.decode(first.json()["id_token"], SECRET, ["HS256"], audience="perene-console")
    assert identity["nonce"] == "n"
    assert (second.status_code, second.json()) == (400, {"error": "invalid_grant"})


async def test_refresh_token_is_good_for_once(issuer):
    first = await issuer.post("/token", data=GRANT | {"code": await get_code(issuer)})
    again = {"client_id": "perene-console", "grant_type": "refresh_token"}
    again |= {"refresh_token": first.json()["refresh_token"]}

    assert [(await issuer.post("/token", data=again)).status_code for _ in range(2)] == [200, 400]


@pytest.mark.parametrize(
    "wrong",
    [{"code_verifier": "w" * 43}, {"redirect_uri": "http://127.0.0.1:2/"}, {"client_id": "x"}],
    ids=["verifier", "redirect", "client"],
)
async def test_wrong_grant_gets_no_tokens(issuer, wrong):
    grant = GRANT | {"code": await get_code(issuer)} | wrong

    assert (await issuer.post("/token", data=grant)).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://evil.test/"},
        {"client_id": "x"},
        {"code_challenge_method": "plain"},
        {"response_type": "token"},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
async def test_wrong_request_is_not_redirected(issuer, wrong):
    answer = await issuer.get("/authorize", params=REQUEST | wrong | {"as": "demo"})

    assert answer.status_code == 400


async def test_markup_in_request_stays_text(issuer):
    page = await issuer.get("/authorize", params=REQUEST | {"state": '"><script>x</script>'})

    assert "<script>" not in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
