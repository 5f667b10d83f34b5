"""Judge what a handler stored: it must say what was posted, whatever came twice or late."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tests.benchmarks.arrivals import Arrival


class KeptMessage(NamedTuple):
    """A message in the store: its id on WhatsApp, its conversation's, and how far it got (or 0)."""

    id: str
    conversation: str
    delivery: int


class KeptConversation(NamedTuple):
    """A conversation in the store: how many messages are unread, and the id of the last one."""

    unread: int
    last: str | None


class Kept(NamedTuple):
    """All that a handler stored. A message that it stored twice is in there twice."""

    messages: Sequence[KeptMessage]
    conversations: Mapping[str, KeptConversation]


def judge(arrivals: Iterable[Arrival], kept: Kept) -> Counter[str]:
    """Count what is wrong, by its kind; nothing if the store is as what was posted says.

    Every message is there once, all of one contact of a line in one conversation and no other's in
    it. Unread are those after our last one, and the last is the one that was said last. A message
    of ours got as far as the farthest of what came about it.
    """
    posted = list(arrivals)
    messages = {arrival.message: arrival for arrival in posted if not arrival.is_status}
    return Counter(
        {
            kind: number
            for kind, number in {
                **_count_wrong_messages(messages, kept),
                "delivery": _count_wrong_deliveries(posted, messages, kept),
                **_count_wrong_conversations(messages, kept),
            }.items()
            if number
        }
    )


def _count_wrong_messages(messages: Mapping[str, Arrival], kept: Kept) -> dict[str, int]:
    stored = Counter(message.id for message in kept.messages)
    return {
        "missing": len(messages.keys() - stored.keys()),
        "unknown": len(stored.keys() - messages.keys()),
        "twice": sum(number > 1 for number in stored.values()),
    }


def _count_wrong_deliveries(
    posted: Iterable[Arrival], messages: Mapping[str, Arrival], kept: Kept
) -> int:
    farthest = Counter[str]()
    for arrival in posted:
        farthest[arrival.message] = max(farthest[arrival.message], arrival.delivery)
    ours = {message for message, arrival in messages.items() if arrival.delivery}
    return sum(
        message.id in ours and message.delivery != farthest[message.id] for message in kept.messages
    )


def _count_wrong_conversations(messages: Mapping[str, Arrival], kept: Kept) -> dict[str, int]:
    """Count contacts without a conversation of their own, and wrong figures of the others'."""
    said = defaultdict[tuple[str, str, str], list[Arrival]](list)
    for arrival in messages.values():
        said[_find_chat(arrival)].append(arrival)
    homes, chats = defaultdict[object, set[str]](set), defaultdict[str, set[object]](set)
    for message in kept.messages:
        if message.id in messages:
            chat = _find_chat(messages[message.id])
            homes[chat].add(message.conversation)
            chats[message.conversation].add(chat)
    wrong = Counter[str]()
    for chat, arrivals in said.items():
        (home, *others) = homes[chat] or {""}
        summary = kept.conversations.get(home)
        if others or len(chats[home]) != 1 or summary is None:
            wrong["conversation"] += 1
            continue
        wrong["unread"] += summary.unread != _count_unread(arrivals)
        wrong["last"] += summary.last != max(arrivals, key=lambda arrival: arrival.at).message
    return dict(wrong)


def _find_chat(arrival: Arrival) -> tuple[str, str, str]:
    return arrival.tenant, arrival.line, arrival.contact


def _count_unread(arrivals: Iterable[Arrival]) -> int:
    answered = max((arrival.at for arrival in arrivals if arrival.delivery), default=0)
    return sum(arrival.at > answered for arrival in arrivals)
