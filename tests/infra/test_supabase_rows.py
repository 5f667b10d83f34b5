"""What a table of PostgreSQL tells, with the guide's trigger, is what the feed understands."""

import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from shared.domain.tenants import Status
from shared.tenant_feed import RowChanged, decide_update
from tests.infra.terraform import INFRA

BINARIES = next(iter(sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)), None)
NOBODY = "nobody" if os.geteuid() == 0 else None
"""PostgreSQL refuses to be run by root."""

POSTED = """
create table posted (number serial, body jsonb);
create function post() returns trigger language plpgsql as $$ begin
  insert into posted (body) values (jsonb_build_object(
    'type', tg_op, 'table', tg_table_name, 'schema', tg_table_schema,
    'record', case tg_op when 'DELETE' then null else to_jsonb(new) end,
    'old_record', case tg_op when 'INSERT' then null else to_jsonb(old) end));
  return null; end $$;
create trigger posting after insert or update or delete on tenants for each row
  execute function post();
"""
"""A body as Supabase's database webhooks make it."""


@pytest.fixture
def database() -> Iterator[list[str]]:
    """A PostgreSQL of its own: the command that speaks to it."""
    if BINARIES is None or shutil.which("psql") is None:
        pytest.skip("needs PostgreSQL")
    place = tempfile.mkdtemp(prefix="perene-postgres-")
    if NOBODY:
        os.chown(place, pwd.getpwnam(NOBODY).pw_uid, -1)
    options = f"-k {place} -c listen_addresses=''"
    try:
        _do("initdb", "-D", f"{place}/data", "-A", "trust", "-U", "postgres")
        _do("pg_ctl", "-D", f"{place}/data", "-o", options, "-w", "-l", f"{place}/log", "start")
        yield ["psql", "-h", place, "-U", "postgres", "-At", "-q", "-v", "ON_ERROR_STOP=1"]
    finally:
        with suppress(subprocess.CalledProcessError):  # it never started
            _do("pg_ctl", "-D", f"{place}/data", "-m", "immediate", "stop")
        shutil.rmtree(place)


def _do(program: str, *arguments: str) -> None:
    assert BINARIES
    subprocess.run(
        [BINARIES / program, *arguments],
        check=True,
        stdout=subprocess.DEVNULL,
        cwd="/",
        user=NOBODY,
    )


def told(psql: list[str], sql: str) -> str:
    return subprocess.run(
        [*psql, "-c", sql], check=True, capture_output=True, text=True
    ).stdout.strip()


def begun(psql: list[str]) -> "subprocess.Popen[str]":
    """A transaction that has begun and has done nothing yet."""
    other = subprocess.Popen(psql, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdin
    assert other.stdout
    other.stdin.write("begin; select now();\n")
    other.stdin.flush()
    assert other.stdout.readline()
    return other


def test_last_written_row_is_newest(
    database: list[str],
):
    (trigger,) = re.findall(
        r"```sql\n(.*?)```", (INFRA / "docs" / "operations.md").read_text(), re.DOTALL
    )
    told(database, "create table tenants (id text, status text, updated_at timestamptz)")
    told(database, trigger)
    told(database, POSTED)
    told(database, "insert into tenants values ('acme', 'active', null)")

    early = begun(database)
    told(database, "update tenants set status = 'trialing'")
    early.communicate("update tenants set status = 'past_due'; commit;\n")
    told(database, "begin; update tenants set status = 'paused'; delete from tenants; commit")
    told(database, "insert into tenants values ('acme', 'active', '2000-01-01')")

    bodies = told(database, "select body from posted order by number").splitlines()
    rows = [RowChanged.model_validate(json.loads(body)) for body in bodies]
    changes = [decide_update(row) for row in rows]
    assert [row.type for row in rows] == ["INSERT", *["UPDATE"] * 3, "DELETE", "INSERT"]
    assert [change.order for change in changes] == sorted({change.order for change in changes})
    assert [change.change["status"] for change in changes] == [
        *(Status.ACTIVE, Status.ACTIVE, Status.SUSPENDED, Status.SUSPENDED),
        *(Status.CANCELLED, Status.ACTIVE),
    ]
