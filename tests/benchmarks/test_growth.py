"""The growth benchmark judges costs by counts, and its copies are records that the store reads."""

from datetime import UTC, datetime

import pytest

from shared.domain.instances import new_instance
from shared.domain.names import LineId, LineKey, TenantId
from tests.benchmarks.copies import MESSAGES_A_PERSON, THREAD_SHARE, Pattern, Patterns
from tests.benchmarks.growth import Cost, Size, is_flat
from tests.perene import name_of

NOON = datetime(2026, 11, 27, 12, tzinfo=UTC)


def a_cost(reads: float = 2, writes: float = 1, calls: float = 0, size: float = 500) -> Cost:
    return Cost(reads, writes, calls, size, p50=1, cpu=1)


@pytest.mark.parametrize(
    ("other", "flat"),
    [
        (a_cost(), True),
        (a_cost()._replace(p50=900, cpu=900), True),
        (a_cost(size=600), True),
        (a_cost(reads=3), False),
        (a_cost(writes=2), False),
        (a_cost(calls=1), False),
        (a_cost(size=900), False),
    ],
)
def test_counts_and_long_answers_tell_growth(other: Cost, flat: bool):
    assert is_flat([a_cost(), other]) == flat


def test_servers_grow_with_lines():
    assert [Size(lines, 0).servers for lines in (10, 500, 1_000, 5_000)] == [1, 1, 2, 10]


def test_copies_differ_where_records_do():
    key = LineKey(TenantId("acme"), LineId("default"))
    line = new_instance(key, name_of("acme"), "Vendas", "s0", NOON)
    conversation = {"contact": "x", "last_at": 0, "preview": {"message": "x", "at": 0}}
    message = {"tenant": "acme", "line": "default", "conversation": "thread", "id": "x", "at": 0}
    stored = {"tenant": "acme"}, line.model_dump(), conversation, message
    patterns = Patterns(*map(Pattern, stored))

    lines = list(patterns.copy_lines(range(499, 501), 500))
    messages = list(patterns.copy_messages(range(2 * MESSAGES_A_PERSON)))

    assert [copy.path for copy in lines if "slots" in copy.path] == [
        "servers/s0/slots/499",
        "servers/s1/slots/0",
    ]
    assert {copy.change["server"] for copy in lines if "instances" in copy.path} == {"s0", "s1"}
    assert len({copy.path for copy in messages}) == len(messages) == 2 * MESSAGES_A_PERSON + 2
    in_thread = [copy for copy in messages if copy.change.get("conversation") == "thread"]
    assert len(in_thread) == 2 * MESSAGES_A_PERSON // THREAD_SHARE
    document = messages[0].encode("root").update
    assert document.name == "root/tenants/acme/messages/default~F0"
    assert (document.fields["id"].string_value, len(document.fields)) == ("F0", 7)
