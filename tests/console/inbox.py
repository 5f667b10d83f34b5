"""A tenant's world for the tests of conversations: paired lines, and people who write to them."""

import time
import uuid
from collections.abc import Callable
from typing import Any

import httpx

from tests.console.conftest import Stack

PATIENCE_SECONDS = 15


class World:
    """What happens to one tenant's lines, on their phones and at WhatsApp."""

    def __init__(self, stack: Stack, tenant: str) -> None:
        self.stack = stack
        self.tenant = tenant
        self.sales = ""
        plan = {"status": "active", "max_lines": 5}
        known = stack.call("PUT", f"/fleet/tenants/{tenant}", tenant, operator=True, json=plan)
        assert known.status_code == 200, known.text

    def line(self, line: str, label: str) -> str:
        """The line is there, paired with a number that no other has, as Brazilians write it."""
        digits = f"{uuid.uuid4().int % 10**8:08}"
        number = f"55119{digits}"
        asked = self._call("POST", "/ensure-instance", json={"line": line, "label": label})
        assert asked.status_code < 300, asked.text
        self.until(lambda: self._call("GET", f"/instances/{line}").json().get("code"))
        self._do(line, "scan", number=number, profile=label)
        self.until(lambda: self._call("GET", f"/instances/{line}").json()["state"] == "open")
        return f"(11) 9{digits[:4]}-{digits[4:]}"

    def unpair(self, line: str) -> None:
        """The phone threw the line out."""
        self._do(line, "unpair")

    def hear(self, line: str, sender: str, text: str, name: str = "Maria") -> str:
        """Somebody wrote; the id of what they wrote."""
        return str(
            self._do(line, "receive", **{"from": sender, "text": text, "push_name": name})["id"]
        )

    def hear_any(
        self, line: str, sender: str, message: Any, name: str = "Maria", **more: Any
    ) -> str:
        """Somebody sent a message of any kind."""
        key = {"remoteJid": sender if "@" in sender else f"{sender}@s.whatsapp.net"}
        key |= {"id": uuid.uuid4().hex.upper()} | more.pop("key", {})
        said = {"key": key, "message": message, "pushName": name} | more
        return str(self._do(line, "receive", **said)["id"])

    def hear_media(self, line: str, sender: str, kind: str, media: str, mimetype: str) -> str:
        """Somebody sent a file, given as base64."""
        said = {"from": sender, "kind": kind, "media": media, "mimetype": mimetype}
        return str(self._do(line, "receive", **said)["id"])

    def acknowledge(self, line: str, message: str, status: str) -> None:
        """The contact's phone got it, or they read it."""
        self._do(line, "acknowledge", id=message, status=status)

    def revise(self, line: str, message: str, **text: str) -> None:
        """The contact edited it, or without a text took it back."""
        self._do(line, "revise", id=message, **text)

    def conversation(self, sender: str) -> str:
        """The id of the conversation with whom has this number, once it is there."""
        return str(self.until(lambda: self._with(sender)))

    def messages(self, conversation: str) -> list[dict[str, Any]]:
        """What the functions say is in it, newest first."""
        answer = self._call("GET", f"/conversations/{conversation}/messages?limit=100")
        return list(answer.json()["messages"])

    def until(self, true: Callable[[], Any]) -> Any:
        """What it answers, once that is something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (found := true()):
            assert time.monotonic() < deadline, "it never came"
            time.sleep(0.1)
        return found

    def _with(self, sender: str) -> str | None:
        found = self._call("GET", "/conversations?limit=100").json()["conversations"]
        return next((each["id"] for each in found if each["contact"]["number"] == sender), None)

    def _call(self, method: str, path: str, **more: Any) -> Any:
        return self.stack.call(method, path, self.tenant, **more)

    def _do(self, line: str, verb: str, **body: Any) -> Any:
        name = self._call("GET", f"/instances/{line}").json()["instance"]
        answer = self.stack.simulate(f"instances/{name}/{verb}", **body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def faulty(self, line: str, **faults: Any) -> None:
        """What goes wrong with this line from now on; None ends it."""
        name = self._call("GET", f"/instances/{line}").json()["instance"]
        wanted = {kind: how and {"names": name} | how for kind, how in faults.items()}
        url = f"{self.stack.simulator}/simulator/faults"
        answer = httpx.put(url, json=wanted, timeout=30, trust_env=False)
        assert answer.status_code == 200, answer.text

    def sweep(self) -> None:
        """What no webhook told is looked for."""
        self._call("POST", "/sweep-orphans", operator=True)
