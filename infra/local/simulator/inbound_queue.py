"""Queue what reaches an instance from WhatsApp while an edit is being delivered."""

from collections.abc import Callable

from infra.local.simulator import webhook_posts
from infra.local.simulator.state import Session, World
from infra.local.simulator.webhook_posts import WebhookDelivery

Step = Callable[[], None]


def run_or_queue(session: Session, step: Step) -> None:
    """Run the step now, or after the edits before it; a restart forgets it (EVOLUTION.md §4)."""
    if session.is_blocked:
        session.inbound.append(step)
    else:
        step()


def block(world: World, session: Session, deliveries: list[WebhookDelivery], then: Step) -> None:
    """Block the queue until these are delivered or given up, as Evolution does for an edit."""
    if not any(delivery.task for delivery in deliveries):
        then()
        return
    session.is_blocked = True
    world.background.spawn(_release(world, session, deliveries, then))


async def _release(
    world: World, session: Session, deliveries: list[WebhookDelivery], then: Step
) -> None:
    await webhook_posts.wait_until_delivered(world, deliveries)
    session.is_blocked = False
    then()
    while session.inbound and not session.is_blocked:
        session.inbound.popleft()()
