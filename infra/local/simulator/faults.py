"""Switch faults of the simulated server, one switch for each kind."""

import random
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from fnmatch import fnmatchcase
from typing import Any

from infra.local.simulator.answers import Json, Value

KINDS = {
    "destructive_race": "concurrent creates of one name destroy each other, as the real one does",
    "no_answer_before": "the request hangs and has no effect",
    "no_answer_after": "the request takes effect, then hangs",
    "error_500_before": "500, without effect",
    "error_500_after": "takes effect, then 500",
    "cut_before": "the connection is cut, without effect",
    "cut_after": "takes effect, then the connection is cut",
    "bad_gateway": "502 with an HTML page, without effect",
    "error_true": "200 with error: true, without effect",
    "slow": "answers come milliseconds later",
    "down": "every connection is cut",
    "key_rotated": "401 to every key",
    "full": "create is refused: Maximum instances reached (limit: only from that many on)",
    "no_code": "no QR code comes: count 0",
    "vanish_after_create": "the instance is gone right after create answered",
    "late_delete": "a deleted instance stays for seconds longer",
    "delete_never_finishes": "a deleted instance stays for ever",
    "open_lies": "open, but nothing goes out and nothing comes in",
    "lookup_stalls": "looking a number up never ends: 500 after a minute",
    "media_unreachable": "media given as a URL can't be fetched: 500",
    "upload_fails": "media can't be uploaded to WhatsApp: 500",
    "group_not_found": "a group that isn't known is told like a number that isn't on WhatsApp",
    "send_unacknowledged": "sends are never acknowledged",
    "send_refused": "sends are refused after the fact: messages.update ERROR",
    "webhook_lost": "webhooks never leave",
    "webhook_duplicated": "each webhook is posted times over",
    "webhook_reordered": "webhooks overtake each other, within seconds",
    "webhook_delayed": "webhooks leave seconds later",
}

DEFAULTS: dict[str, Json] = {
    "no_answer_before": {"route": "create"},
    "no_answer_after": {"route": "create"},
    "slow": {"milliseconds": 1000},
    "late_delete": {"seconds": 30.0},
    "webhook_duplicated": {"times": 2},
    "webhook_reordered": {"seconds": 0.05},
    "webhook_delayed": {"seconds": 2.0},
}


@dataclass
class Switch:
    """The conditions under which a fault fires (globs, count, probability), and its strength."""

    names: str = "*"
    route: str = "*"
    events: str = "*"
    count: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    milliseconds: int = 0
    times: int = 1
    limit: int = 0
    status: int = 400
    certain: bool = False

    def concerns(self, name: str, route: str, event: str) -> bool:
        last = route.rpartition("/")[2]
        return (
            fnmatchcase(name, self.names)
            and (fnmatchcase(route, self.route) or fnmatchcase(last, self.route))
            and fnmatchcase(event, self.events)
        )


_SETTINGS = {field.name: field for field in fields(Switch)}


class Faults:
    """The switches; all are off but the create race, which Evolution really has."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.clear()

    def clear(self) -> None:
        """Reset every switch and the chance."""
        self.random = random.Random(self.seed)
        self._on: dict[str, Switch] = {"destructive_race": Switch()}

    def turn_on(self, kind: str, **settings: Value) -> None:
        """Let the fault fire from now on, `count` times if that is given."""
        if kind not in KINDS:
            raise ValueError(f"no such fault: {kind}")
        if unknown := settings.keys() - _SETTINGS.keys():
            raise ValueError(f"{kind} has no setting {', '.join(sorted(unknown))}")
        self._on[kind] = Switch(**DEFAULTS.get(kind, {}) | settings)

    def turn_off(self, kind: str) -> None:
        self._on.pop(kind, None)

    def apply(self, changes: Mapping[str, Any]) -> None:
        """Turn each named kind on (true, or its settings) or off (false, null); others stay."""
        if "seed" in changes:
            self.seed = int(changes["seed"])
            self.random = random.Random(self.seed)
        for kind, setting in (changes.get("on") or changes).items():
            if kind != "seed":
                self._switch(kind, setting)

    def as_json(self) -> Json:
        on = {kind: asdict(switch) for kind, switch in self._on.items()}
        return {"seed": self.seed, "on": on, "kinds": KINDS, "defaults": DEFAULTS}

    def find(self, kind: str, name: str = "", route: str = "", event: str = "") -> Switch | None:
        """Return the switch if it is on and concerns this; this doesn't count as firing."""
        switch = self._on.get(kind)
        return switch if switch and switch.concerns(name, route, event) else None

    def fires(self, kind: str, name: str = "", route: str = "", event: str = "") -> Switch | None:
        """Return the switch if the fault fires now; a switch whose count is used up turns off."""
        switch = self.find(kind, name, route, event)
        if switch is None:
            return None
        if switch.probability < 1 and self.random.random() >= switch.probability:
            return None
        if switch.count is not None:
            switch.count -= 1
            if switch.count <= 0:
                self.turn_off(kind)
        return switch

    def _switch(self, kind: str, setting: Value) -> None:
        if setting is None or setting is False:
            self.turn_off(kind)
        else:
            self.turn_on(kind, **(setting if isinstance(setting, Mapping) else {}))
