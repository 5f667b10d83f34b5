"""Run what breaks integrations against Perene and the naive handler, and count what went wrong."""
