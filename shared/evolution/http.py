"""Call one server once: within a time limit, repeated only where that is harmless."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx
from msgspec import Struct

from shared import problems, untrusted
from shared.config import Server
from shared.evolution import errors, limits
from shared.evolution.json_values import MalformedError

NOT_SENT_ERRORS = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
)

NOT_JSON: Final = object()

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A request, how long it may last altogether, and whether repeating it does no harm."""

    method: str
    path: str
    within: float
    body: Any = field(default=None, repr=False)
    query: Mapping[str, str] | None = None
    repeat: bool = False


@dataclass(frozen=True)
class Answer:
    """An answer of the server. `body` is `NOT_JSON` when it is anything else than JSON."""

    status: int
    body: Any = field(repr=False)

    @property
    def is_accepted(self) -> bool:
        return self.is_success and self.is_json and not errors.says_error(self.body)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        return self.body is not NOT_JSON

    @property
    def is_instance_missing(self) -> bool:
        return self.status == 404 and errors.says_instance_missing(self.body)

    @property
    def is_unlicensed(self) -> bool:
        return errors.says_not_licensed(self.body, self.status)


class Lost(Struct, frozen=True):
    """The loss of an answer. `sent`: (part of) the request may have reached the server.

    `cause` is absent when its text could show a header, and with it our key.
    """

    why: str
    sent: bool
    timed_out: bool = False
    cause: Exception | None = None


class ServerCalls:
    """The calls to one server, on which its routes are built."""

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        self._server = server
        self._http = http
        self._is_ailing = False
        """Whether its last answer was a failure of its own, or never came."""

    async def _call(self, call: Call) -> Answer | None:
        """Return a success as JSON, or None if the server doesn't carry the instance.

        Raises EvolutionUnreachable, EvolutionTimedOut, EvolutionRefusedKey, ServerNotLicensed,
        EvolutionFailed.
        """
        return self._require_accepted(await self._fetch(call))

    async def _fetch(self, call: Call) -> Answer:
        """Return any answer of a server that lets us in, for callers that read failures too."""
        outcome = await self._try(call)
        if isinstance(outcome, Lost):
            raise self._build_problem(outcome) from outcome.cause
        self._check_key(outcome)
        return outcome

    async def _try(self, call: Call) -> Answer | Lost:
        """Make a call, and note whether the server is ailing. All but streams go through here."""
        outcome = await self._repeat(call)
        self._is_ailing = isinstance(outcome, Lost) or outcome.status >= 500
        return outcome

    async def _repeat(self, call: Call) -> Answer | Lost:
        """Make a call, and end in time, repetitions included."""
        request = self._build_request(call)
        try:
            async with asyncio.timeout(call.within):
                for _ in range(limits.ATTEMPTS - 1 if call.repeat else 0):
                    outcome = await self._attempt(request)
                    if not _is_worth_repeating(outcome):
                        return outcome
                    await asyncio.sleep(limits.PAUSE)
                return await self._attempt(request)
        except TimeoutError:
            return self._time_out()

    @asynccontextmanager
    async def _open(self, call: Call) -> AsyncIterator[httpx.Response]:
        """Make a call whose answer's body is read as it comes, all within the call's limit.

        Raises EvolutionUnreachable, EvolutionTimedOut.
        """
        limit = asyncio.timeout(call.within)
        try:
            async with limit:
                outcome = await self._send_repeatedly(self._build_request(call))
                if isinstance(outcome, Lost):
                    raise self._build_problem(outcome) from outcome.cause
                try:
                    yield outcome
                finally:
                    await outcome.aclose()
        except TimeoutError:
            if not limit.expired():
                raise
            raise self._build_problem(self._time_out()) from None

    async def _send_repeatedly(self, request: httpx.Request) -> httpx.Response | Lost:
        """Send a request whose repetition is harmless. The body of a failure is read already."""
        for _ in range(limits.ATTEMPTS - 1):
            outcome = await self._send_once(request)
            if isinstance(outcome, httpx.Response):
                if not outcome.is_server_error:
                    return outcome
                failure: Answer | Lost = Answer(outcome.status_code, read_json(outcome.content))
            else:
                failure = outcome
            if not _is_worth_repeating(failure):
                return outcome
            await asyncio.sleep(limits.PAUSE)
        return await self._send(request, stream=True)

    async def _send_once(self, request: httpx.Request) -> httpx.Response | Lost:
        outcome = await self._send(request, stream=True)
        if isinstance(outcome, Lost) or not outcome.is_server_error:
            return outcome
        body = await self._receive(outcome.aread())
        return body if isinstance(body, Lost) else outcome

    async def _read_body(self, response: httpx.Response) -> AsyncIterator[bytes]:
        """Yield the pieces of a body. Raises EvolutionUnreachable, EvolutionTimedOut."""
        try:
            async for piece in response.aiter_bytes():
                yield piece
        except httpx.TimeoutException:
            raise self._build_problem(self._time_out()) from None
        except httpx.RequestError as error:
            cut = Lost(f"{self._server.id} cut the connection", sent=True)
            raise self._build_problem(cut) from error

    async def _attempt(self, request: httpx.Request) -> Answer | Lost:
        outcome = await self._send(request)
        if isinstance(outcome, Lost):
            return outcome
        return Answer(outcome.status_code, read_json(outcome.content))

    async def _send(self, request: httpx.Request, *, stream: bool = False) -> httpx.Response | Lost:
        sent = self._http.send(request, stream=stream, follow_redirects=False)
        return await self._receive(sent)

    async def _receive(self, received: Awaitable[T]) -> T | Lost:
        try:
            return await received
        except NOT_SENT_ERRORS as error:
            return Lost(f"{self._server.id} can't be reached", sent=False, cause=error)
        except httpx.TimeoutException:
            return self._time_out()
        except httpx.LocalProtocolError:
            return Lost(f"{self._server.id} can't be spoken to", sent=True)
        except httpx.RequestError as error:
            return Lost(f"{self._server.id} cut the connection", sent=True, cause=error)

    def _build_request(self, call: Call) -> httpx.Request:
        # Bytes: httpx would complain of a key that isn't ASCII by showing it.
        headers = {b"apikey": self._server.api_key.get_secret_value().encode()}
        if call.body is not None:
            headers[b"content-type"] = b"application/json"
        return self._http.build_request(
            call.method,
            self._server.url + call.path,
            headers=headers,
            params=call.query,
            content=None if call.body is None else json.dumps(call.body).encode(),
            timeout=httpx.Timeout(call.within, connect=limits.SOCKET, pool=limits.SOCKET),
        )

    @asynccontextmanager
    async def _within(self, seconds: float) -> AsyncIterator[None]:
        """Bound several calls together by so many seconds. Raises EvolutionTimedOut."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise self._build_problem(self._time_out()) from None

    def _require_accepted(self, answer: Answer) -> Answer | None:
        """Return an accepted answer; None if the instance is missing. Raises EvolutionFailed."""
        if answer.is_instance_missing:
            return None
        if not answer.is_accepted:
            raise self._build_failure(answer)
        return answer

    def _read(self, read_body: Callable[[Any], T], answer: Answer | None) -> T | None:
        """Read the body of an answer. Raises EvolutionFailed when it has the wrong shape."""
        if answer is None:
            return None
        try:
            return read_body(answer.body)
        except MalformedError as error:
            raise self._build_failure(answer) from error

    def _check_key(self, answer: Answer) -> None:
        """Raise if the server let us do nothing: EvolutionRefusedKey, ServerNotLicensed."""
        if answer.status == 401:
            raise problems.EvolutionRefusedKey(f"{self._server.id} answered 401")
        if answer.is_unlicensed:
            raise problems.ServerNotLicensed(f"{self._server.id} serves nothing without one.")

    def _build_failure(self, answer: Answer) -> problems.Problem:
        return problems.EvolutionFailed(self._describe(answer))

    def _describe(self, answer: Answer) -> str:
        """Describe an answer without the server's own words, which may be personal or secret."""
        if not answer.is_success:
            return f"{self._server.id} answered {answer.status}"
        return f"{self._server.id} answered {answer.status} with a body that makes no sense"

    def _time_out(self) -> Lost:
        return Lost(f"{self._server.id} didn't answer in time", sent=True, timed_out=True)

    def _build_problem(self, lost: Lost) -> problems.Problem:
        if lost.timed_out:
            return problems.EvolutionTimedOut(lost.why)
        return problems.EvolutionUnreachable(lost.why)


def build_path(*segments: str) -> str:
    """Join segments to a path in which each stays one segment, whatever it is made of."""
    return "".join(f"/{_quote_segment(segment)}" for segment in segments)


def _quote_segment(text: str) -> str:
    quoted = quote(text, safe="")
    return quoted if text.strip(".") else quoted.replace(".", "%2E")


def _is_worth_repeating(outcome: Answer | Lost) -> bool:
    if isinstance(outcome, Lost):
        return not outcome.timed_out
    return outcome.status >= 500 and not outcome.is_unlicensed


def read_json(content: bytes) -> Any:
    """Return the value of a body, or NOT_JSON."""
    try:
        return untrusted.read_lenient(content)
    except untrusted.NotJson:
        return NOT_JSON
