"""A bad month on the local stack, in seconds: `make run`, then `make month` in a second terminal.

Clients are connected; orphans are planted on the server, one client is cancelled and one instance
vanishes. Nothing proves that the orphans are ours, so they wait for a person. Then nights pass, and
what the sweeps do in each is printed.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from infra.local.children import StackError
from infra.local.run import PLACE, Run

CLIENTS, NIGHTS = 12, 12


def main() -> int:
    """Plays it; 1 with one sentence if the stack isn't there."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--place", type=Path, default=PLACE, help="where the stack keeps its files")
    asked.add_argument("--simulator-port", type=int)
    given = asked.parse_args()
    try:
        run = Run.last(given.place)
        with httpx.Client(timeout=60) as http:
            Month(run, http, given.simulator_port or run.port + 1).play()
    except (StackError, httpx.HTTPError) as problem:
        print(f"The local stack doesn't answer as it should: {problem}", file=sys.stderr)
        return 1
    return 0


class Month:
    """The stack as its clients, its operator and its server's phones use it."""

    def __init__(self, run: Run, http: httpx.Client, simulator_port: int) -> None:
        self.run = run
        self.http = http
        self.simulator = f"http://127.0.0.1:{simulator_port}/simulator/instances"
        self.mark = f"m{int(time.time())}"

    def play(self) -> None:
        """The whole month."""
        clients = [f"{self.mark}c{at:02}" for at in range(CLIENTS)]
        for at, client in enumerate(clients):
            self._connect(client, at)
        orphans = [f"instance_{self.mark}orphan{at}" for at in range(3)]
        for orphan in orphans:
            self._phone(orphan, "plant")
        self._operate("PUT", f"/fleet/tenants/{clients[3]}", {"status": "cancelled"})
        self._phone(f"instance_{clients[5]}", "vanish")
        print(f"{CLIENTS} clients; three orphans, one cancelled client, one vanished instance")
        for night in range(1, NIGHTS + 1):
            self._night(night)
            if night == 2:
                for verb, orphan in zip(("approve", "keep", "undo"), orphans, strict=True):
                    self._operate("POST", f"/fleet/candidates/main~{orphan}/{verb}")
                print(f"          a person approves {orphans[0]}, keeps {orphans[1]}")
                print(f"          and undoes {orphans[2]}")
        seen = self._operate("GET", "/fleet")
        totals = ", ".join(f"{count} {name}" for name, count in seen["totals"].items() if count)
        print(f"In the end: {seen['sentence']} ({totals}).")
        print(f"{orphans[2]} waits for a person, and the vanished one for its client.")
        print(f"Look at it as Olívia: {self.run.origin}/console/fleet")
        print(f"The functions' clock is {NIGHTS} days ahead until the stack is started anew.")

    def _connect(self, client: str, at: int) -> None:
        headers = {"authorization": f"Bearer {self.run.token(client)}"}
        url = f"{self.run.origin}/ensure-instance"
        _checked(self.http.post(url, json={}, headers=headers))
        number = f"55119{self.mark[-6:]}{at:02}"
        self._phone(f"instance_{client}", "scan", {"number": number})

    def _night(self, night: int) -> None:
        _checked(self.http.post(f"{self.run.origin}/local/clock", json={"days": 1}))
        self._operate("POST", "/sweep-capacity")
        report = self._operate("POST", "/sweep-orphans")
        notes = [note for note in report["notes"] if self.mark in note.get("instance", "")]
        print(f"night {night:>2}  {_told(notes) or 'nothing to do'}")

    def _operate(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.run.token('operator', operator=True)}"}
        url = f"{self.run.origin}{path}"
        return _checked(self.http.request(method, url, json=body, headers=headers)).json()

    def _phone(self, name: str, verb: str, body: Any = None) -> None:
        _checked(self.http.post(f"{self.simulator}/{name}/{verb}", json=body or {}))


def _told(notes: Iterable[dict[str, Any]]) -> str:
    return ", ".join(f"{note['what']} {note['instance']}" for note in notes)


def _checked(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise StackError(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return answer


if __name__ == "__main__":
    sys.exit(main())
