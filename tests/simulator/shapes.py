"""Read recordings, and reduce JSON to what has to be equal: keys, types, meaningful words."""

import json
import re
from pathlib import Path

RECORDINGS = Path(__file__).parents[1] / "recordings"
LITERAL = {
    "status", "state", "error", "integration", "connectionStatus", "messageType", "fromMe",
    "source", "read", "presence", "event", "type", "exists", "isGroup", "statusReason",
    "statusCode", "enabled", "pushName", "addressingMode",
    "remoteJid", "remoteJidAlt", "wuid", "version", "documentation",
}  # fmt: skip


def recording(kind, name):
    return json.loads((RECORDINGS / kind / f"{name}.json").read_text(encoding="utf-8"))


def names(kind):
    return sorted(path.stem for path in (RECORDINGS / kind).glob("*.json"))


def shape(value, key="", literal=False):
    """Return the value with everything volatile replaced by its type."""
    if isinstance(value, dict) and value and all(part.isdigit() for part in value):
        return "bytes"
    if isinstance(value, dict):
        return {part: shape(inner, part, literal) for part, inner in value.items()}
    if isinstance(value, list):
        return [shape(inner, key, literal) for inner in value]
    if isinstance(value, str) and literal:
        return _mask_text(value)
    return value if key in LITERAL and not literal else type(value).__name__


def _mask_text(text):
    """Mask what differs from run to run, or was cut out of the recording, in an error text."""
    text = text.replace("… [source lines of the server removed] …", "…")
    text = re.sub(r"Aborted\(.*", "Aborted", text, flags=re.DOTALL)
    text = re.sub(r"status code \d+", "status code …", text)
    return re.sub(r"https?://\S+", "URL", text)


def is_same_list(simulated, recorded):
    """Tell whether every element is of a recorded kind, and neither list alone is empty."""
    unknown = [item for item in simulated if item not in recorded]
    return not unknown and bool(simulated) == bool(recorded)
