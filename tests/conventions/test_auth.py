"""Who is calling: no token gets in that shouldn't, on any kind of deployment."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from shared import auth, problems
from shared.auth import require_tenant
from tests.cases import in_each
from tests.conventions.callers import HS256, asking, bearing
from tests.conventions.conftest import Deploy
from tests.conventions.issuer import by_hand, claims, signed
from tests.perene import AUDIENCE, ISSUER, SECRET, token

Mint = Callable[..., str]


@pytest.fixture(params=["by secret", "by keys"])
def mint(request: pytest.FixtureRequest) -> Mint:
    """Makes good tokens, on each kind of deployment."""
    if request.param == "by secret":
        request.getfixturevalue("by_secret")
        return token
    request.getfixturevalue("by_keys")
    return signed


# Everywhere ----------------------------------------------------------------------------------


async def test_a_good_token_names_its_tenant(mint: Mint):
    assert await require_tenant(asking(mint())) == "acme"


@in_each("scheme", ["bearer", "BEARER", "Bearer "])
async def test_scheme_may_have_any_case(mint: Mint, scheme: str):
    assert await require_tenant(bearing(f"{scheme} {mint()}")) == "acme"


@in_each(
    "header",
    [
        pytest.param(None, id="no header"),
        pytest.param("", id="an empty header"),
        pytest.param("Bearer", id="no token"),
        pytest.param("Bearer  ", id="a blank token"),
        pytest.param("Basic YWNtZTphY21l", id="a password"),
    ],
)
async def test_without_a_token_nobody_gets_in(mint: Mint, header: str | None):
    with pytest.raises(problems.TokenMissing):
        await require_tenant(bearing(header))


@in_each(
    "garbage",
    ["garbage", "a.b.c", "..", "é.é.é", "e30.e30.e30", "null", "[" * 5000, "x" * 50_000],
    ids=["a word", "three words", "dots", "accents", "objects", "null", "brackets", "much"],
)
async def test_garbage_is_no_token(mint: Mint, garbage: str):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(garbage))


async def test_an_unsigned_token_is_refused(mint: Mint):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(jwt.encode(claims(), None, "none", {"kid": "rsa-1"})))


async def test_token_with_changed_claims_is_refused(mint: Mint):
    header, _, signature = mint().split(".")
    other = mint(sub="other").split(".")[1] if mint is signed else mint("other").split(".")[1]

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(f"{header}.{other}.{signature}"))


async def test_token_that_has_expired_says_so(mint: Mint):
    with pytest.raises(problems.TokenExpired):
        await require_tenant(asking(mint(exp=time.time() - auth.LEEWAY_SECONDS - 2)))


async def test_clocks_may_differ_a_little(mint: Mint):
    now, little = int(time.time()), auth.LEEWAY_SECONDS - 3

    assert await require_tenant(asking(mint(exp=now - little, nbf=now + little))) == "acme"


def test_a_little_is_ten_seconds():
    assert auth.LEEWAY_SECONDS == 10


WRONG: dict[str, dict[str, Any]] = {
    "of the future": {"nbf": time.time() + 3600},
    "issued in the future": {"iat": time.time() + 3600},
    "of another issuer": {"iss": f"{ISSUER}/"},
    "for another audience": {"aud": "another"},
    "for no audience": {"aud": None},
    "for a part of our audience": {"aud": AUDIENCE[:-1]},
    "that ends in words": {"exp": "never"},
    "that doesn't end": {"exp": None},
}


@in_each("wrong", WRONG.values(), ids=WRONG.keys())
async def test_a_signature_alone_is_not_enough(mint: Mint, wrong: dict[str, Any]):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(mint(**wrong)))


@in_each("claim", ["exp", "iss", "aud"])
async def test_token_without_required_claim_is_refused(by_secret: Deploy, claim: str):
    payload = claims()
    del payload[claim]

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(jwt.encode(payload, SECRET, "HS256")))


@in_each("iss", [None, [ISSUER], {}], ids=["nobody", "a list", "an object"])
async def test_an_issuer_is_a_text(by_secret: Deploy, iss: Any):
    forged = by_hand({"alg": "HS256"}, claims(iss=iss), SECRET.encode())

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(forged))


async def test_any_audience_may_be_ours(mint: Mint):
    assert await require_tenant(asking(mint(aud=["another", AUDIENCE]))) == "acme"


# With a shared secret ------------------------------------------------------------------------


async def test_token_of_another_secret_is_refused(by_secret: Deploy):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(token(secret="another secret, long enough for HS256")))


@in_each("kid", ["rsa-1", "ec-1"])
async def test_secret_deployment_refuses_key_signed_token(by_secret: Deploy, kid: str):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(signed(kid)))


async def test_longer_hash_is_refused(by_secret: Deploy):
    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(jwt.encode(claims(), SECRET * 2, "HS512")))


# Closed unless configured --------------------------------------------------------------------


@in_each("missing", HS256)
async def test_unconfigured_deployment_lets_nobody_in(deploy: Deploy, missing: str):
    deploy(**HS256 | {missing: ""})

    with pytest.raises(problems.AuthNotConfigured):
        await require_tenant(asking(token()))
