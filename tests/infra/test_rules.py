"""The rules of the database, asked by browsers: a tenant reads its own, and nobody writes."""

import uuid
from collections.abc import Callable, Iterator
from typing import NamedTuple

import httpx
import pytest
from google.cloud import firestore

from shared.domain import names
from shared.domain.names import LineKey, TenantId
from tests.infra.browser import Browser, load_rules

OPEN_BELOW = ("conversations", "messages", "sends", "gaps")
CLOSED = (
    "dead_letters/d1",
    "servers/main",
    "servers/main/slots/0",
    "numbers/5511999990001",
    "sweeps/s1",
    "acts/a1",
    "endpoints/ep_1",
    "outbound/told_tenants",
    "anything/a",
)
CLOSED_BELOW = (
    "tenants/acme/notes/n1",
    "tenants/acme/desk/desk",
    "endpoints/ep_1/attempts/a1",
    "sweeps/s1/quarantine/q1",
    "tenants/acme/aliases/a1",
    "tenants/acme/messages/m/x/y",
)

TENANTS = [
    pytest.param("acme", id="plain"),
    pytest.param("auth0|5f7c8ec7c33c6c004bbafe82", id="Auth0"),
    pytest.param("ana+vendas@acme.com.br", id="an e-mail address"),
    pytest.param("samlp|acme|ana maria@acme.com", id="SAML"),
    pytest.param("https://acme.com:8080/42", id="a URL"),
    pytest.param("a~7cb", id="what looks spelled"),
    pytest.param("..", id="dots"),
    pytest.param("__acme__", id="reserved"),
    pytest.param("ação#1", id="characters that the rules don't spell"),
]
SPELLED_BY_RULES = TENANTS[:6]


class Ruled(NamedTuple):
    """A database under the rules."""

    http: httpx.Client
    project: str
    database: firestore.Client

    def browser(self, subject: str | None = None, **claims: object) -> Browser:
        return Browser(self.http, self.project, subject, **claims)

    def keep(self, tenant: str) -> str:
        """A tenant with one document of each kind; the path of its own."""
        key = LineKey(TenantId(tenant), names.DEFAULT_LINE)
        home = f"tenants/{names.spell(key.tenant)}"
        self.write(f"instances/{names.instance_name('instance_', key)}", tenant)
        self.write(home, tenant)
        for collection in OPEN_BELOW:
            self.write(f"{home}/{collection}/one", tenant)
        return home

    def write(self, path: str, tenant: str) -> None:
        self.database.document(path).set({"tenant": tenant, "last_at": 1})


@pytest.fixture(scope="module")
def ruled(firestore_emulator: str) -> Iterator[Ruled]:
    """Two tenants and what is nobody's; nothing changes it, since nobody may write."""
    project = f"r-{uuid.uuid4().hex[:20]}"
    with httpx.Client(base_url=f"http://{firestore_emulator}", timeout=30) as http:
        load_rules(http, project)
        database = Ruled(http, project, firestore.Client(project=project))
        for tenant in ("acme", "globex"):
            database.keep(tenant)
        for path in (*CLOSED, *CLOSED_BELOW):
            database.write(path, "acme")
        yield database


# Reading one's own ---------------------------------------------------------------------------


@pytest.mark.parametrize("tenant", TENANTS)
def test_a_tenant_reads_its_own_documents(ruled: Ruled, tenant: str):
    home = ruled.keep(tenant)
    instance = names.instance_name("instance_", LineKey(TenantId(tenant), names.DEFAULT_LINE))

    browser = ruled.browser(tenant)

    assert browser.get(home) == 200
    assert browser.get(f"instances/{instance}") == 200
    assert {browser.get(f"{home}/{collection}/one") for collection in OPEN_BELOW} == {200}


@pytest.mark.parametrize("tenant", TENANTS)
def test_tenant_queries_own_documents(ruled: Ruled, tenant: str):
    home = ruled.keep(tenant)

    browser = ruled.browser(tenant)

    assert browser.query("tenants", tenant=tenant) == (200, [home.removeprefix("tenants/")])
    assert browser.query("instances", tenant=tenant)[0] == 200
    for collection in OPEN_BELOW:
        assert browser.query(f"{home}/{collection}", tenant=tenant) == (200, ["one"])


@pytest.mark.parametrize("tenant", SPELLED_BY_RULES)
def test_tenant_lists_own_collections_unfiltered(ruled: Ruled, tenant: str):
    home = ruled.keep(tenant)

    browser = ruled.browser(tenant)

    for collection in OPEN_BELOW:
        assert browser.query(f"{home}/{collection}", order="last_at") == (200, ["one"])
        assert browser.get(f"{home}/{collection}") == 200


def test_stub_message_belongs_to_its_tenant(ruled: Ruled):
    ruled.database.document("tenants/acme/messages/stub").set({"progress": 3})

    assert ruled.browser("acme").get("tenants/acme/messages/stub") == 200
    assert ruled.browser("globex").get("tenants/acme/messages/stub") == 403


# Reading what is somebody else's -------------------------------------------------------------

STRANGERS = [
    pytest.param(lambda ruled: ruled.browser(), id="nobody"),
    pytest.param(lambda ruled: ruled.browser("globex"), id="another tenant"),
    pytest.param(lambda ruled: ruled.browser("globex", tenant="acme"), id="with a foreign claim"),
    pytest.param(lambda ruled: ruled.browser("admin", operator=True), id="an operator"),
    pytest.param(lambda ruled: ruled.browser("ACME"), id="in capitals"),
    pytest.param(lambda ruled: ruled.browser("acme "), id="with a blank"),
    pytest.param(lambda ruled: ruled.browser("acme/conversations"), id="with a path"),
    pytest.param(lambda ruled: ruled.browser(".*"), id="with a pattern"),
]
Stranger = Callable[[Ruled], Browser]


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_reads_nothing(ruled: Ruled, stranger: Stranger):
    browser = stranger(ruled)

    for path in (
        "tenants/acme",
        "instances/instance_acme",
        *(f"tenants/acme/{collection}/one" for collection in OPEN_BELOW),
        *(f"tenants/acme/{collection}/none" for collection in OPEN_BELOW),
    ):
        assert browser.get(path) == 403, path


@pytest.mark.parametrize("stranger", STRANGERS)
def test_a_stranger_lists_nothing(ruled: Ruled, stranger: Stranger):
    browser = stranger(ruled)

    for path in (
        "tenants",
        "instances",
        *(f"tenants/acme/{collection}" for collection in OPEN_BELOW),
    ):
        assert browser.get(path) == 403, path
        assert browser.query(path)[0] == 403, path
        assert browser.query(path, tenant="acme")[0] == 403, path
    for collection in OPEN_BELOW:
        assert browser.everywhere(collection) == 403


def test_nobody_lists_more_than_their_own(ruled: Ruled):
    browser = ruled.browser("acme")

    assert browser.query("tenants")[0] == browser.query("instances")[0] == 403
    assert [browser.everywhere(collection) for collection in OPEN_BELOW] == [403] * len(OPEN_BELOW)


@pytest.mark.parametrize(
    ("subject", "owner"),
    [
        pytest.param("auth0~7cann", "auth0|ann", id="an escape"),
        pytest.param("~61uth0|ann", "auth0|ann", id="an escape of a plain character"),
        pytest.param("auth0|Ann", "auth0|ann", id="other capitals"),
    ],
)
def test_nobody_can_spell_themself_like_another(ruled: Ruled, subject: str, owner: str):
    home = ruled.keep(owner)

    browser = ruled.browser(subject)

    assert browser.get(home) == 403
    assert browser.get(f"{home}/messages/one") == 403
    assert browser.query(f"{home}/messages", tenant=owner)[0] == 403


# What is closed ------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [*CLOSED, *CLOSED_BELOW])
def test_internal_documents_are_closed(ruled: Ruled, path: str):
    collection = path.rpartition("/")[0]

    for browser in (ruled.browser(), ruled.browser("acme"), ruled.browser("a", operator=True)):
        assert browser.get(path) == 403
        assert browser.query(collection, tenant="acme")[0] == 403


EVERYWHERE = (
    "tenants/acme",
    "instances/instance_acme",
    *(f"tenants/acme/{collection}/one" for collection in OPEN_BELOW),
    *CLOSED,
    *CLOSED_BELOW,
)


@pytest.mark.parametrize("path", EVERYWHERE)
def test_nobody_writes(ruled: Ruled, path: str):
    for browser in (ruled.browser(), ruled.browser("acme"), ruled.browser("a", operator=True)):
        assert browser.create(f"{path}-new") == 403
        assert browser.update(path) == 403
        assert browser.delete(path) == 403
