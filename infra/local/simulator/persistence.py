"""The database outlives the process: saved whole on every change, read back at the start."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from infra.local.simulator import qr
from infra.local.simulator.answers import Json
from infra.local.simulator.connection import open_up
from infra.local.simulator.state import Row, Sent, Session, World

FILE = "evolution.json"


def save(world: World, folder: Path) -> None:
    """What is in the database is on disk; whoever reads sees all of it or the former state."""
    kept = {
        "rows": [asdict(row) for row in world.rows.values()],
        "sent": [sent._asdict() for sent in world.sent],
        "media": world.media,
        "on_whatsapp": sorted(world.on_whatsapp),
        "licensed": world.licensed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.new"
    draft.write_text(json.dumps(kept, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, folder / FILE)


def load(world: World, folder: Path) -> None:
    """What was saved is in the database again; sessions exist but none is connected."""
    if not (folder / FILE).exists():
        return
    kept: Json = json.loads((folder / FILE).read_text(encoding="utf-8"))
    world.rows = {row["name"]: Row(**row) for row in kept["rows"]}
    world.sessions = {row.name: _asleep(row) for row in world.rows.values()}
    world.sent = [Sent(**sent) for sent in kept["sent"]]
    world.media, world.on_whatsapp = kept["media"], set(kept["on_whatsapp"])
    world.licensed = kept.get("licensed", world.licensed)


def wake(world: World) -> None:
    """As after a restart: what was paired is open again, what was pairing shows a new code."""
    for session in list(world.sessions.values()):
        row = world.rows.get(session.name)
        if row and row.paired and session.state != "open":
            qr.connecting(world, session)
            open_up(world, session, row.profile_name)
        elif row and row.connection_status == "connecting" and session.state == "close":
            qr.start(world, session, row.number)


def restart(world: World) -> None:
    """Start the process anew on the same database: what it had in memory is forgotten."""
    world.sessions = {row.name: _asleep(row) for row in world.rows.values()}
    wake(world)


def _asleep(row: Row) -> Session:
    state = "open" if row.connection_status == "open" and not row.paired else "close"
    session = Session(row.name, row.id, row.token, row.integration, state)
    session.wuid = row.owner_jid
    return session
