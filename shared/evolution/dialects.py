"""Write and read the bodies of instance routes as each version of Evolution has them.

`Dialect` is 2.x, as recorded; `OldDialect` holds what differs in 1.8, as read in its source.
Neither calls anything.
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
from shared.evolution.addresses import read_own_number
from shared.evolution.json_values import (
    MalformedError,
    read_moment,
    read_text,
    read_texts,
    require_object,
)
from shared.evolution.subscription import SETTINGS

SILENT_URL = "https://silenced.invalid"
"""A well-formed URL where no server is: a webhook that is off must still have an address."""

CONNECTIONS = {
    "open": Connection.OPEN,
    "connecting": Connection.CONNECTING,
    "close": Connection.CLOSED,
}

YOUNGER_EVENTS = {
    *("MESSAGES_EDITED", "SEND_MESSAGE_UPDATE", "STATUS_INSTANCE"),
    *("INSTANCE_CREATE", "INSTANCE_DELETE", "REMOVE_INSTANCE", "LOGOUT_INSTANCE"),
}
"""Events that not every 1.8 has; it refuses a whole request that names one it doesn't have."""

Verification = tuple[str, str, dict[str, str] | None, dict[str, str] | None]
"""The method, route, body and query of a call that only succeeds with the right key."""


class Dialect:
    """The dialect of 2.x."""

    restart_method = "POST"
    verification: Verification = ("POST", "/verify-creds", {}, None)

    def build_creation(
        self, name: str, configuration: Configuration, number: str | None
    ) -> dict[str, Any]:
        """Write a create that answers at once: no QR code, and the server picks the token."""
        return {
            "instanceName": name,
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": False,
            **({"number": number} if number else {}),
            **SETTINGS,
            **self.build_webhook(configuration),
        }

    def has_instance(self, body: Any) -> bool:
        """Tell whether a create's success names an instance."""
        return isinstance(body, dict) and isinstance(body.get("instance"), dict)

    def build_webhook(self, configuration: Configuration) -> dict[str, Any]:
        return self._write_webhook(
            True,
            configuration.webhook_url,
            list(configuration.webhook_events),
            dict(configuration.webhook_headers),
        )

    def fit_configuration(self, configuration: Configuration) -> Configuration:
        """Return a configuration as `webhook/find` reads once it was set."""
        return configuration

    def build_silence(self) -> dict[str, Any]:
        return self._write_webhook(False, SILENT_URL, [], {})

    def build_settings(self) -> dict[str, Any]:
        return dict(SETTINGS)

    def read_configuration(self, body: Any) -> Configuration:
        """Read `webhook/find`; a webhook that is off or missing has no events."""
        row = require_object({} if body is None else body)
        events = row.get("events") if row.get("enabled") is True else None
        return Configuration(
            webhook_url=read_text(row.get("url")) or "",
            webhook_headers=read_texts(row.get("headers")),
            webhook_events=tuple(map(str, events)) if isinstance(events, list) else (),
        )

    def read_settings(self, body: Any) -> dict[str, bool]:
        """Read from `settings/find` the settings that we set."""
        fields = require_object({} if body is None else body)
        return {name: fields[name] for name in SETTINGS if isinstance(fields.get(name), bool)}

    def read_connection(self, body: Any) -> Connection:
        instance = require_object(require_object(body).get("instance"))
        return _read_state(instance.get("state"))

    def read_licence(self, body: Any) -> bool:
        """Tell whether `license/status` calls the licence active."""
        match body:
            case {"status": str(status)}:
                return status == "active"
            case _:
                raise MalformedError

    def read_link(self, body: Any) -> Link:
        """Read an open connection, a code from one of its two places, or that there is none."""
        answer = require_object(body)
        nested = answer.get("qrcode")
        code = nested if isinstance(nested, dict) else answer
        match code:
            case {"code": str(qr), "base64": str(png)} if qr and png:
                return Scannable(qr, png, read_text(code.get("pairingCode")))
        if "instance" in answer:
            is_connected = self.read_connection(answer) is Connection.OPEN
            return Connected() if is_connected else NoCode()
        if "count" in answer or "code" in answer or "qrcode" in answer:
            return NoCode()
        raise MalformedError

    def is_restarting(self, body: Any) -> bool:
        """Tell whether a restart began: only a connected instance answers its (stale) state."""
        answer = require_object(body)
        if "instance" not in answer:
            return False
        return self.read_connection(answer) in {Connection.OPEN, Connection.CONNECTING}

    def read_census(self, body: Any) -> list[Sighting]:
        if not isinstance(body, list):
            raise MalformedError
        return [self._read_sighting(row) for row in body]

    def _read_sighting(self, row: Any) -> Sighting:
        match row:
            case {"name": str(name)}:
                status, owner, uid = row.get("connectionStatus"), row.get("ownerJid"), row.get("id")
                return _build_sighting(name, status, owner, uid, row.get("updatedAt"))
            case _:
                raise MalformedError

    def _write_webhook(
        self, enabled: bool, url: str, events: list[str], headers: dict[str, str]
    ) -> dict[str, Any]:
        """Write every field: without `events` it is refused, others keep their old values (§4)."""
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
    """The dialect of 1.8: flat, in snake case, webhooks without headers (EVOLUTION.md §3, §4).

    It ignores groups from the create on, whatever the create says; `settings/set` undoes that.
    """

    restart_method = "PUT"
    verification: Verification = (
        "GET",
        "/instance/fetchInstances",
        None,
        {"instanceName": "perene-nobody"},
    )
    """A name that no instance has: its 404 proves that the key was accepted, without WhatsApp."""

    def build_creation(
        self, name: str, configuration: Configuration, number: str | None
    ) -> dict[str, Any]:
        return {
            "instanceName": name,
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": False,
            **({"number": number} if number else {}),
            **self.build_settings(),
            "webhook": configuration.webhook_url,
            "webhook_by_events": False,
            "webhook_base64": False,
            "events": _drop_younger_events(configuration.webhook_events),
        }

    def is_restarting(self, body: Any) -> bool:
        """Tell whether a restart began: only a connected instance is open again 2 s later."""
        return self.read_connection(body) is Connection.OPEN

    def fit_configuration(self, configuration: Configuration) -> Configuration:
        events = tuple(_drop_younger_events(configuration.webhook_events))
        return Configuration(configuration.webhook_url, {}, events)

    def build_settings(self) -> dict[str, Any]:
        return {_snake_case(name): value for name, value in SETTINGS.items()}

    def read_settings(self, body: Any) -> dict[str, bool]:
        fields = require_object({} if body is None else body)
        return super().read_settings({name: fields.get(_snake_case(name)) for name in SETTINGS})

    def read_configuration(self, body: Any) -> Configuration:
        fields = require_object({} if body is None else body)
        inner = fields.get("webhook")
        return super().read_configuration(inner if isinstance(inner, dict) else fields)

    def read_census(self, body: Any) -> list[Sighting]:
        return super().read_census([body] if isinstance(body, dict) else body)

    def _read_sighting(self, row: Any) -> Sighting:
        match row:
            case {"instance": {"instanceName": str(name)} as instance}:
                status, owner = instance.get("status"), instance.get("owner")
                return _build_sighting(name, status, owner, instance.get("instanceId"))
            case _:
                raise MalformedError

    def _write_webhook(
        self, enabled: bool, url: str, events: list[str], headers: dict[str, str]
    ) -> dict[str, Any]:
        return {
            "enabled": enabled,
            "url": url,
            "events": _drop_younger_events(events),
            "webhook_by_events": False,
            "webhook_base64": False,
        }


DIALECTS: Mapping[config.DialectName, Dialect] = {"2": Dialect(), "1.8": OldDialect()}


def find_dialect(server: config.Server) -> Dialect:
    """Return the dialect that a server of that version speaks."""
    return DIALECTS[server.dialect]


def _read_state(word: Any) -> Connection:
    return (
        CONNECTIONS.get(word, Connection.UNKNOWN) if isinstance(word, str) else Connection.UNKNOWN
    )


def _build_sighting(
    name: str, status: Any, owner: Any, uid: Any, updated_at: Any = None
) -> Sighting:
    return Sighting(
        InstanceName(name),
        _read_state(status),
        read_own_number(owner),
        read_text(uid),
        read_moment(updated_at),
    )


def _drop_younger_events(events: Iterable[str]) -> list[str]:
    return [event for event in events if event not in YOUNGER_EVENTS]


def _snake_case(name: str) -> str:
    return re.sub(r"(?=[A-Z])", "_", name).lower()
