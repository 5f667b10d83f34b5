"""List every call of an Evolution client, as a test may make it."""

from typing import NamedTuple

from shared.domain.outgoing import Outgoing, Text
from shared.domain.upstream import MessageKey
from tests.adapters.evolution_wire import NIGHT, NOON, WANTED
from tests.cases import in_each

TO = Outgoing("5511988887777", Text("o texto de alguém"))
AT = MessageKey("3EB0", "5511988887777@s.whatsapp.net", True)


async def census(evolution):
    return [sighting async for sighting in evolution.take_census()]


class Downloaded(NamedTuple):
    """A file that was read to its end."""

    mimetype: str
    file_name: str | None
    content: bytes


async def download(evolution, name, message):
    """Read the file in a message to its end; None if there is none."""
    async with evolution.open_media(name, message) as media:
        if media is None:
            return None
        content = b"".join([chunk async for chunk in media.chunks])
    return Downloaded(media.mimetype, media.file_name, content)


CALLS = {
    "connection": lambda e: e.find_connection("wa1"),
    "connect": lambda e: e.connect_instance("wa1"),
    "restart": lambda e: e.restart_instance("wa1"),
    "configure": lambda e: e.configure_instance("wa1", WANTED),
    "configuration": lambda e: e.find_configuration("wa1"),
    "settings": lambda e: e.find_settings("wa1"),
    "silence": lambda e: e.silence_instance("wa1"),
    "delete": lambda e: e.delete_instance("wa1"),
    "census": census,
    "version": lambda e: e.fetch_version(),
    "verify": lambda e: e.accepts_key(),
    "mark_read": lambda e: e.mark_read("wa1", [AT]),
    "numbers_on_whatsapp": lambda e: e.look_up_numbers("wa1", ["5511988887777"]),
    "messages": lambda e: e.history("wa1", "5511999990001", NOON, NIGHT),
    "media": lambda e: download(e, "wa1", "3EB0"),
}
CREATE = {"create": lambda e: e.create_instance("wa1", WANTED)}
SENDS = {
    "send": lambda e: e.send_message("wa1", TO),
    "edit": lambda e: e.edit_message("wa1", AT, "outro texto"),
    "delete_message": lambda e: e.delete_message("wa1", AT),
}
EVERYTHING = {**CALLS, **CREATE, **SENDS}
VERSIONS = ["2.3.6", "1.8.2"]

every_call = in_each("call", CALLS)
every_send = in_each("call", SENDS)
everything = in_each("call", EVERYTHING)
