"""My conversations: all lines merged, newest first, each saying through which number it is held."""

import re
from collections.abc import Iterator

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from shared import auth, config, problems, services, web
from shared.domain import names
from shared.domain.contacts import ConversationId
from shared.domain.instances import epoch_ms
from shared.domain.names import LINE_PATTERN, LineId, LineKey, TenantId
from shared.domain.record import Record
from shared.domain.tenants import Tenant
from shared.domain.threads import Conversation, KeptMessage
from shared.domain.upstream import MessageKey
from shared.lines import entry, hear, pages
from shared.lines import media as files
from shared.store.inbox import Wanted

edge = web.Edge("conversations", "/conversations")

PAGE, LONGEST_PAGE = 30, 100
POLL_OVERLAP_MS = int(hear.PATIENCE * 1000) + 5_000
"""What is dated now may be stored only then, and processes' clocks differ: a poll looks back so
far, and a caller knows messages by their id."""

CHUNK = 256 * 1024
MARKED_AT_ONCE = 50


class WhichConversations(Record):
    """Which of them, and which page."""

    model_config = ConfigDict(extra="forbid")

    line: LineId | None = Field(default=None, pattern=LINE_PATTERN)
    unread: bool = False
    archived: bool = False
    search: str | None = Field(
        default=None, min_length=1, max_length=60, description="Beginning of a name or number"
    )
    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=600)


class Conversations(Record):
    """A page of conversations; `next` is the cursor of the one after it."""

    conversations: list[pages.ConversationView]
    next: str | None = None


class WhichMessages(Record):
    """Which page; or with `since` (as the last answer gave it) what is new or changed.

    Also of that there may be several pages: `next` is the cursor to send with the same `since`.
    """

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=600)
    since: int | None = Field(default=None, ge=0, le=10**14)


class Messages(Record):
    """A page of messages, newest first; `next` is its cursor, `since` begins a poll."""

    messages: list[pages.MessageView]
    next: str | None = None
    since: int


class Change(Record):
    """What to make of a conversation; `tell` also shows the contact that it was read."""

    model_config = ConfigDict(extra="forbid")

    read: bool = False
    archived: bool | None = None
    tell: bool = False


@edge.route(
    "GET",
    "/",
    asks=WhichConversations,
    answers={200: Conversations},
    problems=(*web.TENANT_PROBLEMS, problems.RequestInvalid, problems.CursorInvalid),
)
async def every_conversation(request: Request) -> Conversations:
    """The caller's conversations of all lines, newest first."""
    tenant_id = await auth.tenant_of(request)
    asked = web.query(WhichConversations, request)
    tenant = await _tenant(tenant_id)
    wanted = Wanted(asked.line, asked.unread, asked.archived, asked.search)
    after = pages.position(asked.cursor, of_search=asked.search is not None)
    now = epoch_ms(services.now())
    page = await services.store().conversations(tenant_id, wanted, asked.limit, after, now)
    shown = [pages.conversation_view(each, tenant) for each in page.found]
    return Conversations(conversations=shown, next=pages.written(page.end))


@edge.route(
    "GET",
    "/{id}",
    answers={200: pages.ConversationView},
    problems=(*web.TENANT_PROBLEMS, problems.ConversationUnknown),
)
async def one_conversation(request: Request) -> pages.ConversationView:
    """One conversation, in summary."""
    tenant_id = await auth.tenant_of(request)
    tenant = await _tenant(tenant_id)
    return pages.conversation_view(await _conversation(tenant_id, request), tenant)


@edge.route(
    "GET",
    "/{id}/messages",
    asks=WhichMessages,
    answers={200: Messages, 304: None},
    problems=(
        *web.TENANT_PROBLEMS,
        problems.RequestInvalid,
        problems.CursorInvalid,
        problems.ConversationUnknown,
    ),
)
async def messages(request: Request) -> web.Reply:
    """The conversation's messages, newest first.

    With `since`, only what is new or changed, oldest change first, for cheap polling: send the
    `ETag` back as `If-None-Match` and nothing new is a 304. Some of it may be known already.
    """
    tenant_id = await auth.tenant_of(request)
    asked = web.query(WhichMessages, request)
    await _tenant(tenant_id)
    conversation = await _conversation(tenant_id, request)
    if asked.since is not None:
        return await _changes(request, tenant_id, conversation, asked)
    after = pages.position(asked.cursor)
    page = await services.store().messages(tenant_id, conversation, asked.limit, after)
    since = epoch_ms(services.now()) - POLL_OVERLAP_MS
    return web.Reply(_shown(page.found, since, pages.written(page.end)))


@edge.route(
    "PATCH",
    "/{id}",
    takes=Change,
    answers={200: pages.ConversationView},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.BODY_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.ConversationUnknown,
    ),
)
async def change(request: Request) -> pages.ConversationView:
    """The conversation is read, archived, or back among the others."""
    tenant_id = await auth.tenant_of(request)
    wanted = await web.body(Change, request)
    tenant = await _tenant(tenant_id)
    conversation = await _conversation(tenant_id, request)
    fields: dict[str, object] = {"unread": 0, "has_unread": False} if wanted.read else {}
    if wanted.archived is not None:
        fields["archived"] = wanted.archived
    if wanted.read and wanted.tell:
        await _tell_read(tenant_id, conversation)
    if fields:
        marked = await services.store().mark(tenant_id, conversation.id, **fields)
        conversation = marked or conversation
    return pages.conversation_view(conversation, tenant)


@edge.route(
    "GET",
    "/{id}/messages/{message}/media",
    answers={200: None},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.ConversationUnknown,
        problems.MessageUnknown,
        problems.MediaAbsent,
        problems.MediaTooLarge,
    ),
)
async def media(request: Request) -> Response:
    """The file in a message, as WhatsApp keeps it."""
    tenant_id = await auth.tenant_of(request)
    await _tenant(tenant_id)
    conversation = await _conversation(tenant_id, request)
    message = await _message(tenant_id, conversation, request)
    return _streamed(await files.fetch(_instance_of(tenant_id, conversation), message))


async def _tenant(tenant_id: TenantId) -> Tenant | None:
    tenant = await services.store().tenant(tenant_id)
    entry.check(tenant)
    return tenant


async def _conversation(tenant_id: TenantId, request: Request) -> Conversation:
    name = request.path_params["id"]
    known = re.fullmatch(r"[a-z2-7]{26}", name)
    found = await services.store().conversation(tenant_id, ConversationId(name)) if known else None
    if found is None:
        raise problems.ConversationUnknown()
    return found


async def _message(
    tenant_id: TenantId, conversation: Conversation, request: Request
) -> KeptMessage:
    name = request.path_params["message"]
    known = re.fullmatch(r"[A-Za-z0-9._:=@+-]{1,128}", name)
    found = await services.store().message(tenant_id, conversation, name) if known else None
    if found is None:
        raise problems.MessageUnknown()
    return found


async def _changes(
    request: Request, tenant_id: TenantId, conversation: Conversation, asked: WhichMessages
) -> web.Reply:
    since, now = asked.since or 0, epoch_ms(services.now())
    after = pages.position(asked.cursor)
    page = await services.store().changes(tenant_id, conversation, since, asked.limit, after)
    etag = pages.etag(page.found)
    if request.headers.get("if-none-match") == etag:
        return web.Reply(status=304, headers={"etag": etag})
    reached = page.found[-1].changed if page.end else now
    again = max(since, min(reached, now - POLL_OVERLAP_MS))
    shown = _shown(page.found, again, pages.written(page.end))
    return web.Reply(shown, headers={"etag": etag})


def _shown(found: list[KeptMessage], since: int, after: str | None) -> Messages:
    return Messages(messages=pages.message_views(found), since=since, next=after)


def _instance_of(tenant_id: TenantId, conversation: Conversation) -> names.InstanceName:
    key = LineKey(tenant_id, conversation.line)
    return names.instance_name(config.settings().instance_prefix, key)


async def _tell_read(tenant_id: TenantId, conversation: Conversation) -> None:
    """The contact sees blue ticks, if the line is still there under that number."""
    name = _instance_of(tenant_id, conversation)
    instance = await services.store().instance(name)
    if instance is None or instance.number != conversation.number:
        return
    page = await services.store().messages(tenant_id, conversation, MARKED_AT_ONCE, None)
    keys = [
        MessageKey(each.id, each.contact.address, from_me=False)
        for each in page.found
        if not each.from_me
    ]
    if keys:
        await services.evolution(instance.server).mark_read(name, keys)


def _streamed(file: files.File) -> Response:
    headers = {
        "content-disposition": file.disposition,
        "content-length": str(len(file.content)),
        "cache-control": "private, max-age=86400, immutable",
        "x-content-type-options": "nosniff",
    }
    return StreamingResponse(_pieces(file.content), headers=headers, media_type=file.mimetype)


def _pieces(content: bytes) -> Iterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]


@functions_framework.aio.http
async def conversations(request: Request) -> Response:
    """`/conversations…`."""
    return await edge.answer(request)
