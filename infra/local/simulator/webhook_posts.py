"""Post webhooks: build the envelope, choose the subscribers, and retry."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import dataclass, field

import httpx

from infra.local.simulator import ids, v1_words
from infra.local.simulator.answers import Json, Value
from infra.local.simulator.faults import Switch
from infra.local.simulator.state import World

EVENTS = [
    "APPLICATION_STARTUP", "QRCODE_UPDATED", "MESSAGES_SET", "MESSAGES_UPSERT", "MESSAGES_EDITED",
    "MESSAGES_UPDATE", "MESSAGES_DELETE", "SEND_MESSAGE", "SEND_MESSAGE_UPDATE", "CONTACTS_SET",
    "CONTACTS_UPSERT", "CONTACTS_UPDATE", "PRESENCE_UPDATE", "CHATS_SET", "CHATS_UPSERT",
    "CHATS_UPDATE", "CHATS_DELETE", "GROUPS_UPSERT", "GROUP_UPDATE", "GROUP_PARTICIPANTS_UPDATE",
    "CONNECTION_UPDATE", "LABELS_EDIT", "LABELS_ASSOCIATION", "CALL", "TYPEBOT_START",
    "TYPEBOT_CHANGE_STATUS", "REMOVE_INSTANCE", "LOGOUT_INSTANCE", "INSTANCE_CREATE",
    "INSTANCE_DELETE", "STATUS_INSTANCE",
]  # fmt: skip

GAPS = (5, 10, 20, 40, 80, 160, 300, 300, 300)
JITTER = 0.2
NEVER_RETRIED = {400, 401, 403, 404, 422}
QUICKER = 100
LONG_WAIT = 0.15


@dataclass
class WebhookDelivery:
    """An event on its way to a receiver; `outcome` is "" until the delivery has ended."""

    instance: str
    event: str
    url: str
    headers: dict[str, str]
    body: Json
    statuses: list[int] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    outcome: str = ""
    at: str = field(default_factory=ids.moment)
    task: "asyncio.Task[None] | None" = None


def emit(world: World, name: str, event: str, data: Value) -> list[WebhookDelivery]:
    """Post an event to the instance's webhook, if it subscribes to it; return the deliveries."""
    hook = _find_hook(world, name)
    if hook is None or subscription_of(event) not in hook["events"]:
        return []
    switch = world.faults.fires("webhook_duplicated", name, event=event)
    copies = [
        _build_delivery(world, name, event, data) for _ in range(switch.times if switch else 1)
    ]
    for delivery in copies:
        world.deliveries.append(delivery)
        _start_delivery(world, delivery)
    return copies


async def wait_until_delivered(world: World, deliveries: list[WebhookDelivery]) -> None:
    """Wait until every delivery has arrived or was given up."""
    for delivery in deliveries:
        if delivery.task:
            await world.background.follow(delivery.task)


def subscription_of(event: str) -> str:
    """Return the name by which a webhook subscribes to the event."""
    return event.upper().replace(".", "_").replace("-", "_")


def _find_hook(world: World, name: str) -> Json | None:
    row = world.rows.get(name)
    hook = row.webhook if row else None
    is_usable = hook and hook["enabled"] and str(hook["url"]).startswith(("http://", "https://"))
    return hook if is_usable else None


def _build_delivery(world: World, name: str, event: str, data: Value) -> WebhookDelivery:
    hook = _find_hook(world, name) or {}
    url = str(hook["url"])
    if hook["webhookByEvents"]:
        url += "/" + event.lower().replace(".", "-").replace("_", "-")
    headers = {} if world.is_legacy else _build_headers(hook["headers"] or {})
    body = _build_envelope(world, name, event, str(hook["url"]), data)
    return WebhookDelivery(name, event, url, headers, body)


def _build_envelope(world: World, name: str, event: str, destination: str, data: Value) -> Json:
    session, row = world.sessions.get(name), world.rows.get(name)
    data = v1_words.translate_data(name, event, data) if world.is_legacy else data
    envelope: Json = {"event": event, "instance": name, "data": json.loads(json.dumps(data))}
    envelope["destination"] = destination
    envelope["date_time"] = ids.moment(world.options.timezone_offset_hours)
    if session and session.wuid:
        envelope["sender"] = session.wuid
    envelope["server_url"] = world.options.server_url
    envelope["apikey"] = row.token if row and world.options.expose_token else None
    return envelope


def _build_headers(configured: dict[str, str]) -> dict[str, str]:
    headers = {key: str(value) for key, value in configured.items() if key != "jwt_key"}
    if secret := configured.get("jwt_key"):
        headers = {k: v for k, v in headers.items() if k.lower() != "authorization"}
        headers["authorization"] = f"Bearer {_sign_jwt(secret)}"
    return headers


def _sign_jwt(secret: str) -> str:
    now = int(time.time())
    claims = {"iat": now, "exp": now + 600, "app": "evolution", "action": "webhook"}
    signing_input = ".".join(
        _b64url(json.dumps(part).encode())
        for part in (
            {"alg": "HS256", "typ": "JWT"},
            claims,
        )
    )
    signature = hmac.new(secret.encode(), signing_input.encode(), hashlib.sha256).digest()
    return f"{signing_input}.{_b64url(signature)}"


def _b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _start_delivery(world: World, delivery: WebhookDelivery) -> None:
    if world.client is None:
        delivery.outcome = "kept"
    elif world.faults.fires("webhook_lost", delivery.instance, event=delivery.event):
        delivery.outcome = "lost"
    else:
        delivery.task = world.background.spawn(
            _deliver(world, delivery, _draw_delay(world, delivery))
        )


def _draw_delay(world: World, delivery: WebhookDelivery) -> float:
    def fires(kind: str) -> Switch | None:
        return world.faults.fires(kind, delivery.instance, event=delivery.event)

    delay, reorder = fires("webhook_delayed"), fires("webhook_reordered")
    jitter = world.faults.random.uniform(0, reorder.seconds) if reorder else 0
    return (delay.seconds if delay else 0) + jitter


async def _deliver(world: World, delivery: WebhookDelivery, delay: float) -> None:
    await asyncio.sleep(delay)
    gaps = [] if world.is_legacy else [_add_jitter(world, gap) for gap in GAPS]
    for gap in [*gaps, None]:
        status = await _attempt(world, delivery)
        if 200 <= status < 300 or status in NEVER_RETRIED or gap is None:
            delivery.outcome = "delivered" if 200 <= status < 300 else "given up"
            return
        await _wait(world, gap / QUICKER if world.options.quick else gap)


def _add_jitter(world: World, gap: float) -> float:
    return max(GAPS[0], gap * (1 + world.random.uniform(-JITTER, JITTER)))


async def _wait(world: World, gap: float) -> None:
    if gap > LONG_WAIT:
        await world.background.park(gap)
    else:
        await asyncio.sleep(gap)


async def _attempt(world: World, delivery: WebhookDelivery) -> int:
    """Post once, and return the receiver's status; 0 if there was none in time."""
    delivery.times.append(time.monotonic())
    status = 0
    try:
        async with asyncio.timeout(world.options.webhook_timeout):
            status = (await _post(world.client, delivery)).status_code
    except Exception:  # noqa: BLE001  any error of the receiver is a failed attempt
        status = 0
    delivery.statuses.append(status)
    return status


async def _post(client: httpx.AsyncClient | None, delivery: WebhookDelivery) -> httpx.Response:
    assert client
    headers = {"Accept": "application/json, text/plain, */*", "User-Agent": "axios/1.12.2"}
    return await client.post(
        delivery.url,
        json=delivery.body,
        headers=headers | delivery.headers,
        follow_redirects=True,
        timeout=None,
    )
