"""Fill the emulator with copies of a line, a message and a conversation that functions stored."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from google.cloud import firestore

from shared.domain.search import tokens_of
from shared.store.messages.documents import lane_of
from tests.perene import name_of

COMMIT, AT_ONCE = 400, 4
"""Records in one commit, and commits under way."""

MESSAGES_A_PERSON = 20
THREAD_SHARE = 10
"""Of so many messages one is in the thread that is measured; the others are spread over people."""

FIRST_AT = 1_790_000_000_000
"""The time of the oldest copy (epoch milliseconds); each further one is a second younger."""

Fields = Mapping[str, Any]


class Copy(NamedTuple):
    """A record to store: where, and its fields."""

    path: str
    fields: Fields


@dataclass(frozen=True)
class Patterns:
    """Documents of one open line with one conversation, as functions stored them."""

    tenant: Fields
    instance: Fields
    conversation: Fields
    message: Fields

    def copy_lines(self, numbers: Iterable[int], lines_a_server: int) -> Iterator[Copy]:
        """Yield the records of open lines with these numbers, on servers `s0`, `s1` …"""
        for number in numbers:
            tenant, phone = f"t{number:06}", f"55119{number:08}"
            name, (server, slot) = name_of(tenant), divmod(number, lines_a_server)
            line = {"name": name, "tenant": tenant, "server": f"s{server}", "number": phone}
            tokens = tokens_of(phone, self.instance["label"], tenant, self.instance["line"])
            line |= {"claimed": phone, "tokens": list(tokens)}
            yield Copy(f"tenants/{tenant}", {**self.tenant, "tenant": tenant})
            yield Copy(f"instances/{name}", {**self.instance, **line})
            yield Copy(f"numbers/{phone}", {"instance": name, "tenant": tenant, "opened": 1})
            yield Copy(f"servers/s{server}/slots/{slot}", {"instance": name})

    def copy_messages(self, numbers: Iterable[int]) -> Iterator[Copy]:
        """Yield messages with these numbers, and the conversations of those who wrote them."""
        home = f"tenants/{self.message['tenant']}"
        for number in numbers:
            person, turn = divmod(number, MESSAGES_A_PERSON)
            theirs = f"c{person:07}"
            conversation = theirs if number % THREAD_SHARE else self.message["conversation"]
            at, name = FIRST_AT + 1000 * number, f"F{number}"
            change = {"id": name, "conversation": conversation, "at": at, "changed": at}
            path = f"{home}/messages/{self.message['line']}~{name}"
            yield Copy(path, {**self.message, **change, "lane": lane_of(name)})
            if turn == MESSAGES_A_PERSON - 1:
                preview = {**self.conversation["preview"], "message": name, "at": at}
                change = {"contact": f"55118{person:07}", "last_at": at, "preview": preview}
                yield Copy(f"{home}/conversations/{theirs}", {**self.conversation, **change})


async def store_copies(client: firestore.AsyncClient, copies: Iterable[Copy]) -> None:
    """Store records in large commits, a few at a time."""
    remaining = iter(copies)

    async def store_next() -> None:
        while several := list(islice(remaining, COMMIT)):
            batch = client.batch()
            for copy in several:
                batch.set(client.document(copy.path), dict(copy.fields))
            await batch.commit()

    await asyncio.gather(*(store_next() for _ in range(AT_ONCE)))
