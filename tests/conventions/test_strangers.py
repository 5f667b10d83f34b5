"""Who has no token is turned away before anything is touched."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NoReturn

import httpx
import pytest

from infra import openapi
from infra.local import gateway
from shared import services
from tests.cases import in_each
from tests.conventions.conftest import Deploy

FUNCTIONS = Path(__file__).parent.parent.parent / "functions"
PUBLIC = ("openapi", "console")
WITH_A_LINK = ("/ensure-instance/link",)
"""Who has a link needs no token (tests/journeys/test_links.py)."""


ROUTES = [
    pytest.param(route.method, edge.path + route.path.rstrip("/"), id=f"{edge.function} {index}")
    for edge in openapi.load_edges()
    if edge.function not in PUBLIC
    for index, route in enumerate(edge.routes)
    if edge.path + route.path not in WITH_A_LINK
]


@pytest.fixture
async def origin(
    deploy: Deploy, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve every function with nothing that it could work with."""
    trust = {"AUTH_ISSUER": "https://issuer.test", "AUTH_AUDIENCE": "perene"}
    deploy(**trust, AUTH_HS256_SECRET="s" * 32, TENANT_FEED_SECRET="f" * 32)
    monkeypatch.setattr(services, "store", untouched)
    monkeypatch.setattr(services, "evolution", untouched)
    through = httpx.ASGITransport(gateway.build(FUNCTIONS))
    async with httpx.AsyncClient(transport=through, base_url="http://perene.test") as client:
        yield client


def untouched(*_: object) -> NoReturn:
    raise AssertionError("nobody has said yet who is calling")


@in_each(("method", "path"), ROUTES)
async def test_stranger_is_refused_before_any_work(
    origin: httpx.AsyncClient, method: str, path: str
):
    answer = await origin.request(method, re.sub(r"{\w+}", "default", path), json={})

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"


@in_each(("method", "path"), ROUTES)
async def test_token_that_nobody_signed_opens_nothing(
    origin: httpx.AsyncClient, method: str, path: str
):
    headers = {"authorization": "Bearer e30.e30.e30", "x-webhook-token": "e30.e30.e30"}

    answer = await origin.request(
        method, re.sub(r"{\w+}", "default", path), json={}, headers=headers
    )

    assert answer.status_code == 401
