"""Which tenant a good token names, and whether it is an operator's."""

from typing import Any

import pytest

from shared import problems
from shared.auth import require_operator, require_tenant
from tests.cases import in_each
from tests.conventions.callers import HS256, asking
from tests.conventions.conftest import Deploy
from tests.perene import token

# Which tenant --------------------------------------------------------------------------------

NESTED = {"app_metadata": {"tenant_id": "acme"}}
DOTTED = "https://x.test/tenant"


@in_each(
    ("claim", "payload"),
    [
        pytest.param("tenant", {"tenant": "acme"}, id="a claim of its own"),
        pytest.param("app_metadata.tenant_id", NESTED, id="inside another"),
        pytest.param(DOTTED, {DOTTED: "acme"}, id="with dots in its name"),
        pytest.param("a.b", {"a.b": "acme", "a": {"b": "other"}}, id="its whole name first"),
    ],
)
async def test_tenant_is_where_deployment_says(deploy: Deploy, claim: str, payload: Any):
    deploy(**HS256, AUTH_TENANT_CLAIM=claim)

    assert await require_tenant(asking(token("a person", **payload))) == "acme"


UNUSABLE: dict[str, dict[str, Any]] = {
    "missing": {},
    "nothing": {"tenant": None},
    "empty": {"tenant": ""},
    "a number": {"tenant": 7},
    "true": {"tenant": True},
    "a list": {"tenant": ["acme"]},
    "an object": {"tenant": {"id": "acme"}},
    "half a character": {"tenant": "\ud83d"},
    "too long": {"tenant": "x" * 300},
    "too long once it is spelled": {"tenant": "é" * 40},
}


@in_each("payload", UNUSABLE.values(), ids=UNUSABLE.keys())
async def test_unnameable_tenant_is_refused(deploy: Deploy, payload: dict[str, Any]):
    deploy(**HS256, AUTH_TENANT_CLAIM="tenant")

    with pytest.raises(problems.TenantUnusable):
        await require_tenant(asking(token("acme", **payload)))


async def test_nested_tenant_claim_must_exist(deploy: Deploy):
    deploy(**HS256, AUTH_TENANT_CLAIM="sub.tenant")

    with pytest.raises(problems.TenantUnusable):
        await require_tenant(asking(token("acme")))


# Who runs the deployment ---------------------------------------------------------------------

OPERATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "a claim that is true": ("operator", {"operator": True}),
    "a claim that is true inside another": ("a.operator", {"a": {"operator": True}}),
    "a role": ("app_metadata.role=operator", {"app_metadata": {"role": "operator"}}),
    "one role of several": ("roles=operator", {"roles": ["viewer", "operator"]}),
    "a claim with dots in its name": (f"{DOTTED}=operator", {DOTTED: "operator"}),
}
OTHERS: dict[str, tuple[str, dict[str, Any]]] = {
    "no claim": ("operator", {}),
    "the word true": ("operator", {"operator": "true"}),
    "one": ("operator", {"operator": 1}),
    "a list": ("operator", {"operator": [True]}),
    "false": ("operator", {"operator": False}),
    "another role": ("role=operator", {"role": "viewer"}),
    "a longer role": ("role=operator", {"role": "operators"}),
    "a role in capitals": ("role=operator", {"role": "OPERATOR"}),
    "other roles": ("roles=operator", {"roles": ["viewer", "operators"]}),
    "no roles": ("roles=operator", {"roles": []}),
    "a role as a key": ("roles=operator", {"roles": {"operator": True}}),
    "an empty role": ("role=", {}),
}


@in_each(("claim", "payload"), OPERATORS.values(), ids=OPERATORS.keys())
async def test_an_operator_is_known_by(deploy: Deploy, claim: str, payload: dict[str, Any]):
    deploy(**HS256, AUTH_OPERATOR_CLAIM=claim)

    assert await require_operator(asking(token("olga", **payload))) == "olga"


@in_each(("claim", "payload"), OTHERS.values(), ids=OTHERS.keys())
async def test_invalid_claim_makes_no_operator(deploy: Deploy, claim: str, payload: dict[str, Any]):
    deploy(**HS256, AUTH_OPERATOR_CLAIM=claim)

    with pytest.raises(problems.NotAllowed):
        await require_operator(asking(token("olga", **payload)))


async def test_no_operator_claim_means_no_operator(by_secret: Deploy):
    with pytest.raises(problems.NotAllowed):
        await require_operator(asking(token(operator=True)))


async def test_operator_needs_good_token_too(deploy: Deploy):
    deploy(**HS256, AUTH_OPERATOR_CLAIM="operator")

    with pytest.raises(problems.TokenInvalid):
        await require_operator(asking(token(secret="x" * 32, operator=True)))
