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

from infra import tenants
from infra.local import children
from tests.perene import Perene, token

ROOT = Path(__file__).parents[2]
TABLE = (
    "\ufeffid,name,status,max_lines\nacme,Acme,active,3\nbeta,Beta,Canceled,\n42,Gama,paused,1\n"
)


def table(place: Path, text: str | bytes) -> Path:
    file = place / "tenants.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def run(*asked: str, **variables: str) -> Any:
    return subprocess.run(
        [sys.executable, "-m", "infra.tenants", "import", *asked],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={"PATH": os.environ["PATH"], **variables},
    )  # fmt: skip


@pytest.fixture
def origin(on_2: Perene) -> Iterator[str]:
    """Perene on a port of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as chosen:
        port = chosen.getsockname()[1]
    settings = uvicorn.Config(on_2.app, port=port, log_level="error", ws="none", lifespan="off")
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
    kept = {
        name: (each["status"], each.get("max_lines"))
        for name, each in on_2.documents("tenants").items()
    }
    assert kept == {"acme": ("active", 3), "beta": ("cancelled", None), "42": ("suspended", 1)}


def test_whoever_is_no_operator_registers_nobody(on_2: Perene, origin: str, tmp_path: Path):
    ran = run(str(table(tmp_path, TABLE)), PUBLIC_URL=origin, OPERATOR_TOKEN=token("acme"))

    assert ran.returncode == 1
    assert "acme: This is not allowed for the caller" in ran.stderr
    assert "0 of 3" in ran.stdout
    assert on_2.documents("tenants") == {}


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("id,name\nacme,Acme\n", 1, "columns"),
        ("id,status\nacme,active\nbeta,who knows\n", 3, "status"),
        ("id,status\n,active\n", 2, "id"),
        ("id,status,max_lines\nacme,active,many\n", 2, "max_lines"),
        ("id,status\nacme,active\nbeta,active\nacme,cancelled\n", 4, "acme"),
        ("id,status\nacme,active\n".encode("utf-16"), 1, "UTF-8"),
        ("id,status\naçaí,active\n".encode("cp1252"), 1, "UTF-8"),
    ],
)
def test_one_line_that_is_wrong_stops_all_of_it(
    tmp_path: Path, text: str | bytes, line: int, why: str
):
    ran = run(str(table(tmp_path, text)), PUBLIC_URL="http://127.0.0.1:1", OPERATOR_TOKEN="x")

    assert ran.returncode == 1
    assert f"tenants.csv:{line} " in ran.stderr
    assert why in ran.stderr
    assert "Nothing was imported." in ran.stderr


def test_a_table_of_a_brazilian_spreadsheet_is_read_too(tmp_path: Path):
    file = table(tmp_path, TABLE.replace(",", ";"))

    assert [each.id for each in tenants.rows(file)] == ["acme", "beta", "42"]


def test_a_deployment_that_is_away_is_told_in_a_sentence(tmp_path: Path):
    nowhere = f"http://127.0.0.1:{children.free_port()}"

    ran = run(str(table(tmp_path, TABLE)), PUBLIC_URL=nowhere, OPERATOR_TOKEN="x\n")

    assert ran.returncode == 1
    assert ran.stderr == "acme: ConnectError. Nobody else was tried: run it again.\n"
    assert "0 of 3" in ran.stdout


def test_a_table_that_is_not_there_is_told_in_a_sentence(tmp_path: Path):
    ran = run(str(tmp_path / "none.csv"), "--dry")

    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)


def test_a_table_can_be_read_without_importing_it(tmp_path: Path):
    assert run(str(table(tmp_path, TABLE)), "--dry").returncode == 0
    assert len(list(tenants.rows(tmp_path / "tenants.csv"))) == 3


def test_who_asks_must_say_where_and_as_whom(tmp_path: Path):
    ran = run(str(table(tmp_path, TABLE)))

    assert (ran.returncode, "OPERATOR_TOKEN" in ran.stderr) == (1, True)
