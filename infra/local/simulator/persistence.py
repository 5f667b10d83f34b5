"""Save the database on every change, and load it at the start of the next process."""

import json
import os
from dataclasses import asdict
from pathlib import Path

from infra.local.simulator import qr
from infra.local.simulator.answers import Json
from infra.local.simulator.sessions import open_up
from infra.local.simulator.state import Row, SentMessage, Session, World

FILE = "evolution.json"


def save(world: World, folder: Path) -> None:
    """Write the database to disk atomically: a reader sees all of it, or the former state."""
    content = {
        "rows": [asdict(row) for row in world.rows.values()],
        "sent": [message._asdict() for message in world.sent],
        "media": world.media,
        "on_whatsapp": sorted(world.on_whatsapp),
        "licensed": world.licensed,
    }
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f"{FILE}.new"
    draft.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    os.replace(draft, folder / FILE)


def load(world: World, folder: Path) -> None:
    """Load what was saved; sessions exist then, but none is connected."""
    if not (folder / FILE).exists():
        return
    content: Json = json.loads((folder / FILE).read_text(encoding="utf-8"))
    world.rows = {row["name"]: Row(**row) for row in content["rows"]}
    world.sessions = {row.name: _build_closed_session(row) for row in world.rows.values()}
    world.sent = [SentMessage(**message) for message in content["sent"]]
    world.media, world.on_whatsapp = content["media"], set(content["on_whatsapp"])
    world.licensed = content.get("licensed", world.licensed)


def wake(world: World) -> None:
    """Reopen what was paired, and show a new code for what was pairing."""
    for session in list(world.sessions.values()):
        row = world.rows.get(session.name)
        if row and row.paired and session.state != "open":
            qr.post_connecting(world, session)
            open_up(world, session, row.profile_name)
        elif row and row.connection_status == "connecting" and session.state == "close":
            qr.start(world, session, row.number)


def restart(world: World) -> None:
    """Start the process anew on the same database; its memory is lost."""
    world.sessions = {row.name: _build_closed_session(row) for row in world.rows.values()}
    wake(world)


def _build_closed_session(row: Row) -> Session:
    state = "open" if row.connection_status == "open" and not row.paired else "close"
    session = Session(row.name, row.id, row.token, row.integration, state)
    session.wuid = row.owner_jid
    return session
