"""Stand in for an Evolution API server, faithfully: built from recorded traffic."""

from infra.local.simulator.cuts import ConnectionCut, NoAnswer
from infra.local.simulator.faults import Faults
from infra.local.simulator.simulator import Simulator
from infra.local.simulator.state import Impossible, SentMessage, ServedRequest
from infra.local.simulator.webhook_posts import WebhookDelivery

__all__ = [
    "ConnectionCut",
    "Faults",
    "Impossible",
    "NoAnswer",
    "SentMessage",
    "ServedRequest",
    "Simulator",
    "WebhookDelivery",
]
