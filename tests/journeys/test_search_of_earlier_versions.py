"""Conversations of a version without tokens are found after some nights, and looked at once."""

from datetime import timedelta

import pytest
from google.cloud import firestore

from shared.domain.names import TenantId, spell
from shared.sweeps import search_tokens
from tests.journeys.test_conversations import inbox
from tests.perene import Perene


@pytest.mark.parametrize("tenant", ["acme", "acme/loja"])
async def test_nights_make_old_conversations_searchable_once(
    on_2: Perene, monkeypatch: pytest.MonkeyPatch, tenant: str
):
    monkeypatch.setattr(search_tokens, "PAGE", 2)
    monkeypatch.setattr(search_tokens, "A_NIGHT", 4)
    name = await on_2.pair(tenant)
    collection = f"tenants/{spell(TenantId(tenant))}/conversations"
    for at in range(7):
        await on_2.evolution.receive(name, f"55219777700{at:02}", "oi", push_name="João Silva")
    await on_2.evolution.drain()
    await on_2.sweep()
    on_2.write("sweeps/orphans", searchable="")
    for conversation in on_2.documents(collection):
        on_2.write(f"{collection}/{conversation}", tokens=firestore.DELETE_FIELD)

    counts = []
    for _ in range(3):
        counts.append(len(await inbox(on_2, "?search=silva", tenant)))
        on_2.clock.advance(timedelta(days=1))
        await on_2.sweep()

    assert counts == [0, 4, 7]
    assert len(await inbox(on_2, "?search=0004", tenant)) == 1
    assert on_2.documents("sweeps")["orphans"]["searchable"] == search_tokens.DONE
    monkeypatch.setattr("shared.store.conversations.Conversations.add_tokens", None)
    assert "made_searchable" not in (await on_2.sweep())["counts"]
