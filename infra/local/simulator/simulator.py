"""Simulate one Evolution server, with verbs for what happens around it."""

import os
import signal
from pathlib import Path
from types import TracebackType
from typing import NoReturn, Self

import httpx
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.local.simulator import (
    control,
    delivery_updates,
    message_contents,
    outside_events,
    persistence,
    receiving,
    server,
    webhook_posts,
)
from infra.local.simulator.answers import Json, Value
from infra.local.simulator.faults import Faults
from infra.local.simulator.state import SentMessage, ServedRequest, ServerOptions, World


class Simulator:
    """A simulated server.

    It posts webhooks through `deliver` and fetches media URLs through `fetch`. Without them it
    posts nothing, and takes URLs as good. Its database is saved in `data` on every change, or only
    when it crashes: a save writes everything, so many of them take long.
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
        save_at_crash: bool = False,
        seed: int = 0,
        **options: Value,
    ) -> None:
        self.world = World(ServerOptions(api_key, version, quick, **options), deliver, seed)
        self.world.fetch = fetch
        self._is_awake, self._save = data is None, self.world.save
        if data is not None:
            folder = Path(data)
            persistence.load(self.world, folder)
            self._save = lambda: persistence.save(self.world, folder)
            if not save_at_crash:
                self.world.save = self._save

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
        """Cancel all background work and wait for its end."""
        await self.world.background.close()

    async def restart(self) -> None:
        """Restart: what waits to be posted, or behind an edit, is lost (EVOLUTION.md §4)."""
        await self.world.background.close()
        persistence.restart(self.world)

    def crash(self) -> NoReturn:
        """Kill the process: only its database is left, as it is at this moment."""
        self._save()
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nothing survives this signal")

    @property
    def app(self) -> ASGIApp:
        """Return the server as an ASGI application."""
        return self

    @property
    def faults(self) -> Faults:
        return self.world.faults

    @property
    def calls(self) -> list[ServedRequest]:
        return list(self.world.calls)

    @property
    def creates_in_flight_peak(self) -> dict[str, int]:
        return self.world.creating_peak

    @property
    def deliveries(self) -> list[webhook_posts.WebhookDelivery]:
        """List the deliveries of every event for which there was a webhook."""
        return list(self.world.deliveries)

    def names(self) -> list[str]:
        return list(self.world.rows)

    def exists(self, name: str) -> bool:
        return self.world.has_instance(name)

    def state(self, name: str) -> str | None:
        session = self.world.sessions.get(name)
        return session.state if session else None

    def number(self, name: str) -> str | None:
        """Return the number that the instance is paired with now."""
        row = self.world.rows.get(name)
        return row.owner_jid.partition("@")[0] if row and row.paired and row.owner_jid else None

    def code(self, name: str) -> str | None:
        """Return the text of the QR code that is shown now."""
        session = self.world.sessions.get(name)
        return session.code.code if session and session.code else None

    def webhook(self, name: str) -> Json | None:
        row = self.world.rows.get(name)
        return row.webhook if row else None

    def settings(self, name: str) -> Json:
        row = self.world.rows.get(name)
        return dict(row.setting) if row else {}

    def sent_messages(self, name: str | None = None) -> list[SentMessage]:
        """List what contacts received, oldest first, through one instance or through all."""
        return [message for message in self.world.sent if name in (None, message.instance)]

    def reset(self) -> None:
        """Forget everything, and turn every fault off but the create race."""
        self.world.empty()
        self.world.faults.clear()
        self.world.save()

    async def drain(self) -> None:
        """Wait for all background work but deliveries that wait long for their next attempt."""
        await self.world.background.drain()

    async def scan(self, name: str, number: str, profile: str = "Loja") -> None:
        await outside_events.scan(self.world, name, number, profile)

    async def pair(self, name: str, profile: str = "Loja") -> None:
        """Type the pairing code on the phone of the number that it was made for."""
        await outside_events.type_code(self.world, name, profile)

    async def unpair(self, name: str) -> None:
        await outside_events.unpair(self.world, name)

    async def block(self, name: str, code: int = 403) -> None:
        """Let WhatsApp block the number: 402 for a while, 403 and 406 for good."""
        await outside_events.block(self.world, name, code)

    def license(self, active: bool = True) -> None:
        """Activate the server's licence in its manager, or take it away."""
        self.world.licensed = active
        self.world.save()

    async def drop(self, name: str, back: bool = True) -> None:
        """Break the connection; without `back` it stays so, and the database still says open."""
        await outside_events.drop(self.world, name, back)

    async def storm(self, name: str, times: int = 40) -> None:
        await outside_events.storm(self.world, name, times)

    async def vanish(self, name: str) -> None:
        await outside_events.vanish(self.world, name)

    async def plant(self, name: str, number: str | None = None, open: bool = False) -> None:
        await outside_events.plant(self.world, name, number, open)

    async def expire_code(self, name: str) -> None:
        await outside_events.expire_code(self.world, name)

    async def reach_qr_limit(self, name: str) -> None:
        await outside_events.reach_qr_limit(self.world, name)

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
        """Receive a contact's text, and return its id. Without a number only the lid is known."""
        message = receiving.build_text(sender_number, text, lid)
        message["key"] |= {"id": id} if id else {}
        return await self.receive_message(name, message | _push_name_field(push_name))

    async def receive_media(
        self,
        name: str,
        sender_number: str,
        kind: str,
        media: str,
        *,
        mimetype: str = "",
        caption: str = "",
        id: str | None = None,
    ) -> str:
        """Receive an image, video, audio, document or sticker, given as base64; return its id."""
        message = receiving.build_text(sender_number, "", None)
        message["key"] |= {"id": id} if id else {}
        mimetype = mimetype or message_contents.MIMETYPES[kind]
        message["message"] = message_contents.build_media_message(
            kind, media, mimetype, caption
        ).message
        return receiving.receive(self.world, name, message | {"contextInfo": None}, media)

    async def receive_message(self, name: str, message_object: Json) -> str:
        """Receive any message: `key.remoteJid` and `message` are needed, the rest has defaults."""
        return receiving.receive(self.world, name, message_object)

    async def history(self, name: str, messages: list[Json]) -> None:
        """Receive older messages in one messages.set."""
        receiving.receive_history(self.world, name, messages)

    async def call(self, name: str, report: Json) -> None:
        """Report a call: `from`, `id`, and its `status` (an offer by default)."""
        receiving.call(self.world, name, report)

    async def reveal(self, name: str, message_id: str, text: str) -> None:
        """Decrypt a message that was received without content (`messageStubType` 2)."""
        receiving.reveal(self.world, name, message_id, text)

    async def edit(self, name: str, message_id: str, text: str) -> None:
        """Edit a message as its contact."""
        receiving.revise(self.world, name, message_id, text)

    async def revoke(self, name: str, message_id: str) -> None:
        """Revoke a message as its contact."""
        receiving.revise(self.world, name, message_id, None)

    async def revoke_early(
        self, name: str, message_id: str, chat: str, *, from_me: bool = True
    ) -> None:
        """Post the revocation of a message before it comes; its key is the sender's."""
        key = {"remoteJid": chat, "fromMe": from_me, "id": message_id}
        receiving.revoke_early(self.world, name, key)

    async def acknowledge(self, name: str, message_id: str, status: str) -> None:
        """Acknowledge a message up to DELIVERY_ACK, READ or PLAYED, or refuse it: ERROR."""
        outside_events.require_session(self.world, name)
        delivery_updates.acknowledge(self.world, name, message_id, status)

    async def emit(self, name: str, event: str, data: Value) -> None:
        """Post any event as it is."""
        webhook_posts.emit(self.world, name, event, data)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._serve_lifespan(receive, send)
            return
        if not self._is_awake:
            self._is_awake = True
            persistence.wake(self.world)
        if scope["path"] == "/simulator" or scope["path"].startswith("/simulator/"):
            response = await control.answer(self, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await server.serve(self.world, scope, receive, send)

    async def _serve_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        self._is_awake = True
        persistence.wake(self.world)
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.aclose()
        await send({"type": "lifespan.shutdown.complete"})


def _push_name_field(push_name: str | None) -> Json:
    return {"pushName": push_name} if push_name is not None else {}
