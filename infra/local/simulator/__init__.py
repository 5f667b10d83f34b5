"""A faithful stand-in for an Evolution API server, built from recorded traffic."""

from infra.local.simulator.cuts import ConnectionCut, NoAnswer
from infra.local.simulator.faults import Faults
from infra.local.simulator.simulator import Simulator
from infra.local.simulator.state import Call, Impossible, Sent
from infra.local.simulator.webhooks import Delivery

__all__ = [
    "Call",
    "ConnectionCut",
    "Delivery",
    "Faults",
    "Impossible",
    "NoAnswer",
    "Sent",
    "Simulator",
]
