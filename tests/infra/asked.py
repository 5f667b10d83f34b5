"""Every query that the code can ask, asked once, and where in the code it was made."""

import ast
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

from google.cloud import firestore
from google.cloud.firestore_v1.base_collection import BaseCollectionReference
from google.cloud.firestore_v1.base_query import BaseQuery
from google.cloud.firestore_v1.types import RunAggregationQueryRequest, RunQueryRequest

from shared.domain.contacts import contact_of
from shared.domain.content import Kind
from shared.domain.conversations import Conversation
from shared.domain.fleet.candidates import Stage
from shared.domain.fleet.reports import SweepKind as Kinds
from shared.domain.messages import Message
from shared.domain.names import LineId, TenantId
from shared.domain.tenants import Status
from shared.store import LineScope, Store
from shared.store.base import PageEnd
from shared.store.conversations import ConversationFilter
from shared.store.logged import LogPlace, LogSource
from tests.infra.indexes import Shape, shape_of

ROOT = Path(__file__).parent.parent.parent
OURS = ("functions", "shared", "tests")
MAKERS = ("where", "order_by")
"""The methods that make a query one that may need an index."""

TENANT = "acme"
THROUGH = LineScope(TenantId(TENANT), LineId("default"), "5511999990001")
MARIA = contact_of("5511988887777@s.whatsapp.net")
assert MARIA
SAID = Message(id="3A1", kind=Kind.TEXT, text="oi", contact=MARIA, from_me=False, at=1)
CHOICES: dict[str, tuple[Any, ...]] = {
    "line": (None, "default"),
    "unread": (False, True),
    "archived": (False, True),
    "search": (None, "ana"),
    "from_ad": (False, True),
    "label": (None, "vip"),
    "assignee": (None, "Ana"),
}
"""Every value of a filter that makes another query; a new field has to say its own."""


class Place(NamedTuple):
    """A line of our code."""

    file: str
    line: int


def filters() -> Iterator[ConversationFilter]:
    """Every choice alone, and all together: indexes that serve these are merged for the others."""
    assert CHOICES.keys() == set(ConversationFilter._fields)
    nothing = {name: values[0] for name, values in CHOICES.items()}
    everything = {name: values[1] for name, values in CHOICES.items()}
    yield ConversationFilter(**nothing)
    for name in CHOICES:
        yield ConversationFilter(**{**nothing, name: everything[name]})
    yield ConversationFilter(**{**everything, "search": None})
    yield ConversationFilter(**everything)


async def everything(store: Store) -> None:
    """Call every method that queries, with each of its arguments."""
    await store.instances.list_of_tenant(TENANT)
    for wanted in filters():
        for after in (None, PageEnd(1, "some")):
            await store.conversations.list_page(TENANT, wanted, 1, after, 1)
    two_words = ConversationFilter(search="ana maria")
    await store.conversations.list_page(TENANT, two_words, 1, None, 1)
    for since in (None, 1):
        await store.conversations.list_since(TENANT, since, 1, 1)
    for line in (None, "default"):
        await store.conversations.count_unread(TENANT, line)
        await store.conversations.find_newest(TENANT, line)
    await store.conversations.count_since(TENANT, "default", 1)
    await store.desks.list_notes(TENANT, _conversation())
    for of in (_conversation(), _conversation(contact_number="5511988887777", lid="111")):
        for after in (None, PageEnd(1, "some")):
            await store.messages.list_page(TENANT, of, 1, after)
            await store.messages.list_changes(TENANT, of, 0, 1, after)
        await store.sends.list_unsettled(TENANT, of)
        await store.messages.list_own(TENANT, of, 0, 1)
    await store.sends.list_overdue(datetime.now(UTC), 1, datetime.fromtimestamp(0, UTC))
    await store.conversations.find_by_lid(TENANT, "default", "5511999990001", "111")
    for end in ("", "some"):
        await store.conversations.add_tokens(TENANT, end, 1)
    await store.messages.record(THROUGH, SAID, unread=True, now=1)
    await store.messages.record_revocation(THROUGH, SAID.id, 1, (SAID.contact.key,), 1)
    await store.messages.refresh_preview(THROUGH, SAID.id, 1)
    _ = [checked async for checked in store.quotes.purge_late(0, 1)]
    await store.media_copies.list_due(1, 1)
    await store.media_copies.list_due_of_line(TenantId(TENANT), THROUGH.line, 1)
    await store.media_copies.list_old_files(TenantId(TENANT), 1, 1)
    await store.media_copies.list_holders(TenantId(TENANT), "ab", 1)
    await of_the_log(store)
    await of_the_fleet(store)


async def of_the_log(store: Store) -> None:
    """Ask for what the log of events is derived from."""
    for source, tenant in product(LogSource, (TenantId(TENANT), None)):
        for after in (LogPlace(1), LogPlace(1, "tenants/some/messages/some")):
            await store.logged.list_page(source, tenant, after, 1, until=2)
        await store.logged.list_moved(tenant, 1, 2, 1)
    for tenant in (TenantId(TENANT), None):
        await store.logged.list_page(LogSource.MESSAGES, tenant, LogPlace(1), 1, by_storing=True)


async def of_the_fleet(store: Store) -> None:
    """Call what sweeps and operators ask."""
    for every in (
        store.tenants.iterate,
        store.instances.iterate,
        store.numbers.iterate,
        store.candidates.iterate,
    ):
        _ = [result async for result in every()]
    for after in (None, "some"):
        for status in ({}, {"status": "active"}):
            await store.tenants.list_page(status, 1, after, "acme" if after else "")
        await store.acts.list_page(TENANT if after else None, 1, None)
        await store.acts.list_page(TENANT if after else None, 1, "1~some")
        await store.dead_letters.list_page(1, after)
        await store.sweeps.list_reports(Kinds.ORPHANS, 1, after)
        for stage in (None, Stage.QUARANTINED):
            await store.candidates.list_page(stage, 1, after)
    await store.candidates.count_awaiting_approval()
    for after in (None, "some"):
        await store.incidents.list_page(1, after and f"1~{after}")
        for where in ({}, {"tenant": "acme"}, {"server": "main", "state": "open"}):
            await store.instances.list_page(where, 1, after, after and "some words")
            await store.instances.count(where)
    await store.instances.list_awaiting_media(1)
    await store.tenants.count({"status": "active"})
    await store.instances.add_tokens()
    await store.tenants.find_with_status(Status.SUSPENDED, Status.CANCELLED)
    await store.servers.count_slots("main")
    await store.servers.list_slots("main")
    await store.servers.seat_lines("main")
    await store.servers.leave_slots(store.db.batch(), "main", "some")
    for server in (None, "main"):
        await store.candidates.list_quarantined(server)
    await store.sweeps.list_days(1)
    await store.incidents.list_open()
    await store.endpoints.list_told(TENANT)
    await store.endpoints.list_active()
    await store.endpoints.list_late(datetime.now(UTC))
    for where in ({}, {"tenant": "acme"}, {"tenant": "acme", "state": "active"}):
        for after in (None, "some"):
            await store.endpoints.list_page(where, 1, after)
    await store.endpoints.list_failed("some")
    await store.incidents.list_pending()
    await store.db.client.document("tenants", TENANT).set({"lines": ["default"]})
    await store.conversations.count_strange(TENANT)


@contextmanager
def shapes(client: firestore.AsyncClient) -> Iterator[set[Shape]]:
    """The shapes of the queries that are sent inside the `with`."""
    seen: set[Shape] = set()
    api = client._firestore_api
    query, aggregation = api.run_query, api.run_aggregation_query

    def queried(request: Any, **more: Any) -> Any:
        seen.add(shape_of(RunQueryRequest(request).structured_query))
        return query(request=request, **more)

    def aggregated(request: Any, **more: Any) -> Any:
        counting = RunAggregationQueryRequest(request).structured_aggregation_query
        seen.add(shape_of(counting.structured_query))
        return aggregation(request=request, **more)

    with mock.patch.multiple(api, run_query=queried, run_aggregation_query=aggregated):
        yield seen


@contextmanager
def places() -> Iterator[set[Place]]:
    """Where in our code queries are made inside the `with`."""
    makers: set[Place] = set()

    def noting(make: Any) -> Any:
        def noted(*given: Any, **more: Any) -> Any:
            frame = sys._getframe(1)
            file = Path(frame.f_code.co_filename)
            if any(file.is_relative_to(ROOT / folder) for folder in OURS):
                makers.add(Place(file.relative_to(ROOT).as_posix(), frame.f_lineno))
            return make(*given, **more)

        return noted

    with mock.patch.multiple(
        BaseQuery, **{maker: noting(vars(BaseQuery)[maker]) for maker in MAKERS}
    ):
        collection = {maker: noting(vars(BaseCollectionReference)[maker]) for maker in MAKERS}
        with mock.patch.multiple(BaseCollectionReference, **collection):
            yield makers


def written(*folders: str) -> set[Place]:
    """Where in these folders queries are made, as the source says."""
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    return {place for file in files for place in _made(file)}


def _made(file: Path) -> Iterator[Place]:
    for node in ast.walk(ast.parse(file.read_text())):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Attribute) and called.attr in MAKERS:
            yield Place(file.relative_to(ROOT).as_posix(), called.end_lineno or 0)


def _conversation(**changes: Any) -> Conversation:
    fields = {"id": "a" * 26, "line": "default", "number": "5511999990001", "contact": "someone"}
    return Conversation(**fields, **changes)
