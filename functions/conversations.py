"""Conversations of all of a tenant's lines, newest first, with the number that they are held by."""

import re
from typing import Annotated

import functions_framework.aio
from pydantic import AfterValidator, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, pagination, problems, services, web
from shared.byte_ranges import find_span
from shared.conversations import conversation_views, group_subjects, read_receipts, teamwork
from shared.domain.contacts import ConversationId, clean_name, is_conversation_id
from shared.domain.conversations import READ, Conversation, mark_unread
from shared.domain.desk import Assignee, Labels, NoteText
from shared.domain.instances import epoch_ms
from shared.domain.kept_messages import KeptMessage
from shared.domain.names import LINE_LIMIT, LINE_PATTERN, LineId, LineKey, TenantId
from shared.domain.record import Record
from shared.domain.tenants import Tenant
from shared.inbox import thread_pages
from shared.inbox.news import Inbox, News, WhichNews, read_tag
from shared.inbox.thread_pages import MessagePage
from shared.lines import access
from shared.media import serving
from shared.sending import requests, send_views
from shared.sending.requests import SendMessage
from shared.store.conversations import ConversationFilter

edge = web.Edge("conversations", "/conversations")

PAGE, LONGEST_PAGE, LONGEST_CURSOR = 30, 100, 4_000
LONGEST_NAME = 100


class WhichConversations(Record):
    """The conversations to list, and the page of them."""

    model_config = ConfigDict(extra="forbid")

    line: LineId | None = Field(default=None, max_length=LINE_LIMIT, pattern=LINE_PATTERN)
    unread: bool = False
    archived: bool = False
    from_ad: bool = Field(
        default=False, description="Only those whose contact came by an advertisement"
    )
    search: str | None = Field(
        default=None,
        min_length=1,
        max_length=60,
        description="Beginnings of words of a name, or four digits or more of a number",
    )
    label: str | None = Field(
        default=None, min_length=1, max_length=40, description="Only those with this label"
    )
    assignee: str | None = Field(
        default=None, min_length=1, max_length=80, description="Only those that they look after"
    )
    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=LONGEST_CURSOR)


class ConversationPage(Record):
    """A page of conversations; `next` is the cursor of the following page."""

    conversations: list[conversation_views.ConversationView]
    next: str | None = None


class WhichMessages(Record):
    """The page to show; or with `since` (as the last answer gave it) what is new or changed.

    Also of that there may be several pages: `next` is the cursor to send with the same `since`.
    """

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(default=PAGE, ge=1, le=LONGEST_PAGE)
    cursor: str | None = Field(default=None, max_length=LONGEST_CURSOR)
    since: int | None = Field(default=None, ge=0, le=10**14)


class WhichMedia(Record):
    """How to get the file."""

    model_config = ConfigDict(extra="forbid")

    link: bool = Field(default=False, description="A link that needs no token, for 15 minutes")


def _require_visible(name: str | None) -> str | None:
    """Return a name in one line, if it has a visible character."""
    if name is None:
        return None
    if cleaned := clean_name(name):
        return cleaned
    raise ValueError("has no visible character")


class ConversationChange(Record):
    """A change of a conversation; `tell` also shows the contact that it was read.

    `read: false` marks it as unread, until it is read or answered. `name` is what the contact
    is called here, whatever they call themselves; null takes it back. `labels` are all that it has
    from now on; `assignee` is who looks after it; null takes it back.
    """

    model_config = ConfigDict(extra="forbid")

    read: bool | None = None
    archived: bool | None = None
    tell: bool = False
    name: Annotated[str | None, AfterValidator(_require_visible)] = Field(
        default=None, max_length=LONGEST_NAME
    )
    labels: Labels | None = None
    assignee: Assignee | None = None


class ReplyText(Record):
    """What a quick reply says."""

    model_config = ConfigDict(extra="forbid")

    text: NoteText


class NewNote(Record):
    """What a note says."""

    model_config = ConfigDict(extra="forbid")

    text: NoteText


@edge.route(
    "GET",
    "/",
    asks=WhichConversations,
    answers={200: ConversationPage},
    problems=(*web.TENANT_PROBLEMS, problems.RequestInvalid, problems.CursorInvalid),
)
async def list_conversations(request: Request) -> ConversationPage:
    """List the conversations of all of the caller's lines, newest first."""
    tenant_id = await auth.require_tenant(request)
    query = web.parse_query(WhichConversations, request)
    tenant = await _require_active_tenant(tenant_id)
    filters = ConversationFilter(
        query.line,
        query.unread,
        query.archived,
        query.search,
        query.from_ad,
        query.label,
        query.assignee,
    )
    after = pagination.decode_cursor(query.cursor)
    if after and not is_conversation_id(after.id):
        raise problems.CursorInvalid()
    now = epoch_ms(services.now())
    page = await services.store().conversations.list_page(
        tenant_id, filters, query.limit, after, now
    )
    records = await group_subjects.add_subjects(tenant_id, page.records, services.now())
    return ConversationPage(
        conversations=[conversation_views.conversation_view(one, tenant) for one in records],
        next=pagination.encode_cursor(page.end),
    )


@edge.route(
    "GET",
    "/news",
    asks=WhichNews,
    answers={200: News, 304: None},
    problems=(*web.TENANT_PROBLEMS, problems.RequestInvalid, problems.ConversationUnknown),
)
async def get_news(request: Request) -> web.Reply:
    """Show what changed in the list, in an open thread and in what is unread, for cheap polling.

    Send the `ETag` back as `If-None-Match`: nothing new is a 304.
    """
    tenant_id = await auth.require_tenant(request)
    query = web.parse_query(WhichNews, request)
    tenant = await _require_active_tenant(tenant_id)
    thread = await _find_thread(tenant_id, query)
    known = read_tag(request.headers.get("if-none-match"))
    news, tag = await Inbox(tenant_id, tenant, query, thread, known).read_news()
    headers = {"etag": tag.write()}
    if tag == known:
        return web.Reply(status=304, headers=headers)
    return web.Reply(news, headers=headers)


@edge.route("GET", "/desk", answers={200: teamwork.DeskView}, problems=web.TENANT_PROBLEMS)
async def get_desk(request: Request) -> teamwork.DeskView:
    """Show the labels, people and quick replies that the caller's people choose from."""
    tenant_id = await auth.require_tenant(request)
    await _require_active_tenant(tenant_id)
    me = await auth.require_caller(request)
    return teamwork.desk_view(await services.store().desks.find(tenant_id), me)


@edge.route(
    "PUT",
    "/desk/replies/{name}",
    takes=ReplyText,
    answers={200: teamwork.DeskView},
    problems=(*web.TENANT_PROBLEMS, *web.BODY_PROBLEMS, problems.DeskFull),
)
async def put_quick_reply(request: Request) -> teamwork.DeskView:
    """Store a quick reply under the name that is typed behind a slash."""
    tenant_id = await auth.require_tenant(request)
    reply = await web.parse_body(ReplyText, request)
    name = teamwork.require_reply_name(request.path_params["name"])
    await _require_active_tenant(tenant_id)
    me = await auth.require_caller(request)
    desk = await services.store().desks.put_reply(tenant_id, name, reply.text)
    return teamwork.desk_view(desk, me)


@edge.route(
    "DELETE",
    "/desk/replies/{name}",
    answers={204: None},
    problems=(*web.TENANT_PROBLEMS, problems.RequestInvalid),
)
async def delete_quick_reply(request: Request) -> web.Reply:
    """Delete a quick reply, if it is there."""
    tenant_id = await auth.require_tenant(request)
    name = teamwork.require_reply_name(request.path_params["name"])
    await _require_active_tenant(tenant_id)
    await services.store().desks.remove_reply(tenant_id, name)
    return web.Reply(status=204)


@edge.route("DELETE", "/desk/labels/{label}", answers={204: None}, problems=web.TENANT_PROBLEMS)
async def forget_label(request: Request) -> web.Reply:
    """Offer a label no more; conversations that have it keep it."""
    return await _forget(request, "labels", request.path_params["label"])


@edge.route(
    "DELETE", "/desk/assignees/{assignee}", answers={204: None}, problems=web.TENANT_PROBLEMS
)
async def forget_assignee(request: Request) -> web.Reply:
    """Offer a person no more; conversations that they look after stay theirs."""
    return await _forget(request, "assignees", request.path_params["assignee"])


@edge.route(
    "GET",
    "/{id}",
    answers={200: conversation_views.ConversationView},
    problems=(*web.TENANT_PROBLEMS, problems.ConversationUnknown),
)
async def get_conversation(request: Request) -> conversation_views.ConversationView:
    """Show a conversation, in summary."""
    tenant_id = await auth.require_tenant(request)
    tenant = await _require_active_tenant(tenant_id)
    return conversation_views.conversation_view(
        await _require_conversation(tenant_id, request), tenant
    )


@edge.route(
    "GET",
    "/{id}/messages",
    asks=WhichMessages,
    answers={200: MessagePage, 304: None},
    problems=(
        *web.TENANT_PROBLEMS,
        problems.RequestInvalid,
        problems.CursorInvalid,
        problems.ConversationUnknown,
    ),
)
async def list_messages(request: Request) -> web.Reply:
    """List a conversation's messages, newest first.

    With `since`, only what is new or changed, oldest change first, for cheap polling: send the
    `ETag` back as `If-None-Match` and nothing new is a 304. Some of it may be known already.
    """
    tenant_id = await auth.require_tenant(request)
    query = web.parse_query(WhichMessages, request)
    await _require_active_tenant(tenant_id)
    conversation = await _require_conversation(tenant_id, request)
    after = pagination.decode_cursor(query.cursor)
    if query.since is None:
        page = await thread_pages.read_page(tenant_id, conversation, query.limit, after)
        return web.Reply(page.show())
    page = await thread_pages.read_changes(tenant_id, conversation, query.since, query.limit, after)
    headers = {"etag": pagination.etag_of(page.seen)}
    if web.is_known(request, headers["etag"]):
        return web.Reply(status=304, headers=headers)
    return web.Reply(page.show(), headers=headers)


@edge.route(
    "POST",
    "/{id}/messages",
    takes=SendMessage,
    needs=(requests.KEY_HEADER,),
    answers={201: send_views.SendView, 202: send_views.SendView},
    problems=send_views.PROBLEMS,
)
async def send_into_conversation(request: Request) -> web.Reply:
    """Send a message into a conversation, as `POST /send-message` with its id does.

    202 while the outcome is uncertain: ask `GET /send-message/{key}`.
    """
    from shared.sending.post_message import post_message  # reading needs nothing of it

    return await post_message(request, request.path_params["id"])


@edge.route(
    "PATCH",
    "/{id}",
    takes=ConversationChange,
    answers={200: conversation_views.ConversationView},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.BODY_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.ConversationUnknown,
        problems.DeskFull,
    ),
)
async def change_conversation(request: Request) -> conversation_views.ConversationView:
    """Mark a conversation as read or unread, archive it, name its contact, label and assign it."""
    tenant_id = await auth.require_tenant(request)
    change = await web.parse_body(ConversationChange, request)
    tenant = await _require_active_tenant(tenant_id)
    conversation = await _require_conversation(tenant_id, request)
    fields = _list_fields(change, epoch_ms(services.now()))
    if change.labels or change.assignee:
        people = filter(None, [change.assignee])
        await services.store().desks.learn(tenant_id, change.labels or (), people)
    if change.read and change.tell:
        await read_receipts.send_read_receipts(tenant_id, conversation)
    if fields:
        updated = await services.store().conversations.update(tenant_id, conversation.id, **fields)
        conversation = updated or conversation
    return conversation_views.conversation_view(conversation, tenant)


@edge.route(
    "GET",
    "/{id}/notes",
    answers={200: teamwork.NoteList},
    problems=(*web.TENANT_PROBLEMS, problems.ConversationUnknown),
)
async def list_notes(request: Request) -> teamwork.NoteList:
    """List the notes of the caller's people on a conversation, newest first."""
    tenant_id = await auth.require_tenant(request)
    await _require_active_tenant(tenant_id)
    conversation = await _require_conversation(tenant_id, request)
    several = await services.store().desks.list_notes(tenant_id, conversation)
    return teamwork.NoteList(notes=list(map(teamwork.note_view, several)))


@edge.route(
    "POST",
    "/{id}/notes",
    takes=NewNote,
    answers={201: teamwork.NoteView},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.BODY_PROBLEMS,
        problems.ConversationUnknown,
        problems.NotesFull,
    ),
)
async def write_note(request: Request) -> web.Reply:
    """Write a note on a conversation, for the caller's people alone: it never leaves for WhatsApp.

    Its author is who the token names.
    """
    tenant_id = await auth.require_tenant(request)
    note = await web.parse_body(NewNote, request)
    await _require_active_tenant(tenant_id)
    conversation = await _require_conversation(tenant_id, request)
    by = await auth.require_caller(request)
    return web.Reply(await teamwork.write_note(tenant_id, conversation, by, note.text), 201)


@edge.route(
    "DELETE",
    "/{id}/notes/{note}",
    answers={204: None},
    problems=(*web.TENANT_PROBLEMS, problems.ConversationUnknown),
)
async def delete_note(request: Request) -> web.Reply:
    """Delete a note, if it is there."""
    tenant_id = await auth.require_tenant(request)
    await _require_active_tenant(tenant_id)
    conversation = await _require_conversation(tenant_id, request)
    await teamwork.delete_note(tenant_id, conversation, request.path_params["note"])
    return web.Reply(status=204)


@edge.route(
    "GET",
    "/{id}/messages/{message}/media",
    asks=WhichMedia,
    answers={200: serving.MediaLink, 206: None, 304: None},
    problems=(
        *web.TENANT_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.RequestInvalid,
        problems.ConversationUnknown,
        problems.MessageUnknown,
        problems.MediaAbsent,
        problems.MediaNotStored,
        problems.MediaTooLarge,
        problems.RangeOutside,
        problems.BucketUnavailable,
        problems.BucketRefused,
    ),
)
async def download_media(request: Request) -> web.Answer:
    """Download the file in a message, or get a link to it.

    A stored file has an `ETag` and can be asked for in parts (`Range`: 206); one that isn't stored
    (yet) is fetched from the line's server, whole. With `link=true` the answer is JSON: an address
    that needs no token for 15 minutes.
    """
    tenant_id = await auth.require_tenant(request)
    query = web.parse_query(WhichMedia, request)
    await _require_active_tenant(tenant_id)
    conversation = await _require_conversation(tenant_id, request)
    message = await _require_message(tenant_id, conversation, request)
    if query.link:
        return await serving.sign_link(tenant_id, message)
    if copy := serving.find_copy(message):
        etag, headers = serving.etag_of(copy), request.headers
        if web.is_known(request, etag):
            return web.Reply(status=304, headers={"etag": etag, **web.CACHED_FILE})
        span = find_span(headers.get("range"), headers.get("if-range"), copy.size, etag)
        if file := await serving.open_copy(tenant_id, message, copy, span):
            return web.stream_file(file)
    name = access.instance_name(LineKey(tenant_id, conversation.line))
    return web.stream_file(await serving.fetch_from_server(name, message))


async def _require_active_tenant(tenant_id: TenantId) -> Tenant | None:
    tenant = await services.store().tenants.find(tenant_id)
    access.require_active(tenant)
    return tenant


async def _require_conversation(tenant_id: TenantId, request: Request) -> Conversation:
    return await _find_conversation(tenant_id, request.path_params["id"])


async def _find_conversation(tenant_id: TenantId, conversation_id: str) -> Conversation:
    """Return the conversation of an id. Raises ConversationUnknown."""
    if not is_conversation_id(conversation_id):
        raise problems.ConversationUnknown()
    conversation = await services.store().conversations.find(
        tenant_id, ConversationId(conversation_id)
    )
    if conversation is None:
        raise problems.ConversationUnknown()
    return conversation


async def _require_message(
    tenant_id: TenantId, conversation: Conversation, request: Request
) -> KeptMessage:
    message_id = request.path_params["message"]
    if not re.fullmatch(r"[A-Za-z0-9._:=@+-]{1,128}", message_id):
        raise problems.MessageUnknown()
    message = await services.store().messages.find(tenant_id, conversation, message_id)
    if message is None:
        raise problems.MessageUnknown()
    return message


def _list_fields(change: ConversationChange, now: int) -> dict[str, object]:
    """Return the fields of a stored conversation that a change sets; `now` in epoch ms."""
    fields: dict[str, object] = {}
    if change.read is not None:
        fields |= READ if change.read else mark_unread(now)
    if "name" in change.model_fields_set:
        fields["given_name"] = change.name
    if change.archived is not None:
        fields["archived"] = change.archived
    if change.labels is not None:
        fields["labels"] = change.labels
    if "assignee" in change.model_fields_set:
        fields["assignee"] = change.assignee
    return fields


async def _find_thread(tenant_id: TenantId, query: WhichNews) -> Conversation | None:
    return None if query.thread is None else await _find_conversation(tenant_id, query.thread)


async def _forget(request: Request, field: str, name: str) -> web.Reply:
    tenant_id = await auth.require_tenant(request)
    await _require_active_tenant(tenant_id)
    await services.store().desks.forget(tenant_id, field, name)
    return web.Reply(status=204)


@functions_framework.aio.http
async def conversations(request: Request) -> Response:
    """Answer `/conversations…`."""
    return await edge.answer(request)
