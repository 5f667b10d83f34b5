"""What a message contains, kind by kind, in the raw form that WhatsApp gives it."""

import base64
import json
import re
import secrets
from typing import NamedTuple

from infra.local.simulator import ids
from infra.local.simulator.answers import Json, bad_request, invalid, required

KINDS_OF_MEDIA = ("image", "document", "video", "audio")
MIMETYPES = {
    "image": "image/png", "document": "application/octet-stream", "video": "video/mp4",
    "audio": "audio/ogg; codecs=opus", "sticker": "image/webp",
}  # fmt: skip
URL = re.compile(r"https?://([^/:?#]+\.[^/:?#]+)(:\d+)?([/?#].*)?", re.DOTALL)
BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")


class Content(NamedTuple):
    """The kind, the raw message, what a person reads of it, and the bytes or where they are."""

    kind: str
    message: Json
    text: str = ""
    media: str = ""


def text(body: Json) -> Content:
    required(body, "number", "text")
    return Content("conversation", {"conversation": body["text"]}, body["text"])


def media(body: Json) -> Content:
    required(body, "number", "mediatype", "media")
    kind = body["mediatype"]
    if kind not in KINDS_OF_MEDIA:
        raise invalid(f"mediatype is not one of enum values: {','.join(KINDS_OF_MEDIA)}")
    check_media(body["media"])
    caption, mimetype = body.get("caption", ""), body.get("mimetype") or MIMETYPES[kind]
    return uploaded(kind, body["media"], mimetype, caption, body.get("fileName"))


def audio(body: Json) -> Content:
    required(body, "number", "audio")
    check_media(body["audio"])
    return uploaded("audio", body["audio"], MIMETYPES["audio"])


def sticker(body: Json) -> Content:
    required(body, "number", "sticker")
    check_media(body["sticker"])
    return uploaded("sticker", body["sticker"], MIMETYPES["sticker"])


def location(body: Json) -> Content:
    required(body, "number", "latitude", "longitude")
    place = {"degreesLatitude": body["latitude"], "degreesLongitude": body["longitude"]}
    named = {key: body[key] for key in ("name", "address") if key in body}
    return Content("locationMessage", {"locationMessage": place | named}, body.get("name", ""))


def contact(body: Json) -> Content:
    required(body, "number", "contact")
    people = body["contact"]
    complaints = [complaint for at, who in enumerate(people) for complaint in _flaws(at, who)]
    if complaints:
        raise invalid(*complaints)
    cards = [{"displayName": who["fullName"], "vcard": _vcard(who)} for who in people]
    names = ", ".join(card["displayName"] for card in cards)
    if len(cards) == 1:
        return Content("contactMessage", {"contactMessage": cards[0]}, names)
    many = {"displayName": f"{len(cards)} contacts", "contacts": cards}
    return Content("contactsArrayMessage", {"contactsArrayMessage": many}, names)


def reaction(body: Json) -> Content:
    required(body, "key", "reaction")
    if body["reaction"] and not _looks_like_one_emoji(body["reaction"]):
        raise bad_request("Reaction must be a single emoji or empty string")
    said = {
        "text": body["reaction"],
        "key": body["key"],
        "senderTimestampMs": ids.seconds() * 1000,
    }
    return Content("reactionMessage", {"reactionMessage": said}, body["reaction"])


def poll(body: Json) -> Content:
    required(body, "number", "name", "selectableCount", "values")
    asked = {
        "name": body["name"],
        "selectableOptionsCount": body["selectableCount"],
        "options": [{"optionName": value} for value in body["values"]],
    }
    secret = {"messageContextInfo": {"messageSecret": raw_bytes(32)}}
    return Content("pollCreationMessageV3", secret | {"pollCreationMessageV3": asked}, body["name"])


def status(body: Json) -> Content:
    required(body, "type", "content")
    return Content("conversation", {"conversation": body["content"]}, body["content"])


def buttons(body: Json) -> Content:
    required(body, "number", "title", "buttons")
    shown = [{
        "name": "quick_reply",
        "buttonParamsJson": json.dumps({"display_text": b.get("displayText"), "id": b.get("id")}),
    } for b in body["buttons"]]  # fmt: skip
    params = json.dumps({"from": "api", "templateId": ids.uuid()})
    interactive = {
        "body": {"text": f"*{body['title']}*\n\n{body.get('description', '')}\n"},
        "footer": {"text": body.get("footer", "")},
        "nativeFlowMessage": {"buttons": shown, "messageParamsJson": params},
    }
    wrapped = {"viewOnceMessage": {"message": {"interactiveMessage": interactive}}}
    return Content("viewOnceMessage", wrapped, body["title"])


def sent_list(body: Json) -> Content:
    raise bad_request("TypeError: this.isZero is not a function")


def uploaded(
    kind: str, media: str, mimetype: str, caption: str = "", file_name: str | None = None
) -> Content:
    """A media message, uploaded to WhatsApp, as its raw form."""
    size = 0 if URL.fullmatch(media) else len(base64.b64decode(media))
    proto = _proto(kind, mimetype, size) | ({"caption": caption} if caption else {})
    if kind == "document":
        proto["fileName"] = file_name or "document"
    return Content(f"{kind}Message", {f"{kind}Message": proto}, caption, media)


def check_media(media: object) -> None:
    """It is a URL with a dot in its host, or bare base64; nothing else is accepted."""
    if not isinstance(media, str) or not (URL.fullmatch(media) or BASE64.fullmatch(media)):
        raise bad_request("Owned media must be a url or base64")


def raw_bytes(count: int) -> Json:
    """Bytes as they look after JSON.stringify: an object with index keys."""
    return {str(at): byte for at, byte in enumerate(secrets.token_bytes(count))}


def long(value: int, unsigned: bool = False) -> Json:
    """A 64-bit number as it looks after JSON.stringify."""
    return {"low": value, "high": 0, "unsigned": unsigned}


def _looks_like_one_emoji(reaction: str) -> bool:
    """Tell roughly what Evolution's table of emojis tells: one picture, with what changes it."""
    bare = re.sub(r"\u200d.|[\ufe0f\u20e3\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f]", "", reaction)
    flag = re.fullmatch("[\U0001f1e6-\U0001f1ff]{2}", bare)
    keycap = reaction.endswith("\u20e3") and re.fullmatch("[0-9#*]", bare)
    picture = len(bare) == 1 and not bare.isascii() and not bare.isalnum()
    return bool(flag or keycap or picture)


def _proto(kind: str, mimetype: str, size: int) -> Json:
    folder = "image" if kind == "sticker" else kind
    path = f"/mms/{folder}/{secrets.token_urlsafe(32)}"
    return _extras(kind) | {
        "url": f"https://mmg.whatsapp.net{path}",
        "mimetype": mimetype,
        "fileSha256": raw_bytes(32),
        "fileLength": long(size, unsigned=True),
        "mediaKey": raw_bytes(32),
        "fileEncSha256": raw_bytes(32),
        "directPath": path,
        "mediaKeyTimestamp": long(ids.seconds()),
    }


def _extras(kind: str) -> Json:
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


def _flaws(at: int, who: Json) -> list[str]:
    flaws = []
    if not re.fullmatch(r"\d{10,}", str(who.get("wuid", ""))):
        flaws.append('"wuid" must be a numeric string')
    if len(str(who.get("phoneNumber", ""))) < 10:
        flaws.append(f"contact[{at}].phoneNumber does not meet minimum length of 10")
    return flaws


def _vcard(who: Json) -> str:
    name = who["fullName"]
    lines = ["BEGIN:VCARD", "VERSION:3.0", f"N:{name}", f"FN:{name}"]
    optional = {"organization": "ORG:{};", "email": "EMAIL:{}", "url": "URL:{}"}
    lines += [form.format(who[key]) for key, form in optional.items() if who.get(key)]
    lines.append(f"item1.TEL;waid={who['wuid']}:{who['phoneNumber']}")
    return "\n".join([*lines, "item1.X-ABLabel:Celular", "END:VCARD"])
