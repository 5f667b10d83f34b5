"""Read a conversation's messages page by page, or what is new or changed among them."""

import asyncio
from typing import Any, Final, NamedTuple

from pydantic import Field

from shared import pagination, services
from shared.conversations import conversation_views
from shared.domain.conversations import Conversation
from shared.domain.instances import epoch_ms
from shared.domain.names import TenantId
from shared.domain.record import Record
from shared.domain.sends import Send, SendState
from shared.inbound import PATIENCE
from shared.sending import send_views
from shared.store.base import PageEnd, ResultPage

POLL_OVERLAP_MS: Final = int(PATIENCE * 1000) + 5_000
"""Milliseconds that a poll looks back: a message that is dated now may be stored only after the
patience of webhooks, and the clocks of processes differ. A caller knows messages by their id."""


class MessagePage(Record):
    """A page of messages, newest first; `next` is its cursor, `since` begins a poll.

    `sends` are the sends into the conversation whose outcome is uncertain.
    """

    messages: list[conversation_views.MessageView]
    sends: list[send_views.SendView] = Field(default_factory=list)
    next: str | None = None
    since: int


class ThreadPage(NamedTuple):
    """Messages of a thread, its uncertain sends, and the `since` (epoch ms) of the next poll."""

    page: ResultPage
    uncertain: list[Send]
    since: int

    @property
    def seen(self) -> list[Any]:
        """List what a caller sees of it."""
        return [*self.page.records, *self.uncertain]

    def show(self) -> MessagePage:
        """Return it as the API shows it."""
        return MessagePage(
            messages=conversation_views.message_views(self.page.records, services.now()),
            sends=[send_views.send_view(send) for send in self.uncertain],
            since=self.since,
            next=pagination.encode_cursor(self.page.end),
        )


async def read_page(
    tenant: TenantId, conversation: Conversation, limit: int, after: PageEnd | None
) -> ThreadPage:
    """Read a page of messages, newest first. Firestore: n reads, and 1 per unsettled send."""
    page = await services.store().messages.list_page(tenant, conversation, limit, after)
    since = epoch_ms(services.now()) - POLL_OVERLAP_MS
    return ThreadPage(page, await _list_uncertain_sends(tenant, conversation), since)


async def read_changes(
    tenant: TenantId, conversation: Conversation, since: int, limit: int, after: PageEnd | None
) -> ThreadPage:
    """Read what is new or changed since then (epoch ms), oldest change first.

    Firestore: n reads, 1 at least, and 1 per unsettled send.
    """
    now = epoch_ms(services.now())
    page, uncertain = await asyncio.gather(
        services.store().messages.list_changes(tenant, conversation, since, limit, after),
        _list_uncertain_sends(tenant, conversation),
    )
    covered_until = page.records[-1].changed if page.end else now
    # A poll never goes back behind its own `since`, and looks back over what is stored late.
    return ThreadPage(page, uncertain, max(since, min(covered_until, now - POLL_OVERLAP_MS)))


async def _list_uncertain_sends(tenant: TenantId, conversation: Conversation) -> list[Send]:
    """List the sends whose outcome is uncertain. Firestore: no reads if there are none."""
    if conversation.unsettled <= 0:
        return []
    sends = await services.store().sends.list_unsettled(tenant, conversation)
    return [send for send in sends if send.state is SendState.UNCERTAIN]
