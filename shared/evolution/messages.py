"""What lines say and what their chats hold, on one server (EVOLUTION.md §5, §6)."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import httpx

from shared import problems
from shared.config import Server
from shared.domain.outgoing import Outgoing
from shared.domain.upstream import (
    Media,
    MessageKey,
    NotSent,
    Page,
    Presence,
    SendDoubtful,
    Sending,
    WhyNotSent,
)
from shared.evolution import chats, errors, limits, message_dialects
from shared.evolution.calls import Answer, Call, Calls, Lost, path
from shared.evolution.refusals import reason_not_sent


class Messages(Calls):
    """The message and chat routes of one server.

    What sends answers with an outcome; it only raises EvolutionUnreachable (nothing was sent),
    EvolutionRefusedKey and ServerNotLicensed (neither). The rest raises like the other calls.
    """

    def __init__(self, server: Server, http: httpx.AsyncClient) -> None:
        super().__init__(server, http)
        self._message_dialect = message_dialects.of(server)

    async def send(self, name: str, outgoing: Outgoing) -> Sending:
        """The message is on its way if Sent, and surely isn't if NotSent. Never repeated here.

        Takes as long as `typing_ms` says, and up to 60 s more if WhatsApp doesn't answer who a
        number is (EVOLUTION.md §5).
        """
        route, body = self._message_dialect.send(outgoing)
        within = limits.SEND + outgoing.options.typing_ms / 1000
        heard = await self._ask(Call("POST", path("message", route, name), within, body))
        return self._sending(heard, outgoing)

    async def edit(self, name: str, key: MessageKey, text: str) -> Sending:
        """A message of ours reads `text`. EVOLUTION.md §6."""
        body = {"number": key.jid, "key": message_dialects.key_fields(key), "text": text}
        route = path("chat", "updateMessage", name)
        call = Call(self._message_dialect.edit_method, route, limits.SEND, body)
        return self._sending(await self._ask(call))

    async def delete_message(self, name: str, key: MessageKey) -> Sending:
        """A message of ours is gone for everybody. EVOLUTION.md §6."""
        body = message_dialects.key_fields(key)
        route = path("chat", "deleteMessageForEveryone", name)
        return self._sending(await self._ask(Call("DELETE", route, limits.SEND, body)))

    async def mark_read(self, name: str, keys: Iterable[MessageKey]) -> bool:
        """The senders see that these were read. False: no such instance. EVOLUTION.md §6."""
        body = self._message_dialect.mark_read(list(keys))
        route = path("chat", "markMessageAsRead", name)
        method = self._message_dialect.mark_read_method
        call = Call(method, route, limits.LOOKUP, body, repeat=True)
        return await self._call(call) is not None

    async def numbers_on_whatsapp(self, name: str, numbers: list[str]) -> list[Presence] | None:
        """Who of them is on WhatsApp, in the order asked. None: no such instance.

        Raises LineNotOpen when the instance isn't connected. EVOLUTION.md §6.
        """
        if not numbers:
            return []
        asked = list(dict.fromkeys(numbers))
        answer = await self._look("whatsappNumbers", name, {"numbers": asked})
        if chats.never_connected(answer.status, answer.body) or (
            self._refusal(answer) is WhyNotSent.NOT_CONNECTED
        ):
            raise problems.LineNotOpen
        found = self._read(chats.presences, self._checked(answer))
        return found and sorted(found, key=lambda presence: _place(presence.number, asked))

    async def messages(
        self, name: str, since: datetime, until: datetime, page: int = 1
    ) -> Page | None:
        """What the server keeps of that time, as it wrote it. None: no such instance.

        1.8 has no pages: only its newest are looked at. EVOLUTION.md §6.
        """
        body = self._message_dialect.find(since, until, page)
        answer = self._checked(await self._look("findMessages", name, body))
        most = message_dialects.OLD_PAGE_SIZE
        return self._read(lambda found: chats.page(found, since, until, most), answer)

    async def media(self, name: str, message_id: str) -> Media | None:
        """The file in a message. None: there is none, or it can't be had any more. EVOLUTION.md §6.

        Takes 5 s longer when WhatsApp's own server doesn't have it.
        """
        body = {"message": {"key": {"id": message_id}}, "convertToMp4": False}
        answer = await self._look("getBase64FromMediaMessage", name, body, limits.MEDIA)
        if answer.status == 400 and errors.media_gone(answer.body):
            return None
        return self._read(chats.media, self._checked(answer))

    async def profile_picture(self, name: str, number: str) -> str | None:
        """Where a contact's picture is, for a while. None: nobody shows us one. EVOLUTION.md §6."""
        body = {"number": number}
        answer = self._checked(await self._look("fetchProfilePictureUrl", name, body))
        return self._read(chats.picture, answer)

    async def _look(self, route: str, name: str, body: Any, within: float | None = None) -> Answer:
        """Any answer to a question, which is harmless to repeat."""
        call = Call("POST", path("chat", route, name), within or limits.LOOKUP, body, repeat=True)
        return await self._hear(call)

    def _sending(self, heard: Answer | Lost, outgoing: Outgoing | None = None) -> Sending:
        match heard:
            case Lost(sent=False) as lost:
                raise self._problem_of(lost) from lost.cause
            case Lost() as lost:
                return SendDoubtful(lost.why)
            case Answer() as answer:
                self._check_key(answer)
                return self._outcome(answer, outgoing)

    def _outcome(self, answer: Answer, outgoing: Outgoing | None) -> Sending:
        account = self._account_of(answer)
        if answer.succeeded:
            return chats.sent(answer.body) or SendDoubtful(account)
        reason = self._refusal(answer, outgoing)
        return NotSent(reason, account) if reason else SendDoubtful(account)

    def _refusal(self, answer: Answer, outgoing: Outgoing | None = None) -> WhyNotSent | None:
        """Why nothing was sent. A success never tells, whatever its body says."""
        return None if answer.is_success else reason_not_sent(answer.status, answer.body, outgoing)


def _place(number: str, asked: list[str]) -> int:
    return asked.index(number) if number in asked else len(asked)
