"""Tokens as Supabase Auth signs them, with its legacy secret and with its asymmetric keys."""

import time
import uuid
from typing import Any

import jwt
import pytest

from shared import problems
from shared.auth import require_operator, require_tenant
from tests.cases import in_each
from tests.conventions.callers import asking
from tests.conventions.conftest import Deploy
from tests.conventions.issuer import Issuer, a_key

PROJECT = "https://abcdefghijklmnopqrst.supabase.co"
SECRET = "the legacy JWT secret of a Supabase project"
PERSON = str(uuid.UUID(int=7))
LEGACY = {
    "AUTH_ISSUER": f"{PROJECT}/auth/v1",
    "AUTH_AUDIENCE": "authenticated",
    "AUTH_HS256_SECRET": SECRET,
    "AUTH_OPERATOR_CLAIM": "app_metadata.role=operator",
}


def claims(**more: Any) -> dict[str, Any]:
    """Build the claims of a person who signed in."""
    now = int(time.time())
    return {
        "iss": f"{PROJECT}/auth/v1",
        "aud": "authenticated",
        "sub": PERSON,
        "exp": now + 3600,
        "iat": now,
        "role": "authenticated",
        "aal": "aal1",
        "session_id": str(uuid.UUID(int=8)),
        "email": "somebody@agency.test",
        "is_anonymous": False,
        "app_metadata": {"provider": "email", "providers": ["email"]},
        "user_metadata": {},
    } | more


def legacy(**more: Any) -> Any:
    return asking(jwt.encode(claims(**more), SECRET, "HS256"))


async def test_user_id_names_the_tenant(deploy: Deploy):
    deploy(**LEGACY)

    assert await require_tenant(legacy()) == PERSON


@in_each("kid", ["ec-1", "rsa-1"])
async def test_asymmetric_keys_come_from_the_project(deploy: Deploy, by_keys: Issuer, kid: str):
    deploy(**LEGACY | {"AUTH_HS256_SECRET": "", "AUTH_JWKS_URL": by_keys.url})
    algorithm = "ES256" if kid.startswith("ec") else "RS256"
    token = jwt.encode(claims(), a_key(kid), algorithm, {"kid": kid})

    assert await require_tenant(asking(token)) == PERSON


async def test_app_metadata_gives_teams_one_tenant(deploy: Deploy):
    deploy(**LEGACY | {"AUTH_TENANT_CLAIM": "app_metadata.tenant_id"})

    team = await require_tenant(legacy(app_metadata={"tenant_id": "acme"}))

    assert team == "acme"


async def test_user_metadata_grants_nothing(deploy: Deploy):
    deploy(**LEGACY | {"AUTH_TENANT_CLAIM": "app_metadata.tenant_id"})
    dreamer = legacy(user_metadata={"tenant_id": "acme", "role": "operator"}, role="authenticated")

    with pytest.raises(problems.TenantUnusable):
        await require_tenant(dreamer)
    with pytest.raises(problems.NotAllowed):
        await require_operator(dreamer)


async def test_anonymous_person_without_tenant_is_refused(deploy: Deploy):
    deploy(**LEGACY | {"AUTH_TENANT_CLAIM": "app_metadata.tenant_id"})

    with pytest.raises(problems.TenantUnusable):
        await require_tenant(legacy(is_anonymous=True, app_metadata={}))


async def test_app_metadata_role_makes_an_operator(deploy: Deploy):
    deploy(**LEGACY)

    assert await require_operator(legacy(app_metadata={"role": "operator"})) == PERSON


@in_each("role", ["anon", "service_role"])
async def test_projects_own_keys_are_nobodys_token(deploy: Deploy, role: str):
    deploy(**LEGACY)
    now = int(time.time())
    key = {"iss": "supabase", "ref": "abc", "role": role, "iat": now, "exp": now + 10**8}

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(asking(jwt.encode(key, SECRET, "HS256")))


async def test_token_of_another_project_is_refused(deploy: Deploy):
    deploy(**LEGACY)

    with pytest.raises(problems.TokenInvalid):
        await require_tenant(legacy(iss="https://another.supabase.co/auth/v1"))
