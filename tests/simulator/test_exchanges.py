"""Replay every recorded exchange: the answer has the recorded shape."""

import re

import httpx
import pytest

from tests.cases import in_each
from tests.simulator import scenes
from tests.simulator.conftest import Receiver, client_of, simulated
from tests.simulator.shapes import is_same_list, names, recording, shape

IN_STATE = {
    scenes.nothing: """
        auth-missing-apikey auth-wrong-apikey-create auth-wrong-apikey-fetchInstances
        auth-wrong-apikey-unknown-instance connectionState-unknown create-bad-integration
        create-bad-json create-bad-number create-baileys-qrcode-false create-baileys-qrcode-true
        create-bool-as-string create-business-no-token create-empty-name create-evolution-full
        create-evolution-minimal create-name-case create-name-constructor create-name-long255
        create-name-long256 create-name-number-type create-name-proto create-name-slash
        create-name-trail create-name-unicode create-no-integration create-webhook-bad-event
        create-webhook-bad-url create-webhook-enabled-false create-webhook-no-events
        create-with-instance-token connectionState-2s-after-delete-baileys-connecting
        connectionState-after-delete-baileys-connecting delete-baileys-never-connected-state-after
        delete-unknown errors-webhook-trigger evolution-inbound-no-numberid evolution-logout
        evolution-inbound-unknown-number fetchInstances-1s-after-delete-and-recreate
        fetchInstances-by-id-unknown fetchInstances-by-name-unknown
        fetchInstances-by-number-unknown qrlimit-create restart-unknown root-get
        sendText-unknown-instance unknown-route verify-creds webhook-find-none
        webhook-set-unknown""",
    scenes.evolution: """
        connect-evolution-open connectionState-query-override
        connectionState-with-instance-token connectionState-with-other-instance-token
        create-name-in-use create-name-in-use-no-key create-name-in-use-wrong-key create-no-name
        cross-instance-query-override-sendText delete-evolution-open
        evolution-fetchProfilePictureUrl evolution-fetchProfilePictureUrl-br8
        evolution-findContacts evolution-findMessages evolution-findMessages-by-id
        evolution-findChats evolution-getBase64 evolution-inbound-text
        evolution-inbound-text-same-id evolution-markRead evolution-sendButtons
        evolution-sendContact evolution-sendLocation evolution-sendMedia-document-b64
        evolution-sendMedia-image-url evolution-sendPoll evolution-sendReaction
        evolution-sendText evolution-sendText-delay-3000 evolution-sendText-quoted
        evolution-sendWhatsAppAudio evolution-whatsappNumbers fetchInstances-by-id
        fetchInstances-by-name fetchInstances-with-instance-token
        fetchInstances-with-instance-token-other-name logout-evolution restart-evolution-open
        sendMedia-bad-type sendMedia-data-uri sendText-bad-key sendText-empty-text
        sendText-instance-token sendText-no-number sendText-no-text sendText-v1-body
        settings-find settings-set settings-set-back webhook-find
        webhook-find-after-create-enabled-false webhook-set-disabled webhook-set-empty-events
        webhook-set-empty-url webhook-set-group-update webhook-set-no-events webhook-set-not-url
        webhook-set-v1-body""",
    scenes.evo_min_has_a_webhook: "webhook-set-ok",
    scenes.evolution_closed: """
        connectionState-after-logout-evolution delete-evolution-closed
        fetchInstances-after-logout-evolution sendText-on-closed-evolution""",
    scenes.evo_min_deleted: """
        connectionState-immediately-after-delete create-immediately-after-delete""",
    scenes.stuck: """
        delete-with-failing-webhook delete-with-failing-webhook-recreate
        delete-with-failing-webhook-state-0s delete-with-failing-webhook-state-5s
        delete-with-failing-webhook-state-25s""",
    scenes.victim: """
        cross-instance-query-override-delete cross-instance-query-override-delete-own-after""",
    scenes.victim_deleted: "cross-instance-query-override-delete-victim-after",
    scenes.never_connected: """
        connectionState-baileys-never-connected delete-baileys-never-connected
        fetchProfilePictureUrl-baileys-never-connected logout-baileys-closed
        restart-baileys-closed sendText-baileys-never-connected
        whatsappNumbers-baileys-never-connected""",
    scenes.pending: """
        connect-baileys-pairing-code connect-baileys-qr-pending
        connectionState-baileys-qr-pending fetchInstances-baileys-qr-pending
        restart-baileys-qr-pending sendText-baileys-qr-pending""",
    scenes.unreachable: """
        connect-baileys-wa-unreachable connect-baileys-wa-unreachable-number
        connectionState-baileys-wa-unreachable-0 delete-baileys-connecting-unreachable
        restart-baileys-connecting-unreachable sendText-baileys-wa-unreachable""",
    scenes.limit_reached: """
        qrlimit-connect-after qrlimit-connectionState-after qrlimit-fetchInstances-after
        qrlimit-state-after""",
    scenes.limit_reached_and_connected: "qrlimit-connect-after-2",
    scenes.just_open: """
        connect-baileys-open connectionState-baileys-open fetchInstances-baileys-open
        logout-baileys-open restart-baileys-open""",
    scenes.busy: """
        baileys-deleteMessageForEveryone baileys-fetchProfilePictureUrl-none baileys-findChats
        baileys-findContacts baileys-findMessages-lid baileys-findStatusMessage
        baileys-getBase64-media-gone baileys-getBase64-not-media baileys-getBase64-unknown
        baileys-markMessageAsRead baileys-sendButtons baileys-sendContact baileys-sendList
        baileys-sendLocation baileys-sendMedia-docker-hostname baileys-sendMedia-document
        baileys-sendMedia-image baileys-sendMedia-video
        baileys-sendPoll baileys-sendPresence baileys-sendPtv baileys-sendReaction
        baileys-sendStatus baileys-sendSticker baileys-sendText baileys-sendText-ack-error
        baileys-sendText-ack-error-late baileys-sendText-again baileys-sendText-br-ninth-digit
        baileys-sendText-br-ninth-digit-12 baileys-sendText-delay-2000 baileys-sendText-group
        baileys-sendText-group-unknown baileys-sendText-link baileys-sendText-not-on-whatsapp
        baileys-sendText-quoted-inline baileys-sendText-quoted-known baileys-sendText-to-lid
        baileys-sendWhatsAppAudio baileys-updateMessage baileys-whatsappNumbers-empty
        baileys-whatsappNumbers connectionState-after-440 connectionState-after-restart
        connectionState-after-reconnect connectionState-baileys-after-wa-back
        cross-instance-query-override-findMessages cross-instance-query-override-webhook-find""",
    scenes.stalled: "baileys-sendText-usync-stalled",
    scenes.media_gone: "baileys-sendMedia-url-404",
    scenes.unacknowledged: "baileys-sendText-no-ack",
    scenes.cut_off: """
        connectionState-baileys-while-wa-down fetchInstances-baileys-while-wa-down
        sendText-baileys-while-wa-down""",
    scenes.unpaired: """
        connect-after-logout connectionState-after-403 connectionState-after-device-removed
        fetchInstances-after-device-removed logout-baileys-again""",
    scenes.logged_out: """
        connectionState-after-logout connectionState-right-after-logout create-after-logout
        fetchInstances-after-logout sendText-after-logout""",
    scenes.reopened: "fetchInstances-reopened-keeps-old-disconnection",
}

NOT_COVERED = {
    "baileys-fetchAllGroups": "groups are known only by their address",
    "baileys-findGroupInfos": "groups are known only by their address",
    "baileys-fetchProfilePictureUrl": "contacts have no picture",
    "baileys-getBase64": "media sent through the API stays available here",
    "connectionState-baileys-wa-unreachable-1": "without a code it stays connecting here",
    "connectionState-baileys-wa-unreachable-2": "without a code it stays connecting here",
    "fetchInstances-baileys-unreachable": "the row says connecting here, close there",
    "s3-getBase64": "there is no S3 here",
    "s3-getMedia": "there is no S3 here",
    "s3-sendMedia-image": "there is no S3 here",
    "create-baileys-wa-unreachable": "see test_faults: no code came",
}
MEASUREMENTS = {
    "delete-with-failing-webhook-timeline", "fetchInstances-cost", "login-failure-401",
    "login-failure-405", "memory-per-open-instance", "messages-lost-after-logout-and-reconnect",
    "race-create-2-baileys-nowebhook", "race-create-2-evolution-webhook",
    "race-create-20-baileys-webhook", "race-create-20-evolution-nowebhook",
    "race-create-20-evolution-webhook", "race-create-statistics",
    "restart-loses-retries-and-dedup", "s3-video-event-lost", "wa-outage-webhook-storm",
    "webhook-base64-needs-reconnect", "webhook-retry-timelines",
}  # fmt: skip
COVERED = [(scene, name) for scene, names in IN_STATE.items() for name in names.split()]


@pytest.mark.anyio
@in_each(("scene", "name"), COVERED, ids=[name for _, name in COVERED])
async def test_answers_as_recorded(scene, name):
    recorded = recording("exchanges", name)
    async with simulated(Receiver()) as sim, client_of(sim) as call:
        await scene(sim, call)
        answer = await replay(sim, call, recorded["request"])

    assert answer.status_code == recorded["response"]["status"], answer.text
    assert_same_shape(name, answer.json(), recorded["response"]["body"], answer.status_code >= 400)


def test_every_recorded_exchange_is_accounted_for():
    accounted = {name for _, name in COVERED} | NOT_COVERED.keys() | MEASUREMENTS

    assert accounted == set(names("exchanges"))


async def replay(sim, call, request):
    path = re.sub(r"instanceId=17e9[\w-]+", lambda _: f"instanceId={sim.world.rows['evo1'].id}",
                  request["path"])  # fmt: skip
    body = request["body"]
    raw = body.get("_raw") if isinstance(body, dict) else None
    headers = {key: value for key, value in request["headers"].items() if key == "apikey"}
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(sim.app), base_url="http://evolution"
    ) as client:
        if raw:
            return await client.request(request["method"], path, headers=headers, content=raw)
        return await client.request(request["method"], path, headers=headers, json=body)


def assert_same_shape(name, simulated, recorded, is_error):
    ours, theirs = shape(simulated, literal=is_error), shape(recorded, literal=is_error)
    if isinstance(theirs, dict) and "messages" in theirs and "records" in theirs["messages"]:
        assert ours["messages"].keys() == theirs["messages"].keys()
        ours, theirs = ours["messages"]["records"], theirs["messages"]["records"]
    if isinstance(theirs, list) and "whatsappNumbers" not in name:
        ours, theirs = [_strip(item) for item in ours], [_strip(item) for item in theirs]
        assert is_same_list(ours, theirs), ours
    else:
        assert ours == theirs


def _strip(item):
    """Mask the content and the sender of a found item."""
    if not isinstance(item, dict):
        return item
    masked_keys = ("message", "contextInfo", "MessageUpdate", "source", "pushName", "messageType",
                   "key", "remoteJid", "status")  # fmt: skip
    stripped = {key: "…" if key in masked_keys else value for key, value in item.items()}
    if isinstance(stripped.get("lastMessage"), dict):
        stripped["lastMessage"] = _strip(stripped["lastMessage"])
    return stripped
