"""A receiver of events on this machine, which answers as it is told and remembers what came."""

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableSequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, NamedTuple, Self

from standardwebhooks import Webhook


class Delivery(NamedTuple):
    """One POST that arrived."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        event: dict[str, Any] = json.loads(self.body)
        return event

    def verify(self, secret: str) -> None:
        """Check the signature, as receivers do. Raises WebhookVerificationError."""
        Webhook(secret).verify(self.body, self.headers)


Answer = Callable[[Delivery], "str | Awaitable[str]"]


@dataclass
class Receiver:
    """A server on a free port: `async with Receiver() as receiver`.

    `answer` returns the status line's end and headers, e.g. `500 x` or `429 x\\r\\nretry-after: 9`.
    """

    answer: Answer = lambda _: "204 ok"
    deliveries: MutableSequence[Delivery] = field(default_factory=list)
    connections: int = 0
    _serving: set["asyncio.Task[None]"] = field(default_factory=set, repr=False)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1")
        self.host = f"127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        self.url = f"http://{self.host}/events?key=1"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the port and its connections: an open one would fail whichever test comes next."""
        self._server.close()
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving)

    @property
    def ids(self) -> list[str]:
        return [delivery.headers["webhook-id"] for delivery in self.deliveries]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        task = asyncio.current_task()
        assert task
        self._serving.add(task)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                lines = head.decode().split("\r\n")[1:-2]
                pairs = (line.partition(":") for line in lines)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers["content-length"]))
                delivery = Delivery(headers, body)
                self.deliveries.append(delivery)
                answer = self.answer(delivery)
                text = answer if isinstance(answer, str) else await answer
                length = "" if text.startswith("204") else "\r\ncontent-length: 2"
                ending = b"" if text.startswith("204") else b"ok"
                writer.write(f"HTTP/1.1 {text}{length}\r\n\r\n".encode() + ending)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # the caller is gone, or the loop ends
        finally:
            self._serving.discard(task)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
