"""Send messages, and ask for chats and files, on one server (EVOLUTION.md §5, §6)."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import httpx

from shared import problems
from shared.config import Server
from shared.domain.outgoing import Outgoing
from shared.domain.upstream import (
    HistoryPage,
    MessageKey,
    NotSent,
    Presence,
    ReceivedMedia,
    SendDoubtful,
    Sending,
    WhyNotSent,
)
from shared.evolution import errors, history, limits, message_dialects, responses
from shared.evolution.file_stream import FileStream
from shared.evolution.http import NOT_JSON, Answer, Call, Lost, ServerCalls, build_path, read_json
from shared.evolution.json_values import MalformedError
from shared.evolution.refusals import find_refusal


class MessageRoutes(ServerCalls):
    """The message and chat routes of one server.

    Calls that send return an outcome; they only raise EvolutionUnreachable (nothing was sent),
    EvolutionRefusedKey and ServerNotLicensed (neither). The rest raises like the other calls.
    """

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        super().__init__(server, http)
        self._message_dialect = message_dialects.find_message_dialect(server)

    async def send_message(
        self, name: str, outgoing: Outgoing, own_number: str | None = None
    ) -> Sending:
        """Send a message, and never repeat it here. `own_number`: the digits of the line's number.

        The message is on its way if Sent, and surely isn't if NotSent. A server that is ailing is
        asked something harmless first: each message that it doesn't answer leaves a doubt that
        only a person may be able to end. Takes as long as `typing_ms` says, and up to 60 s more if
        WhatsApp doesn't answer who a number is (EVOLUTION.md §5).
        """
        if self._is_ailing:
            await self._require_health(name)
        route, body = self._message_dialect.build_send(outgoing)
        within = limits.SEND + outgoing.options.typing_ms / 1000
        call = Call("POST", build_path("message", route, name), within, body)
        return self._read_sending(await self._try(call), outgoing, own_number)

    async def edit_message(
        self, name: str, key: MessageKey, text: str, own_number: str | None = None
    ) -> Sending:
        """Change the text of a message of ours. EVOLUTION.md §6."""
        body = {"number": key.jid, "key": message_dialects.write_key(key), "text": text}
        route = build_path("chat", "updateMessage", name)
        call = Call(self._message_dialect.edit_method, route, limits.SEND, body)
        return self._read_sending(await self._try(call), own_number=own_number)

    async def delete_message(self, name: str, key: MessageKey) -> Sending:
        """Delete a message of ours for everybody. EVOLUTION.md §6."""
        body = message_dialects.write_key(key)
        route = build_path("chat", "deleteMessageForEveryone", name)
        return self._read_sending(await self._try(Call("DELETE", route, limits.SEND, body)))

    async def mark_read(self, name: str, keys: Iterable[MessageKey]) -> bool:
        """Show the senders that these were read. False: no such instance. EVOLUTION.md §6."""
        body = self._message_dialect.build_mark_read(list(keys))
        route = build_path("chat", "markMessageAsRead", name)
        method = self._message_dialect.mark_read_method
        call = Call(method, route, limits.LOOKUP, body, repeat=True)
        return await self._call(call) is not None

    async def look_up_numbers(self, name: str, numbers: list[str]) -> list[Presence] | None:
        """Find which numbers are on WhatsApp, in their order. None: no such instance.

        Raises LineNotOpen when the instance isn't connected. EVOLUTION.md §6.
        """
        if not numbers:
            return []
        distinct = list(dict.fromkeys(numbers))
        answer = await self._ask("whatsappNumbers", name, {"numbers": distinct})
        if responses.says_never_connected(answer.status, answer.body) or (
            self._find_refusal(answer) is WhyNotSent.NOT_CONNECTED
        ):
            raise problems.LineNotOpen
        presences = self._read(responses.read_presences, self._require_accepted(answer))
        return presences and sorted(
            presences, key=lambda presence: _find_place(presence.number, distinct)
        )

    async def history(
        self, name: str, own_number: str, since: datetime, until: datetime, page: int = 1
    ) -> HistoryPage | None:
        """Read a page of the messages that the server stores, as events. None: no such instance.

        `own_number`: the digits of the number that the line had then. Page 1 is the newest. 1.8 has
        no pages, and only its newest 5 000 messages are read. EVOLUTION.md §6.
        """
        body = self._message_dialect.build_search(since, until, page)
        answer = self._require_accepted(await self._ask("findMessages", name, body))
        most = message_dialects.OLD_PAGE_SIZE
        records = self._read(lambda body: responses.read_page(body, since, until, most), answer)
        return None if records is None else history.read_history(records, own_number)

    @asynccontextmanager
    async def open_media(
        self, name: str, message_id: str, within: float | None = None
    ) -> AsyncIterator[ReceivedMedia | None]:
        """Open the file in a message, as a stream. EVOLUTION.md §6.

        None: there is none, or not any more, or the server doesn't carry the instance. Takes 5 s
        longer when WhatsApp's own server doesn't have it. `within`: seconds for all of the file,
        60 if absent.
        Its chunks raise EvolutionFailed for what isn't a whole file.
        """
        body = {"message": {"key": {"id": message_id}}, "convertToMp4": False}
        path = build_path("chat", "getBase64FromMediaMessage", name)
        async with self._open(Call("POST", path, within or limits.MEDIA, body)) as response:
            yield await self._read_media(response)

    async def find_group_subject(self, name: str, group: str) -> str | None:
        """Find the subject of a group by its address. EVOLUTION.md §6.

        None: the line isn't in that group, or the server doesn't carry the line.
        """
        path = build_path("group", "findGroupInfos", name)
        call = Call("GET", path, limits.LOOKUP, query={"groupJid": group}, repeat=True)
        answer = await self._fetch(call)
        if answer.status in (400, 404):
            return None
        return self._read(responses.read_group_subject, self._require_accepted(answer))

    async def _read_media(self, response: httpx.Response) -> ReceivedMedia | None:
        stream = FileStream(self._read_body(response))
        if response.is_success and await stream.find_file():
            media = ReceivedMedia(stream.pieces())
            media.chunks = self._read_file(stream, media, response.status_code)
            return media
        answer = Answer(response.status_code, read_json(await stream.read_rest()))
        self._check_key(answer)
        if answer.status == 400 and errors.says_media_gone(answer.body):
            return None
        if self._require_accepted(answer) is None:
            return None
        raise self._build_failure(answer)

    async def _read_file(
        self, stream: FileStream, media: ReceivedMedia, status: int
    ) -> AsyncIterator[bytes]:
        try:
            async for piece in stream.pieces():
                yield piece
            media.mimetype, media.file_name = responses.read_media_facts(stream.frame)
        except MalformedError as error:
            raise self._build_failure(Answer(status, NOT_JSON)) from error

    async def _require_health(self, name: str) -> None:
        """Check that the server answers from its database, which a send reads and writes too.

        Raises EvolutionUnreachable: nothing was sent.
        """
        try:
            await self._call(Call("GET", build_path("webhook", "find", name), limits.FIND))
        except (problems.EvolutionFailed, problems.EvolutionTimedOut) as failure:
            raise problems.EvolutionUnreachable(failure.detail) from failure

    async def _ask(self, route: str, name: str, body: Any) -> Answer:
        """Return any answer to a question, which is harmless to repeat."""
        path = build_path("chat", route, name)
        return await self._fetch(Call("POST", path, limits.LOOKUP, body, repeat=True))

    def _read_sending(
        self,
        result: Answer | Lost,
        outgoing: Outgoing | None = None,
        own_number: str | None = None,
    ) -> Sending:
        match result:
            case Lost(sent=False) as lost:
                raise self._build_problem(lost) from lost.cause
            case Lost() as lost:
                return SendDoubtful(lost.why)
            case Answer() as answer:
                self._check_key(answer)
                return self._read_outcome(answer, outgoing, own_number)

    def _read_outcome(
        self, answer: Answer, outgoing: Outgoing | None, own_number: str | None
    ) -> Sending:
        account = self._describe(answer)
        if answer.is_accepted:
            return responses.read_sent(answer.body, own_number) or SendDoubtful(account)
        reason = self._find_refusal(answer, outgoing)
        return NotSent(reason, account) if reason else SendDoubtful(account)

    def _find_refusal(self, answer: Answer, outgoing: Outgoing | None = None) -> WhyNotSent | None:
        """Find why nothing was sent. A success is no refusal, whatever its body says."""
        return None if answer.is_success else find_refusal(answer.status, answer.body, outgoing)


def _find_place(number: str, numbers: list[str]) -> int:
    return numbers.index(number) if number in numbers else len(numbers)
