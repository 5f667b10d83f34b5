"""What a tenant's plan has room for."""

from typing import Any

from shared.domain.names import DEFAULT_LINE, LineId
from shared.domain.tenants import MAX_LINES_LIMIT
from tests.builders import a_tenant
from tests.cases import in_each

VENDAS, SUPORTE = LineId("vendas"), LineId("suporte")


def test_new_tenant_has_only_default_line():
    tenant = a_tenant()

    assert tenant.has_room_for(DEFAULT_LINE)
    assert not tenant.has_room_for(VENDAS)


def test_default_line_keeps_its_place():
    tenant = a_tenant("acme", "vendas", max_lines=2)

    assert tenant.has_room_for(DEFAULT_LINE)
    assert not tenant.has_room_for(SUPORTE)


def test_larger_plan_has_room_for_more():
    assert a_tenant("acme", "default", "vendas", max_lines=3).has_room_for(SUPORTE)


@in_each("max_lines", [0, 1])
@in_each("line", [DEFAULT_LINE, VENDAS])
def test_smaller_plan_keeps_existing_lines(line: LineId, max_lines: int):
    assert a_tenant("acme", "default", "vendas", max_lines=max_lines).has_room_for(line)


@in_each("line", [DEFAULT_LINE, VENDAS])
def test_empty_plan_has_no_room(line: LineId):
    assert not a_tenant(max_lines=0).has_room_for(line)


@in_each(
    ("written", "means"), [(-1, 0), (MAX_LINES_LIMIT + 1, MAX_LINES_LIMIT), ("many", 1), (None, 1)]
)
def test_handwritten_plan_is_kept_in_bounds(written: Any, means: int):
    assert a_tenant(max_lines=written).max_lines == means


@in_each("written", [None, "default", 7])
def test_malformed_lines_are_none(written: Any):
    assert a_tenant(**{"lines": written}).lines == ()
