"""Who may start a sweep: our Cloud Scheduler, as Google signs it, and operators."""

from typing import Any

import pytest

from shared import auth, problems
from tests.cases import in_each
from tests.conventions.callers import HS256, asking, bearing
from tests.conventions.conftest import Deploy
from tests.conventions.issuer import Issuer, signed
from tests.perene import token

EMAIL, AUDIENCE = "sweeper@project.iam.gserviceaccount.com", "https://perene.test/sweep"


@pytest.fixture
def google(by_keys: Issuer, deploy: Deploy) -> Issuer:
    """A deployment whose sweeps are called by Cloud Scheduler; operators sign in elsewhere."""
    deploy(
        **HS256,
        AUTH_OPERATOR_CLAIM="operator",
        SCHEDULER_JWKS_URL=by_keys.url,
        SCHEDULER_AUDIENCE=AUDIENCE,
        SCHEDULER_EMAIL=EMAIL,
    )
    return by_keys


def by_google(**more: Any) -> str:
    good = {"iss": "https://accounts.google.com", "aud": AUDIENCE, "sub": "1"}
    return signed("rsa-1", **{**good, "email": EMAIL, "email_verified": True, **more})


@in_each("issuer", ["https://accounts.google.com", "accounts.google.com"])
async def test_the_scheduler_may(google: Issuer, issuer: str):
    assert await auth.require_scheduler(asking(by_google(iss=issuer))) == EMAIL


async def test_an_operator_may(google: Issuer):
    assert await auth.require_scheduler(asking(token("olga", operator=True))) == "olga"


@in_each(
    "more",
    [
        pytest.param({"email": "somebody@gmail.test"}, id="another account"),
        pytest.param({"email_verified": False}, id="not verified"),
        pytest.param({"email_verified": "true"}, id="not quite verified"),
        pytest.param({"email": None}, id="no account"),
    ],
)
async def test_another_account_of_google_may_not(google: Issuer, more: dict[str, Any]):
    with pytest.raises(problems.NotAllowed):
        await auth.require_scheduler(asking(by_google(**more)))


@in_each(
    "bearer",
    [
        pytest.param(lambda: by_google(aud="https://other.test"), id="for another service"),
        pytest.param(lambda: by_google(iss="https://evil.test"), id="another issuer"),
        pytest.param(lambda: signed("rsa-foreign", iss="https://accounts.google.com"), id="forged"),
        pytest.param(lambda: "garbage", id="garbage"),
    ],
)
async def test_token_for_others_is_invalid(google: Issuer, bearer: Any):
    with pytest.raises(problems.TokenInvalid):
        await auth.require_scheduler(asking(bearer()))


async def test_a_tenant_may_not(google: Issuer):
    with pytest.raises(problems.NotAllowed):
        await auth.require_scheduler(asking(token("acme")))


async def test_missing_token_is_refused(google: Issuer):
    with pytest.raises(problems.TokenMissing):
        await auth.require_scheduler(bearing(None))


async def test_google_token_makes_no_operator(google: Issuer):
    with pytest.raises(problems.NotAllowed):
        await auth.require_scheduler(asking(by_google(email="x@y.test", operator=True)))


async def test_unconfigured_scheduler_refuses_google_token(deploy: Deploy):
    deploy(**HS256, AUTH_OPERATOR_CLAIM="operator")

    with pytest.raises(problems.TokenInvalid):
        await auth.require_scheduler(asking(by_google()))
