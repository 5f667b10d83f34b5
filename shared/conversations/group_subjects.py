"""Ask servers for the subjects of groups.

Evolution tells one when a group is made, and never that it changed (EVOLUTION.md §4, groups.*).
"""

import asyncio
import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from shared import problems, services
from shared.domain.conversations import Conversation
from shared.domain.instances import Instance, epoch_ms
from shared.domain.names import LineKey, TenantId
from shared.lines import access

MOST_A_PAGE = 3
PATIENCE = 2.0
"""Seconds that the caller of a page may wait for subjects; a later page asks for the rest."""

ASKED_AGAIN_AFTER = timedelta(days=1)
"""After which a server that didn't know a group's subject is asked again."""

OLD_AFTER = timedelta(days=7)
"""After which a subject may have changed, if something was said since."""


async def add_subjects(
    tenant: TenantId, conversations: Iterable[Conversation], now: datetime
) -> list[Conversation]:
    """Return the conversations; of groups whose subject is unknown or old, some have it now.

    A subject is kept for OLD_AFTER. Firestore: nothing if no group needs one; else 1 read for the
    line and 1 write for each of at most MOST_A_PAGE groups of it. Upstream: 1 call for each.
    """
    page = list(conversations)
    asking = [group for group in page if _needs_subject(group, now)]
    if not asking:
        return page
    asking.sort(key=lambda group: any(group.names))
    line = [group for group in asking if group.line == asking[0].line][:MOST_A_PAGE]
    named: dict[str, Conversation] = {}
    with contextlib.suppress(TimeoutError, problems.Problem):
        async with asyncio.timeout(PATIENCE):
            name = access.instance_name(LineKey(tenant, line[0].line))
            instance = await services.store().instances.find(name)
            for group in line:
                if instance and instance.number == group.number:
                    named[group.id] = await _ask(tenant, instance, group, now)
    return [named.get(conversation.id, conversation) for conversation in page]


def _needs_subject(conversation: Conversation, now: datetime) -> bool:
    asked_at = conversation.subject_asked_at
    if not any(conversation.names):
        return conversation.group and asked_at < epoch_ms(now - ASKED_AGAIN_AFTER)
    is_old = asked_at < min(conversation.last_at, epoch_ms(now - OLD_AFTER))
    return conversation.group and is_old


async def _ask(
    tenant: TenantId, instance: Instance, group: Conversation, now: datetime
) -> Conversation:
    """Ask for the subject, and keep what was said, also that nothing was."""
    server, subject = services.evolution(instance.server), None
    with contextlib.suppress(problems.Problem):
        subject = await server.find_group_subject(instance.name, group.address)
    store = services.store().conversations
    return await store.record_subject(tenant, group, subject, epoch_ms(now))
