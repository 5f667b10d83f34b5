"""My conversations: all lines merged, newest first, each saying through which number it is held."""

import re

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, services, web
from shared.domain.contacts import ConversationId, is_conversation_id
from shared.domain.instances import epoch_ms
from shared.domain.names import LINE_LIMIT, LINE_PATTERN, LineId, LineKey, TenantId
from shared.domain.record import Record
from shared.domain.sends import Send, SendState
from shared.domain.tenants import Tenant
from shared.domain.threads import Conversation, KeptMessage
from shared.lines import entry, hear, pages, reading
from shared.lines import media as files
from shared.sending import requests, say
from shared.sending import views as sending
from shared.sending.requests import SendMessage
from shared.store.inbox import Wanted
from shared.store.threads import Page

edge = web.Edge("conversations", "/conversations")

PAGE, LONGEST_PAGE, LONGEST_CURSOR = 30, 100, 4_000
POLL_OVERLAP_MS = int(hear.PATIENCE * 1000) + 5_000
"""What is dated now may be stored only then, and processes' clocks differ: a poll looks back so
far, and a caller knows messages by their id."""


class WhichConversations(Record):
    """Which of them, and which page."""

    model_config = ConfigDict(extra="forbid")

    line: LineId | None = Field(default=None, max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    unread: bool = False
    archived: bool = False
    search: str | None = Field(
        default=None, min_length=1, max_length=60, description="Beginning of a name or number"
    )
    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=LONGEST_CURSOR)


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
    cursor: str | None = Field(default=None, max_length=LONGEST_CURSOR)
    since: int | None = Field(default=None, ge=0, le=10**14)


class Messages(Record):
    """A page of messages, newest first; `next` is its cursor, `since` begins a poll.

    `sends` are those into the conversation of which nobody knows whether they were sent.
    """

    messages: list[pages.MessageView]
    sends: list[sending.SendView] = Field(default_factory=list)
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
    waiting = await _waiting(tenant_id, conversation)
    return web.Reply(_shown(page, since, waiting))


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
        await reading.tell(tenant_id, conversation)
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
    name = entry.name_of(LineKey(tenant_id, conversation.line))
    return web.streamed(await files.fetch(name, message))


async def _tenant(tenant_id: TenantId) -> Tenant | None:
    tenant = await services.store().tenant(tenant_id)
    entry.check(tenant)
    return tenant


async def _conversation(tenant_id: TenantId, request: Request) -> Conversation:
    name = request.path_params["id"]
    known = is_conversation_id(name)
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
    waiting = await _waiting(tenant_id, conversation)
    etag = pages.etag([*page.found, *waiting])
    if request.headers.get("if-none-match") == etag:
        return web.Reply(status=304, headers={"etag": etag})
    reached = page.found[-1].changed if page.end else now
    again = max(since, min(reached, now - POLL_OVERLAP_MS))
    return web.Reply(_shown(page, again, waiting), headers={"etag": etag})


async def _waiting(tenant_id: TenantId, conversation: Conversation) -> list[Send]:
    """Sends of which nobody knows the outcome: 0 reads if there are none."""
    if conversation.unsettled <= 0:
        return []
    found = await services.store().unsettled(tenant_id, conversation)
    return [each for each in found if each.state is SendState.UNCERTAIN]


def _shown(page: Page, since: int, waiting: list[Send]) -> Messages:
    return Messages(
        messages=pages.message_views(page.found, services.now()),
        sends=[sending.send_view(each) for each in waiting],
        since=since,
        next=pages.written(page.end),
    )


@edge.route(
    "POST",
    "/{id}/messages",
    takes=SendMessage,
    needs=(requests.KEY_HEADER,),
    answers={201: sending.SendView, 202: sending.SendView},
    problems=sending.PROBLEMS,
)
async def send(request: Request) -> web.Reply:
    """Something is said in the conversation; the same as `POST /send-message` with its id.

    202 while nobody knows the outcome: ask `GET /send-message/{key}`.
    """
    tenant_id, key = await auth.tenant_of(request), requests.key_in(request.headers)
    body = await web.body(SendMessage, request, requests.BODY_LIMIT, requests.BOUNDS)
    asked = requests.within(body.root, request.path_params["id"])
    outcome = await say.say(say.Wanted(tenant_id, key, asked))
    return await sending.reply(outcome.send, outcome.message)


@functions_framework.aio.http
async def conversations(request: Request) -> Response:
    """`/conversations…`."""
    return await edge.answer(request)
