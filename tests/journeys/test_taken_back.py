"""What was taken back is shown nowhere any more, whatever happens at the same time."""

import contextlib
import time
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest

from shared import problems
from shared.store import base
from shared.store.messages import quotes, revoke
from shared.store.messages.read import Reads
from shared.sweeps import late_quotes
from tests.journeys.test_odd_intake import MARIA, inbox, post, said
from tests.journeys.test_who_changed_it import ANA, GROUP, an_order, order
from tests.perene import Perene

NOW = int(time.time())
BY_MARIA = {"participant": f"{MARIA}@s.whatsapp.net"}


def a_quote(id: str, of: str, words: str = "PALAVRA", **more: Any) -> dict[str, Any]:
    context = {"stanzaId": of, "quotedMessage": {"conversation": words}}
    what = {"extendedTextMessage": {"text": "re", "contextInfo": context}}
    return said(id, **more) | {"message": what}


def holders(word: str, perene: Perene) -> list[str]:
    """List the messages in whose documents a word still is."""
    messages = perene.documents("tenants/acme/messages").items()
    return [name for name, fields in messages if word in str(fields)]


async def test_quote_of_revoked_message_is_empty(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", a_quote("V2", "V1"))
    await order(on_2, name, "V3", an_order("V1"))

    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA", at=NOW - 5))

    assert "PALAVRA" not in str(on_2.documents("tenants/acme/messages"))


async def test_late_quotes_are_purged_night_by_night(on_2: Perene, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quotes, "QUOTES_AT_ONCE", 2)
    monkeypatch.setattr(late_quotes, "PATIENCE", timedelta(0))
    name = await on_2.pair()
    for at in range(5):
        await post(on_2, name, "messages.upsert", said(f"V{at}", "PALAVRA"))
        await order(on_2, name, f"R{at}", an_order(f"V{at}"))
        await post(on_2, name, "messages.upsert", a_quote(f"Q{at}", f"V{at}"))
        on_2.clock.advance(timedelta(minutes=1))

    left = [len(holders("PALAVRA", on_2))]
    for _ in range(3):
        on_2.clock.advance(timedelta(days=1))
        await on_2.sweep()
        left.append(len(holders("PALAVRA", on_2)))

    assert left == [5, 3, 1, 0]


async def test_quotes_of_what_stands_stay(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA"))
    quotes = [a_quote("Q1", "V1"), a_quote("Q2", "UNKNOWN")]
    await post(on_2, name, "messages.upsert", quotes)

    counts = (await on_2.sweep())["counts"]

    assert len(holders("PALAVRA", on_2)) == 3
    assert "quotes_purged" not in counts


async def test_night_that_fails_is_repeated(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA"))
    await order(on_2, name, "V2", an_order("V1"))
    await post(on_2, name, "messages.upsert", a_quote("Q1", "V1"))

    async def fails(*_: object) -> None:
        raise problems.StoreUnavailable()

    with mock.patch.object(quotes, "purge_quotes", fails), contextlib.suppress(AssertionError):
        await on_2.sweep()
    assert holders("PALAVRA", on_2) == ["default~Q1"]
    await on_2.sweep()

    assert holders("PALAVRA", on_2) == []


async def test_crash_leaves_no_quote(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA"))
    await post(on_2, name, "messages.upsert", a_quote("V2", "V1"))
    revocation = {**said("V3"), "message": an_order("V1")}

    async def fails(*_: object) -> None:
        raise problems.StoreUnavailable()

    with mock.patch.object(revoke, "purge_quotes", fails):
        assert (await post(on_2, name, "messages.upsert", revocation)).status_code == 503
    assert (await post(on_2, name, "messages.upsert", revocation)).status_code == 204

    assert "PALAVRA" not in str(on_2.documents("tenants/acme/messages"))


async def test_more_than_hundred_quotes_are_emptied(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA"))
    quotes = [a_quote(f"Q{at}", "V1") for at in range(105)]
    await post(on_2, name, "messages.set", quotes)

    for _ in range(3):
        await order(on_2, name, "V3", an_order("V1"))

    assert "PALAVRA" not in str(on_2.documents("tenants/acme/messages"))


async def test_quote_in_another_conversation_is_emptied(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("G1", "PALAVRA", jid=GROUP, key=BY_MARIA))
    await post(on_2, name, "messages.upsert", a_quote("P1", "G1"))

    await order(on_2, name, "RV", an_order("G1"), jid=GROUP, key=BY_MARIA)

    assert "PALAVRA" not in str(on_2.documents("tenants/acme/messages"))


async def test_merged_conversations_quotes_are_purged(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("N1", "PALAVRA", jid="777@lid", at=NOW - 40))
    await post(on_2, name, "messages.upsert", a_quote("K2", "N1", key={"remoteJidAlt": "777@lid"}))

    await order(on_2, name, "RV", an_order("N1"), key={"remoteJidAlt": "777@lid"})

    assert "PALAVRA" not in str(on_2.documents("tenants/acme/messages"))


async def test_edit_restores_no_purged_quote(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V1", "PALAVRA"))
    await post(on_2, name, "messages.set", [a_quote(f"Q{at}", "V1") for at in range(100)])
    await order(on_2, name, "V3", an_order("V1"))
    written = 0
    really = base.Database.commit

    async def counted(self: Any, batch: Any) -> Any:
        nonlocal written
        written += len(batch._write_pbs)
        return await really(self, batch)

    with mock.patch.object(base.Database, "commit", counted):
        await order(on_2, name, "E1", an_order("V1", "outra vez"))

    assert written < 10


async def test_quote_and_original_are_both_revoked(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("V"))
    await post(on_2, name, "messages.upsert", a_quote("Q", "V"))
    query, once = base.Database.query, list[bool]()

    async def then_taken_back(self: Any, *args: Any) -> Any:
        quotes = await query(self, *args)
        if not once:
            once.append(True)
            await order(on_2, name, "RQ", an_order("Q"))
        return quotes

    with mock.patch.object(base.Database, "query", then_taken_back):
        await order(on_2, name, "RV", an_order("V"))

    (conversation,) = await inbox(on_2)
    answer = await on_2.call("GET", f"/conversations/{conversation['id']}/messages")
    assert answer.status_code == 200


async def test_many_quotes_are_revoked_together(on_2: Perene):
    name = await on_2.pair()
    quotes = [f"Q{at}" for at in range(90)]
    messages = [said("V"), *(a_quote(id, "V") for id in quotes)]
    assert (await post(on_2, name, "messages.set", messages)).status_code == 204

    back = [{**said(f"R{id}"), "message": an_order(id)} for id in [*quotes[:20], "V", *quotes[20:]]]
    assert (await post(on_2, name, "messages.upsert", back)).status_code == 204

    (conversation,) = await inbox(on_2)
    answer = await on_2.call("GET", f"/conversations/{conversation['id']}/messages?limit=100")
    assert answer.status_code == 200


async def test_odd_quote_costs_no_inbox(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("A1", jid=ANA))
    await post(on_2, name, "messages.upsert", said("V", at=NOW - 9))
    await post(on_2, name, "messages.upsert", a_quote("Q", "V"))
    await post(on_2, name, "messages.upsert", said("LATE", at=NOW - 60))
    query, once = base.Database.query, list[bool]()

    async def then_taken_back(self: Any, *args: Any) -> Any:
        quotes = await query(self, *args)
        if not once:
            once.append(True)
            await order(on_2, name, "RQ", an_order("Q"))
        return quotes

    with mock.patch.object(base.Database, "query", then_taken_back):
        await order(on_2, name, "RV", an_order("V"))

    assert (await on_2.call("GET", "/conversations")).status_code == 200
    await order(on_2, name, "RQ", an_order("Q"))


async def test_preview_healed_during_revocation_is_empty(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("M2", "PALAVRA"))
    await post(on_2, name, "messages.upsert", said("M1", "antes", at=NOW - 60))
    commit = base.Database.commit
    once = []

    async def revoke_and_commit(self: Any, batch: Any) -> list[Any]:
        if not once:
            once.append(True)
            await order(on_2, name, "RV", an_order("M2"))
        return await commit(self, batch)

    with mock.patch.object(base.Database, "commit", revoke_and_commit):
        await inbox(on_2)

    assert once

    assert "PALAVRA" not in str(await inbox(on_2))


async def test_preview_healed_during_edit_is_edited(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("M2", "velho"))
    await post(on_2, name, "messages.upsert", said("M1", "antes", at=NOW - 60))
    list_page = Reads.list_page
    once: list[bool] = []

    async def list_and_edit(self: Any, *args: Any) -> Any:
        page = await list_page(self, *args)
        if not once:
            once.append(True)
            await order(on_2, name, "ED", an_order("M2", "novo"))
        return page

    with mock.patch.object(Reads, "list_page", list_and_edit):
        await inbox(on_2)

    assert once
    assert (await inbox(on_2))[0]["last"]["text"] == "novo"


async def test_merged_preview_is_empty(on_2: Perene):
    name = await on_2.pair()
    await post(on_2, name, "messages.upsert", said("N1", "PALAVRA", jid="777@lid", at=NOW - 10))
    await post(
        on_2, name, "messages.upsert", said("K2", at=NOW - 50, key={"remoteJidAlt": "777@lid"})
    )
    for _ in range(3):
        await inbox(on_2)
    await post(on_2, name, "messages.set", [said("N0", jid="777@lid", at=NOW - 9999)])
    await order(on_2, name, "RV", an_order("N1"), jid="777@lid")
    for _ in range(3):
        await inbox(on_2)

    assert "PALAVRA" not in str(on_2.documents("tenants/acme/conversations"))
