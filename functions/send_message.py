"""Somebody says something through one of the caller's lines: once, and by the right number."""

import functions_framework.aio
from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from shared import auth, problems, web
from shared.domain.record import Record
from shared.sending import change, requests, say, views
from shared.sending.requests import SendMessage

edge = web.Edge("send_message", "/send-message")

KNOWN = (*web.TENANT_PROBLEMS, problems.IdempotencyKeyInvalid, problems.SendUnknown)
CHANGE = (
    *views.SPEECH_PROBLEMS,
    problems.SendUnknown,
    problems.NotSentYet,
    problems.NotChangeable,
    problems.TooLateToChange,
    problems.ChangeUncertain,
)


class Edit(Record):
    """What the message reads from now on."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(min_length=1, max_length=requests.LONGEST_TEXT, pattern=r"\S")


@edge.route(
    "POST",
    "/",
    takes=SendMessage,
    needs=(requests.KEY_HEADER,),
    answers={201: views.SendView, 202: views.SendView},
    problems=views.PROBLEMS,
)
async def send(request: Request) -> web.Reply:
    """Something is said, once, however often it is asked for with the same `Idempotency-Key`.

    201 with the message; 202 while it is under way, or nobody knows whether it was sent: ask
    `GET /send-message/{key}`. A problem: it surely was not sent, and may be asked again.
    """
    tenant, key = await auth.tenant_of(request), requests.key_in(request.headers)
    body = await web.body(SendMessage, request, requests.BODY_LIMIT, requests.BOUNDS)
    outcome = await say.say(say.Wanted(tenant, key, body.root))
    return await views.reply(outcome.send, outcome.message)


@edge.route("GET", "/{key}", answers={200: views.SendView, 202: views.SendView}, problems=KNOWN)
async def outcome(request: Request) -> web.Reply:
    """What became of a send; 202 while nobody knows.

    Asking looks for the evidence: its echo, then what the server keeps.
    """
    tenant = await auth.tenant_of(request)
    return await views.reply(await change.known(tenant, _key(request)), done=200)


@edge.route("PATCH", "/{key}", takes=Edit, answers={200: views.SendView}, problems=CHANGE)
async def edit(request: Request) -> web.Reply:
    """A text that was sent reads so for everybody, within 15 minutes."""
    tenant = await auth.tenant_of(request)
    wanted = await web.body(Edit, request, requests.BOUNDS.size)
    return await views.reply(await change.edit(tenant, _key(request), wanted.text), done=200)


@edge.route("DELETE", "/{key}", answers={200: views.SendView}, problems=CHANGE)
async def delete(request: Request) -> web.Reply:
    """A message that was sent is gone for everybody, within two days."""
    tenant = await auth.tenant_of(request)
    return await views.reply(await change.delete(tenant, _key(request)), done=200)


def _key(request: Request) -> str:
    return requests.checked(request.path_params["key"])


@functions_framework.aio.http
async def send_message(request: Request) -> Response:
    """`/send-message`, `/send-message/{key}`."""
    return await edge.answer(request)
