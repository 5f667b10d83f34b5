"""A stand-in for one Evolution server, with verbs for what happens around it."""

from pathlib import Path
from types import TracebackType
from typing import Self

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.simulator import (
    contents,
    control,
    delivering,
    people,
    persistence,
    receiving,
    server,
    webhooks,
)
from infra.local.simulator.answers import Json, Value
from infra.local.simulator.faults import Faults
from infra.local.simulator.state import Call, Options, Sent, World


class Simulator:
    """One simulated server.

    Webhooks leave through `deliver`, media URLs are fetched through `fetch`; without them nothing
    leaves, and URLs are believed.
    """

    def __init__(
        self,
        api_key: str,
        version: str = "2.3.6",
        quick: bool = True,
        deliver: httpx.AsyncClient | None = None,
        data: str | Path | None = None,
        *,
        fetch: httpx.AsyncClient | None = None,
        seed: int = 0,
        **options: Value,
    ) -> None:
        self.world = World(Options(api_key, version, quick, **options), deliver, seed)
        self.world.fetch = fetch
        self._awake = data is None
        if data is not None:
            folder = Path(data)
            persistence.load(self.world, folder)
            self.world.changed = lambda: persistence.save(self.world, folder)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Nothing is under way any more."""
        await self.world.background.close()

    async def restart(self) -> None:
        """Start anew: what waits to be posted, or behind an edit, is lost (EVOLUTION.md §4)."""
        await self.world.background.close()
        persistence.restart(self.world)

    @property
    def app(self) -> ASGIApp:
        """The server, as an ASGI application."""
        return self

    @property
    def faults(self) -> Faults:
        return self.world.faults

    @property
    def calls(self) -> list[Call]:
        return list(self.world.calls)

    @property
    def creates_in_flight_peak(self) -> dict[str, int]:
        return self.world.creating_peak

    @property
    def deliveries(self) -> list[webhooks.Delivery]:
        """Every event for which there was a webhook, and how its delivery went."""
        return list(self.world.deliveries)

    def names(self) -> list[str]:
        return list(self.world.rows)

    def exists(self, name: str) -> bool:
        return self.world.knows(name)

    def state(self, name: str) -> str | None:
        session = self.world.sessions.get(name)
        return session.state if session else None

    def number(self, name: str) -> str | None:
        """The number it is paired with now."""
        row = self.world.rows.get(name)
        return row.owner_jid.partition("@")[0] if row and row.paired and row.owner_jid else None

    def code(self, name: str) -> str | None:
        """The text of the QR code that is shown now."""
        session = self.world.sessions.get(name)
        return session.code.code if session and session.code else None

    def webhook(self, name: str) -> Json | None:
        row = self.world.rows.get(name)
        return row.webhook if row else None

    def settings(self, name: str) -> Json:
        row = self.world.rows.get(name)
        return dict(row.setting) if row else {}

    def sent(self, name: str | None = None) -> list[Sent]:
        """What contacts received, oldest first; through one instance, or through all."""
        return [sent for sent in self.world.sent if name in (None, sent.instance)]

    def reset(self) -> None:
        """Nothing is known and no fault is on."""
        self.world.empty()
        self.world.faults.clear()
        self.world.changed()

    async def settled(self) -> None:
        """What is under way is done, but for deliveries that wait long for their next attempt."""
        await self.world.background.settled()

    async def scan(self, name: str, number: str, profile: str = "Loja") -> None:
        await people.scan(self.world, name, number, profile)

    async def pair(self, name: str, profile: str = "Loja") -> None:
        """The pairing code was typed on the phone of the number that it was asked for."""
        await people.type_code(self.world, name, profile)

    async def unpair(self, name: str) -> None:
        await people.unpair(self.world, name)

    async def block(self, name: str, code: int = 403) -> None:
        """Let WhatsApp block the number: 402 for a while, 403 and 406 for good."""
        await people.block(self.world, name, code)

    def license(self, active: bool = True) -> None:
        """Activate the server's licence in its manager, or take it away."""
        self.world.licensed = active
        self.world.changed()

    async def drop(self, name: str, back: bool = True) -> None:
        """The connection broke; without `back` it stays so, and the database still says open."""
        await people.drop(self.world, name, back)

    async def storm(self, name: str, times: int = 40) -> None:
        await people.storm(self.world, name, times)

    async def vanish(self, name: str) -> None:
        await people.vanish(self.world, name)

    async def plant(self, name: str, number: str | None = None, open: bool = False) -> None:
        await people.plant(self.world, name, number, open)

    async def expire_code(self, name: str) -> None:
        await people.expire_code(self.world, name)

    async def reach_qr_limit(self, name: str) -> None:
        await people.reach_qr_limit(self.world, name)

    async def receive(
        self,
        name: str,
        sender_number: str,
        text: str,
        *,
        id: str | None = None,
        lid: str | None = None,
        push_name: str | None = None,
    ) -> str:
        """A contact wrote; the id of the message. Without a number only the lid is known."""
        said = receiving.written(sender_number, text, lid)
        said["key"] |= {"id": id} if id else {}
        return await self.receive_message(name, said | _named(push_name))

    async def receive_media(
        self,
        name: str,
        sender_number: str,
        kind: str,
        media: str,
        *,
        mimetype: str = "",
        caption: str = "",
    ) -> str:
        """A contact sent an image, video, audio, document or sticker, given as base64."""
        said = receiving.written(sender_number, "", None)
        mimetype = mimetype or contents.MIMETYPES[kind]
        said["message"] = contents.uploaded(kind, media, mimetype, caption).message
        return receiving.receive(self.world, name, said | {"contextInfo": None}, media)

    async def receive_message(self, name: str, message_object: Json) -> str:
        """Any message arrived; needs `key.remoteJid` and `message`, the rest has defaults."""
        return receiving.receive(self.world, name, message_object)

    async def history(self, name: str, messages: list[Json]) -> None:
        """Older messages arrived in one messages.set."""
        receiving.recall(self.world, name, messages)

    async def edit(self, name: str, message_id: str, text: str) -> None:
        """A contact edited a message."""
        receiving.revise(self.world, name, message_id, text)

    async def revoke(self, name: str, message_id: str) -> None:
        """A contact took a message back."""
        receiving.revise(self.world, name, message_id, None)

    async def revoke_early(
        self, name: str, message_id: str, chat: str, *, from_me: bool = True
    ) -> None:
        """Post that a message was taken back, before it comes; its key is the sender's."""
        key = {"remoteJid": chat, "fromMe": from_me, "id": message_id}
        receiving.revoke_early(self.world, name, key)

    async def acknowledge(self, name: str, message_id: str, status: str) -> None:
        """The message got as far as DELIVERY_ACK, READ or PLAYED, or was refused: ERROR."""
        people.session_of(self.world, name)
        delivering.acknowledge(self.world, name, message_id, status)

    async def emit(self, name: str, event: str, data: Value) -> None:
        """Any event at all is posted, as it is."""
        webhooks.emit(self.world, name, event, data)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        if not self._awake:
            self._awake = True
            persistence.wake(self.world)
        if scope["path"] == "/simulator" or scope["path"].startswith("/simulator/"):
            response = await control.answer(self, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await server.serve(self.world, scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        self._awake = True
        persistence.wake(self.world)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def _named(push_name: str | None) -> Json:
    return {"pushName": push_name} if push_name is not None else {}
