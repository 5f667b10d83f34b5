"""A table of tenants is imported through the API, all of it or nothing."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from infra import import_tenants
from infra.local.children import IDLE_SECONDS
from tests.perene import Perene, token

ROOT = Path(__file__).parents[2]
TABLE = (
    "\ufeffid,name,status,max_lines\nacme,Acme,active,3\nbeta,Beta,Canceled,\n42,Gama,paused,1\n"
)


def table(place: Path, text: str | bytes) -> Path:
    file = place / "tenants.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def run(*arguments: str, **variables: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "infra.import_tenants", "import", *arguments],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], **variables},
    )  # fmt: skip


@pytest.fixture
def origin(on_2: Perene) -> Iterator[str]:
    """Perene on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    settings = uvicorn.Config(
        on_2.app, port=port, log_level="error", ws="none", lifespan="off",
        timeout_keep_alive=IDLE_SECONDS,
    )  # fmt: skip
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_everybody_in_the_table_is_registered(on_2: Perene, origin: str, tmp_path: Path):
    file = table(tmp_path, TABLE)
    operator = {"PUBLIC_URL": origin, "OPERATOR_TOKEN": token("olga", operator=True)}

    first, again = run(str(file), **operator), run(str(file), **operator)

    assert (first.returncode, again.returncode) == (0, 0), first.stderr + again.stderr
    assert "3 of 3 tenants are registered." in first.stdout
    tenants = {
        name: (tenant["status"], tenant.get("max_lines"))
        for name, tenant in on_2.documents("tenants").items()
    }
    assert tenants == {"acme": ("active", 3), "beta": ("cancelled", None), "42": ("suspended", 1)}


def test_whoever_is_no_operator_registers_nobody(on_2: Perene, origin: str, tmp_path: Path):
    ran = run(str(table(tmp_path, TABLE)), PUBLIC_URL=origin, OPERATOR_TOKEN=token("acme"))

    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("acme: This is not allowed for the caller. OPERATOR_TOKEN must be")
    assert "0 of 3" in ran.stdout
    assert on_2.documents("tenants") == {}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("id,name\nacme,Acme\n", 1, "columns"),
        ("id,status\nacme,active\nbeta,who knows\n", 3, "status"),
        ("id,status\n,active\n", 2, "id"),
        ("id,status,max_lines\nacme,active,many\n", 2, "max_lines"),
        ("id;status\nacme;active\nbeta;active\nacme;cancelled\n", 4, "id: it is in line 2 already"),
        ("id,status\nacme,active\n".encode("utf-16"), 1, "UTF-8"),
        ("id,status\naçaí,active\n".encode("cp1252"), 2, "UTF-8"),
    ],
)
def test_one_wrong_row_stops_the_import(tmp_path: Path, text: str | bytes, line: int, why: str):
    ran = run(str(table(tmp_path, text)), PUBLIC_URL="http://127.0.0.1:1", OPERATOR_TOKEN="x")

    assert ran.returncode == 1
    assert f"tenants.csv:{line} " in ran.stderr
    assert why in ran.stderr
    assert "Nothing was imported." in ran.stderr


@pytest.mark.parametrize(
    "content",
    [
        b"id,status,max_lines\nacme,active,3\nbeta,past_due,\n",
        b"\xef\xbb\xbfid;status;max_lines\r\nacme;active;3\r\nbeta;past_due;\r\n;;\r\n\r\n",
        b"nome;Id;Status;MAX_LINES\r\nS\xe3o Jo\xe3o;acme;Active;3\r\n\xc1gua;beta;past_due;\r\n",
        b"id\tstatus\tmax_lines\nacme\tactive\t3\nbeta\tpast_due\n",
        b'"id" , "status", max_lines\n acme , active , 3 \nbeta,"past_due"\n',
    ],
    ids=["commas", "as Excel writes it in Brazil", "not even UTF-8", "tabs", "blanks and quotes"],
)
def test_spreadsheet_tables_are_read(content: bytes, tmp_path: Path):
    file = tmp_path / "tenants.csv"
    file.write_bytes(content)

    read = [(row.id, row.status, row.max_lines) for row in import_tenants.read_rows(file)]

    assert read == [("acme", "active", 3), ("beta", "suspended", None)]


def test_ambiguous_id_is_refused(tmp_path: Path):
    file = tmp_path / "tenants.csv"
    file.write_bytes(b"id,status\npadaria-s\xe3o-jo\xe3o,active\n")

    assert list(import_tenants.read_rows(file)) == [
        (2, "id: the file isn't UTF-8; save it as CSV UTF-8")
    ]


def test_missing_file_is_explained(tmp_path: Path):
    ran = run(str(tmp_path / "nowhere.csv"), "--dry")

    assert ran.returncode == 1
    assert ran.stderr.strip().endswith("nowhere.csv can't be read: No such file or directory.")


def test_unreachable_origin_is_asked_once(tmp_path: Path):
    there = {"PUBLIC_URL": "http://127.0.0.1:1", "OPERATOR_TOKEN": "x\n"}
    ran = run(str(table(tmp_path, TABLE)), **there)

    assert (ran.returncode, ran.stdout) == (1, "0 of 3 tenants are registered.\n")
    (line,) = ran.stderr.splitlines()
    assert line.startswith("acme: http://127.0.0.1:1 can't be reached (ConnectError).")


def test_dry_run_reads_the_table(tmp_path: Path):
    assert run(str(table(tmp_path, TABLE)), "--dry").returncode == 0
    assert len(list(import_tenants.read_rows(tmp_path / "tenants.csv"))) == 3


def test_import_needs_url_and_token(tmp_path: Path):
    ran = run(str(table(tmp_path, TABLE)))

    assert (ran.returncode, "OPERATOR_TOKEN" in ran.stderr) == (1, True)
