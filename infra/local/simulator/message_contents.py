"""Build the contents of messages, kind by kind, in WhatsApp's raw form."""

import base64
import json
import re
import secrets
from typing import NamedTuple

from infra.local.simulator import ids
from infra.local.simulator.answers import Json, bad_request, invalid, require_properties

KINDS_OF_MEDIA = ("image", "document", "video", "audio")
MIMETYPES = {
    "image": "image/png", "document": "application/octet-stream", "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus", "sticker": "image/webp",
}  # fmt: skip
URL = re.compile(r"https?://([^/:?#]+\.[^/:?#]+)(:\d+)?([/?#].*)?", re.DOTALL)
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class MessageContent(NamedTuple):
    """A message's kind, raw message, readable text, and its media as base64 or URL."""

    kind: str
    message: Json
    text: str = ""
    media: str = ""


def text(body: Json) -> MessageContent:
    require_properties(body, "number", "text")
    return MessageContent("conversation", {"conversation": body["text"]}, body["text"])


def media(body: Json) -> MessageContent:
    require_properties(body, "number", "mediatype", "media")
    kind = body["mediatype"]
    if kind not in KINDS_OF_MEDIA:
        raise invalid(f"mediatype is not one of enum values: {','.join(KINDS_OF_MEDIA)}")
    require_media(body["media"])
    caption, mimetype = body.get("caption", ""), body.get("mimetype") or MIMETYPES[kind]
    return build_media_message(kind, body["media"], mimetype, caption, body.get("fileName"))


def audio(body: Json) -> MessageContent:
    require_properties(body, "number", "audio")
    require_media(body["audio"])
    return build_media_message("audio", body["audio"], MIMETYPES["audio"])


def sticker(body: Json) -> MessageContent:
    require_properties(body, "number", "sticker")
    require_media(body["sticker"])
    return build_media_message("sticker", body["sticker"], MIMETYPES["sticker"])


def location(body: Json) -> MessageContent:
    require_properties(body, "number", "latitude", "longitude")
    place = {"degreesLatitude": body["latitude"], "degreesLongitude": body["longitude"]}
    labels = {key: body[key] for key in ("name", "address") if key in body}
    return MessageContent(
        "locationMessage", {"locationMessage": place | labels}, body.get("name", "")
    )


def contact(body: Json) -> MessageContent:
    require_properties(body, "number", "contact")
    people = body["contact"]
    complaints = [flaw for index, card in enumerate(people) for flaw in _list_flaws(index, card)]
    if complaints:
        raise invalid(*complaints)
    cards = [{"displayName": card["fullName"], "vcard": _build_vcard(card)} for card in people]
    names = ", ".join(card["displayName"] for card in cards)
    if len(cards) == 1:
        return MessageContent("contactMessage", {"contactMessage": cards[0]}, names)
    contact_list = {"displayName": f"{len(cards)} contacts", "contacts": cards}
    return MessageContent("contactsArrayMessage", {"contactsArrayMessage": contact_list}, names)


def reaction(body: Json) -> MessageContent:
    require_properties(body, "key", "reaction")
    if body["reaction"] and not _is_one_emoji(body["reaction"]):
        raise bad_request("Reaction must be a single emoji or empty string")
    content = {
        "text": body["reaction"],
        "key": body["key"],
        "senderTimestampMs": ids.seconds() * 1000,
    }
    return MessageContent("reactionMessage", {"reactionMessage": content}, body["reaction"])


def poll(body: Json) -> MessageContent:
    require_properties(body, "number", "name", "selectableCount", "values")
    question = {
        "name": body["name"],
        "selectableOptionsCount": body["selectableCount"],
        "options": [{"optionName": value} for value in body["values"]],
    }
    secret = {"messageContextInfo": {"messageSecret": raw_bytes(32)}}
    return MessageContent(
        "pollCreationMessageV3", secret | {"pollCreationMessageV3": question}, body["name"]
    )


def status(body: Json) -> MessageContent:
    require_properties(body, "type", "content")
    return MessageContent("conversation", {"conversation": body["content"]}, body["content"])


def buttons(body: Json) -> MessageContent:
    require_properties(body, "number", "title", "buttons")
    quick_replies = [{
        "name": "quick_reply",
        "buttonParamsJson": json.dumps({"display_text": b.get("displayText"), "id": b.get("id")}),
    } for b in body["buttons"]]  # fmt: skip
    params = json.dumps({"from": "api", "templateId": ids.uuid()})
    interactive = {
        "body": {"text": f"*{body['title']}*\n\n{body.get('description', '')}\n"},
        "footer": {"text": body.get("footer", "")},
        "nativeFlowMessage": {"buttons": quick_replies, "messageParamsJson": params},
    }
    wrapped = {"viewOnceMessage": {"message": {"interactiveMessage": interactive}}}
    return MessageContent("viewOnceMessage", wrapped, body["title"])


def list_message(body: Json) -> MessageContent:
    raise bad_request("TypeError: this.isZero is not a function")


def build_media_message(
    kind: str, media: str, mimetype: str, caption: str = "", file_name: str | None = None
) -> MessageContent:
    """Build the raw form of a media message that was uploaded to WhatsApp."""
    size = 0 if URL.fullmatch(media) else len(base64.b64decode(media))
    proto = _build_proto(kind, mimetype, size) | ({"caption": caption} if caption else {})
    if kind == "document":
        proto["fileName"] = file_name or "document"
    return MessageContent(f"{kind}Message", {f"{kind}Message": proto}, caption, media)


def require_media(media: object) -> None:
    """Require a URL with a dot in its host, or bare base64, as Evolution does."""
    if not isinstance(media, str) or not (URL.fullmatch(media) or BASE64.fullmatch(media)):
        raise bad_request("Owned media must be a url or base64")


def raw_bytes(count: int) -> Json:
    """Return random bytes as they look after JSON.stringify: an object with index keys."""
    return {str(index): byte for index, byte in enumerate(secrets.token_bytes(count))}


def long(value: int, unsigned: bool = False) -> Json:
    """Return a 64-bit number as it looks after JSON.stringify."""
    return {"low": value, "high": 0, "unsigned": unsigned}


def _is_one_emoji(reaction: str) -> bool:
    """Tell roughly as Evolution's table of emojis whether this is one emoji with its modifiers."""
    bare = re.sub(r"\u200d.|[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]", "", reaction)
    flag = re.fullmatch("[\U0001f1e6-\U0001f1ff]{2}", bare)
    keycap = reaction.endswith("\u20e3") and re.fullmatch("[0-9#*]", bare)
    picture = len(bare) == 1 and not bare.isascii() and not bare.isalnum()
    return bool(flag or keycap or picture)


def _build_proto(kind: str, mimetype: str, size: int) -> Json:
    folder = "image" if kind == "sticker" else kind
    path = f"/mms/{folder}/{secrets.token_urlsafe(32)}"
    return _media_extras(kind) | {
        "url": f"https://mmg.whatsapp.net{path}",
        "mimetype": mimetype,
        "fileSha256": raw_bytes(32),
        "fileLength": long(size, unsigned=True),
        "mediaKey": raw_bytes(32),
        "fileEncSha256": raw_bytes(32),
        "directPath": path,
        "mediaKeyTimestamp": long(ids.seconds()),
    }


def _media_extras(kind: str) -> Json:
    annotated: Json = {"interactiveAnnotations": [], "annotations": []}
    match kind:
        case "image":
            thumbnail = {"height": 64, "width": 64, "jpegThumbnail": raw_bytes(16)}
            return annotated | {"scanLengths": []} | thumbnail
        case "video":
            return annotated | {"processedVideos": [], "gifPlayback": False}
        case "audio":
            return {"seconds": 1, "ptt": True}
        case _:
            return {}


def _list_flaws(index: int, card: Json) -> list[str]:
    flaws = []
    if not re.fullmatch(r"\d{10,}", str(card.get("wuid", ""))):
        flaws.append('"wuid" must be a numeric string')
    if len(str(card.get("phoneNumber", ""))) < 10:
        flaws.append(f"contact[{index}].phoneNumber does not meet minimum length of 10")
    return flaws


def _build_vcard(card: Json) -> str:
    name = card["fullName"]
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:{name}", f"FN:{name}"]
    optional = {"organization": "ORG:{};", "email": "EMAIL:{}", "url": "URL:{}"}
    lines += [form.format(card[key]) for key, form in optional.items() if card.get(key)]
    lines.append(f"item1.TEL;waid={card['wuid']}:{card['phoneNumber']}")
    return "\n".join([*lines, "item1.X-ABLabel:Celular", "END:VCARD"])
