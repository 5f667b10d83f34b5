"""How an instance of ours is configured upstream, whoever made it."""

from shared import config, webhook_token
from shared.domain.names import InstanceName
from shared.domain.upstream import Configuration
from shared.evolution import dialects
from shared.evolution.dialects import SETTINGS

EVENTS = (
    "CONNECTION_UPDATE",
    "QRCODE_UPDATED",
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_UPDATE",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "GROUPS_UPSERT",
)
"""What we subscribe to: only what `receive_webhook` uses.

Not contacts.*: one is posted with every inbound message (EVOLUTION.md §4), and tells nothing that
the message doesn't.
"""

EVENTS_SINCE_2 = ("REMOVE_INSTANCE", "MESSAGES_EDITED", "SEND_MESSAGE_UPDATE")


def configuration_of(server: config.Server, name: InstanceName, born: int) -> Configuration:
    """Where an instance's events go, and the token that proves they are its own.

    `born` tells it from earlier instances of the same name, whose events may still be on their way.

    1.8 knows no headers, so there the token is part of the path (EVOLUTION.md §4).
    """
    public_url, token = config.settings().public_url, webhook_token.sign(name, born)
    if not dialects.of(server).sends_headers:
        return Configuration(f"{public_url}/webhook/{token}", {}, EVENTS, SETTINGS)
    headers = {webhook_token.HEADER: token}
    return Configuration(f"{public_url}/webhook", headers, EVENTS + EVENTS_SINCE_2, SETTINGS)
