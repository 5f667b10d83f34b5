"""One call to one server: its time limit, its repetition, and what may have become of it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx

from shared import problems, untrusted
from shared.config import Server
from shared.evolution import errors, limits
from shared.evolution.reading import MalformedError

NEVER_LEFT = (
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
    """What the server said. `body` is `NOT_JSON` when it is anything else than JSON."""

    status: int
    body: Any = field(repr=False)

    @property
    def succeeded(self) -> bool:
        return self.is_success and self.is_json and not errors.says_error(self.body)

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300

    @property
    def is_json(self) -> bool:
        return self.body is not NOT_JSON

    @property
    def instance_missing(self) -> bool:
        return self.status == 404 and errors.instance_missing(self.body)

    @property
    def unlicensed(self) -> bool:
        return errors.not_licensed(self.body, self.status)


@dataclass(frozen=True)
class Lost:
    """No answer came. `sent`: (part of) the request may have reached the server.

    `cause` is absent when its text could show a header, and with it our key.
    """

    why: str
    sent: bool
    timed_out: bool = False
    cause: Exception | None = None


class Calls:
    """The server as something to be called. Everything else of it is built on this."""

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        self._server = server
        self._http = http

    async def _call(self, call: Call) -> Answer | None:
        """A success as JSON, or None if the server doesn't carry the instance. Else a problem.

        Raises EvolutionUnreachable, EvolutionTimedOut, EvolutionRefusedKey, ServerNotLicensed,
        EvolutionFailed.
        """
        return self._checked(await self._hear(call))

    async def _hear(self, call: Call) -> Answer:
        """Any answer of one that lets us in, for those that read failures too."""
        heard = await self._ask(call)
        if isinstance(heard, Lost):
            raise self._problem_of(heard) from heard.cause
        self._check_key(heard)
        return heard

    async def _ask(self, call: Call) -> Answer | Lost:
        """The one place that calls. It ends in time, repetitions included."""
        request = self._request(call)
        try:
            async with asyncio.timeout(call.within):
                for _ in range(limits.ATTEMPTS - 1 if call.repeat else 0):
                    outcome = await self._attempt(request)
                    if not _worth_repeating(outcome):
                        return outcome
                    await asyncio.sleep(limits.PAUSE)
                return await self._attempt(request)
        except TimeoutError:
            return self._too_late()

    async def _attempt(self, request: httpx.Request) -> Answer | Lost:
        try:
            response = await self._http.send(request, follow_redirects=False)
        except NEVER_LEFT as error:
            return Lost(f"{self._server.id} can't be reached", sent=False, cause=error)
        except httpx.TimeoutException:
            return self._too_late()
        except httpx.LocalProtocolError:
            return Lost(f"{self._server.id} can't be spoken to", sent=True)
        except httpx.RequestError as error:
            return Lost(f"{self._server.id} cut the connection", sent=True, cause=error)
        return Answer(response.status_code, _json(response))

    def _request(self, call: Call) -> httpx.Request:
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
    async def _altogether(self, seconds: float) -> AsyncIterator[None]:
        """Several calls end within so many seconds. Raises EvolutionTimedOut."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise self._problem_of(self._too_late()) from None

    def _checked(self, answer: Answer) -> Answer | None:
        if answer.instance_missing:
            return None
        if not answer.succeeded:
            raise self._failed(answer)
        return answer

    def _read(self, reading: Callable[[Any], T], answer: Answer | None) -> T | None:
        """What the body means. Raises EvolutionFailed when it doesn't have the shape for it."""
        if answer is None:
            return None
        try:
            return reading(answer.body)
        except MalformedError as error:
            raise self._failed(answer) from error

    def _check_key(self, answer: Answer) -> None:
        """Raise if the server let us do nothing: EvolutionRefusedKey, ServerNotLicensed."""
        if answer.status == 401:
            raise problems.EvolutionRefusedKey(f"{self._server.id} answered 401")
        if answer.unlicensed:
            raise problems.ServerNotLicensed(f"{self._server.id} serves nothing without one.")

    def _failed(self, answer: Answer) -> problems.Problem:
        return problems.EvolutionFailed(self._account_of(answer))

    def _account_of(self, answer: Answer) -> str:
        """A sentence without any of the server's own words, which may be personal or secret."""
        if not answer.is_success:
            return f"{self._server.id} answered {answer.status}"
        return f"{self._server.id} answered {answer.status} with a body that makes no sense"

    def _too_late(self) -> Lost:
        return Lost(f"{self._server.id} didn't answer in time", sent=True, timed_out=True)

    def _problem_of(self, lost: Lost) -> problems.Problem:
        if lost.timed_out:
            return problems.EvolutionTimedOut(lost.why)
        return problems.EvolutionUnreachable(lost.why)


def path(*segments: str) -> str:
    """The segments as one path; none can leave its place, whatever it is made of."""
    return "".join(f"/{_segment(segment)}" for segment in segments)


def _segment(text: str) -> str:
    quoted = quote(text, safe="")
    return quoted if text.strip(".") else quoted.replace(".", "%2E")


def _worth_repeating(outcome: Answer | Lost) -> bool:
    if isinstance(outcome, Lost):
        return not outcome.timed_out
    return outcome.status >= 500 and not outcome.unlicensed


def _json(response: httpx.Response) -> Any:
    try:
        return untrusted.read_lenient(response.content)
    except untrusted.NotJson:
        return NOT_JSON
