"""Record what webhooks and servers report."""

from typing import Final

PATIENCE: Final = 20.0
"""Seconds in which a webhook has to be recorded; a server gives up on us after 30 and posts the
event again (EVOLUTION.md §4)."""
