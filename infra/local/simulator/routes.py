"""Which handler serves which route, in 2.x and in 1.8."""

from collections.abc import Awaitable, Callable

from infra.local.simulator import (
    archive,
    chats,
    configuration,
    connection,
    contents,
    creation,
    licence,
    listing,
    receiving,
    removal,
    sending,
    v1,
)
from infra.local.simulator.answers import Answer, Ask
from infra.local.simulator.state import World

Handler = Callable[[World, Ask], Awaitable[Answer]]

GLOBAL_KEY = {"verify-creds"}


async def welcome(world: World, ask: Ask) -> Answer:
    """Who this is; no key is asked for."""
    options = world.options
    return Answer(200, {
        "status": 200,
        "message": "Welcome to the Evolution API, it is working!",
        "version": options.version,
        "clientName": "evolution",
        "manager": f"{options.server_url}/manager",
        "documentation": "https://doc.evolution-api.com",
        "whatsappWebVersion": "2.3000.1027934701",
    })  # fmt: skip


async def verify(world: World, ask: Ask) -> Answer:
    return Answer(200, {"status": 200, "message": "Credentials are valid"})


PLAIN: dict[tuple[str, str], Handler] = {
    ("GET", ""): welcome,
    ("POST", "verify-creds"): verify,
    ("GET", "license/status"): licence.status,
    ("POST", "instance/create"): creation.create,
    ("GET", "instance/fetchInstances"): listing.fetch_instances,
    ("POST", "webhook/evolution"): receiving.inject,
}

NAMED: dict[tuple[str, str], Handler] = {
    ("GET", "instance/connectionState"): connection.state,
    ("GET", "instance/connect"): connection.connect,
    ("POST", "instance/restart"): connection.restart,
    ("DELETE", "instance/logout"): connection.logout,
    ("DELETE", "instance/delete"): removal.delete,
    ("POST", "webhook/set"): configuration.set_webhook,
    ("GET", "webhook/find"): configuration.find_webhook,
    ("POST", "settings/set"): configuration.set_settings,
    ("GET", "settings/find"): configuration.find_settings,
    ("POST", "message/sendText"): sending.sender(contents.text),
    ("POST", "message/sendMedia"): sending.sender(contents.media),
    ("POST", "message/sendWhatsAppAudio"): sending.sender(contents.audio),
    ("POST", "message/sendSticker"): sending.sender(contents.sticker),
    ("POST", "message/sendLocation"): sending.sender(contents.location),
    ("POST", "message/sendContact"): sending.sender(contents.contact),
    ("POST", "message/sendReaction"): sending.sender(contents.reaction),
    ("POST", "message/sendPoll"): sending.sender(contents.poll),
    ("POST", "message/sendStatus"): sending.sender(contents.status),
    ("POST", "message/sendButtons"): sending.sender(contents.buttons),
    ("POST", "message/sendList"): sending.sender(contents.sent_list),
    ("POST", "message/sendPtv"): sending.send_ptv,
    ("POST", "chat/whatsappNumbers"): chats.whatsapp_numbers,
    ("POST", "chat/findMessages"): archive.find_messages,
    ("POST", "chat/findChats"): archive.find_chats,
    ("POST", "chat/findContacts"): archive.find_contacts,
    ("POST", "chat/findStatusMessage"): archive.find_status,
    ("POST", "chat/getBase64FromMediaMessage"): archive.get_base64,
    ("POST", "chat/markMessageAsRead"): chats.mark_as_read,
    ("POST", "chat/fetchProfilePictureUrl"): chats.profile_picture,
    ("POST", "chat/sendPresence"): chats.send_presence,
    ("POST", "chat/updateMessage"): chats.update_message,
    ("DELETE", "chat/deleteMessageForEveryone"): chats.delete_for_everyone,
}


def find(world: World, method: str, route: str, named: bool) -> Handler | None:
    """The handler, or None if this server has no such route."""
    if route == "license/status" and not world.wants_licence:
        return None
    known = NAMED if named else PLAIN
    if world.legacy:
        if (method, route) in v1.GONE:
            return None
        if named == ((method, route) not in PLAIN):
            return v1.OVERRIDES.get((method, route)) or known.get((method, route))
    return known.get((method, route))
