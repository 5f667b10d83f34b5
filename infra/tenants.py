"""`python -m infra.tenants import tenants.csv`: a table of tenants is registered.

The table (CSV with commas or semicolons, in UTF-8, with a header) has the columns `id` and
`status`, and if it likes `max_lines`; others are ignored. It goes through the deployment's own API,
with an operator's token in OPERATOR_TOKEN, so it needs no access to the database. Importing it
again changes nothing.
"""

import argparse
import csv
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import httpx
from pydantic import ValidationError

from shared.domain import names
from shared.domain.feeding import Row

NOW = "2000-01-01T00:00:00Z"
"""A row of a file has no time of its own: it is as an operator says."""


class Faulty(NamedTuple):
    """A line that can't be imported, and why."""

    line: int
    why: str


def rows(file: Path) -> Iterator[Row | Faulty]:
    """Every line, read; what an id or a status says is never guessed."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        yield Faulty(1, "it isn't UTF-8: save it as CSV UTF-8")
        return
    header = text.partition("\n")[0]
    table = csv.DictReader(io.StringIO(text, newline=""), delimiter=";" if ";" in header else ",")
    if not {"id", "status"} <= set(table.fieldnames or ()):
        yield Faulty(1, "the columns `id` and `status` are needed")
        return
    seen = set[str]()
    for line in table:
        read = _row({name: value for name, value in line.items() if name and value}, table.line_num)
        if isinstance(read, Row) and read.id in seen:
            read = Faulty(table.line_num, f"{read.id} is there twice")
        seen |= {read.id} if isinstance(read, Row) else set()
        yield read


def _row(given: dict[str, str], line: int) -> Row | Faulty:
    try:
        return Row.model_validate({**given, "updated_at": NOW})
    except ValidationError as error:
        (first, *_) = error.errors(include_input=False, include_url=False)
        where = ".".join(map(str, first["loc"]))
        return Faulty(line, f"{where}: {first['msg']}")


def register(row: Row, http: httpx.Client) -> str | None:
    """The tenant is registered so; or why not."""
    wanted = {"status": row.status, "max_lines": row.max_lines}
    change = {name: value for name, value in wanted.items() if value is not None}
    place = quote(names.spell(row.id), safe="")
    answer = http.put(f"/fleet/tenants/{place}", json=change)
    if answer.is_success:
        return None
    kind = answer.headers.get("content-type", "")
    return answer.json()["title"] if "problem+json" in kind else f"status {answer.status_code}"


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
    return 0 if given.dry else _import(found, given.origin, token)


def _import(found: list[Row], origin: str, token: str) -> int:
    headers = {"authorization": f"Bearer {token}"}
    registered = 0
    with httpx.Client(base_url=origin, headers=headers, timeout=30) as http:
        for row in found:
            try:
                why = register(row, http)
            except httpx.HTTPError as error:
                kind = type(error).__name__
                print(f"{row.id}: {kind}. Nobody else was tried: run it again.", file=sys.stderr)
                break
            if why:
                print(f"{row.id}: {why}", file=sys.stderr)
            registered += not why
    print(f"{registered} of {len(found)} tenants are registered.")
    return 0 if registered == len(found) else 1


if __name__ == "__main__":
    sys.exit(main())
