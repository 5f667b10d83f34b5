"""Compare every webhook that the simulator posts with its recording."""

import pytest

from tests.simulator import scenes
from tests.simulator.shapes import names, recording, shape

pytestmark = pytest.mark.anyio
PERSON = f"{scenes.CONTACT}@s.whatsapp.net"


async def contact_writes(sim, call):
    await sim.receive("wa1", scenes.CONTACT, "oi, tudo bem?", id="3A000000000000000001")


async def known_contact_writes(sim, call):
    await sim.receive("wa1", scenes.CONTACT, "oi")
    await contact_writes(sim, call)


async def contact_edits(sim, call):
    await contact_writes(sim, call)
    await sim.edit("wa1", "3A000000000000000001", "oi editado")


async def contact_revokes(sim, call):
    await contact_writes(sim, call)
    await sim.revoke("wa1", "3A000000000000000001")


async def sends(sim, call):
    await replay(call, "baileys-sendText")


async def sends_and_is_read(sim, call):
    answer = await replay(call, "baileys-sendText")
    await sim.drain()
    await sim.acknowledge("wa1", answer.json()["key"]["id"], "READ")


async def is_refused(sim, call):
    sim.faults.turn_on("send_refused")
    await sends(sim, call)


async def is_restarted(sim, call):
    sim.world.rows["wa1"].profile_name = "Maria"
    await call.post("/instance/restart/wa1")


async def drops(sim, call):
    sim.world.rows["wa1"].profile_name = "Maria"
    await sim.drop("wa1")


async def remembers(sim, call):
    await sim.history("wa1", [
        {"key": {"remoteJid": PERSON, "id": "H1"}, "message": {"conversation": "histórico"}},
        {"key": {"remoteJid": PERSON, "id": "H2", "fromMe": True}, "pushName": "Você",
         "message": {"conversation": "resposta"}, "status": "READ"},
    ])  # fmt: skip


def replaying(name):
    async def act(sim, call):
        await scenes.exchange_messages(sim)
        await replay(call, name)

    return act


def receiving(name):
    """Receive the recorded message without the fields that the simulator fills in."""
    data = recording("webhooks", f"messages.upsert.{name}")["request"]["body"]["data"]
    fields = {"key", "pushName", "message", "contextInfo"}

    async def act(sim, call):
        await sim.receive_message("wa1", {key: data[key] for key in fields & data.keys()})

    return act


OPEN = {
    "connection.update.pairing-2-open": lambda sim, call: sim.drain(),
    "connection.update.device-removed-401": lambda sim, call: sim.unpair("wa1"),
    "status.instance.device-removed-401": lambda sim, call: sim.unpair("wa1"),
    "logout.instance.device-removed-401": lambda sim, call: sim.unpair("wa1"),
    "connection.update.logout-api": lambda sim, call: call.delete("/instance/logout/wa1"),
    "status.instance.logout-api": lambda sim, call: call.delete("/instance/logout/wa1"),
    "logout.instance.logout-api": lambda sim, call: call.delete("/instance/logout/wa1"),
    "connection.update.restart-0": is_restarted,
    "connection.update.restart-1": is_restarted,
    "connection.update.tcp-drop-0": drops,
    "connection.update.tcp-drop-1": drops,
    "chats.update.in-conversation": contact_writes,
    "contacts.update.in-conversation-2": contact_writes,
    "contacts.update.in-conversation-4": known_contact_writes,
    "messages.upsert.in-conversation": contact_writes,
    "messages.edited.in-edited": contact_edits,
    "messages.edited.in-revoke": contact_revokes,
    "messages.delete.in-revoke": contact_revokes,
    "messages.update.sendText-DELIVERY_ACK": sends,
    "messages.update.sendText-READ": sends_and_is_read,
    "messages.update.ack-error-late": is_refused,
    "send.message.update.updateMessage": replaying("baileys-updateMessage"),
    "messages.set.history": remembers,
    "chats.set.history": remembers,
} | {
    f"messages.upsert.{name}": receiving(name)
    for name in (
        "in-audio-ptt", "in-buttonsResponse", "in-contact", "in-documentWithCaption",
        "in-extendedText-link", "in-extendedText-quoted", "in-fromMe-other-device",
        "in-group-conversation", "in-image", "in-lid", "in-location", "in-pn-with-sender-lid",
        "in-reaction", "in-sticker", "in-video",
    )
} | {
    f"send.message.{name}": replaying(f"baileys-{name}")
    for name in (
        "sendContact", "sendLocation", "sendMedia-document", "sendMedia-image",
        "sendMedia-video", "sendReaction", "sendSticker", "sendText-again",
        "sendText-delay-2000", "sendText-group", "sendText-link", "sendText-quoted-inline",
        "sendText-quoted-known", "sendText-to-lid", "sendText", "sendWhatsAppAudio",
    )
}  # fmt: skip

PENDING = {"instance.create", "connection.update", "qrcode.updated"}
PENDING_WITH_NUMBER = {"qrlimit.instance.create.local-1", "qrlimit.qrcode.updated.local-1",
                       "qrlimit.connection.update.local-1"}  # fmt: skip
LIMIT = {"qrlimit.qrcode.updated.local-3", "qrlimit.connection.update.local-3"}
CHANNEL = {
    "evolution-channel.chats.upsert", "evolution-channel.contacts.upsert",
    "evolution-channel.messages.upsert", "evolution-channel.instance.delete",
    "evolution-channel.remove.instance", "evolution-channel.send.message.text",
}  # fmt: skip
NOT_POSTED = {
    "call.call-offer": "calls; `emit` posts one",
    "chats.update.group-subject": "groups' own life; `emit` posts it",
    "chats.update.in-lid": "the same as in-conversation",
    "connection.update.pairing-1-connecting": "the same as connection.update",
    "contacts.update.history": "contacts of the history; `emit` posts them",
    "contacts.upsert.history": "contacts of the history; `emit` posts them",
    "contacts.update.in-fromMe-other-device": "the same as in-conversation-4",
    "contacts.update.in-lid-1": "the same as in-conversation-2",
    "contacts.update.in-lid-3": "the same as in-conversation-4",
    "contacts.update.picture-changed": "contacts have no picture; `emit` posts it",
    "contacts.upsert.in-group-conversation": "see test_messages",
    "error": "the errors webhook is an option that is off",
    "group-participants.update.group-participants-add": "groups' own life; `emit` posts it",
    "group-participants.update.group-participants-remove": "groups' own life; `emit` posts it",
    "groups.upsert.group-create": "groups' own life; `emit` posts it",
    "messages.upsert.in-s3-text-after-video": "there is no S3 here",
    "messages.upsert.rt-byevents": "see test_envelope",
    "messages.upsert.rt-jwt": "see test_envelope",
    "presence.update.chatstate-composing": "`emit` posts it",
    "presence.update.presence-unavailable": "`emit` posts it",
    "qrlimit.connection.update.local-5": "the same as local-1",
    "send.message.ack-error": "the same as sendText",
    "send.message.ack-error-late": "the same as sendText",
}
GLOBAL = {name for name in names("webhooks") if ".global-" in name}


@pytest.mark.parametrize("name", OPEN)
async def test_posts_as_recorded_once_open(name, sim, call, receiver):
    await scenes.just_open(sim, call)
    await sim.drain()

    await OPEN[name](sim, call)

    await sim.drain()
    assert_posted(receiver, name)


@pytest.mark.parametrize("name", sorted(PENDING | PENDING_WITH_NUMBER))
async def test_posts_as_recorded_while_pairing(name, sim, call, receiver):
    await scenes.pending(sim, call)

    await sim.drain()
    assert_posted(receiver, name)


@pytest.mark.parametrize("name", sorted(LIMIT))
async def test_posts_as_recorded_when_nobody_scans(name, sim, call, receiver):
    await scenes.pending(sim, call)

    await sim.reach_qr_limit("wa-qrlimit")

    await sim.drain()
    assert_posted(receiver, name)


@pytest.mark.parametrize("name", sorted(CHANNEL))
async def test_posts_as_recorded_on_evolution_channel(name, sim, call, receiver):
    await scenes.evo_min_has_a_webhook(sim, call)
    await replay(call, "webhook-set-ok")
    await replay(call, "evolution-sendText")
    await call.delete("/instance/delete/evo-min")

    await sim.drain()

    assert_posted(receiver, name)


async def test_every_recorded_webhook_is_accounted_for():
    covered = OPEN.keys() | PENDING | PENDING_WITH_NUMBER | LIMIT | CHANNEL

    assert covered | NOT_POSTED.keys() | GLOBAL == set(names("webhooks"))


def assert_posted(receiver, name):
    recorded = recording("webhooks", name)["request"]["body"]
    alike = [body for _, _, body in receiver.posts if body["event"] == recorded["event"]]
    assert alike, f"no {recorded['event']} among {receiver.events}"
    assert mask_envelope(recorded) in [mask_envelope(body) for body in alike]


def mask_envelope(body):
    masked = shape(body) | {"apikey": "…"}
    if isinstance(body["data"], dict) and "source" in body["data"]:
        masked["data"]["source"] = "…"
    return masked


async def replay(call, name):
    request = recording("exchanges", name)["request"]
    return await call.request(request["method"], request["path"], json=request["body"])
