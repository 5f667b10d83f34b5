"""Create, link, configure, count and remove the instances of one server."""

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
from shared.evolution.capabilities import find_capabilities
from shared.evolution.http import Answer, Call, Lost, build_path
from shared.evolution.limits import LONGEST_CALL
from shared.evolution.message_routes import MessageRoutes

__all__ = ["LONGEST_CALL", "Evolution"]

DELETES_AFTER_LOGOUT = 5
"""1.8 answers a logout before the socket is closed (EVOLUTION.md §3)."""


class Evolution(MessageRoutes):
    """One Evolution server, which speaks in types of `shared.domain`.

    Besides what each method says, all raise EvolutionUnreachable (refused or cut),
    EvolutionTimedOut, EvolutionRefusedKey (401), ServerNotLicensed (2.4) and EvolutionFailed (5xx,
    HTML, bodies that make no sense).
    """

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        super().__init__(server, http)
        self._dialect = dialects.find_dialect(server)
        self.capabilities = find_capabilities(server.version)

    async def find_connection(self, name: str) -> Connection | None:
        """Ask for a socket's state in the server's memory (EVOLUTION.md §1.7).

        None: no such instance.
        """
        route = build_path("instance", "connectionState", name)
        answer = await self._call(Call("GET", route, limits.CONNECTION, repeat=True))
        return self._read(self._dialect.read_connection, answer)

    async def create_instance(
        self, name: str, configuration: Configuration, number: str | None = None
    ) -> Creation:
        """Create an instance, which isn't connected yet. EVOLUTION.md §1.1, §3.

        Two of these may never be in flight for one name. Whatever leaves a doubt is Doubtful, so
        EvolutionUnreachable means that nothing was sent. On 1.8 the instance ignores groups until
        it is configured.
        """
        body = self._dialect.build_creation(name, configuration, number)
        match await self._try(Call("POST", "/instance/create", limits.CREATE, body)):
            case Lost(sent=False) as lost:
                raise self._build_problem(lost) from lost.cause
            case Lost() as lost:
                return Doubtful(lost.why)
            case Answer() as answer:
                self._check_key(answer)
                return self._read_creation(answer)

    async def connect_instance(self, name: str, number: str | None = None) -> Link | None:
        """Start to connect a closed instance; return what to scan. None: no such instance.

        A code may be stale when the instance was connecting already. `number` asks for a pairing
        code too, and only counts when the instance was closed (EVOLUTION.md §3).
        """
        query = {"number": number} if number else None
        route = build_path("instance", "connect", name)
        answer = await self._call(Call("GET", route, limits.CONNECT, query=query))
        return self._read(self._dialect.read_link, answer)

    async def restart_instance(self, name: str) -> bool | None:
        """Reconnect a connected instance. False: it wasn't connected; None: no such instance.

        EVOLUTION.md §3: a closed one answers 200 with `error: true`, a connecting one its old code.
        """
        route = build_path("instance", "restart", name)
        answer = await self._fetch(Call(self._dialect.restart_method, route, limits.RESTART))
        if answer.is_success and errors.says_error(answer.body):
            return False
        return self._read(self._dialect.is_restarting, self._require_accepted(answer))

    async def configure_instance(self, name: str, configuration: Configuration) -> bool:
        """Set webhook and settings. False: no such instance. EVOLUTION.md §4, §6."""
        async with self._within(limits.CONFIGURE):
            webhook = self._dialect.build_webhook(configuration)
            if not await self._set("webhook", name, webhook):
                return False
            return await self._set("settings", name, self._dialect.build_settings())

    async def silence_instance(self, name: str) -> bool:
        """Turn the webhook off, so that it can't hold up a delete (EVOLUTION.md §1.4).

        False: no such instance.
        """
        return await self._set("webhook", name, self._dialect.build_silence())

    @property
    def silent_url(self) -> str:
        """Return the URL of the webhook of an instance that we silenced."""
        return dialects.SILENT_URL

    async def find_configuration(self, name: str) -> Configuration | None:
        """Ask how the webhook is set, without events when it is off; None: no such instance.

        Once configured, it reads as `fit_configuration` says.
        """
        answer = await self._find("webhook", name)
        return self._read(self._dialect.read_configuration, answer)

    def fit_configuration(self, configuration: Configuration) -> Configuration:
        """Return a configuration as the server has it once it was set.

        1.8 drops headers and some events.
        """
        return self._dialect.fit_configuration(configuration)

    async def find_settings(self, name: str) -> dict[str, bool] | None:
        """Ask for the `subscription.SETTINGS` that the server tells; None: no such instance."""
        answer = await self._find("settings", name)
        return self._read(self._dialect.read_settings, answer)

    async def delete_instance(self, name: str) -> bool:
        """Have the server remove an instance: it is gone once `find_connection` is None (§1.4).

        False: no such instance. 1.8 wants a connected one logged out first.
        """
        async with self._within(limits.DELETE):
            answer = await self._remove("delete", name)
            if errors.says_still_connected(answer.body):
                await self._remove("logout", name)
            for _ in range(DELETES_AFTER_LOGOUT):
                if not errors.says_still_connected(answer.body):
                    break
                await asyncio.sleep(limits.PAUSE)
                answer = await self._remove("delete", name)
        return self._require_accepted(answer) is not None

    async def take_census(self) -> AsyncIterator[Sighting]:
        """Yield every instance in the server's database (EVOLUTION.md §1.7, §3).

        Raises EvolutionFailed before the first sighting rather than leaving one out.
        """
        call = Call("GET", "/instance/fetchInstances", limits.CENSUS, repeat=True)
        answer = await self._call(call)
        sightings = self._read(self._dialect.read_census, answer)
        if sightings is None:
            raise problems.EvolutionFailed(f"{self._server.id} answered 404")
        for sighting in sightings:
            yield sighting

    async def fetch_version(self) -> str | None:
        """Ask for the server's version. Slow when WhatsApp is (EVOLUTION.md §2): not for health."""
        answer = await self._call(Call("GET", "/", limits.VERSION))
        version = answer.body.get("version") if answer and isinstance(answer.body, dict) else None
        return version if isinstance(version, str) else None

    @property
    def manager_url(self) -> str:
        """Return where an operator administers the server, without user and password."""
        return str(httpx.URL(self._server.url).copy_with(username=None, password=None)) + "/manager"

    async def is_licensed(self) -> bool | None:
        """Tell whether a licence was activated; None: the server asks for none (before 2.4, §9).

        Raises EvolutionFailed when it doesn't tell.
        """
        answer = await self._fetch(Call("GET", "/license/status", limits.VERIFY, repeat=True))
        if answer.status == 404:
            return None
        return self._read(self._dialect.read_licence, self._require_accepted(answer))

    async def accepts_key(self) -> bool:
        """Tell whether the server accepts our key. Never raises EvolutionRefusedKey."""
        method, route, body, query = self._dialect.verification
        try:
            await self._call(Call(method, route, limits.VERIFY, body, query, repeat=True))
        except problems.EvolutionRefusedKey:
            return False
        return True

    async def _set(self, topic: str, name: str, body: Any) -> bool:
        route = build_path(topic, "set", name)
        call = Call("POST", route, limits.CONFIGURE, body, repeat=True)
        return await self._call(call) is not None

    async def _find(self, topic: str, name: str) -> Answer | None:
        route = build_path(topic, "find", name)
        return await self._call(Call("GET", route, limits.FIND, repeat=True))

    async def _remove(self, step: str, name: str) -> Answer:
        return await self._fetch(Call("DELETE", build_path("instance", step, name), limits.DELETE))

    def _read_creation(self, answer: Answer) -> Creation:
        account = self._describe(answer)
        is_refused = 400 <= answer.status < 500 and answer.status != 408
        has_text = bool(errors.list_texts(answer.body))
        if answer.is_accepted and self._dialect.has_instance(answer.body):
            return Created()
        if answer.status == 403 and errors.says_name_in_use(answer.body):
            return NameInUse()
        if is_refused and has_text and not errors.says_database_failed(answer.body):
            return Refused(account, full=errors.says_full(answer.body))
        return Doubtful(account, over=errors.comes_from_evolution(answer.body, answer.status))
