"""A busy line's record changes with every message: who changes it otherwise isn't kept from it."""

import pytest

from shared.store import Store
from tests.adapters.stores import Interrupted, settled
from tests.builders import LATER

pytestmark = pytest.mark.anyio


async def test_sending_line_can_be_leased(store: Store):
    instance = await settled(store)
    speaking = instance.model_copy(update={"paced_until": 7})
    between = Store(Interrupted(store, lambda: store.instances.replace(instance, speaking)))

    leased = await between.instances.replace(instance, instance.granted("me", LATER))

    assert leased
    assert leased.lease == instance.granted("me", LATER).lease
    assert (await store.instances.find(instance.name)) == leased
    assert leased.paced_until == 7


async def test_moved_line_cannot_be_leased(store: Store):
    instance = await settled(store)
    moved = instance.model_copy(update={"paced_until": 7, "number": "5511999990002"})
    between = Store(Interrupted(store, lambda: store.instances.replace(instance, moved)))

    assert await between.instances.replace(instance, instance.granted("me", LATER)) is None
    assert (await store.instances.find(instance.name)).number == "5511999990002"
