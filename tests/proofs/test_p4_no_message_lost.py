"""P4: a webhook is answered 2xx only when it is stored; what is not, is told again and stored."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path

from infra.local.children import find_free_port
from tests.perene import name_of
from tests.proofs.posting import AT, MARIA, NUMBER, Poster, message_event, read_inbox
from tests.proofs.stage import Stage, open_stage, times

WITHIN = 60.0
MESSAGES = times(120, 300)
FEW_SECONDS = 12.0


async def test_kill_under_load_loses_nothing(firestore_emulator: str, tmp_path: Path):
    async with open_stage(tmp_path, 1) as stage:
        await stage.ensure("acme")
        await stage.scan(name_of("acme"), NUMBER)
        for turn in range(times(1, 5)):
            first = asyncio.create_task(received(stage, f"{turn}a", MESSAGES // 2))
            while len(stage.documents("tenants/acme/messages")) < turn * MESSAGES + 20:
                await asyncio.sleep(0.01)

            stage.callers[-1].kill()
            stage.ports.clear()
            second = asyncio.create_task(received(stage, f"{turn}b", MESSAGES // 2))
            await stage.start_caller(port=stage.public_port)

            received_ids = await first + await second
            await stored(stage, set(received_ids) | known(stage))
        (conversation,) = await read_inbox(stage, "acme")
        assert conversation["unread"] == MESSAGES * times(1, 5)


async def test_database_away_is_503_in_seconds(firestore_emulator: str, tmp_path: Path):
    async with asyncio.TaskGroup() as outages:  # each of them mostly waits
        for outage in ("refuses", "hangs"):
            (tmp_path / outage).mkdir()
            outages.create_task(lose_database(firestore_emulator, tmp_path / outage, outage))


async def lose_database(emulator: str, place: Path, outage: str) -> None:
    """Cut the wire to the database during webhooks, mend it, and check that nothing is lost."""
    async with (
        open_wire(emulator) as wire,
        open_stage(place, 1, FIRESTORE_EMULATOR_HOST=wire.host) as stage,
    ):
        await stage.ensure("acme")
        await stage.scan(name_of("acme"), NUMBER)
        poster = Poster(stage, name_of("acme"))
        assert await poster.post(message_event("3A1", "antes", AT)) == 204

        await wire.cut(hangs=outage == "hangs")
        began = time.monotonic()
        ids = await received(stage, "x", 20)
        statuses = await asyncio.gather(
            *(poster.post(message_event(f"3B{at}", "durante", AT + at)) for at in range(10)),
            poster.post(("messages.update", {"keyId": "3A1", "fromMe": True, "status": "READ"})),
            poster.post(("contacts.update", [{"remoteJid": f"{MARIA}@s.whatsapp.net",
                                             "pushName": "Maria"}])),
            poster.post(("messages.upsert", 7)),
        )  # fmt: skip
        assert set(statuses) == {503}
        assert time.monotonic() - began < FEW_SECONDS

        await wire.mend()
        await stored(stage, {"3A1", *ids})
        assert [
            await poster.post(message_event(f"3B{at}", "durante", AT + at)) for at in range(10)
        ] == ([204] * 10)
        (conversation,) = await read_inbox(stage, "acme")
        assert conversation["unread"] == 31


async def received(stage: Stage, prefix: str, count: int) -> list[str]:
    """A contact writes so often; the server tells it, and again until somebody listens."""
    path = f"/instances/{name_of('acme')}/receive"
    ids = [f"{prefix}{at}" for at in range(count)]
    for name in ids:
        await stage.call_simulator("POST", path, {"from": MARIA, "text": "oi", "id": name})
    return ids


def known(stage: Stage) -> set[str]:
    return {name.partition("~")[2] for name in stage.documents("tenants/acme/messages")}


async def stored(stage: Stage, ids: set[str]) -> None:
    """Everything that was told is kept in the end."""
    deadline = time.monotonic() + WITHIN
    while missing := ids - known(stage):
        assert time.monotonic() < deadline, f"lost: {sorted(missing)[:10]}"
        await asyncio.sleep(0.1)


class Wire:
    """Everything between callers and the database goes through here, or doesn't."""

    def __init__(self, far: str) -> None:
        self.far_host, _, self.far_port = far.partition(":")
        self.port = find_free_port()
        self.host = f"127.0.0.1:{self.port}"
        self.flows = asyncio.Event()
        self.flows.set()
        self.server: asyncio.Server | None = None
        self.ends: set[asyncio.StreamWriter] = set()
        self.tasks: set[asyncio.Task[None]] = set()

    async def mend(self) -> None:
        """Let traffic through (again)."""
        self.flows.set()
        if self.server is None:
            self.server = await asyncio.start_server(self._carry, "127.0.0.1", self.port)

    async def cut(self, *, hangs: bool) -> None:
        """Let nothing through: connections hang, or are closed and refused."""
        self.flows.clear()
        if not hangs and self.server:
            self.server.close()
            self.server = None
            for end in self.ends:
                end.transport.abort()

    async def close(self) -> None:
        await self.cut(hangs=False)
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _carry(self, near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        far, there = await asyncio.open_connection(self.far_host, int(self.far_port))
        self.ends |= {back, there}
        pipes = {asyncio.create_task(self._pipe(*pair)) for pair in ((near, there), (far, back))}
        self.tasks |= pipes

    async def _pipe(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(65536):
                await self.flows.wait()
                writer.write(piece)
                await writer.drain()
        writer.transport.abort()
        self.ends.discard(writer)


@contextlib.asynccontextmanager
async def open_wire(far: str) -> AsyncIterator[Wire]:
    """Open a wire to the database, which can be cut, and close it after the `with`."""
    wire = Wire(far)
    await wire.mend()
    try:
        yield wire
    finally:
        await wire.close()
