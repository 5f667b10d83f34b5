"""`python -m infra.tenants import tenants.csv`: a table of tenants is registered.

The table (CSV, with a header; separated by commas, semicolons or tabs) has the columns `id` and
`status`, and if it likes `max_lines`; others are ignored. It goes through the deployment's own API,
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
from shared.domain.feeding import Row

NOW = "2000-01-01T00:00:00Z"
"""A row of a file has no time of its own: it is as an operator says."""


SEPARATORS = ",;\t"
"""Spreadsheets write semicolons where the comma is the decimal sign."""

NOT_LET_IN = (401, 403)
NO_UNICODE = "the file isn't UTF-8; save it as CSV UTF-8"


class Faulty(NamedTuple):
    """A line that can't be imported, and why."""

    line: int
    why: str


class Stopped(Exception):
    """Whatever is left would fail too; the message says why."""


def rows(file: Path) -> Iterator[Row | Faulty]:
    """Every line, read; what an id or a status says is never guessed. Raises OSError."""
    with file.open(newline="", encoding="utf-8-sig", errors="surrogateescape") as opened:
        header = opened.readline()
        written: Any = {"delimiter": max(SEPARATORS, key=header.count), "skipinitialspace": True}
        cells = next(csv.reader([header], **written), [])
        columns = [name.strip().lower() for name in cells]
        if not {"id", "status"} <= set(columns):
            why = "the columns `id` and `status` are needed" if _is_unicode(header) else NO_UNICODE
            yield Faulty(1, why)
            return
        seen: dict[str, int] = {}
        for line, cells in _cells(csv.reader(opened, **written)):
            read = _row(dict(zip(columns, cells, strict=False)))
            if isinstance(read, Row):
                first = seen.setdefault(read.id, line)
                read = read if first == line else f"id: it is in line {first} already"
            yield read if isinstance(read, Row) else Faulty(line, read)


def _cells(table: Any) -> Iterator[tuple[int, list[str]]]:
    for cells in table:
        stripped = [cell.strip() for cell in cells]
        if any(stripped):
            yield table.line_num + 1, stripped


def _row(cells: dict[str, str]) -> Row | str:
    """The row, or what is wrong with it."""
    given = {name: value for name, value in cells.items() if value}
    if not _is_unicode(given.get("id", "")):
        return f"id: {NO_UNICODE}"
    try:
        return Row.model_validate({**given, "updated_at": NOW})
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}"


def _is_unicode(text: str) -> bool:
    return not any("\udc80" <= letter <= "\udcff" for letter in text)


def register(row: Row, http: httpx.Client) -> str | None:
    """The tenant is registered so; or why not. Raises Stopped if nobody is going to be."""
    wanted = {"status": row.status, "max_lines": row.max_lines}
    change = {name: value for name, value in wanted.items() if value is not None}
    place = quote(names.spell(row.id), safe="")
    try:
        answer = http.put(f"/fleet/tenants/{place}", json=change)
    except httpx.HTTPError as error:
        raise Stopped(f"{http.base_url} can't be reached ({type(error).__name__})") from None
    if answer.is_success:
        return None
    kind = answer.headers.get("content-type", "")
    why = answer.json()["title"] if "problem+json" in kind else f"status {answer.status_code}"
    if answer.status_code in NOT_LET_IN:
        raise Stopped(f"{why}. OPERATOR_TOKEN must be an operator's, and not have expired")
    return str(why)


def main() -> int:
    """0 if all of them are registered; 1 and the lines that aren't."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=["import"])
    asked.add_argument("file", type=Path)
    asked.add_argument("--origin", default=os.environ.get("PUBLIC_URL"), help="else PUBLIC_URL")
    asked.add_argument("--dry", action="store_true", help="only read the table")
    given = asked.parse_args()
    token = os.environ.get("OPERATOR_TOKEN", "").strip()
    if not given.dry and not (given.origin and token):
        print("PUBLIC_URL (or --origin) and OPERATOR_TOKEN are needed.", file=sys.stderr)
        return 1
    try:
        read = list(rows(given.file))
    except OSError as error:
        print(f"{given.file} can't be read: {error.strerror}.", file=sys.stderr)
        return 1
    faulty = [each for each in read if isinstance(each, Faulty)]
    for fault in faulty:
        print(f"{given.file}:{fault.line} {fault.why}", file=sys.stderr)
    if faulty:
        print("Nothing was imported.", file=sys.stderr)
        return 1
    found = [each for each in read if isinstance(each, Row)]
    if given.dry:
        print(f"{len(found)} tenants can be imported.")
        return 0
    return _import(found, given.origin, token)


def _import(found: list[Row], origin: str, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    registered = 0
    with httpx.Client(base_url=origin, headers=headers, timeout=30) as http:
        for row in found:
            try:
                why = register(row, http)
            except Stopped as stopped:
                print(f"{row.id}: {stopped}. Import it all again then.", file=sys.stderr)
                break
            registered += why is None
            if why:
                print(f"{row.id}: {why}", file=sys.stderr)
    print(f"{registered} of {len(found)} tenants are registered.")
    return 0 if registered == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
