"""Answer a POST that asks to send a message, wherever it is posted to."""

from shared import auth, web
from shared.sending import requests, send, send_views
from shared.sending.requests import SendMessage


async def post_message(request: web.Request, conversation: str | None = None) -> web.Reply:
    """Send the request's content, into this conversation if it is not None, and reply.

    201 with the message; 202 while it is under way, or its outcome is uncertain. Raises
    `send_views.PROBLEMS`: then it surely was not sent.
    """
    tenant, key = await auth.require_tenant(request), requests.read_key(request.headers)
    body = await web.parse_body(SendMessage, request, requests.BODY_LIMIT, requests.BOUNDS)
    content = body.root
    if conversation is not None:
        content = requests.place_in_conversation(content, conversation)
    outcome = await send.send_once(send.SendCommand(tenant, key, content))
    return await send_views.reply_with_send(outcome.send, outcome.message)
