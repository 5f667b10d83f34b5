"""Receive the webhooks of Evolution servers."""

import functions_framework.aio
from starlette.requests import Request
from starlette.responses import Response

from shared import problems, services, web, webhook_token
from shared.inbound import ingest

edge = web.Edge("receive_webhook", "/webhook")

BODY_LIMIT = 32 * 1024 * 1024
"""Bytes that the platform lets through (Cloud Run: 32 MiB for HTTP/1)."""

PROBLEMS = (
    problems.WebhookForged,
    problems.BodyTooLarge,
    problems.BodyTooSlow,
    problems.StoreUnavailable,
    problems.Unexpected,
)


@edge.route("POST", "/", answers={204: None}, problems=PROBLEMS)
@edge.route("POST", "/{first}", answers={204: None}, problems=PROBLEMS)
@edge.route("POST", "/{first}/{second}", answers={204: None}, problems=PROBLEMS)
async def record_webhook(request: Request) -> web.Reply:
    """Record the events of a webhook, or keep it as a dead letter; 204 only once that is done.

    The token that names the instance is in the header `X-Webhook-Token`, or (Evolution 1.8) the
    first part of the path; a server that posts by event puts the event's name last.
    """
    identity = webhook_token.verify(_token(request))
    raw = await web.read_body(request, BODY_LIMIT)
    await ingest.ingest_webhook(identity, raw, services.now())
    return web.Reply(status=204)


def _token(request: Request) -> str:
    header = request.headers.get(webhook_token.HEADER)
    return header or request.path_params.get("first", "")


@functions_framework.aio.http
async def receive_webhook(request: Request) -> Response:
    """Answer `POST /webhook…`."""
    return await edge.answer(request)
