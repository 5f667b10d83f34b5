"""Read messages of every kind."""

import base64

from shared.domain.content import Kind
from shared.domain.content.cards import Card
from shared.domain.content.media_files import THUMBNAIL_LIMIT, Media
from shared.domain.content.places import Place
from shared.domain.content.polls import Poll
from tests.adapters import posted
from tests.adapters.posted import read_events, read_message
from tests.cases import in_each


def recorded(name: str):
    (event,) = read_events(posted.body(name))
    return event.message


def test_picture_is_described_without_keys():
    message = recorded("messages.upsert.in-image.json")

    thumbnail = base64.b64encode(b"thumb").decode()
    assert message.media == Media(
        mimetype="image/jpeg", size=12345, width=100, height=100, thumbnail=thumbnail
    )
    assert (message.kind, message.text) == (Kind.IMAGE, "foto")
    assert "mmg.whatsapp.net" not in message.model_dump_json()


def test_a_voice_message_isnt_a_song():
    voice = recorded("messages.upsert.in-audio-ptt.json")
    song = read_message({"audioMessage": {"seconds": 180, "ptt": False}})

    assert (voice.kind, voice.media.seconds) == (Kind.VOICE, 4)
    assert (song.kind, song.media.seconds) == (Kind.AUDIO, 180)


def test_a_document_has_a_name():
    message = recorded("messages.upsert.in-documentWithCaption.json")

    assert (message.kind, message.text, message.media.name) == (Kind.DOCUMENT, "leia", "a.pdf")
    assert read_message({"documentMessage": {"title": "b.pdf"}}).media.name == "b.pdf"


def test_a_round_video_is_a_video():
    assert read_message({"ptvMessage": {"seconds": 3}}).kind is Kind.VIDEO


def test_sticker_has_png_thumbnail():
    message = read_message({"stickerMessage": {"pngThumbnail": base64.b64encode(b"png").decode()}})

    assert message.media.thumbnail == base64.b64encode(b"png").decode()


def test_thumbnail_that_is_file_isnt_kept():
    thumbnail = {"0": 1} | {str(index): 1 for index in range(THUMBNAIL_LIMIT)}
    dropped = thumbnail | {str(THUMBNAIL_LIMIT): 1}

    assert read_message({"imageMessage": {"jpegThumbnail": thumbnail}}).media.thumbnail
    assert read_message({"imageMessage": {"jpegThumbnail": dropped}}).media.thumbnail is None


def test_the_file_itself_isnt_kept():
    message = read_message(
        {
            "imageMessage": {"mimetype": "image/jpeg"},
            "base64": "QUFB",
            "mediaUrl": "https://s3/x?sig=1",
        }
    )

    assert message.kind is Kind.IMAGE
    assert "QUFB" not in message.model_dump_json()
    assert "s3" not in message.model_dump_json()


def test_location_has_coordinates_and_name():
    assert recorded("messages.upsert.in-location.json").content.place == Place(
        latitude=-23.5, longitude=-46.6, name="Praça", address="Rua X"
    )


@in_each("latitude", [None, "1", True, 91, float("1e400"), -90.5])
def test_place_that_is_nowhere_is_none(latitude):
    message = read_message(
        {"locationMessage": {"degreesLatitude": latitude, "degreesLongitude": 1}}
    )

    assert (message.kind, message.content.place) == (Kind.LOCATION, None)


def test_live_location_has_coordinates():
    moving = {"degreesLatitude": 1, "degreesLongitude": 2, "caption": "indo"}

    message = read_message({"liveLocationMessage": moving})

    assert (message.kind, message.text) == (Kind.LIVE_LOCATION, "indo")
    assert message.content.place == Place(latitude=1, longitude=2)


def test_card_has_numbers_whatsapp_knows():
    assert recorded("send.message.sendContact.json").content.cards == (
        Card(name="João", numbers=("5511977776666",)),
    )


def test_cards_come_in_any_vcard():
    vcard = (
        "BEGIN:VCARD\r\nFN;CHARSET=UTF-8:Ana\r\n Maria\r\nTEL;TYPE=CELL:+55 (11) 97777-6666\r\n"
        "tel:5511977776666\r\nitem1.TEL;waid=5511955554444:+55\r\nNOTE:TEL:1\r\nEND:VCARD"
    )

    listed = [{"vcard": vcard}, {"displayName": "Bia"}, None]
    message = read_message({"contactsArrayMessage": {"contacts": listed}})

    assert message.content.cards == (
        Card(name="AnaMaria", numbers=("5511977776666", "5511955554444")),
        Card(name="Bia"),
    )


def test_card_without_anything_is_still_card():
    assert read_message({"contactMessage": {}}).content.cards == (Card(name=""),)
    assert read_message({"contactsArrayMessage": {}}).content.cards == ()


@in_each("version", ["", "V2", "V3", "V5"])
def test_a_poll_asks(version: str):
    options = [{"optionName": "A"}, {"optionName": "B"}, {"optionName": 3}, None]
    poll = {"name": "Qual?", "options": options, "selectableOptionsCount": 1}

    message = read_message({f"pollCreationMessage{version}": poll})

    assert message.content.poll == Poll(question="Qual?", options=("A", "B"), selectable=1)
    assert read_message({"pollCreationMessage": {}}).content.poll == Poll(question="")


@in_each(
    ("content", "kind", "text"),
    [
        ({"buttonsResponseMessage": {"selectedButtonId": "1"}}, Kind.BUTTON_REPLY, None),
        ({"templateButtonReplyMessage": {"selectedDisplayText": "A"}}, Kind.BUTTON_REPLY, "A"),
        ({"interactiveResponseMessage": {"body": {"text": "A"}}}, Kind.BUTTON_REPLY, "A"),
        ({"interactiveResponseMessage": {}}, Kind.BUTTON_REPLY, None),
        (
            {"listResponseMessage": {"title": "Um", "singleSelectReply": {"selectedRowId": "r"}}},
            Kind.LIST_REPLY,
            "Um",
        ),
        (
            {"listResponseMessage": {"singleSelectReply": {"selectedRowId": "r"}}},
            Kind.LIST_REPLY,
            None,
        ),
    ],
)
def test_a_choice_reads_like_its_button(content, kind, text):
    message = read_message(content)

    assert (message.kind, message.text) == (kind, text)
