"""Map routes to handlers, in 2.x and in 1.8."""

from collections.abc import Awaitable, Callable

from infra.local.simulator import (
    archive,
    chats,
    creation,
    instance_settings,
    licence,
    listing,
    message_contents,
    receiving,
    removal,
    sending,
    sessions,
    v1,
)
from infra.local.simulator.answers import ApiRequest, ApiResponse
from infra.local.simulator.state import World

Handler = Callable[[World, ApiRequest], Awaitable[ApiResponse]]

GLOBAL_KEY = {"verify-creds"}


async def welcome(world: World, request: ApiRequest) -> ApiResponse:
    """Answer name and version; this needs no key."""
    options = world.options
    return ApiResponse(200, {
        "status": 200,
        "message": "Welcome to the Evolution API, it is working!",
        "version": options.version,
        "clientName": "evolution",
        "manager": f"{options.server_url}/manager",
        "documentation": "https://doc.evolution-api.com",
        "whatsappWebVersion": "2.3000.1027934701",
    })  # fmt: skip


async def verify(world: World, request: ApiRequest) -> ApiResponse:
    return ApiResponse(200, {"status": 200, "message": "Credentials are valid"})


PLAIN: dict[tuple[str, str], Handler] = {
    ("GET", ""): welcome,
    ("POST", "verify-creds"): verify,
    ("GET", "license/status"): licence.status,
    ("POST", "instance/create"): creation.create,
    ("GET", "instance/fetchInstances"): listing.fetch_instances,
    ("POST", "webhook/evolution"): receiving.inject,
}

NAMED: dict[tuple[str, str], Handler] = {
    ("GET", "instance/connectionState"): sessions.state,
    ("GET", "instance/connect"): sessions.connect,
    ("POST", "instance/restart"): sessions.restart,
    ("DELETE", "instance/logout"): sessions.logout,
    ("DELETE", "instance/delete"): removal.delete,
    ("POST", "webhook/set"): instance_settings.set_webhook,
    ("GET", "webhook/find"): instance_settings.find_webhook,
    ("POST", "settings/set"): instance_settings.set_settings,
    ("GET", "settings/find"): instance_settings.find_settings,
    ("POST", "message/sendText"): sending.make_handler(message_contents.text),
    ("POST", "message/sendMedia"): sending.make_handler(message_contents.media),
    ("POST", "message/sendWhatsAppAudio"): sending.make_handler(message_contents.audio),
    ("POST", "message/sendSticker"): sending.make_handler(message_contents.sticker),
    ("POST", "message/sendLocation"): sending.make_handler(message_contents.location),
    ("POST", "message/sendContact"): sending.make_handler(message_contents.contact),
    ("POST", "message/sendReaction"): sending.make_handler(message_contents.reaction),
    ("POST", "message/sendPoll"): sending.make_handler(message_contents.poll),
    ("POST", "message/sendStatus"): sending.make_handler(message_contents.status),
    ("POST", "message/sendButtons"): sending.make_handler(message_contents.buttons),
    ("POST", "message/sendList"): sending.make_handler(message_contents.list_message),
    ("POST", "message/sendPtv"): sending.send_ptv,
    ("POST", "chat/whatsappNumbers"): chats.whatsapp_numbers,
    ("POST", "chat/findMessages"): archive.find_messages,
    ("POST", "chat/findChats"): archive.find_chats,
    ("POST", "chat/findContacts"): archive.find_contacts,
    ("POST", "chat/findStatusMessage"): archive.find_status,
    ("POST", "chat/getBase64FromMediaMessage"): archive.get_base64,
    ("POST", "chat/markMessageAsRead"): chats.mark_as_read,
    ("POST", "chat/fetchProfilePictureUrl"): chats.profile_picture,
    ("GET", "group/findGroupInfos"): chats.find_group,
    ("POST", "chat/sendPresence"): chats.send_presence,
    ("POST", "chat/updateMessage"): chats.update_message,
    ("DELETE", "chat/deleteMessageForEveryone"): chats.delete_for_everyone,
}


def find_handler(world: World, method: str, route: str, has_name: bool) -> Handler | None:
    """Return the handler, or None if this server has no such route."""
    if route == "license/status" and not world.needs_licence:
        return None
    handlers = NAMED if has_name else PLAIN
    if world.is_legacy:
        if (method, route) in v1.REMOVED_ROUTES:
            return None
        if has_name == ((method, route) not in PLAIN):
            return v1.OVERRIDES.get((method, route)) or handlers.get((method, route))
    return handlers.get((method, route))
