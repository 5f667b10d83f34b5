"""Make a tenant's world for the tests of conversations: paired lines, and people who write."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from tests.console.conftest import Stack, wait_until


class Contact(NamedTuple):
    """A person who writes to a line; no two tests share one."""

    number: str
    name: str


class World:
    """Act on one tenant's lines, as their phones and WhatsApp do."""

    def __init__(self, stack: Stack, tenant: str) -> None:
        self.stack = stack
        self.tenant = tenant
        self.numbers: dict[str, str] = {}
        """The number of each line, as Brazilians write it."""
        plan = {"status": "active", "max_lines": 9}
        answer = stack.call("PUT", f"/fleet/tenants/{tenant}", tenant, operator=True, json=plan)
        assert answer.status_code == 200, answer.text

    def pair_line(self, line: str, label: str) -> str:
        """Pair a line with a number that no other has; return it as Brazilians write it."""
        digits = f"{uuid.uuid4().int % 10**8:08}"
        number = f"55119{digits}"
        answer = self._call("POST", "/ensure-instance", json={"line": line, "label": label})
        assert answer.status_code < 300, answer.text
        wait_until(lambda: self._read(line).get("code"))
        self._act(line, "scan", number=number, profile=label)
        self.wait_for_state(line, "open")
        self.numbers[line] = f"(11) 9{digits[:4]}-{digits[4:]}"
        return self.numbers[line]

    def unpair(self, line: str) -> None:
        """Throw the line out, on its phone."""
        self._act(line, "unpair")

    def wait_for_state(self, line: str, state: str) -> None:
        """Wait until the functions answer that the line is in this state."""
        wait_until(lambda: self._read(line)["state"] == state)

    def hear(self, line: str, contact: Contact, text: str) -> str:
        """Deliver a text of the contact; return its id."""
        return self._receive(line, text=text, push_name=contact.name, **{"from": contact.number})

    def hear_any(self, line: str, contact: Contact, message: Any, **fields: Any) -> str:
        """Deliver a message of any kind; return its id. `fields` are others of its object."""
        key = {"remoteJid": f"{contact.number}@s.whatsapp.net", "id": uuid.uuid4().hex.upper()}
        key |= fields.pop("key", {})
        return self._receive(line, key=key, message=message, pushName=contact.name, **fields)

    def hear_media(self, line: str, contact: Contact, kind: str, media: str, mimetype: str) -> str:
        """Deliver a file, given as base64; return the message's id."""
        file = {"kind": kind, "media": media, "mimetype": mimetype}
        return self._receive(line, **file, **{"from": contact.number})

    def acknowledge(self, line: str, message: str, status: str) -> None:
        """Deliver an update: the contact's phone got the message, or they read it."""
        self._act(line, "acknowledge", id=message, status=status)

    def revise(self, line: str, message: str, **text: str) -> None:
        """Edit the contact's message, or without a text take it back."""
        self._act(line, "revise", id=message, **text)

    def find_conversation(self, contact: Contact, messages: int = 1) -> str:
        """Return the id of the contact's conversation, once so many messages are in it."""
        conversation = str(wait_until(lambda: self._find(contact)))
        wait_until(lambda: len(self.messages(conversation)) >= messages)
        return conversation

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """List the conversation's messages as the functions answer them, newest first."""
        answer = self._call("GET", f"/conversations/{conversation}/messages?limit=100")
        return list(answer.json()["messages"])

    def find_ours(self, conversation: str) -> dict[str, Any]:
        """Return a message that we sent, once one is there."""
        messages = wait_until(lambda: [m for m in self.messages(conversation) if m["from_me"]])
        message: dict[str, Any] = messages[0]
        return message

    @contextmanager
    def break_line(self, line: str, **faults: dict[str, Any]) -> Iterator[None]:
        """Let the simulator fail so for this line, until the end of the `with`."""
        name = self._read(line)["instance"]
        self.stack.break_evolution(
            **{kind: {"names": name} | fault for kind, fault in faults.items()}
        )
        try:
            yield
        finally:
            self.stack.break_evolution(**dict.fromkeys(faults))

    def sweep(self) -> None:
        """Run the sweep that looks for what no webhook delivered."""
        self._call("POST", "/sweep-orphans", operator=True)

    def _find(self, contact: Contact) -> str | None:
        conversations = self._call("GET", "/conversations?limit=100").json()["conversations"]
        return next(
            (c["id"] for c in conversations if c["contact"]["number"] == contact.number), None
        )

    def _read(self, line: str) -> Any:
        return self._call("GET", f"/instances/{line}").json()

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self.stack.call(method, path, self.tenant, **more)

    def _receive(self, line: str, **fields: Any) -> str:
        return str(self._act(line, "receive", **fields)["id"])

    def _act(self, line: str, verb: str, **body: Any) -> Any:
        name = self._read(line)["instance"]
        answer = self.stack.simulate(f"instances/{name}/{verb}", **body)
        assert answer.status_code == 200, answer.text
        return answer.json()
