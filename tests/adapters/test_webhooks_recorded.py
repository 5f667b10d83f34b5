"""Read every recorded webhook as the event that its row names."""

import json

from shared.domain import events
from shared.domain.events import Event
from shared.domain.messages import Message
from shared.evolution.events.envelope import read_envelope
from tests.adapters import posted
from tests.cases import in_each

CONNECTING = "ignored: connecting says nothing for sure"
UNUSED = "ignored: no use for it"

MEANT = {
    "call.call-offer.json": "said call by 551188887777",
    "chats.set.history.json": UNUSED,
    "chats.update.group-subject.json": UNUSED,
    "chats.update.in-conversation.json": UNUSED,
    "chats.update.in-lid.json": UNUSED,
    "connection.update.device-removed-401.json": "LoggedOut",
    "connection.update.json": CONNECTING,
    "connection.update.logout-api.json": "LoggedOut",
    "connection.update.pairing-1-connecting.json": CONNECTING,
    "connection.update.pairing-2-open.json": "opened 5511999990001",
    "connection.update.restart-0.json": CONNECTING,
    "connection.update.restart-1.json": "opened 5511999990001",
    "connection.update.tcp-drop-0.json": CONNECTING,
    "connection.update.tcp-drop-1.json": "opened 5511999990001",
    "contacts.update.history.json": "named 551188887777 Maria Silva",
    "contacts.update.in-conversation-2.json": "ignored: a contact without a name",
    "contacts.update.in-conversation-4.json": "named 551188887777 Maria",
    "contacts.update.in-fromMe-other-device.json": "ignored: a contact without a name",
    "contacts.update.in-lid-1.json": "ignored: a contact without a name",
    "contacts.update.in-lid-3.json": "named lid-111222333444555 Maria",
    "contacts.update.picture-changed.json": "ignored: a contact without a name",
    "contacts.upsert.history.json": "named 551188887777 Maria Silva",
    "contacts.upsert.in-group-conversation.json": "ignored: a group's contact row",
    "error.json": None,
    "evolution-channel.chats.upsert.json": UNUSED,
    "evolution-channel.contacts.upsert.json": "named 551188887777 Maria",
    "evolution-channel.instance.delete.json": UNUSED,
    "evolution-channel.messages.upsert.json": "said text by 551188887777",
    "evolution-channel.remove.instance.json": "Removed",
    "evolution-channel.send.message.text.json": "said text to 551188887777",
    "group-participants.update.group-participants-add.json": "said notice by g-120363000000000001",
    "group-participants.update.group-participants-remove.json": (
        "said notice by g-120363000000000001"
    ),
    "groups.upsert.group-create.json": "named g-120363000000000003 Criado",
    "instance.create.json": UNUSED,
    "logout.instance.device-removed-401.json": UNUSED,
    "logout.instance.logout-api.json": UNUSED,
    "messages.delete.in-revoke.json": "revoked 3A000000000000000001 by 551188887777",
    "messages.edited.in-edited.json": "edited 3A000000000000000001 by ?: oi editado",
    "messages.edited.in-revoke.json": "revoked 3A000000000000000001 by ?",
    "messages.set.history.json": "recalled text by 551188887777, text to 551188887777",
    "messages.update.ack-error-late.json": "refused 3EB067499734CA9F88579B",
    "messages.update.sendText-DELIVERY_ACK.json": "delivered 3EB0D185E700E8211E1E34",
    "messages.update.sendText-READ.json": "read 3EB0D185E700E8211E1E34",
    "messages.upsert.in-audio-ptt.json": "said voice by 551188887777",
    "messages.upsert.in-buttonsResponse.json": "said button_reply by 551188887777",
    "messages.upsert.in-contact.json": "said contacts by 551188887777",
    "messages.upsert.in-conversation.json": "said text by 551188887777",
    "messages.upsert.in-documentWithCaption.json": "said document by 551188887777",
    "messages.upsert.in-extendedText-link.json": "said text by 551188887777",
    "messages.upsert.in-extendedText-quoted.json": "said text by 551188887777",
    "messages.upsert.in-fromMe-other-device.json": "said text to 551188887777",
    "messages.upsert.in-group-conversation.json": "said text by g-120363000000000001",
    "messages.upsert.in-image.json": "said image by 551188887777",
    "messages.upsert.in-lid.json": "said text by 551188887777",
    "messages.upsert.in-location.json": "said location by 551188887777",
    "messages.upsert.in-pn-with-sender-lid.json": "said text by 551188887777",
    "messages.upsert.in-reaction.json": "551188887777 ❤️ 3A000000000000000001",
    "messages.upsert.in-s3-text-after-video.json": "said text by 551188887777",
    "messages.upsert.in-sticker.json": "said sticker by 551188887777",
    "messages.upsert.in-video.json": "said video by 551188887777",
    "messages.upsert.rt-byevents.json": "said text by 551188887777",
    "messages.upsert.rt-jwt.json": "said text by 551188887777",
    "presence.update.chatstate-composing.json": UNUSED,
    "presence.update.presence-unavailable.json": UNUSED,
    "qrcode.updated.json": "CodeShown",
    "qrlimit.connection.update.global-2.json": CONNECTING,
    "qrlimit.connection.update.global-4.json": "CodesExhausted",
    "qrlimit.connection.update.global-6.json": CONNECTING,
    "qrlimit.connection.update.local-1.json": CONNECTING,
    "qrlimit.connection.update.local-3.json": "CodesExhausted",
    "qrlimit.connection.update.local-5.json": CONNECTING,
    "qrlimit.instance.create.global-2.json": UNUSED,
    "qrlimit.instance.create.local-1.json": UNUSED,
    "qrlimit.qrcode.updated.global-2.json": "CodeShown",
    "qrlimit.qrcode.updated.global-4.json": "CodesExhausted",
    "qrlimit.qrcode.updated.local-1.json": "CodeShown",
    "qrlimit.qrcode.updated.local-3.json": "CodesExhausted",
    "send.message.ack-error-late.json": "said text to 551188887777",
    "send.message.ack-error.json": "said text to 551188887777",
    "send.message.sendContact.json": "said contacts to 551188887777",
    "send.message.sendLocation.json": "said location to 551188887777",
    "send.message.sendMedia-document.json": "said document to 551188887777",
    "send.message.sendMedia-image.json": "said image to 551188887777",
    "send.message.sendMedia-video.json": "said video to 551188887777",
    "send.message.sendReaction.json": "me 👍 3EB0D185E700E8211E1E34",
    "send.message.sendSticker.json": "said sticker to 551188887777",
    "send.message.sendText-again.json": "said text to 551188887777",
    "send.message.sendText-delay-2000.json": "said text to 551188887777",
    "send.message.sendText-group.json": "said text to g-120363000000000001",
    "send.message.sendText-link.json": "said text to 551188887777",
    "send.message.sendText-quoted-inline.json": "said text to 551188887777",
    "send.message.sendText-quoted-known.json": "said text to 551188887777",
    "send.message.sendText-to-lid.json": "said text to lid-111222333444555",
    "send.message.sendText.json": "said text to 551188887777",
    "send.message.sendWhatsAppAudio.json": "said voice to 551188887777",
    "send.message.update.updateMessage.json": ("edited 3EB0889CC8D1898B484C3E by me: editado"),
    "status.instance.device-removed-401.json": UNUSED,
    "status.instance.logout-api.json": UNUSED,
    "application.startup.json": UNUSED,
    "call.offer.lid.json": "said call by lid-111222333444555",
    "chats.delete.json": UNUSED,
    "contacts.set.json": "ignored: nothing in it",
    "group-participants.update.enhanced.json": "said notice by g-120363000000000001",
    "groups.update.json": "said notice by g-120363000000000001",
    "labels.association.json": UNUSED,
    "labels.edit.json": UNUSED,
    "messages.update.deleted.json": "revoked 3A1 by 551188887777",
    "messages.update.poll.json": "A of 3EB0POLL by 551188887777",
    "typebot.change-status.json": UNUSED,
    "typebot.start.json": UNUSED,
    "v1.messages.update.json": "delivered BAE5",
    "v1.messages.upsert.json": "said text by 551188887777",
    "v2.3.0.messages.upsert.lid-senderPn.json": "said text by 551188887777",
}


def test_no_recording_is_left_out():
    assert set(MEANT) == set(posted.RECORDED)


@in_each("name", posted.RECORDED)
def test_recorded_webhook_matches_its_row(name: str):
    envelope = read_envelope(json.dumps(posted.body(name)).encode())

    assert (envelope and "; ".join(map(summary, envelope.events()))) == MEANT[name]


@in_each("name", posted.RECORDED)
def test_same_body_is_same_events(name: str):
    written = json.dumps(posted.body(name)).encode()
    once, again = read_envelope(written), read_envelope(written)

    assert (once and once.events()) == (again and again.events())


def summary(event: Event) -> str:
    """Describe an event in a few words, for the table."""
    match event:
        case events.Said(message):
            return f"said {words(message)}"
        case events.Recalled(messages):
            return f"recalled {', '.join(map(words, messages))}"
        case events.ContactNamed(contact, name) | events.GroupNamed(contact, name, _):
            return f"named {contact.key} {name}"
        case events.Ignored(reason):
            return UNUSED if reason.startswith("no use for") else f"ignored: {reason}"
        case events.Opened(number):
            return f"opened {number}"
        case events.Voted(poll, actor, options):
            return f"{'/'.join(options)} of {poll} by {actor}"
        case _:
            return changes(event)


def changes(event: Event) -> str:
    match event:
        case events.DeliveryMoved(message, delivery):
            return f"{delivery.name.lower()} {message}"
        case events.SendRefused(message):
            return f"refused {message}"
        case events.Edited(message, text, _, _, by):
            return f"edited {message} by {'/'.join(by)}: {text}"
        case events.Revoked(message, _, by):
            return f"revoked {message} by {'/'.join(by)}"
        case events.Reacted(message, actor, emoji):
            return f"{actor} {emoji} {message}"
        case _:
            return type(event).__name__


def words(message: Message) -> str:
    whose = "to" if message.from_me else "by"
    return f"{message.kind} {whose} {message.contact.key}"
