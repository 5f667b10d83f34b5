"""What differs between versions of Evolution: shapes and words, nothing that calls.

`Dialect` is 2.x, as recorded; `OldDialect` holds what differs in 1.8, as read in its source.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared import config
from shared.domain.names import InstanceName
from shared.domain.upstream import (
    Configuration,
    Connected,
    Connection,
    Link,
    NoCode,
    Scannable,
    Sighting,
)
from shared.evolution.reading import (
    MalformedError,
    fields,
    moment,
    own_number,
    state,
    text,
    texts,
)

SETTINGS: Mapping[str, bool] = {
    "rejectCall": False,
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": True,
    "syncFullHistory": False,
}
"""How every instance of ours behaves; `settings/set` needs all of them (EVOLUTION.md §6).

`readStatus`: without it what contacts write through broadcast lists is dropped (EVOLUTION.md §4).
With it statuses are posted too, which are ignored here; nobody sees that they were looked at.
"""

SILENT_URL = "https://silenced.invalid"
"""Well-formed, and nobody's: a webhook that is off must still have an address."""

YOUNGER_EVENTS = {
    *("MESSAGES_EDITED", "SEND_MESSAGE_UPDATE", "STATUS_INSTANCE"),
    *("INSTANCE_CREATE", "INSTANCE_DELETE", "REMOVE_INSTANCE", "LOGOUT_INSTANCE"),
}
"""Those that not every 1.8 knows; asked for one it doesn't know, it refuses the whole request."""

Verification = tuple[str, str, dict[str, str] | None, dict[str, str] | None]


class Dialect:
    """2.x."""

    sends_headers = True
    """Its webhooks carry headers of ours."""

    tells_numbers = True
    """Its census tells the number of an instance that isn't connected."""

    repeats_webhooks = True
    """It posts an event again that nobody took."""

    restart_method = "POST"
    holds_back = True
    """While we are unreachable, an edit holds back what comes after it (EVOLUTION.md §4)."""
    verification: Verification = ("POST", "/verify-creds", {}, None)

    def create(self, name: str, wanted: Configuration, number: str | None) -> dict[str, Any]:
        """The body of a create that answers at once: no QR code, and the server picks the token."""
        return {
            "instanceName": name,
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": False,
            **({"number": number} if number else {}),
            **SETTINGS,
            **self.webhook(wanted),
        }

    def created(self, body: Any) -> bool:
        """Whether a success tells of an instance."""
        return isinstance(body, dict) and isinstance(body.get("instance"), dict)

    def webhook(self, wanted: Configuration) -> dict[str, Any]:
        return self._webhook(
            True, wanted.webhook_url, list(wanted.webhook_events), dict(wanted.webhook_headers)
        )

    def expected(self, wanted: Configuration) -> Configuration:
        """How `wanted` reads once it was set."""
        return wanted

    def silence(self) -> dict[str, Any]:
        return self._webhook(False, SILENT_URL, [], {})

    def settings(self) -> dict[str, Any]:
        return dict(SETTINGS)

    def wanted(self, body: Any) -> Configuration:
        """What `webhook/find` says; nothing wanted when there is no webhook or it is off."""
        row = fields({} if body is None else body)
        events = row.get("events") if row.get("enabled") is True else None
        return Configuration(
            webhook_url=text(row.get("url")) or "",
            webhook_headers=texts(row.get("headers")),
            webhook_events=tuple(map(str, events)) if isinstance(events, list) else (),
        )

    def settings_found(self, body: Any) -> dict[str, bool]:
        """What `settings/find` says of the settings that we set."""
        found = fields({} if body is None else body)
        return {name: found[name] for name in SETTINGS if isinstance(found.get(name), bool)}

    def connection(self, body: Any) -> Connection:
        instance = fields(fields(body).get("instance"))
        return state(instance.get("state"))

    def licensed(self, body: Any) -> bool:
        """Tell what `license/status` says."""
        match body:
            case {"status": str(status)}:
                return status == "active"
            case _:
                raise MalformedError

    def link(self, body: Any) -> Link:
        """Open, or the code in one of the two places where it can be, or none (yet)."""
        answer = fields(body)
        shown = answer.get("qrcode")
        code = shown if isinstance(shown, dict) else answer
        match code:
            case {"code": str(qr), "base64": str(png)} if qr and png:
                return Scannable(qr, png, text(code.get("pairingCode")))
        if "instance" in answer:
            connected = self.connection(answer) is Connection.OPEN
            return Connected() if connected else NoCode()
        if "count" in answer or "code" in answer or "qrcode" in answer:
            return NoCode()
        raise MalformedError

    def restarting(self, body: Any) -> bool:
        """Only a connected instance restarts, and only that answers with its (stale) state."""
        answer = fields(body)
        if "instance" not in answer:
            return False
        return self.connection(answer) in {Connection.OPEN, Connection.CONNECTING}

    def census(self, body: Any) -> list[Sighting]:
        if not isinstance(body, list):
            raise MalformedError
        return [self._sighting(row) for row in body]

    def _sighting(self, row: Any) -> Sighting:
        match row:
            case {"name": str(name)}:
                status, owner, uid = row.get("connectionStatus"), row.get("ownerJid"), row.get("id")
                return _sighted(name, status, owner, uid, row.get("updatedAt"))
            case _:
                raise MalformedError

    def _webhook(
        self, enabled: bool, url: str, events: list[str], headers: dict[str, str]
    ) -> dict[str, Any]:
        """`events` must be there, and what is left out keeps its old value (EVOLUTION.md §4)."""
        return {
            "webhook": {
                "enabled": enabled,
                "url": url,
                "headers": headers,
                "events": events,
                "byEvents": False,
                "base64": False,
            }
        }


class OldDialect(Dialect):
    """1.8: flat, in snake case, without headers of our own on its webhooks (EVOLUTION.md §3, §4).

    It ignores groups from the create on, whatever the create says; `settings/set` undoes that.
    """

    sends_headers = False
    tells_numbers = False
    repeats_webhooks = False
    restart_method = "PUT"
    holds_back = False
    verification: Verification = (
        "GET",
        "/instance/fetchInstances",
        None,
        {"instanceName": "perene-nobody"},
    )
    """Of nobody: a 404 comes after the key was accepted, and asks WhatsApp nothing."""

    def create(self, name: str, wanted: Configuration, number: str | None) -> dict[str, Any]:
        return {
            "instanceName": name,
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": False,
            **({"number": number} if number else {}),
            **self.settings(),
            "webhook": wanted.webhook_url,
            "webhook_by_events": False,
            "webhook_base64": False,
            "events": _old_events(wanted.webhook_events),
        }

    def restarting(self, body: Any) -> bool:
        """Any state answers itself, a connected one two seconds later: then it is open again."""
        return self.connection(body) is Connection.OPEN

    def expected(self, wanted: Configuration) -> Configuration:
        return Configuration(wanted.webhook_url, {}, tuple(_old_events(wanted.webhook_events)))

    def settings(self) -> dict[str, Any]:
        return {_snake(name): value for name, value in SETTINGS.items()}

    def settings_found(self, body: Any) -> dict[str, bool]:
        found = fields({} if body is None else body)
        camel = {name: found.get(_snake(name)) for name in SETTINGS}
        return super().settings_found(camel)

    def wanted(self, body: Any) -> Configuration:
        found = fields({} if body is None else body)
        inner = found.get("webhook")
        return super().wanted(inner if isinstance(inner, dict) else found)

    def census(self, body: Any) -> list[Sighting]:
        return super().census([body] if isinstance(body, dict) else body)

    def _sighting(self, row: Any) -> Sighting:
        match row:
            case {"instance": {"instanceName": str(name)} as instance}:
                status, owner = instance.get("status"), instance.get("owner")
                return _sighted(name, status, owner, instance.get("instanceId"))
            case _:
                raise MalformedError

    def _webhook(
        self, enabled: bool, url: str, events: list[str], headers: dict[str, str]
    ) -> dict[str, Any]:
        return {
            "enabled": enabled,
            "url": url,
            "events": _old_events(events),
            "webhook_by_events": False,
            "webhook_base64": False,
        }


DIALECTS: Mapping[config.Dialect, Dialect] = {"2": Dialect(), "1.8": OldDialect()}


def of(server: config.Server) -> Dialect:
    """The dialect that a server of that version speaks."""
    return DIALECTS[server.dialect]


def _sighted(name: str, status: Any, owner: Any, uid: Any, updated: Any = None) -> Sighting:
    number = own_number(owner)
    return Sighting(InstanceName(name), state(status), number, text(uid), moment(updated))


def _old_events(events: Iterable[str]) -> list[str]:
    return [event for event in events if event not in YOUNGER_EVENTS]


def _snake(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
