"""Play a bad month on the local stack in seconds: `make run`, then `make month` beside it.

The script connects clients, plants orphans on the server, cancels one client and lets one instance
vanish. Nothing proves that the orphans are ours, so they wait for an operator. Then it moves the
clock night by night and prints what the sweeps do in each.
"""

import argparse
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import httpx

from infra.local.children import StackError
from infra.local.run import PLACE, StackRun

CLIENTS, NIGHTS = 12, 12


def main() -> int:
    """Play the month; return 1 with one sentence if the stack doesn't answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--place", type=Path, default=PLACE, help="where the stack keeps its files")
    parser.add_argument("--simulator-port", type=int)
    options = parser.parse_args()
    try:
        run = StackRun.load_last(options.place)
        with httpx.Client(timeout=60) as http:
            Month(run, http, options.simulator_port or run.port + 1).play()
    except (StackError, httpx.HTTPError) as problem:
        print(f"The local stack doesn't answer as it should: {problem}", file=sys.stderr)
        return 1
    return 0


class Month:
    """The month's clients, operator and phones, as they use the stack."""

    def __init__(self, run: StackRun, http: httpx.Client, simulator_port: int) -> None:
        self.run = run
        self.http = http
        self.simulator = f"http://127.0.0.1:{simulator_port}/simulator/instances"
        self.prefix = f"m{int(time.time())}"

    def play(self) -> None:
        """Play the whole month and print it."""
        clients = [f"{self.prefix}c{index:02}" for index in range(CLIENTS)]
        for index, client in enumerate(clients):
            self._connect(client, index)
        orphans = [f"instance_{self.prefix}orphan{index}" for index in range(3)]
        for orphan in orphans:
            self._act_on_phone(orphan, "plant")
        self._call_as_operator("PUT", f"/fleet/tenants/{clients[3]}", {"status": "cancelled"})
        self._act_on_phone(f"instance_{clients[5]}", "vanish")
        print(f"{CLIENTS} clients; three orphans, one cancelled client, one vanished instance")
        for night in range(1, NIGHTS + 1):
            self._pass_night(night)
            if night == 2:
                for verb, orphan in zip(("approve", "keep", "undo"), orphans, strict=True):
                    self._call_as_operator("POST", f"/fleet/candidates/main~{orphan}/{verb}")
                print(f"          a person approves {orphans[0]}, keeps {orphans[1]}")
                print(f"          and undoes {orphans[2]}")
        fleet = self._call_as_operator("GET", "/fleet")
        totals, rules = fleet["totals"], fleet["invariants"]["by_rule"]
        print(f"In the end: {_count(totals)}.")
        print(f"Records and servers disagree on {_count(rules) or 'nothing'}.")
        print(f"{orphans[2]} waits for a person, and the vanished one for its client.")
        print(f"Look at it as Olívia: {self.run.origin}/console/fleet")
        print(f"The functions' clock is {NIGHTS} days ahead until the stack is started anew.")
        print("Start it anew before you try events: Firestore's clock, which orders them, isn't.")

    def _connect(self, client: str, index: int) -> None:
        headers = {"authorization": f"Bearer {self.run.sign_token(client)}"}
        url = f"{self.run.origin}/ensure-instance"
        _require_success(self.http.post(url, json={}, headers=headers))
        number = f"55119{self.prefix[-6:]}{index:02}"
        self._act_on_phone(f"instance_{client}", "scan", {"number": number})

    def _pass_night(self, night: int) -> None:
        _require_success(self.http.post(f"{self.run.origin}/local/clock", json={"days": 1}))
        self._call_as_operator("POST", "/sweep-capacity")
        report = self._call_as_operator("POST", "/sweep-orphans")
        notes = [note for note in report["notes"] if self.prefix in note.get("instance", "")]
        print(f"night {night:>2}  {_describe(notes) or 'nothing to do'}")

    def _call_as_operator(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"authorization": f"Bearer {self.run.sign_token('operator', operator=True)}"}
        url = f"{self.run.origin}{path}"
        return _require_success(self.http.request(method, url, json=body, headers=headers)).json()

    def _act_on_phone(self, name: str, verb: str, body: Any = None) -> None:
        _require_success(self.http.post(f"{self.simulator}/{name}/{verb}", json=body or {}))


def _describe(notes: Iterable[dict[str, Any]]) -> str:
    return ", ".join(f"{note['what']} {note['instance']}" for note in notes)


def _count(facts: dict[str, Any]) -> str:
    """Write each count that isn't zero; the totals also say when they were counted."""
    counts = {name: fact for name, fact in facts.items() if isinstance(fact, int) and fact}
    return ", ".join(f"{name.replace('_', ' ')}: {count}" for name, count in counts.items())


def _require_success(answer: httpx.Response) -> httpx.Response:
    if not answer.is_success:
        raise StackError(f"{answer.request.method} {answer.request.url}: {answer.text}")
    return answer


if __name__ == "__main__":
    sys.exit(main())
