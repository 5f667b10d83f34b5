"""Name the events that every instance posts to us, and the settings that it has."""

from collections.abc import Mapping
from typing import NamedTuple

from shared import config
from shared.domain.upstream import Configuration
from shared.evolution.capabilities import find_capabilities

EVENTS = (
    "CONNECTION_UPDATE",
    "QRCODE_UPDATED",
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_UPDATE",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "GROUPS_UPSERT",
    "GROUP_PARTICIPANTS_UPDATE",
    "CALL",
)
"""What we subscribe to: only what `receive_webhook` uses.

Not GROUP_UPDATE: no version posts it (EVOLUTION.md §4). Not contacts.*: one is posted with every
inbound message, and tells nothing that the message doesn't.
"""

EVENTS_SINCE_2 = ("REMOVE_INSTANCE", "MESSAGES_EDITED", "SEND_MESSAGE_UPDATE")

SETTINGS: Mapping[str, bool] = {
    "rejectCall": False,
    "groupsIgnore": False,
    "alwaysOnline": False,
    "readMessages": False,
    "readStatus": True,
    "syncFullHistory": False,
}
"""How every instance of ours behaves; `settings/set` needs all of them (EVOLUTION.md §6).

`readStatus`: without it what contacts write through broadcast lists is dropped (EVOLUTION.md §4).
With it statuses are posted too, which are ignored here; their authors don't see them as read.
"""


class WebhookTarget(NamedTuple):
    """Where webhooks go, and the header and the token by which an instance proves itself."""

    url: str
    header: str
    token: str


def build_configuration(server: config.Server, target: WebhookTarget) -> Configuration:
    """Configure an instance to post the events that its server can post.

    A server that sends no headers (1.8) gets the token as a part of the path (EVOLUTION.md §4).
    """
    if not find_capabilities(server.version).sends_headers:
        return Configuration(f"{target.url}/{target.token}", {}, EVENTS, SETTINGS)
    headers = {target.header: target.token}
    return Configuration(target.url, headers, EVENTS + EVENTS_SINCE_2, SETTINGS)
