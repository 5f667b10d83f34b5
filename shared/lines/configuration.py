"""Build the configuration that an instance of ours has upstream."""

from shared import config, webhook_token
from shared.domain.names import InstanceName
from shared.domain.upstream import Configuration
from shared.evolution import subscription
from shared.evolution.subscription import WebhookTarget


def build_configuration(
    server: config.Server, name: InstanceName, generation: int
) -> Configuration:
    """Build where an instance's events go, and the token that proves that they are its own.

    `generation` (epoch milliseconds) tells the instance from earlier ones of the same name, whose
    events may still be on their way.
    """
    url, token = f"{config.settings().public_url}/webhook", webhook_token.sign(name, generation)
    return subscription.build_configuration(server, WebhookTarget(url, webhook_token.HEADER, token))
