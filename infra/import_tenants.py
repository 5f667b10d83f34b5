"""Register a table of tenants: `python -m infra.import_tenants import tenants.csv`.

The table (CSV, with a header; separated by commas, semicolons or tabs) has the columns `id` and
`status`, and optionally `max_lines`; others are ignored. It uses the deployment's own API,
with an operator's token in OPERATOR_TOKEN, so it needs no access to the database. Importing it
again changes nothing.
"""

import argparse
import csv
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from shared.domain import names
from shared.tenant_feed import Row

NOW = "2000-01-01T00:00:00Z"
"""The time given to a row of a file, which has none of its own."""

SEPARATORS = ",;\t"
"""Separators of columns. Spreadsheets write semicolons where the comma is the decimal sign."""

FORBIDDEN = (401, 403)
NO_UNICODE = "the file isn't UTF-8; save it as CSV UTF-8"


class FaultyLine(NamedTuple):
    """A line of the file that can't be imported, and the reason."""

    line: int
    why: str


class Table(NamedTuple):
    """A table as text: its columns in lower case, and its lines, each with its number.

    Bytes that aren't UTF-8 stay in it as surrogates.
    """

    header: str
    columns: list[str]
    lines: Iterator[tuple[int, dict[str, str]]]


class ImportStopped(Exception):
    """The rows that are left would fail too; the message is the reason."""


def read_rows(file: Path) -> Iterator[Row | FaultyLine]:
    """Yield each line of the file as a row or as a faulty line. Raises OSError.

    Bytes that aren't UTF-8 are refused in an id and a status, and ignored elsewhere.
    """
    table = read_table(file)
    if not {"id", "status"} <= set(table.columns):
        is_readable = _is_unicode(table.header)
        why = "the columns `id` and `status` are needed" if is_readable else NO_UNICODE
        yield FaultyLine(1, why)
        return
    first_lines: dict[str, int] = {}
    for line, cells in table.lines:
        row = _parse_row(cells)
        if isinstance(row, Row):
            first = first_lines.setdefault(row.id, line)
            row = row if first == line else f"id: it is in line {first} already"
        yield row if isinstance(row, Row) else FaultyLine(line, row)


def read_table(file: Path) -> Table:
    """Read a table with a header, separated by commas, semicolons or tabs. Raises OSError."""
    with file.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as opened:
        header, *lines = opened.readlines() or [""]
    dialect: Any = {"delimiter": max(SEPARATORS, key=header.count), "skipinitialspace": True}
    cells = next(csv.reader([header], **dialect), [])
    columns = [name.strip().lower() for name in cells]
    return Table(header, columns, _read_lines(columns, csv.reader(lines, **dialect)))


def _read_lines(columns: list[str], table: Any) -> Iterator[tuple[int, dict[str, str]]]:
    for cells in table:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield table.line_num + 1, dict(zip(columns, stripped, strict=False))


def _parse_row(cells: dict[str, str]) -> Row | str:
    """Return the row, or what is wrong with it."""
    fields = {name: value for name, value in cells.items() if value}
    if not _is_unicode(fields.get("id", "")):
        return f"id: {NO_UNICODE}"
    try:
        return Row.model_validate({**fields, "updated_at": NOW})
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"


def _is_unicode(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def register_tenant(row: Row, http: httpx.Client) -> str | None:
    """Register the tenant; return why the API refuses it, if it does.

    Raises ImportStopped if it would refuse the others too.
    """
    values = {"status": row.status, "max_lines": row.max_lines}
    change = {name: value for name, value in values.items() if value is not None}
    segment = quote(names.spell(row.id), safe="")
    try:
        answer = http.put(f"/fleet/tenants/{segment}", json=change)
    except httpx.HTTPError as error:
        raise ImportStopped(f"{http.base_url} can't be reached ({type(error).__name__})") from None
    if answer.is_success:
        return None
    kind = answer.headers.get("content-type", "")
    why = answer.json()["title"] if "problem+json" in kind else f"status {answer.status_code}"
    if answer.status_code in FORBIDDEN:
        raise ImportStopped(f"{why}. OPERATOR_TOKEN must be an operator's, and not have expired")
    return str(why)


def main() -> int:
    """Register every row of the file. Return 1 if one couldn't be, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["import"])
    parser.add_argument("file", type=Path)
    parser.add_argument("--origin", default=os.environ.get("PUBLIC_URL"), help="else PUBLIC_URL")
    parser.add_argument("--dry", action="store_true", help="only read the table")
    arguments = parser.parse_args()
    token = os.environ.get("OPERATOR_TOKEN", "").strip()
    if not arguments.dry and not (arguments.origin and token):
        print("PUBLIC_URL (or --origin) and OPERATOR_TOKEN are needed.", file=sys.stderr)
        return 1
    try:
        lines = list(read_rows(arguments.file))
    except OSError as error:
        print(f"{arguments.file} can't be read: {error.strerror}.", file=sys.stderr)
        return 1
    faulty = [line for line in lines if isinstance(line, FaultyLine)]
    for fault in faulty:
        print(f"{arguments.file}:{fault.line} {fault.why}", file=sys.stderr)
    if faulty:
        print("Nothing was imported.", file=sys.stderr)
        return 1
    rows = [line for line in lines if isinstance(line, Row)]
    if arguments.dry:
        print(f"{len(rows)} tenants can be imported.")
        return 0
    return _import_rows(rows, arguments.origin, token)


def _import_rows(rows: list[Row], origin: str, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    registered = 0
    with httpx.Client(base_url=origin, headers=headers, timeout=30) as http:
        for row in rows:
            try:
                why = register_tenant(row, http)
            except ImportStopped as stopped:
                print(f"{row.id}: {stopped}. Import it all again then.", file=sys.stderr)
                break
            registered += why is None
            if why:
                print(f"{row.id}: {why}", file=sys.stderr)
    print(f"{registered} of {len(rows)} tenants are registered.")
    return 0 if registered == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
