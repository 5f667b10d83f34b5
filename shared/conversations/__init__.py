"""Show conversations and messages to their tenant."""
