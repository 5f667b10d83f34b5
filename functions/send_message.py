"""Send a message through one of the caller's lines: once, and from the right number."""

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, web
from shared.domain.record import Record
from shared.sending import edit_delete, requests, send_views, settle
from shared.sending.post_message import post_message
from shared.sending.requests import SendMessage

edge = web.Edge("send_message", "/send-message")

KNOWN = (*web.TENANT_PROBLEMS, problems.IdempotencyKeyInvalid, problems.SendUnknown)
CHANGE = (
    *send_views.SPEECH_PROBLEMS,
    problems.SendUnknown,
    problems.NotSentYet,
    problems.NotChangeable,
    problems.TooLateToChange,
    problems.ChangeUncertain,
)


class Settlement(Record):
    """What a person saw on the phone: the message was sent, or it was not."""

    model_config = ConfigDict(extra="forbid")

    sent: bool


class EditRequest(Record):
    """The text that the message reads from now on."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=requests.LONGEST_TEXT, pattern=r"\S")


@edge.route(
    "POST",
    "/",
    takes=SendMessage,
    needs=(requests.KEY_HEADER,),
    answers={201: send_views.SendView, 202: send_views.SendView},
    problems=send_views.PROBLEMS,
)
async def send_content(request: Request) -> web.Reply:
    """Send a message once, however often it is asked for with the same `Idempotency-Key`.

    201 with the message; 202 while it is under way, or it is uncertain whether it was sent: ask
    `GET /send-message/{key}`. A problem: it surely was not sent, and may be asked again.
    """
    return await post_message(request)


@edge.route(
    "GET", "/{key}", answers={200: send_views.SendView, 202: send_views.SendView}, problems=KNOWN
)
async def get_send(request: Request) -> web.Reply:
    """Show the outcome of a send; 202 while it is uncertain.

    An uncertain send is reconciled first: with its echo, then with the messages on the server.
    """
    tenant = await auth.require_tenant(request)
    send = await edit_delete.require_send(tenant, _key(request))
    return await send_views.reply_with_send(send, final_status=200)


@edge.route(
    "POST",
    "/{key}/settle",
    takes=Settlement,
    answers={200: send_views.SendView},
    problems=(
        *KNOWN,
        *web.BODY_PROBLEMS,
        *web.LINE_PROBLEMS,
        problems.SettledTooEarly,
    ),
)
async def settle_send(request: Request) -> web.Reply:
    """Say what became of an uncertain send: it was sent, or it was not. Nothing is sent.

    Evidence counts more than a person's word. What wasn't sent may be asked for again with the key.
    """
    tenant = await auth.require_tenant(request)
    settlement = await web.parse_body(Settlement, request)
    send = await settle.settle_send(tenant, _key(request), sent=settlement.sent)
    return await send_views.reply_with_send(send, final_status=200)


@edge.route(
    "PATCH", "/{key}", takes=EditRequest, answers={200: send_views.SendView}, problems=CHANGE
)
async def edit_message(request: Request) -> web.Reply:
    """Edit a text that was sent, for everybody, within 15 minutes."""
    tenant = await auth.require_tenant(request)
    body = await web.parse_body(EditRequest, request, requests.BOUNDS.size)
    send = await edit_delete.edit_message(tenant, _key(request), body.text)
    return await send_views.reply_with_send(send, final_status=200)


@edge.route("DELETE", "/{key}", answers={200: send_views.SendView}, problems=CHANGE)
async def delete_message(request: Request) -> web.Reply:
    """Delete a message that was sent, for everybody, within two days."""
    tenant = await auth.require_tenant(request)
    send = await edit_delete.delete_message(tenant, _key(request))
    return await send_views.reply_with_send(send, final_status=200)


def _key(request: Request) -> str:
    return requests.require_key(request.path_params["key"])


@functions_framework.aio.http
async def send_message(request: Request) -> Response:
    """Answer `/send-message`, `/send-message/{key}`."""
    return await edge.answer(request)
