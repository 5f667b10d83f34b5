"""The instances of one server: made, linked, configured, counted and removed."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx

from shared import problems
from shared.config import Server
from shared.domain.upstream import (
    Configuration,
    Connection,
    Created,
    Creation,
    Doubtful,
    Link,
    NameInUse,
    Refused,
    Sighting,
)
from shared.evolution import dialects, errors, limits
from shared.evolution.calls import Answer, Call, Lost, path
from shared.evolution.limits import LONGEST_CALL
from shared.evolution.messages import Messages

__all__ = ["LONGEST_CALL", "Evolution"]

DELETES_AFTER_LOGOUT = 5
"""1.8 answers a logout before the socket is closed (EVOLUTION.md §3)."""


class Evolution(Messages):
    """One Evolution server, in our words.

    Besides what each method says, all raise EvolutionUnreachable (refused or cut),
    EvolutionTimedOut, EvolutionRefusedKey (401), ServerNotLicensed (2.4) and EvolutionFailed (5xx,
    HTML, bodies that make no sense).
    """

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        super().__init__(server, http)
        self._dialect = dialects.of(server)

    async def connection(self, name: str) -> Connection | None:
        """What the server's memory says of the socket (EVOLUTION.md §1.7). None: no instance."""
        route = path("instance", "connectionState", name)
        answer = await self._call(Call("GET", route, limits.CONNECTION, repeat=True))
        return self._read(self._dialect.connection, answer)

    async def create(self, name: str, wanted: Configuration, number: str | None = None) -> Creation:
        """If Created, the instance exists, not connected. EVOLUTION.md §1.1, §3.

        Two of these may never be in flight for one name. Whatever leaves a doubt is Doubtful, so
        EvolutionUnreachable means that nothing was sent. On 1.8 the instance ignores groups until
        it is configured.
        """
        body = self._dialect.create(name, wanted, number)
        match await self._ask(Call("POST", "/instance/create", limits.CREATE, body)):
            case Lost(sent=False) as lost:
                raise self._problem_of(lost) from lost.cause
            case Lost() as lost:
                return Doubtful(lost.why)
            case Answer() as answer:
                self._check_key(answer)
                return self._creation(answer)

    async def connect(self, name: str, number: str | None = None) -> Link | None:
        """A closed instance has started to connect; what to scan for it. None: no such instance.

        A code may be stale when the instance was connecting already. `number` asks for a pairing
        code too, and only counts when the instance was closed (EVOLUTION.md §3).
        """
        query = {"number": number} if number else None
        route = path("instance", "connect", name)
        answer = await self._call(Call("GET", route, limits.CONNECT, query=query))
        return self._read(self._dialect.link, answer)

    async def restart(self, name: str) -> bool | None:
        """A connected instance is reconnecting. False: it wasn't connected; None: no such instance.

        EVOLUTION.md §3: a closed one answers 200 with `error: true`, a connecting one its old code.
        """
        route = path("instance", "restart", name)
        answer = await self._hear(Call(self._dialect.restart_method, route, limits.RESTART))
        if answer.is_success and errors.says_error(answer.body):
            return False
        return self._read(self._dialect.restarting, self._checked(answer))

    async def configure(self, name: str, wanted: Configuration) -> bool:
        """Webhook and settings are as wanted. False: no such instance. EVOLUTION.md §4, §6."""
        async with self._altogether(limits.CONFIGURE):
            webhook = self._dialect.webhook(wanted)
            if not await self._set("webhook", name, webhook):
                return False
            return await self._set("settings", name, self._dialect.settings())

    async def silence(self, name: str) -> bool:
        """The webhook is off, so that a delete isn't held up by it (EVOLUTION.md §1.4).

        False: no such instance.
        """
        return await self._set("webhook", name, self._dialect.silence())

    @property
    def holds_back(self) -> bool:
        """An edit that can't be posted holds back what comes after it, where a restart loses it."""
        return self._dialect.holds_back

    @property
    def silent_url(self) -> str:
        """Where the webhook of an instance goes that we silenced."""
        return dialects.SILENT_URL

    async def configuration(self, name: str) -> Configuration | None:
        """How the webhook is set, without events when it is off; None: no such instance.

        Once configured, it reads as `expected`.
        """
        answer = await self._find("webhook", name)
        return self._read(self._dialect.wanted, answer)

    def expected(self, wanted: Configuration) -> Configuration:
        """What `configuration` answers after `configure`; 1.8 knows no headers and fewer events."""
        return self._dialect.expected(wanted)

    async def settings(self, name: str) -> dict[str, bool] | None:
        """Those of `dialects.SETTINGS` that the server tells; None: no such instance."""
        answer = await self._find("settings", name)
        return self._read(self._dialect.settings_found, answer)

    async def delete(self, name: str) -> bool:
        """The server will remove the instance: look until `connection` is None (EVOLUTION.md §1.4).

        False: no such instance. 1.8 wants a connected one logged out first.
        """
        async with self._altogether(limits.DELETE):
            answer = await self._unmake("delete", name)
            if errors.still_connected(answer.body):
                await self._unmake("logout", name)
            for _ in range(DELETES_AFTER_LOGOUT):
                if not errors.still_connected(answer.body):
                    break
                await asyncio.sleep(limits.PAUSE)
                answer = await self._unmake("delete", name)
        return self._checked(answer) is not None

    async def census(self) -> AsyncIterator[Sighting]:
        """Everything that the server carries, as its database says (EVOLUTION.md §1.7, §3).

        Raises EvolutionFailed before the first sighting rather than leaving one out.
        """
        call = Call("GET", "/instance/fetchInstances", limits.CENSUS, repeat=True)
        answer = await self._call(call)
        sightings = self._read(self._dialect.census, answer)
        if sightings is None:
            raise problems.EvolutionFailed(f"{self._server.id} answered 404")
        for sighting in sightings:
            yield sighting

    async def version(self) -> str | None:
        """What the server calls itself. Slow when WhatsApp is (EVOLUTION.md §2): not for health."""
        answer = await self._call(Call("GET", "/", limits.VERSION))
        found = answer.body.get("version") if answer and isinstance(answer.body, dict) else None
        return found if isinstance(found, str) else None

    @property
    def manager_url(self) -> str:
        """Return where a person administers the server, without what signs anybody in."""
        return str(httpx.URL(self._server.url).copy_with(username=None, password=None)) + "/manager"

    async def licensed(self) -> bool | None:
        """Tell whether a licence was activated; None: the server asks for none (before 2.4, §9).

        Raises EvolutionFailed when it doesn't tell.
        """
        answer = await self._hear(Call("GET", "/license/status", limits.VERIFY, repeat=True))
        if answer.status == 404:
            return None
        return self._read(self._dialect.licensed, self._checked(answer))

    async def verify(self) -> bool:
        """Whether the server accepts our key. Never raises EvolutionRefusedKey."""
        method, route, body, query = self._dialect.verification
        try:
            await self._call(Call(method, route, limits.VERIFY, body, query, repeat=True))
        except problems.EvolutionRefusedKey:
            return False
        return True

    async def _set(self, what: str, name: str, body: Any) -> bool:
        route = path(what, "set", name)
        call = Call("POST", route, limits.CONFIGURE, body, repeat=True)
        return await self._call(call) is not None

    async def _find(self, what: str, name: str) -> Answer | None:
        route = path(what, "find", name)
        return await self._call(Call("GET", route, limits.FIND, repeat=True))

    async def _unmake(self, how: str, name: str) -> Answer:
        return await self._hear(Call("DELETE", path("instance", how, name), limits.DELETE))

    def _creation(self, answer: Answer) -> Creation:
        account = self._account_of(answer)
        refused = 400 <= answer.status < 500 and answer.status != 408
        told = bool(errors.texts(answer.body))
        if answer.succeeded and self._dialect.created(answer.body):
            return Created()
        if answer.status == 403 and errors.name_in_use(answer.body):
            return NameInUse()
        if refused and told and not errors.from_database(answer.body):
            return Refused(account, full=errors.full(answer.body))
        return Doubtful(account, over=errors.by_evolution(answer.body, answer.status))
