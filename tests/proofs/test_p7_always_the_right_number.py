"""P7: a message leaves by the number its conversation is held with, or not at all.

Lines are paired, change their numbers and are let go, in any order, with events that come late
and out of order, while people answer: whatever happens, no contact is answered by a wrong number.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.perene import name_of, token
from tests.proofs.stage import Stage, open_stage, times

LINES = ("default", "vendas")
CONTACTS = ("5521977770001", "5521977770002")
FAST = {"SEND_BURST": "10000", "SEND_PER_MINUTE": "60000", "SEND_NEW_CONTACTS_PER_DAY": "1000"}
SLOW = {"slow": {"route": "whatsappNumbers", "milliseconds": 400}}
"""Evolution asks WhatsApp who a number is, which may take half a minute."""
LATE = {"webhook_delayed": {"seconds": 0.1}, "webhook_reordered": {"seconds": 0.2}}

EXAMPLES = times(3, 12)

lines = st.sampled_from(LINES)
contacts = st.sampled_from(CONTACTS)
serial: Iterator[int] = itertools.count()
refused: Counter[str] = Counter()
slow: Counter[str] = Counter()
wrong: list[tuple[str, str]] = []
"""From which number something was said, and from which it should have been."""


@pytest.mark.parametrize("batch", range(times(1, 8)))
async def test_no_message_leaves_by_wrong_number(
    firestore_emulator: str, tmp_path: Path, batch: int
):
    wrong.clear()
    refused.clear()
    slow.clear()
    async with open_stage(tmp_path, 2, **FAST) as stage:
        machine = seed(batch)(type("Lines", (LinesAndNumbers,), {"stage": stage}))
        chosen = settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=[Phase.generate],  # what depends on moments can't be told again, only shown
        )
        await asyncio.to_thread(run_state_machine_as_test, machine, settings=chosen)

        assert wrong == []
        sent = (await stage.read_simulator_state())["sent"]
        assert len(sent) > EXAMPLES, "hardly anything was said at all"
        assert refused["number-changed"], "no number was changed under a conversation"
        assert slow["asked"] > slow["said"], "no number was changed during a look-up"


class LinesAndNumbers(RuleBasedStateMachine):
    """A tenant of its own, its two lines, and numbers that nobody else has."""

    stage: Stage

    def __init__(self) -> None:
        super().__init__()
        turn = next(serial)
        self.tenant = f"t{turn}"
        self.numbers = [f"55119{at}{turn:07}" for at in range(3)]
        self.expected: dict[str, str] = {}
        self.slow: set[str] = set()
        self.http = httpx.Client(timeout=30)
        self.pool = ThreadPoolExecutor(4)
        self.stage.database.document(f"tenants/{self.tenant}").set(
            {"tenant": self.tenant, "max_lines": 2}
        )

    @initialize()
    def both_lines_are_talking_and_one_has_changed_its_number(self) -> None:
        for number, line in enumerate(LINES):
            self.pair(line, number)
            self.until(lambda line=line: self.number_of(line))
            self.receive(line, CONTACTS[0])
        self.until(lambda: len(self.conversations()) == len(LINES))
        for choice in range(len(LINES)):
            self.answer_again(choice)
        self.simulate("vendas", "unpair", {})
        self.until(lambda: self.state_of("vendas") == "closed")
        self.pair("vendas", 2)
        self.until(lambda: self.number_of("vendas") == self.numbers[2])
        for choice in range(len(LINES)):
            self.answer_again(choice)
        self.write_to_somebody_new("vendas", 1)

    # What people do --------------------------------------------------------------------------

    @rule(line=lines)
    def ensure(self, line: str) -> None:
        self.call("POST", "/ensure-instance", {"line": line})

    @rule(line=lines, number=st.integers(0, 2))
    def pair(self, line: str, number: int) -> None:
        """Ask for a code and scan it, if there is one."""
        self.call("POST", "/ensure-instance", {"line": line})
        self.simulate(line, "scan", {"number": self.numbers[number]})

    @rule(line=lines)
    def unlink_on_the_phone(self, line: str) -> None:
        self.simulate(line, "unpair", {})

    @rule(line=lines, number=st.integers(0, 2))
    def change_the_number(self, line: str, number: int) -> None:
        """Unlinked on one phone, and scanned with another."""
        self.simulate(line, "unpair", {})
        self.a_moment_passes()
        self.pair(line, number)
        self.a_moment_passes()

    @rule(line=lines)
    def lose_the_connection(self, line: str) -> None:
        self.simulate(line, "drop", {})

    @rule(line=lines, how=st.sampled_from(["release", "disconnect"]))
    def let_go(self, line: str, how: str) -> None:
        self.leave(line, how)

    @rule(line=lines, contact=contacts)
    def receive(self, line: str, contact: str) -> None:
        self.simulate(line, "receive", {"from": contact, "text": "oi"})

    @rule(late=st.booleans())
    def events_come_late(self, late: bool) -> None:
        on = LATE if late else dict.fromkeys(LATE, False)
        self.http.put(f"{self.simulator}/faults", json=on)

    @rule()
    def a_moment_passes(self) -> None:
        time.sleep(0.05)  # so that some of what is late arrives

    # Who answers -----------------------------------------------------------------------------

    @precondition(lambda self: self.conversations())
    @rule(
        choice=st.integers(0, 20), beside=st.sampled_from(["", "release", "disconnect", "unpair"])
    )
    def answer(self, choice: int, beside: str) -> None:
        """Into a conversation, while its line is perhaps let go at the same moment."""
        conversations = self.conversations()
        conversation = conversations[choice % len(conversations)]
        text = f"{self.tenant} {next(serial)}"
        self.expected[text] = conversation["number"]
        body = {"conversation": conversation["id"], "text": text}
        self.at_once(lambda: self.send(text, body), conversation["line"], beside)

    @precondition(lambda self: self.conversations())
    @rule(choice=st.integers(0, 20))
    def answer_again(self, choice: int) -> None:
        """Often: that is what is being proved."""
        self.answer(choice, "")

    @rule(line=lines, contact=contacts)
    def write_to(self, line: str, contact: str) -> None:
        """Through a line, by whichever number it has: the one it says it used."""
        text = f"{self.tenant} {next(serial)}"
        answer = self.send(text, {"line": line, "to": contact, "text": text})
        if answer.is_success:
            self.expected[text] = answer.json()["number"]

    @rule(line=lines, number=st.integers(0, 2))
    def write_to_somebody_new(self, line: str, number: int) -> None:
        """While it is asked who that is, which is slow, the line is paired with another phone."""
        turn = next(serial)
        text, to = f"{self.tenant} {turn}", f"552196{turn:07}"
        self.http.put(f"{self.simulator}/faults", json=SLOW)
        running = self.pool.submit(lambda: self.send(text, {"line": line, "to": to, "text": text}))
        self.change_the_number(line, number)
        answer = running.result()
        self.http.put(f"{self.simulator}/faults", json=dict.fromkeys(SLOW, False))
        slow["asked"] += 1
        if answer.is_success:
            slow["said"] += 1
            self.expected[text] = answer.json()["number"]
            self.slow.add(text)

    def teardown(self) -> None:
        self.http.put(f"{self.simulator}/faults", json=dict.fromkeys(LATE, False))
        self.a_moment_passes()
        state = self.http.get(f"{self.simulator}/state").json()
        for sent in state["sent"]:
            meant = self.expected.get(sent["text"])
            if meant and sent["sender"] != meant and not self.is_shown(sent):
                wrong.append((sent["sender"], meant))
        for line in LINES:
            self.leave(line, "release")
        self.pool.shutdown()
        self.http.close()

    # How -------------------------------------------------------------------------------------

    def at_once(self, act: Any, line: str, beside: str) -> None:
        running = self.pool.submit(act)
        if beside == "unpair":
            self.simulate(line, "unpair", {})
        elif beside:
            self.leave(line, beside)
        running.result()

    def is_shown(self, sent: dict[str, Any]) -> bool:
        """Tell whether a send that a phone change overtook inside the server says so itself.

        Nothing can keep it from happening in that moment; only its echo tells.
        """
        if sent["text"] not in self.slow:
            return False
        path = f"/send-message/{sent['text'].replace(' ', '-')}"
        self.until(lambda: self.call("GET", path).json().get("left_through") == sent["sender"])
        return True

    def until(self, true: Callable[[], Any]) -> None:
        """Wait until this is true: what the server has to post has come."""
        for _ in range(200):
            if true():
                return
            self.a_moment_passes()
        raise AssertionError("an event never came")

    def number_of(self, line: str) -> str | None:
        return self.call("GET", f"/instances/{line}").json().get("number")

    def state_of(self, line: str) -> str | None:
        return self.call("GET", f"/instances/{line}").json().get("state")

    def conversations(self) -> list[dict[str, Any]]:
        rows = self.call("GET", "/conversations").json().get("conversations", [])
        return [conversation for conversation in rows if not conversation["contact"].get("group")]

    def send(self, key: str, body: dict[str, Any]) -> httpx.Response:
        answer = self.call(
            "POST", "/send-message", body, {"idempotency-key": key.replace(" ", "-")}
        )
        if not answer.is_success:
            refused[answer.json()["type"].rpartition(":")[2]] += 1
        assert answer.status_code < 500 or answer.status_code in (502, 503, 504), answer.text
        return answer

    def leave(self, line: str, how: str) -> None:
        if how == "release":
            self.call("DELETE", f"/instances/{line}")
        else:
            self.call("POST", f"/instances/{line}/disconnect")

    def call(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        port = self.stage.ports[next(serial) % len(self.stage.ports)]
        all_headers = {"authorization": f"Bearer {token(self.tenant)}", **(headers or {})}
        url = f"http://127.0.0.1:{port}{path}"
        return self.http.request(method, url, json=body, headers=all_headers)

    def simulate(self, line: str, verb: str, body: dict[str, Any]) -> None:
        """Ask the simulator for something that may be impossible now."""
        name = name_of(self.tenant, line)
        self.http.post(f"{self.simulator}/instances/{name}/{verb}", json=body)

    @property
    def simulator(self) -> str:
        return f"http://127.0.0.1:{self.stage.evolution_port}/simulator"
