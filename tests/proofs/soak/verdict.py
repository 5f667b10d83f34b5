"""Judge whether each promise was kept, by comparing what its parties know. Pure."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from shared.domain.positions import second_of
from tests.perene import name_of
from tests.proofs.soak.evidence import Evidence, Outcome
from tests.proofs.soak.load import WORD, Asked, Written
from tests.proofs.soak.neighbours import Told

MOST_NAMED = 5


class Finding(NamedTuple):
    """How often a promise was looked at, and what broke it."""

    promise: str
    compared: str
    looked: int
    broken: Sequence[str]

    @property
    def named(self) -> str:
        """Name the first that are broken, for a person who has to find out why."""
        more = len(self.broken) - MOST_NAMED
        return ", ".join(self.broken[:MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


def judge(evidence: Evidence) -> list[Finding]:
    """Compare the promises with what was seen; a promise that was never tried counts as broken."""
    findings = [
        Finding(promise, compared, *_count(check(evidence)))
        for promise, (compared, check) in CHECKS.items()
    ]
    return [
        finding if finding.looked else finding._replace(broken=["never tried"])
        for finding in findings
    ]


def _count(looks: Iterator[str | None]) -> tuple[int, list[str]]:
    results = [*looks]
    return len(results), [broken for broken in results if broken]


def _fail_if(is_broken: object, name: str) -> str | None:
    return name if is_broken else None


# The promises: each check yields None for what is right, and a name for what isn't ---------------


def check_one_instance(evidence: Evidence) -> Iterator[str | None]:
    upstream = Counter(instance.name for instance in evidence.instances)
    for name in evidence.records.keys() | upstream.keys():
        yield _fail_if(upstream[name] > 1, f"{name} has {upstream[name]} instances")
    yield _fail_if(evidence.creates_at_once > 1, "two creates of one name at once")


def check_reuse(evidence: Evidence) -> Iterator[str | None]:
    upstream = {instance.name: instance for instance in evidence.instances}
    for name, record in evidence.records.items():
        is_wanted = record["state"] not in ("releasing", "missing")
        yield _fail_if(is_wanted and name not in upstream, f"{name} is gone upstream")
    for name in upstream:
        yield _fail_if(name not in evidence.records, f"{name} has no record")
    yield from (f"a sweep found {rule}" for rule in evidence.broken_rules)


def check_capacity(evidence: Evidence) -> Iterator[str | None]:
    holders = Counter(evidence.slots.holders)
    yield _fail_if(holders.total() > evidence.slots.limit, "more slots than there may be")
    for name in holders.keys() | evidence.records.keys():
        yield _fail_if(
            holders[name] != int(name in evidence.records), f"{name} has {holders[name]} slots"
        )


def check_nothing_lost(evidence: Evidence) -> Iterator[str | None]:
    """Everything that a line's server keeps: what it posted, and what the sweeps had to fetch."""
    stored = {message["id"] for messages in evidence.stored.values() for message in messages}
    for message, written in evidence.written.items():
        if written.sure or message in evidence.kept[written.tenant]:
            yield _fail_if(message not in stored, f"{message} isn't stored")
    for posted in evidence.posted:
        yield _fail_if(posted.message not in stored, f"{posted.message} isn't stored")
    yield _fail_if(evidence.dead_letters, "there are dead letters")


def check_nothing_twice(evidence: Evidence) -> Iterator[str | None]:
    texts = Counter[str]()
    inbound = defaultdict[str, Counter[int]](Counter)
    for messages in evidence.stored.values():
        texts.update(message["text"] for message in messages if message.get("text"))
        for message in messages:
            if not message["from_me"]:
                inbound[message["conversation"]][second_of(message["at"])] += 1
    for text, count in texts.items():
        yield _fail_if(count > 1, f"{text.removeprefix(WORD).strip()} is stored {count} times")
    for conversations in evidence.conversations.values():
        for home, conversation in conversations.items():
            yield from _check_unread(home, conversation, inbound[home])


def _check_unread(
    home: str, conversation: Mapping[str, Any], stored: Mapping[int, int]
) -> Iterator[str | None]:
    """Look at the unread messages of each second; what was answered may be counted no more."""
    counted = {int(at): count for at, count in conversation.get("unread_at", {}).items()}
    for at in counted.keys() | stored.keys():
        there, seen = stored.get(at, 0), counted.get(at, 0)
        fewest = 0 if at <= conversation.get("read_until", 0) else there
        counts = f"{seen} counted, {there} stored at {at}"
        yield _fail_if(not fewest <= seen <= there, f"conversation {home}: {counts}")


def check_delivery(evidence: Evidence) -> Iterator[str | None]:
    """At least what was told and acknowledged, and at most what is true."""
    told = defaultdict[str, int](int)
    for posted in evidence.posted:
        told[posted.message] = max(told[posted.message], posted.status)
    for tenant, messages in evidence.stored.items():
        for message in messages:
            name, status = message["id"], message.get("progress", 0)
            if message["from_me"] and name in evidence.kept[tenant]:
                highest = evidence.kept[tenant][name]
                is_between = told[name] <= status <= max(highest, 1)
                yield _fail_if(
                    not is_between, f"{name}: told {told[name]}, stored {status}, true {highest}"
                )


def check_number(evidence: Evidence) -> Iterator[str | None]:
    for delivered in evidence.delivered:
        number = _find_number(evidence, delivered.instance)
        yield _fail_if(delivered.number != number, f"{delivered.id} left by another number")
        tenant = delivered.text.split()[1]
        yield _fail_if(delivered.instance != name_of(tenant), f"{delivered.id} left by another")
    for tenant, messages in evidence.stored.items():
        for message in messages:
            is_right = message["number"] == evidence.numbers[tenant]
            yield _fail_if(not is_right, f"{message['id']} has another number")


def _find_number(evidence: Evidence, instance: str) -> str | None:
    names = {name_of(tenant): number for tenant, number in evidence.numbers.items()}
    return names.get(instance)


def check_said_once(evidence: Evidence) -> Iterator[str | None]:
    delivered = Counter(message.text for message in evidence.delivered)
    stored = {
        message.get("send")
        for messages in evidence.stored.values()
        for message in messages
        if message["from_me"]
    }
    for key, asked in evidence.asked.items():
        outcome, count = evidence.outcomes[key].state, delivered[asked.text]
        yield _fail_if(count > 1, f"{key} was delivered {count} times")
        yield _fail_if(
            outcome == "sent" and not (count and key in stored), f"{key} is sent only by word"
        )
        yield _fail_if(
            outcome in ("failed", "unknown") and count, f"{key} was delivered, {outcome}"
        )
        yield _fail_if(outcome == "sending", f"{key} never ended")


def check_tenants_apart(evidence: Evidence) -> Iterator[str | None]:
    for tenant, messages in evidence.stored.items():
        for message in messages:
            text = message.get("text") or f"{WORD} {tenant}"
            yield _fail_if(text.split()[1] != tenant, f"{message['id']} stands in {tenant}")
    for tenant, events in evidence.told.items():
        yield _fail_if(any(event.tenant != tenant for event in events), f"{tenant} was told")


def check_nothing_deleted(evidence: Evidence) -> Iterator[str | None]:
    upstream = {instance.name: instance for instance in evidence.instances}
    for instance in evidence.before:
        now = upstream.get(instance.name)
        yield _fail_if(now is None or now.id != instance.id, f"{instance.name} is another one")


def check_one_line(evidence: Evidence) -> Iterator[str | None]:
    live = defaultdict[str, list[str]](list)
    for name, record in evidence.records.items():
        if record["state"] == "open" and record["number"]:
            live[record["number"]].append(name)
    for number, names in live.items():
        yield _fail_if(len(names) > 1, f"{len(names)} lines are live with one number")
        owner = evidence.owners.get(number)
        yield _fail_if(owner not in names, f"{names[0]} is live, and {owner} owns its number")


def check_problems(evidence: Evidence) -> Iterator[str | None]:
    yield from (None for _ in range(sum(evidence.answers.values()) - len(evidence.odd_answers)))
    yield from evidence.odd_answers
    yield from (None for _ in range(evidence.log_lines - len(evidence.leaks)))
    yield from evidence.leaks


def check_told(evidence: Evidence) -> Iterator[str | None]:
    for tenant, messages in evidence.stored.items():
        told = {(event.type, event.about) for event in evidence.told[tenant]}
        for kind, about in list_expected(tenant, messages, evidence.asked, evidence.outcomes):
            yield _fail_if((kind, about) not in told, f"{kind} of {about} was never told")
        yield from _check_order(evidence.told[tenant], messages, evidence.late)
    yield _fail_if(evidence.forged, f"{evidence.forged} events were forged")


def _check_order(
    events: Sequence[Told], messages: Sequence[Mapping[str, Any]], late: frozenset[str]
) -> Iterator[str | None]:
    """Look at the order of new messages in each conversation, as they were told first."""
    stored_at = {message["id"]: message["stored_at"] for message in messages}
    new = dict.fromkeys(
        (event.conversation, event.about)
        for event in events
        if event.type in ("message.received", "message.sent") and event.about not in late
    )
    last = dict[str, str]()
    for home, message in new:
        before = last.get(home)
        if message in stored_at:
            is_early = before is not None and stored_at[message] < stored_at[before]
            yield _fail_if(is_early, f"{message} was told after {before}")
            last[home] = message


def list_expected(
    tenant: str,
    messages: Sequence[Mapping[str, Any]],
    asked: Mapping[str, Asked],
    outcomes: Mapping[str, Outcome],
) -> set[tuple[str, str]]:
    """List the events that a tenant's endpoint has to be told, by their type and what they say."""
    expected = {
        ("message.sent" if message["from_me"] else "message.received", message["id"])
        for message in messages
    }
    return expected | {
        ("send.settled", key)
        for key, outcome in outcomes.items()
        if asked[key].tenant == tenant and outcome.state == "sent"
    }


def check_media(evidence: Evidence) -> Iterator[str | None]:
    files = list_files(evidence.stored, evidence.written, evidence.asked)
    for message, name in files.items():
        content, sha256 = evidence.files.get(name), name.partition("/")[2]
        is_stored = content is not None and hashlib.sha256(content).hexdigest() == sha256
        yield _fail_if(not is_stored, f"{message}'s file isn't in the bucket")
        opened = evidence.opened.get(message, sha256)
        yield _fail_if(opened != sha256, f"{message} opens as {opened[:8]}")


def list_files(
    stored: Mapping[str, Sequence[Mapping[str, Any]]],
    written: Mapping[str, Written],
    asked: Mapping[str, Asked],
) -> dict[str, str]:
    """List by message the objects that the bucket has to have."""
    received = {message: wrote.sha256 for message, wrote in written.items()}
    sent = {key: wanted.sha256 for key, wanted in asked.items()}
    return {
        message["id"]: f"{tenant}/{sha256}"
        for tenant, messages in stored.items()
        for message in messages
        if (sha256 := received.get(message["id"]) or sent.get(message.get("send", "")))
    }


def check_order(evidence: Evidence) -> Iterator[str | None]:
    """Look at what contacts wrote: it stands as its server had it, by seconds if nobody posted it.

    A whole second's order is lost with the webhooks that told it.
    """
    for tenant, messages in evidence.stored.items():
        stored = {message["id"]: message for message in messages}
        by_contact = defaultdict[str, list[Mapping[str, Any]]](list)
        for name in evidence.kept[tenant]:
            if name in evidence.written and name in stored:
                by_contact[evidence.written[name].contact].append(stored[name])
        for said in by_contact.values():
            for first, second in pairwise(said):
                is_fine = all(message.get("emitted") for message in (first, second))
                places = [m["at"] if is_fine else m["at"] // 1000 for m in (first, second)]
                swapped = f"{second['id']} stands before {first['id']}"
                yield _fail_if(places[0] > places[1], swapped)
            homes = {message["conversation"] for message in said}
            yield _fail_if(len(homes) > 1, f"{tenant} has a contact in {len(homes)} conversations")
        for home in evidence.conversations[tenant]:
            thread = [name for name in evidence.threads.get(home, ()) if name in stored]
            places = [stored[name]["at"] for name in thread]
            yield _fail_if(places != sorted(places, reverse=True), f"thread {home}")


CHECKS: Mapping[str, tuple[str, Callable[[Evidence], Iterator[str | None]]]] = {
    "P1": ("names of instances, and creates in flight", check_one_instance),
    "P2": ("records with instances, each way", check_reuse),
    "P3": ("slots with records, and their limit", check_capacity),
    "P4": ("what was written or posted with what is stored", check_nothing_lost),
    "P5": ("texts, and unread messages by seconds", check_nothing_twice),
    "P6": ("delivery with the highest status told", check_delivery),
    "P7": ("numbers of what was delivered and stored", check_number),
    "P8": ("outcomes with what contacts received", check_said_once),
    "P9": ("tenants of texts, inboxes and events", check_tenants_apart),
    "P10": ("instances that stayed with those before", check_nothing_deleted),
    "P11": ("live lines with the owners of numbers", check_one_line),
    "P12": ("answers that failed, and lines of logs", check_problems),
    "P13": ("what is stored with what endpoints took", check_told),
    "P14": ("files with the bucket's, and as they open", check_media),
    "P15": ("threads with the order at the server", check_order),
}
