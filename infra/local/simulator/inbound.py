"""The one queue of what reaches an instance from WhatsApp, and what holds it back."""

from collections.abc import Callable

from infra.local.simulator import webhooks
from infra.local.simulator.state import Session, World
from infra.local.simulator.webhooks import Delivery

Step = Callable[[], None]


def take(session: Session, step: Step) -> None:
    """Do the step now, or after the edits before it; a restart forgets it (EVOLUTION.md §4)."""
    if session.held:
        session.inbound.append(step)
    else:
        step()


def hold(world: World, session: Session, deliveries: list[Delivery], then: Step) -> None:
    """Hold the queue until these were delivered or given up, as Evolution does for an edit."""
    if not any(delivery.task for delivery in deliveries):
        then()
        return
    session.held = True
    world.background.spawn(_release(world, session, deliveries, then))


async def _release(world: World, session: Session, deliveries: list[Delivery], then: Step) -> None:
    await webhooks.delivered(world, deliveries)
    session.held = False
    then()
    while session.inbound and not session.held:
        session.inbound.popleft()()
