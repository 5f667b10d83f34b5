"""The local stack's receiver shows what endpoints are told, and who signed it."""

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from starlette.applications import Starlette

from infra.local.receiver.receiver_routes import LARGEST_BODY, MOST_EVENTS, PATH, Receiver
from shared.domain import endpoints as rules
from shared.domain.endpoints import Endpoint
from shared.domain.names import TenantId
from shared.outbound import signatures

NOW = datetime.now(UTC)
SECRET, OTHER = signatures.draw_secret(), signatures.draw_secret()
BODY = b'{"type": "message.received", "data": {"text": "<b>oi</b>"}}'


@pytest.fixture
def endpoints(mocker) -> list[Endpoint]:
    """List the endpoints that there are: one that leads here, and one that doesn't."""
    endpoints = [an_endpoint("CRM", PATH, SECRET), an_endpoint("far", "/hook", OTHER)]
    store = mocker.patch("shared.services.store").return_value
    store.endpoints.list_active = mocker.AsyncMock(side_effect=lambda: endpoints)
    return endpoints


@pytest.fixture
def client(endpoints: list[Endpoint]) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(Starlette(routes=Receiver().build_routes()))
    return httpx.AsyncClient(transport=transport, base_url="http://localhost:8080")


def an_endpoint(name: str, path: str, secret: str) -> Endpoint:
    return Endpoint(
        id=f"ep_{name}",
        tenant=TenantId("acme"),
        url=f"http://localhost:8080{path}",
        description=name,
        created_at=NOW,
        secret=secret,
        cursor="",
        moved_at=NOW,
    )


async def post(client: httpx.AsyncClient, secret: str, body: bytes = BODY, **more: str) -> int:
    headers = signatures.build_headers("evt_1", body, [secret], datetime.now(UTC))
    return (await client.post(PATH, content=body, headers=headers | more)).status_code


pytestmark = pytest.mark.anyio


async def test_signed_event_is_shown_with_its_signer(client):
    statuses = [await post(client, SECRET), await post(client, OTHER)]
    rows = (await client.get(f"{PATH}/rows", headers={"accept-language": "en"})).text

    assert statuses == [204, 401]
    assert rows.index("refused") < rows.index("signature verified: CRM")
    assert "&lt;b&gt;oi" in rows
    assert "<b>" not in rows


async def test_previous_secret_is_good_for_a_day(client, endpoints):
    endpoints[0] = rules.rotate(endpoints[0], signatures.draw_secret(), NOW - timedelta(hours=1))
    assert await post(client, SECRET) == 204

    endpoints[0] = rules.rotate(an_endpoint("CRM", PATH, SECRET), OTHER, NOW - timedelta(days=2))
    assert await post(client, SECRET) == 401


async def test_memory_is_bounded(client):
    large = await post(client, SECRET, b"x" * (LARGEST_BODY + 1))
    for _ in range(MOST_EVENTS + 5):
        await post(client, SECRET, b"no event")
    rows = (await client.get(f"{PATH}/rows")).text
    newer = (await client.get(f"{PATH}/rows?after={MOST_EVENTS + 3}")).text

    assert large == 413
    assert rows.count("<li ") == MOST_EVENTS
    assert newer.count("<li ") == 2


async def test_page_loads_its_own_files_only(client):
    page = await client.get(PATH)
    assert "http://localhost:8080/local/receiver" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for name in ("page.js", "page.css"):
        assert (await client.get(f"{PATH}/{name}")).status_code == 200
