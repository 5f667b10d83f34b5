"""Post to addresses that tenants chose, and reach nothing but the public web.

A name is resolved once, when the connection is made, and the connection goes to the address that
was checked: a name that points elsewhere a moment later (rebinding) changes nothing. No redirect is
followed, and no proxy of the environment is used.
"""

import asyncio
import ipaddress
import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, partial
from math import ceil
from typing import Any, Final

import httpcore
import httpx

from shared import config, http_requests, services
from shared.domain.endpoints import ANSWER_LIMIT, Answer
from shared.outbound.endpoint_addresses import Address, explain_refusal, is_public

PATIENCE: Final = 15.0
"""Seconds for one attempt in all, from the look-up of the name to the answer's first kilobyte."""

LONGEST_DATE: Final = 40
CONNECTIONS: Final = 100
LOOK_UPS: Final = 3 * CONNECTIONS
"""Names that are looked up at once, each in a thread. One whose name server hangs keeps it for half
a minute, longer than its attempt: in the few threads of asyncio the others would wait behind it."""


class AddressRefused(httpcore.ConnectError):
    """A name that leads to an address which isn't on the public web."""


async def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Post the body and return the outcome; never raise for what the endpoint does.

    A URL that can't be an endpoint's was written by hand: it is refused. Raises nothing but
    cancellation. At most 15 s.
    """
    started = time.monotonic()
    if explain_refusal(url):
        return Answer(0, failure="address_refused")
    try:
        async with asyncio.timeout(PATIENCE):
            exchange = partial(_exchange, url, body, headers)
            status, text, retry_after = await http_requests.run(exchange)
    except (TimeoutError, httpcore.TimeoutException):
        return Answer(_elapsed(started), failure="timed_out")
    except AddressRefused:
        return Answer(_elapsed(started), failure="address_refused")
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError, ValueError):
        return Answer(_elapsed(started), failure="unreachable")
    return Answer(_elapsed(started), status, text, retry_after)


class GuardedBackend(httpcore.AsyncNetworkBackend):
    """A network that connects to checked addresses only."""

    def __init__(self, network: httpcore.AsyncNetworkBackend | None = None) -> None:
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Resolve the name, check every address it has, and connect to the first that answers.

        All within the time-out: an attempt that was given up keeps its place until then. Raises
        AddressRefused if one of them isn't public, and httpcore's errors.
        """
        try:
            async with asyncio.timeout(timeout):
                return await self._connect_to_any(host, port, timeout, socket_options)
        except TimeoutError:
            raise httpcore.ConnectTimeout from None

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Refuse: no endpoint is a socket of this machine."""
        raise AddressRefused

    async def sleep(self, seconds: float) -> None:
        """Wait, between attempts of the pool."""
        await self._network.sleep(seconds)

    async def _connect_to_any(
        self, host: str, port: int, patience: float | None, options: Any
    ) -> httpcore.AsyncNetworkStream:
        addresses = await _resolve(host, port)
        allowed = config.settings().endpoints_on_loopback
        if not all(is_public(one) or (allowed and one.is_loopback) for one in addresses):
            raise AddressRefused
        for address in addresses[:-1]:
            try:
                return await self._connect(address, port, patience, options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._connect(addresses[-1], port, patience, options)

    async def _connect(
        self, address: Address, port: int, patience: float | None, options: Any
    ) -> httpcore.AsyncNetworkStream:
        return await self._network.connect_tcp(
            str(address), port, timeout=patience, socket_options=options
        )


async def _exchange(
    url: str, body: bytes, headers: Mapping[str, str], progress: http_requests.Progress
) -> tuple[int, str, int | None]:
    pool: httpcore.AsyncConnectionPool = services.once("endpoints' pool", _make_pool)
    limits = dict.fromkeys(("connect", "read", "write", "pool"), PATIENCE)
    extensions = {"timeout": limits, "trace": progress}
    target = httpx.URL(url)
    length = str(len(body))
    fields: Any = {"host": target.netloc.decode("ascii"), "content-length": length, **headers}
    request = pool.stream("POST", str(target), headers=fields, content=body, extensions=extensions)
    async with request as response:
        beginning = bytearray()
        async for piece in response.aiter_stream():
            beginning += piece
            if len(beginning) >= ANSWER_LIMIT:
                break
        text = bytes(beginning[:ANSWER_LIMIT]).decode(errors="replace")
        now = datetime.now(UTC)  # an answer's date is of the real clock
        return response.status, text, read_retry_after(response.headers, now)


def _make_pool() -> httpcore.AsyncConnectionPool:
    return http_requests.Pool(
        ssl_context=_tls(),
        max_connections=CONNECTIONS,
        keepalive_expiry=services.HTTP_IDLE_SECONDS,
        network_backend=GuardedBackend(),
    )


@cache
def _tls() -> ssl.SSLContext:
    """Return what our TLS trusts; loading it takes 20 ms."""
    return httpx.create_ssl_context()


async def _resolve(host: str, port: int) -> list[Address]:
    """Look a name up. Raises ConnectError for one that has no address."""
    threads = services.once("endpoints' look-ups", partial(ThreadPoolExecutor, LOOK_UPS))
    look_up = partial(socket.getaddrinfo, host.strip("[]"), port, type=socket.SOCK_STREAM)
    try:
        records = await asyncio.get_running_loop().run_in_executor(threads, look_up)
    except OSError as error:
        raise httpcore.ConnectError("no address") from error
    addresses = dict.fromkeys(_read_address(str(record[4][0])) for record in records)
    if not addresses:
        raise httpcore.ConnectError("no address")
    return list(addresses)


def _read_address(text: str) -> Address:
    return ipaddress.ip_address(text.partition("%")[0])


def read_retry_after(headers: Iterable[tuple[bytes, bytes]], now: datetime) -> int | None:
    """Return the seconds that an answer asks to wait, as a number or until a date.

    None if it asks for nothing, or in words that RFC 9110 doesn't have.
    """
    values = (value.strip() for name, value in headers if name.lower() == b"retry-after")
    text = next(values, b"")[:LONGEST_DATE].decode("latin-1")
    if text.isascii() and text.isdigit():
        return int(text[:9])
    try:
        until = parsedate_to_datetime(text)
        return max(0, ceil((until - now).total_seconds()))
    except (ValueError, TypeError, OverflowError, IndexError):  # no date, or one without a zone
        return None


def _elapsed(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
