"""Answer an inbox what changed in its list, in its open thread and in what is unread."""

import asyncio
import re
from functools import partial
from typing import Final, Literal, NamedTuple

from msgspec import Struct
from pydantic import ConfigDict, Field

from shared import pagination, services
from shared.conversations.conversation_views import ConversationView, conversation_view
from shared.domain.conversations import Conversation
from shared.domain.instances import epoch_ms
from shared.domain.names import LineId, TenantId
from shared.domain.record import Record
from shared.domain.tenants import Tenant
from shared.inbox import thread_pages
from shared.inbox.thread_pages import MessagePage, ThreadPage

PAGE: Final = 30

LATE_MS: Final = 5_000
"""Milliseconds by which a message may come after one that was said later: lines, and the servers
that they are on, aren't equally quick."""

GLANCES: Final = 2
"""How often a request that waits looks whether there is news."""

PAUSE: Final = 1.0
"""Seconds before each of these looks."""

MOST_WAITING: Final = 4
"""Requests that wait in one process: half of its places (infra/functions.json) stay for others."""

_HASH = "([0-9a-f]{20})"
_TAG = re.compile(rf'(?:W/)?"{_HASH}\.{_HASH}\.{_HASH}\.{_HASH}?\.{_HASH}?"')


class WhichNews(Record):
    """What the caller shows: the newest conversation, and a thread with the `since` of its page."""

    model_config = ConfigDict(extra="forbid")

    since: int | None = Field(
        default=None, ge=0, le=10**14, description="`last_at` of the newest conversation shown"
    )
    thread: str | None = Field(
        default=None, max_length=100, description="The conversation whose messages are shown"
    )
    thread_since: int = Field(default=0, ge=0, le=10**14)
    unread: bool | Literal["changed"] = Field(
        default=False,
        description="Count the unread conversations too; `changed`: if the list changed",
    )
    wait: bool = Field(
        default=False,
        description="Where `If-None-Match` says that nothing is new: wait for news, up to 2 s",
    )


class Unread(Record):
    """How many conversations have something unread; archived ones don't count."""

    total: int
    lines: dict[LineId, int] = Field(description="The same, by line")


class News(Record):
    """What changed since the last answer.

    `conversations` are those said in since then, newest first, with the newest that was known and
    those of the seconds before it. If that isn't among them, or there is `more`, the list has to be
    asked for again.
    """

    conversations: list[ConversationView]
    more: bool = False
    unread: Unread | None = None
    thread: MessagePage | None = None


class NewsTag(NamedTuple):
    """What a caller knows, as hashes: the newest conversations, the thread, what is unread.

    `conversations` and `latest`, the thread's last change, stay what they are while `since` and
    `thread_since` move on; `changes` are all of the thread since then. `older`: the conversations
    before the newest, as they were shown last.
    """

    conversations: str
    latest: str
    changes: str
    unread: str = ""
    older: str = ""

    def write(self) -> str:
        """Return it as an ETag."""
        return f'"{".".join(self)}"'

    def has_other_conversations(self, known: "NewsTag") -> bool:
        """Tell whether it shows conversations that who knows the other doesn't know so."""
        return self.conversations != known.conversations or self.older not in ("", known.older)


def read_tag(etag: str | None) -> NewsTag | None:
    """Return what an ETag says that its caller knows; None without one, or for one of others."""
    match = _TAG.fullmatch(etag or "")
    return NewsTag(*match.groups(default="")) if match else None


class _Look(NamedTuple):
    """What a look found: a page of conversations, whether there are more, and the thread's."""

    conversations: list[ConversationView]
    more: bool
    thread: ThreadPage | None

    def tag(self) -> NewsTag:
        """Return what its caller knows from now on, but for what is unread."""
        since = max((view.last_at for view in self.conversations), default=0) - LATE_MS
        newest = [view for view in self.conversations if view.last_at >= since]
        older = [view for view in self.conversations if view.last_at < since]
        latest = (*self.thread.page.records[-1:], *self.thread.uncertain) if self.thread else ()
        changes = self.thread.seen if self.thread else ()
        tag = NewsTag(*map(pagination.hash_records, (newest, latest, changes)))
        return tag._replace(older=pagination.hash_records(older)) if older else tag


class Inbox(Struct, frozen=True):
    """An inbox that asks: whose it is, what for, its open thread, and what it knows."""

    tenant_id: TenantId
    tenant: Tenant | None
    query: WhichNews
    thread: Conversation | None
    known: NewsTag | None

    async def read_news(self) -> tuple[News, NewsTag]:
        """Return what is new, and the tag of who knows it: `known` itself if nothing is new.

        Firestore: n reads, 1 at least, and for a thread n more, 1 at least. A request that waits
        reads 1 or 2 more each time that it looks whether it has to read them again. What is unread:
        1 read, and 1 per line of several.
        """
        look = await (self._wait() if self.query.wait else self._look())
        tag = look.tag()
        known = self.known or NewsTag("", "", "")
        unread = await self._count_unread(is_changed=tag.has_other_conversations(known))
        news = News(
            conversations=look.conversations,
            more=look.more,
            unread=unread,
            thread=look.thread.show() if look.thread else None,
        )
        counted = pagination.hash_records([unread]) if unread else known.unread
        return news, tag._replace(unread=counted, older=tag.older or known.older)

    async def _wait(self) -> _Look:
        """Look again if there is news soon; don't wait where too many do already."""
        first = await self._look()
        waiting: asyncio.Semaphore = services.once("news", partial(asyncio.Semaphore, MOST_WAITING))
        if self._is_news(first) or waiting.locked():
            return first
        async with waiting:
            for _ in range(GLANCES):
                await services.pause(PAUSE)
                if await self._is_outdated(first):
                    return await self._look()
        return first

    def _is_news(self, look: _Look) -> bool:
        tag, known = look.tag(), self.known
        return known is None or tag.has_other_conversations(known) or tag.latest != known.latest

    async def _is_outdated(self, look: _Look) -> bool:
        """Tell whether something was said since then. Firestore: 1 read, and 1 for a thread."""
        newest = max((view.last_at for view in look.conversations), default=0)
        later, is_changed = await asyncio.gather(
            services.store().conversations.find_newest(self.tenant_id), self._has_changed(look)
        )
        return is_changed or (later or 0) > newest

    async def _has_changed(self, look: _Look) -> bool:
        """Tell whether the thread has changes after those that the look found."""
        if self.thread is None or look.thread is None:
            return False
        records = look.thread.page.records
        since = records[-1].changed + 1 if records else self.query.thread_since
        page = await services.store().messages.list_changes(
            self.tenant_id, self.thread, since, 1, None
        )
        return bool(page.records)

    async def _look(self) -> _Look:
        since = None if self.query.since is None else self.query.since - LATE_MS
        now = epoch_ms(services.now())
        page, thread = await asyncio.gather(
            services.store().conversations.list_since(self.tenant_id, since, PAGE, now),
            self._read_thread(),
        )
        views = [conversation_view(one, self.tenant) for one in page.records]
        return _Look(views, page.end is not None, thread)

    async def _read_thread(self) -> ThreadPage | None:
        if self.thread is None:
            return None
        since = self.query.thread_since
        return await thread_pages.read_changes(self.tenant_id, self.thread, since, PAGE, None)

    async def _count_unread(self, *, is_changed: bool) -> Unread | None:
        is_asked = is_changed if self.query.unread == "changed" else self.query.unread
        return await count_unread(self.tenant_id, self.tenant) if is_asked else None


async def count_unread(tenant: TenantId, record: Tenant | None) -> Unread:
    """Count the unread conversations. Firestore: 1 read, and 1 per line of several."""
    count, lines = services.store().conversations.count_unread, record.lines if record else ()
    if len(lines) < 2:
        total = await count(tenant)
        return Unread(total=total, lines=dict.fromkeys(lines, total))
    total, *by_line = await asyncio.gather(count(tenant), *(count(tenant, line) for line in lines))
    return Unread(total=total, lines=dict(zip(lines, by_line, strict=True)))
